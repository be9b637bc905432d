/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rate.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/text.h"

static void a_rate_is_a_number_with_a_unit_and_perhaps_a_burst(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t rate, burst;
	} rows[] = {
		{ "8000", 0, 8000, 0 },
		{ "100m", 0, 100000000, 0 },
		{ "1g/20m", 0, 1000000000, 20000000 },
		{ "512k/64k", 0, 512000, 64000 },
		{ "100000g", 0, 100000000000000, 0 },
		{ "", -EINVAL, 0, 0 },
		{ "0", -EINVAL, 0, 0 },
		{ "m", -EINVAL, 0, 0 },
		{ "1.5m", -EINVAL, 0, 0 },
		{ "-1", -EINVAL, 0, 0 },
		{ "10x", -EINVAL, 0, 0 },
		{ "10m/", -EINVAL, 0, 0 },
		{ "/10m", -EINVAL, 0, 0 },
		{ "10m/0", -EINVAL, 0, 0 },
		{ "10m/1m/1m", -EINVAL, 0, 0 },
		{ "100001g", -EINVAL, 0, 0 },
		{ "99999999999999999999999999999999999", -EINVAL, 0, 0 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct rate_limit limit = { 0 };
		struct error err = { 0 };
		int r = rate_parse(rows[i].text, &limit, &err);
		if (r != rows[i].result || limit.rate_bit_s != rows[i].rate ||
		    limit.burst_bits != rows[i].burst)
			fail_msg("\"%s\": %d, %s", rows[i].text, r, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rate_is_a_number_with_a_unit_and_perhaps_a_burst),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
