/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe_names.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/text.h"

static const struct {
	const char *name;
	uint8_t number;
} protocols[] = {
	{ "tcp", IPPROTO_TCP },     { "udp", IPPROTO_UDP },   { "icmp", IPPROTO_ICMP },
	{ "icmp", IPPROTO_ICMPV6 }, { "sctp", IPPROTO_SCTP },
};

struct where_text where_format(struct ip ip, unsigned port)
{
	struct where_text where;
	if (ip_is_v4(ip))
		snprintf(where.text, sizeof where.text, "%s:%u", ip_format(ip).text, port);
	else
		snprintf(where.text, sizeof where.text, "[%s]:%u", ip_format(ip).text, port);
	return where;
}

const char *protocol_text(unsigned protocol)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		if (protocols[i].number == protocol)
			return protocols[i].name;
	return "other";
}

int protocol_parse(const char *text, uint8_t *ret_protocol, struct error *err)
{
	uint64_t number;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (!text_equal(text, protocols[i].name))
			continue;
		*ret_protocol = protocols[i].number;
		return 0;
	}
	if (text_to_unsigned(text, 1, 255, &number) < 0)
		return error_set(err, EINVAL, "%s is none of tcp, udp, icmp, sctp, and no number",
				 text);
	*ret_protocol = (uint8_t)number;
	return 0;
}

struct where_text size_format(uint64_t bytes)
{
	static const char units[] = "kMGTPE";
	struct where_text size;
	double value = (double)bytes;
	int unit = -1;
	while (value >= 1000 && unit < 5) {
		value /= 1000;
		unit++;
	}
	if (unit < 0)
		snprintf(size.text, sizeof size.text, "%llu B", (unsigned long long)bytes);
	else
		snprintf(size.text, sizeof size.text, "%.1f %cB", value, units[unit]);
	return size;
}

struct where_text time_us_format(uint32_t us)
{
	struct where_text time;
	if (us < 1000)
		snprintf(time.text, sizeof time.text, "%u us", us);
	else if (us < 1000 * 1000)
		snprintf(time.text, sizeof time.text, "%.1f ms", us / 1e3);
	else
		snprintf(time.text, sizeof time.text, "%.1f s", us / 1e6);
	return time;
}
