/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rate.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

#define BITS_MAX 100000000000000ull /* 100 Tbit: far from where numbers wrap */

static uint64_t step_of(char unit)
{
	switch (unit) {
	case 'k':
		return 1000;
	case 'm':
		return 1000000;
	case 'g':
		return 1000000000;
	default:
		return 0;
	}
}

/* A number with its unit, from `text` to before `end`. */
static int parse_bits(const char *text, size_t size, uint64_t *ret_bits)
{
	char copy[32];
	uint64_t step = 1;
	if (size == 0 || size >= sizeof copy)
		return -EINVAL;
	memcpy(copy, text, size);
	copy[size] = '\0';
	if (step_of(copy[size - 1])) {
		step = step_of(copy[size - 1]);
		copy[size - 1] = '\0';
	}
	if (text_to_unsigned(copy, 1, BITS_MAX / step, ret_bits) < 0)
		return -EINVAL;
	*ret_bits *= step;
	return 0;
}

int rate_parse(const char *text, struct rate_limit *ret_limit, struct error *err)
{
	struct rate_limit limit = { 0 };
	size_t size = strcspn(text, "/");
	if (parse_bits(text, size, &limit.rate_bit_s) < 0 ||
	    (text[size] &&
	     parse_bits(text + size + 1, strlen(text + size + 1), &limit.burst_bits) < 0))
		return error_set(err, EINVAL,
				 "\"%s\" is no rate: 100m for 100 Mbit/s, 1g/20m with a burst of "
				 "20 Mbit",
				 text);
	*ret_limit = limit;
	return 0;
}
