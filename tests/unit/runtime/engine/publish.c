/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "publish.h"

#define ROW(text) fail_msg("row \"%s\"", text)

static void each_form_of_publish_means_what_docker_means(void **state)
{
	static const struct {
		const char *text, *shown;
		size_t count;
	} rows[] = {
		{ "8080:80", "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp", 1 },
		{ "127.0.0.1:8080:80", "127.0.0.1:8080->80/tcp", 1 },
		{ "0.0.0.0:8080:80", "0.0.0.0:8080->80/tcp", 1 },
		{ "80", "0.0.0.0:0->80/tcp, [::]:0->80/tcp", 1 },
		{ "0.0.0.0:53:53/udp", "0.0.0.0:53->53/udp", 1 },
		{ "0.0.0.0:8000-8010:80-90", "0.0.0.0:8000-8010->80-90/tcp", 1 },
		{ "[::]:8000-8010:80-90", "[::]:8000-8010->80-90/tcp", 1 },
		{ "[::1]:8080:80", "[::1]:8080->80/tcp", 1 },
		{ "[::1]::80", "[::1]:0->80/tcp", 1 },
		{ "[2001:DB8::0:1]:80:80/udp", "[2001:db8::1]:80->80/udp", 1 },
		{ "[fd00::1]:81-82:91-92/sctp", "[fd00::1]:81-82->91-92/sctp", 1 },
		{ "127.0.0.1::80", "127.0.0.1:0->80/tcp", 1 },
		{ "127.0.0.1:8000-8001:80-81/udp", "127.0.0.1:8000-8001->80-81/udp", 1 },
		{ "0.0.0.0::80-82", "0.0.0.0:0->80/tcp", 3 }, /* each gets a free port of its own */
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_publish_list list = { 0 };
		auto_text shown = { 0 };
		struct error err = { 0 };
		if (publish_list_add(&list, rows[i].text, &err) < 0 || list.count != rows[i].count)
			ROW(rows[i].text);
		publish_format(&list.items[0], &shown);
		assert_string_equal(shown.data, rows[i].shown);
	}
}

static void what_is_no_publication_is_refused_by_name(void **state)
{
	static const struct {
		const char *text;
		int result;
	} rows[] = {
		{ "", -EINVAL },
		{ "x", -EINVAL },
		{ "80:0", -EINVAL },
		{ "65536:80", -EINVAL },
		{ "80:80:80:80", -EINVAL },
		{ "8000-8010:80", -EINVAL },
		{ "8010-8000:80-90", -EINVAL },
		{ "80:80/dccp", -EINVAL },
		{ "300.0.0.1:80:80", -EINVAL },
		{ "-1:80", -EINVAL },
		{ "80:80/", -EINVAL },
		{ "::1:80:80", -EINVAL },
		{ "2001:db8::1:80:80", -EINVAL },
		{ "[::1:80:80", -EINVAL },
		{ "[]:80:80", -EINVAL },
		{ "[::1]80:80", -EINVAL },
		{ "[fd00::g]:80:80", -EINVAL },
		{ "[fe80::1%eth0]:80:80", -EINVAL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_publish_list list = { 0 };
		struct error err = { 0 };
		if (publish_list_add(&list, rows[i].text, &err) != rows[i].result || list.count)
			ROW(rows[i].text);
		assert_non_null(strstr(err.text, rows[i].text));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form_of_publish_means_what_docker_means),
		cmocka_unit_test(what_is_no_publication_is_refused_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
