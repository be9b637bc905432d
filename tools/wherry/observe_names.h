/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* How lists name protocols and places. */
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"

struct where_text {
	char text[IP_TEXT_MAX + 16];
};
/** "10.1.2.3:80", "[fd00::1]:80". */
struct where_text where_format(struct ip ip, unsigned port);
/** "tcp", "udp", "icmp", "sctp" or "other". */
const char *protocol_text(unsigned protocol);
/** Reads such a word, or a number; -EINVAL says what would be right. */
int protocol_parse(const char *text, uint8_t *ret_protocol, struct error *err);
/** "1.5 kB", in powers of 1000. */
struct where_text size_format(uint64_t bytes);
/** "812 us", "1.5 ms". */
struct where_text time_us_format(uint32_t us);
