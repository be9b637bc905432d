/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "when.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/loop.h"
#include "base/text.h"

#define NS_PER_S 1000000000

/* ".5" as nanoseconds; returns what follows. */
static const char *read_fraction(const char *text, int64_t *ret_ns)
{
	int64_t unit = NS_PER_S / 10;
	*ret_ns = 0;
	if (*text != '.' || !isdigit((unsigned char)text[1]))
		return text;
	for (text++; isdigit((unsigned char)*text); text++, unit /= 10)
		*ret_ns += (*text - '0') * unit;
	return text;
}

static bool read_seconds(const char *text, int64_t *ret_ns)
{
	int64_t seconds = 0, fraction;
	if (!isdigit((unsigned char)*text))
		return false;
	for (; isdigit((unsigned char)*text) && seconds < INT64_MAX / NS_PER_S / 10; text++)
		seconds = seconds * 10 + *text - '0';
	text = read_fraction(text, &fraction);
	*ret_ns = seconds * NS_PER_S + fraction;
	return !*text;
}

/* "Z", "+01:00", or nothing: local. */
static bool read_zone(const char *text, struct tm *tm, int64_t *ret_s)
{
	int sign = *text == '-' ? -1 : 1;
	if (!*text) {
		tm->tm_isdst = -1;
		*ret_s = mktime(tm);
		return true;
	}
	*ret_s = timegm(tm);
	if (text_equal(text, "Z"))
		return true;
	if ((*text != '+' && *text != '-') || strlen(text) != 6 || text[3] != ':' ||
	    strspn(text + 1, "0123456789") != 2 || strspn(text + 4, "0123456789") != 2)
		return false;
	*ret_s -= sign * (((text[1] - '0') * 10 + text[2] - '0') * 3600 +
			  ((text[4] - '0') * 10 + text[5] - '0') * 60);
	return true;
}

static bool read_date(const char *text, int64_t *ret_ns)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H",
					     "%Y-%m-%d" };
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm tm = { 0 };
		int64_t seconds, fraction;
		const char *rest = strptime(text, forms[i], &tm);
		if (!rest)
			continue;
		rest = read_fraction(rest, &fraction);
		if (!read_zone(rest, &tm, &seconds))
			continue;
		*ret_ns = seconds * NS_PER_S + fraction;
		return true;
	}
	return false;
}

int when_read(const char *flag, const char *text, int64_t *ret_ns, struct error *err)
{
	int64_t age_ms;
	if (!text || read_seconds(text, ret_ns) || read_date(text, ret_ns))
		return 0;
	if (text_to_duration_ms(text, &age_ms) < 0)
		return error_set(err, EINVAL,
				 "%s %s: is neither an age such as 10m nor a time such as "
				 "2026-01-31T12:00:00Z or 1700000000",
				 flag, text);
	*ret_ns = clock_wall_ns() - age_ms * 1000000;
	return 0;
}
