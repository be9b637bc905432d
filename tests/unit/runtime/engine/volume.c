/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "volume.h"

static void each_form_of_volume_is_read(void **state)
{
	static const struct {
		const char *text, *source, *destination;
		enum volume_kind kind;
		bool read_only;
	} rows[] = {
		{ "/srv:/data", "/srv", "/data", VOLUME_BIND, false },
		{ "/srv:/data:ro", "/srv", "/data", VOLUME_BIND, true },
		{ "/srv:/data:rw", "/srv", "/data", VOLUME_BIND, false },
		{ "name:/data", "/lib/volumes/name/_data", "/data", VOLUME_NAMED, false },
		{ "name:/data:ro", "/lib/volumes/name/_data", "/data", VOLUME_NAMED, true },
		{ "/data", NULL, "/data", VOLUME_ANONYMOUS, false },
	};
	struct instance instance = { .lib = "/lib" };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct volume volume;
		struct error err = { 0 };
		if (volume_parse(&instance, rows[i].text, &volume, &err) < 0 ||
		    volume.kind != rows[i].kind || volume.read_only != rows[i].read_only)
			fail_msg("row \"%s\": %s", rows[i].text, err.text);
		assert_string_equal(volume.destination, rows[i].destination);
		if (rows[i].source)
			assert_string_equal(volume.source, rows[i].source);
	}
}

static void what_is_no_volume_is_refused(void **state)
{
	static const char *const rows[] = { "",         "name",      "a:b",         "/a:b",
					    "/a:/",     "../x:/b",   "/a:/b:rx",    "/a:/b:ro:x",
					    "-x:/data", "a/b:/data", "/srv:/data:", "a:" };
	struct instance instance = { .lib = "/lib" };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct volume volume;
		struct error err = { 0 };
		if (volume_parse(&instance, rows[i], &volume, &err) != -EINVAL)
			fail_msg("row \"%s\"", rows[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_form_of_volume_is_read),
		cmocka_unit_test(what_is_no_volume_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
