/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers, sizes and durations out of text. Each takes the whole text or
 * refuses it: "10 " and "0x10" are typing errors, not numbers.
 */
#include "base/text.h"

#include <errno.h>
#include <string.h>

#define FRACTION_DIGITS_MAX 9

/* Reads digits at *at, moves *at behind them; false if there are none or too many. */
static bool read_digits(const char **at, uint64_t *ret)
{
	const char *c = *at;
	uint64_t value = 0;
	for (; *c >= '0' && *c <= '9'; c++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*c - '0'), &value))
			return false;
	if (c == *at)
		return false;
	*at = c;
	*ret = value;
	return true;
}

/*
 * Reads "1" or "1.25" and multiplies by unit later: *ret_fraction counts
 * thousand-millionths, so that no floating point rounds a size.
 */
static bool read_decimal(const char **at, uint64_t *ret_whole, uint64_t *ret_fraction)
{
	*ret_fraction = 0;
	if (!read_digits(at, ret_whole))
		return false;
	if (**at != '.')
		return true;
	const char *first = ++*at;
	if (!read_digits(at, ret_fraction) || *at - first > FRACTION_DIGITS_MAX)
		return false;
	for (long digits = *at - first; digits < FRACTION_DIGITS_MAX; digits++)
		*ret_fraction *= 10;
	return true;
}

static bool scale(uint64_t whole, uint64_t fraction, uint64_t unit, uint64_t *ret)
{
	unsigned __int128 value =
		(unsigned __int128)whole * unit + (unsigned __int128)fraction * unit / 1000000000u;
	*ret = (uint64_t)value;
	return value <= UINT64_MAX;
}

int text_to_unsigned(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t value;
	if (!read_digits(&text, &value) || *text || value < min || value > max)
		return -EINVAL;
	*ret = value;
	return 0;
}

int text_to_signed(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	bool negative = *text == '-';
	uint64_t magnitude;
	if (text_to_unsigned(text + negative, 0, (uint64_t)INT64_MAX + negative, &magnitude) < 0)
		return -EINVAL;
	int64_t value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	if (value < min || value > max)
		return -EINVAL;
	*ret = value;
	return 0;
}

/* Takes "k", "kb" and "kib" in either case; *ret_shift is the power of two. */
static bool read_size_unit(const char *text, unsigned *ret_shift)
{
	static const char units[] = "bkmgtp";
	*ret_shift = 0;
	if (*text == '\0')
		return true;
	char lower = (char)(*text | 0x20);
	const char *unit = strchr(units, lower);
	if (!unit)
		return false;
	*ret_shift = 10 * (unsigned)(unit - units);
	const char *rest = text + 1;
	return *rest == '\0' ||
	       (lower != 'b' && (!strcasecmp(rest, "b") || !strcasecmp(rest, "ib")));
}

int text_to_size_bytes(const char *text, uint64_t *ret_bytes)
{
	uint64_t whole, fraction, bytes;
	unsigned shift;
	if (!read_decimal(&text, &whole, &fraction) || !read_size_unit(text, &shift) ||
	    !scale(whole, fraction, UINT64_C(1) << shift, &bytes))
		return -EINVAL;
	*ret_bytes = bytes;
	return 0;
}

static bool read_duration_unit(const char **at, uint64_t *ret_ns)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = {
		/* "ms" stands before "m", which is its beginning. */
		{ "ns", 1 },         { "us", 1000 },       { "ms", 1000000 },
		{ "s", 1000000000 }, { "m", 60000000000 }, { "h", 3600000000000 },
	};
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (text_starts_with(*at, units[i].name)) {
			*at += strlen(units[i].name);
			*ret_ns = units[i].ns;
			return true;
		}
	}
	return false;
}

int text_to_duration_ms(const char *text, int64_t *ret_ms)
{
	uint64_t total_ns = 0;
	if (strcmp(text, "0") == 0) {
		*ret_ms = 0;
		return 0;
	}
	do {
		uint64_t whole, fraction, unit_ns, part_ns;
		if (!read_decimal(&text, &whole, &fraction) ||
		    !read_duration_unit(&text, &unit_ns) ||
		    !scale(whole, fraction, unit_ns, &part_ns) ||
		    __builtin_add_overflow(total_ns, part_ns, &total_ns))
			return -EINVAL;
	} while (*text);
	/* Rounded up: a wait of 10us must not become no wait at all. */
	*ret_ms = (int64_t)(total_ns / 1000000 + (total_ns % 1000000 != 0));
	return 0;
}
