/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>

#include "base/cleanup.h"
#include "names.h"

static void signals_are_known_by_name_and_number(void **state)
{
	static const struct {
		const char *text;
		int signal; /* 0: refused */
	} rows[] = {
		{ "TERM", SIGTERM }, { "SIGTERM", SIGTERM }, { "sigkill", SIGKILL },
		{ "15", 15 },        { "hup", SIGHUP },      { "0", 0 },
		{ "99", 0 },         { "FOO", 0 },           { "", 0 },
		{ "-9", 0 },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int signal = 0;
		struct error err = { 0 };
		int r = signal_parse(rows[i].text, &signal, &err);
		if ((r == 0) != (rows[i].signal != 0) || signal != rows[i].signal)
			fail_msg("row \"%s\"", rows[i].text);
	}
}

static void capabilities_are_known_with_and_without_prefix(void **state)
{
	uint64_t bits = 0, prefixed = 0;
	struct error err = { 0 };
	(void)state;
	assert_int_equal(capability_bits_parse("NET_ADMIN", &bits, &err), 0);
	assert_int_equal(capability_bits_parse("cap_net_admin", &prefixed, &err), 0);
	assert_int_equal(bits, 1ull << 12); /* linux/capability.h */
	assert_int_equal(prefixed, bits);
	assert_int_equal(capability_bits_parse("ALL", &bits, &err), 0);
	assert_int_equal(bits, (1ull << 41) - 1);
	assert_int_equal(capability_bits_parse("FLY", &bits, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_are_known_by_name_and_number),
		cmocka_unit_test(capabilities_are_known_with_and_without_prefix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
