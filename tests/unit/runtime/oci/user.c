/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "runtime/oci.h"
#include "unit.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "broken\n"
			     "huge:x:99999999999:0::/:/bin/sh\n"
			     "web:x:33:34:web:/var/www:/bin/false\n"
			     "4242:x:7:8:a name of digits:/seven:\n";
static const char groups[] = "root:x:0:\nadm:x:4:web,other\nstaff:x:50:web\nempty:x:60:\n"
			     "broken:x\n";

static void make_image(char folder[32], const char *passwd_text, const char *group_text)
{
	char path[64];
	struct error err = { 0 };
	make_folder(folder);
	snprintf(path, sizeof path, "%s/etc", folder);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(path, sizeof path, "%s/etc/passwd", folder);
	if (passwd_text)
		MUST(file_replace(path, passwd_text, strlen(passwd_text), 0644, FILE_NO_SYNC, &err),
		     err);
	snprintf(path, sizeof path, "%s/etc/group", folder);
	if (group_text)
		MUST(file_replace(path, group_text, strlen(group_text), 0644, FILE_NO_SYNC, &err),
		     err);
}

static int resolve(const char *folder, const char *user, struct oci_process *process,
		   char **ret_home, struct error *err)
{
	auto_fd root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return oci_user_resolve(root, user, process, ret_home, err);
}

static void remove_image(const char *folder)
{
	struct error err = { 0 };
	MUST(tree_remove(folder, &err), err);
}

static void users_are_found_as_docker_does(void **state)
{
	(void)state;
	static const struct {
		const char *user;
		uint32_t uid, gid;
		size_t group_count;
		const char *home;
	} rows[] = {
		{ NULL, 0, 0, 0, "/root" },
		{ "", 0, 0, 0, "/root" },
		{ "web", 33, 34, 2, "/var/www" },
		{ "33", 33, 34, 2, "/var/www" },
		{ "web:staff", 33, 50, 0, "/var/www" },
		{ "web:77", 33, 77, 0, "/var/www" },
		{ "1234", 1234, 0, 0, "/" },
		{ "1234:5678", 1234, 5678, 0, "/" },
		{ "4242", 7, 8, 0, "/seven" }, /* a name goes before a number */
		{ "web:", 33, 34, 2, "/var/www" },
	};
	char folder[32];
	make_image(folder, passwd, groups);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct oci_process process = { 0 };
		struct error err = { 0 };
		auto_free char *home = NULL;
		int r = resolve(folder, rows[i].user, &process, &home, &err);
		const char *name = rows[i].user ? rows[i].user : "NULL";
		CHECK_ROW(i, name, r == 0);
		CHECK_ROW(i, name, process.uid == rows[i].uid && process.gid == rows[i].gid);
		CHECK_ROW(i, name, process.group_count == rows[i].group_count);
		CHECK_ROW(i, name, strcmp(home, rows[i].home) == 0);
		oci_process_release(&process);
	}
	remove_image(folder);
}

static void who_is_not_there_is_named(void **state)
{
	(void)state;
	static const struct {
		const char *user, *text;
	} rows[] = {
		{ "nobody", "user \"nobody\": no such user in the image's /etc/passwd" },
		{ "web:none", "group \"none\": no such group in the image's /etc/group" },
		{ "-1", "user \"-1\": no such user in the image's /etc/passwd" },
		{ "4294967295", "user \"4294967295\": no such user in the image's /etc/passwd" },
	};
	char folder[32];
	make_image(folder, passwd, groups);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct oci_process process = { 0 };
		struct error err = { 0 };
		int r = resolve(folder, rows[i].user, &process, NULL, &err);
		CHECK_ROW(i, rows[i].user, r == -ENOENT && strcmp(err.text, rows[i].text) == 0);
	}
	remove_image(folder);
}

static void an_image_without_users_has_numbers(void **state)
{
	(void)state;
	char folder[32];
	struct oci_process process = { 0 };
	struct error err = { 0 };
	make_image(folder, NULL, NULL);
	MUST(resolve(folder, "5:6", &process, NULL, &err), err);
	assert_true(process.uid == 5 && process.gid == 6);
	remove_image(folder);
}

/* A pipe would make us wait, a link would show the host's users, a huge file eat memory. */
static void hostile_databases_are_refused(void **state)
{
	(void)state;
	char folder[32], path[64];
	struct oci_process process = { 0 };
	struct error err = { 0 };
	make_image(folder, NULL, NULL);
	snprintf(path, sizeof path, "%s/etc/passwd", folder);
	assert_int_equal(mkfifo(path, 0644), 0);
	assert_int_equal(resolve(folder, "web", &process, NULL, &err), -EINVAL);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("../../../../../../etc/passwd", path), 0);
	assert_true(resolve(folder, "daemon", &process, NULL, &err) < 0);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644)), 0);
	assert_int_equal(truncate(path, 1ll << 32), 0);
	assert_int_equal(resolve(folder, "web", &process, NULL, &err), -EFBIG);
	remove_image(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_are_found_as_docker_does),
		cmocka_unit_test(who_is_not_there_is_named),
		cmocka_unit_test(an_image_without_users_has_numbers),
		cmocka_unit_test(hostile_databases_are_refused),
	};
	return cmocka_run_group_tests_name("oci-user", tests, NULL, NULL);
}
