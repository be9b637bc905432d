/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "upstreams.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/file.h"
#include "packets.h"

static void nameserver_lines_make_the_list(void **state)
{
	static const struct {
		const char *text, *servers, *why;
	} rows[] = {
		{ "nameserver 10.0.0.1\n", "10.0.0.1", "one" },
		{ "# x\nsearch a b\nnameserver\t10.0.0.1\r\n nameserver fd00::1",
		  "10.0.0.1 fd00::1", "blanks of all kinds, no last newline" },
		{ "nameserver fe80::1%lo\n", "fe80::1", "a zone" },
		{ "nameserver\nnameserver x\nnameserver10.0.0.1\nnameserver 0.0.0.0\n", "",
		  "none of them is a server" },
		{ "#nameserver 10.0.0.1\n;nameserver 10.0.0.1\n", "", "comments" },
		{ "", "", "an empty file" },
		{ "nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\n"
		  "nameserver 10.0.0.4\nnameserver 10.0.0.5\nnameserver 10.0.0.6\n"
		  "nameserver 10.0.0.7\nnameserver 10.0.0.8\nnameserver 10.0.0.9\n",
		  "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 10.0.0.8",
		  "not more than eight" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dns_upstream_list list;
		char text[512] = "";
		size_t used = 0;
		dns_upstreams_parse(rows[i].text, &list);
		for (size_t k = 0; k < list.count; k++)
			used += (size_t)snprintf(text + used, sizeof text - used, "%s%s",
						 k ? " " : "", ip_format(list.servers[k].ip).text);
		CHECK_ROW(i, strcmp(text, rows[i].servers) == 0);
	}
}

static size_t count_now(struct dns_upstreams *upstreams)
{
	bool changed;
	return dns_upstreams_get(upstreams, &changed)->count;
}

static void changed_file_is_read_at_the_next_query(void **state)
{
	char folder[] = "/tmp/wherry-test-XXXXXX", path[64], other[64];
	static const char one[] = "nameserver 10.0.0.1\n";
	static const char two[] = "nameserver 10.0.0.1\nnameserver 10.0.0.2\n";
	struct error err;
	AUTO(dns_upstreams) upstreams = NULL;
	(void)state;

	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/resolv.conf", folder);
	snprintf(other, sizeof other, "%s/other", folder);
	struct dns_settings settings = { .resolv_conf = path };
	assert_int_equal(dns_upstreams_create(&settings, &upstreams, &err), 0);

	assert_int_equal(count_now(upstreams), 0); /* no file yet */
	assert_int_equal(file_replace(path, one, sizeof one - 1, 0644, FILE_NO_SYNC, &err), 0);
	assert_int_equal(count_now(upstreams), 1); /* made */
	assert_int_equal(file_replace(path, two, sizeof two - 1, 0644, FILE_NO_SYNC, &err), 0);
	assert_int_equal(count_now(upstreams), 2); /* replaced by rename */
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(count_now(upstreams), 0); /* emptied in place */
	assert_int_equal(file_replace(other, one, sizeof one - 1, 0644, FILE_NO_SYNC, &err), 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(count_now(upstreams), 1); /* a link now */
	assert_int_equal(tree_remove(folder, &err), 0);
	assert_int_equal(count_now(upstreams), 0); /* gone */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(nameserver_lines_make_the_list),
		cmocka_unit_test(changed_file_is_read_at_the_next_query),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
