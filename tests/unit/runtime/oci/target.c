/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "unit.h"

/* Where fd is, below the folder; "" if it is not below it. */
static void place_of(int fd, const char *folder, char *ret_place, size_t size)
{
	char link[64], path[PATH_MAX] = "";
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	assert_true(readlink(link, path, sizeof path - 1) > 0);
	bool inside = strncmp(path, folder, strlen(folder)) == 0;
	snprintf(ret_place, size, "%s", inside ? path + strlen(folder) : "");
}

static void targets_are_made_inside_whatever_links_say(void **state)
{
	(void)state;
	static const struct {
		const char *link, *to, *path;
		enum target_kind kind;
		const char *place;
	} rows[] = {
		{ NULL, NULL, "/a/b/c", TARGET_DIRECTORY, "/root/a/b/c" },
		{ NULL, NULL, "/a/b/file", TARGET_FILE, "/root/a/b/file" },
		{ "up", "../../../../..", "/up/x", TARGET_DIRECTORY, "/root/x" },
		{ "abs", "/etc", "/abs/y", TARGET_FILE, "/root/etc/y" },
		{ "dangling", "../../gone/away", "/dangling", TARGET_FILE, "/root/gone/away" },
		{ "chain", "dangling2", "/chain/z", TARGET_DIRECTORY, "/root/w/z" },
		{ NULL, NULL, "/../../../q", TARGET_DIRECTORY, "/root/q" },
		{ NULL, NULL, "/", TARGET_DIRECTORY, "/root" },
	};
	char folder[32], path[PATH_MAX];
	make_folder(folder);
	snprintf(path, sizeof path, "%s/root", folder);
	assert_int_equal(mkdir(path, 0755), 0);
	auto_fd root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(symlinkat("/w", root, "dangling2"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char place[PATH_MAX];
		auto_fd fd = -1;
		struct error err = { 0 };
		if (rows[i].link)
			assert_int_equal(symlinkat(rows[i].to, root, rows[i].link), 0);
		CHECK_ROW(i, rows[i].path,
			  target_make(root, rows[i].path, rows[i].kind, &fd, &err) == 0);
		place_of(fd, folder, place, sizeof place);
		CHECK_ROW(i, rows[i].path, strcmp(place, rows[i].place) == 0);
	}
	struct error err = { 0 };
	MUST(tree_remove(folder, &err), err);
}

static void loops_and_files_on_the_way_are_refused(void **state)
{
	(void)state;
	char folder[32];
	struct error err = { 0 };
	int fd = -1;
	make_folder(folder);
	auto_fd root = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(symlinkat("m", root, "l"), 0);
	assert_int_equal(symlinkat("l", root, "m"), 0);
	close(openat(root, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
	assert_int_equal(target_make(root, "/l/x", TARGET_DIRECTORY, &fd, &err), -ELOOP);
	assert_int_equal(target_make(root, "/file/x", TARGET_DIRECTORY, &fd, &err), -ENOTDIR);
	assert_int_equal(target_find(root, "/nothing", &fd, &err), 0);
	assert_int_equal(fd, -1);
	MUST(tree_remove(folder, &err), err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(targets_are_made_inside_whatever_links_say),
		cmocka_unit_test(loops_and_files_on_the_way_are_refused),
	};
	return cmocka_run_group_tests_name("oci-target", tests, NULL, NULL);
}
