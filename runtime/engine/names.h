/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Small words: signals and capabilities by name, names for containers without one. */
#include <stdint.h>

#include "base/error.h"

/** Gate: "TERM", "SIGTERM", "15". */
int signal_parse(const char *text, int *ret_signal, struct error *err);
/** Gate: "NET_ADMIN", "CAP_NET_ADMIN", "ALL": the bits of them. */
int capability_bits_parse(const char *text, uint64_t *ret_bits, struct error *err);
/** A name such as "quiet-heron-3f1c". */
int container_name_make(char *ret_name, size_t size, struct error *err);
