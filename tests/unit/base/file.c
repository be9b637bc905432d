/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/loop.h"

static char folder[32]; /* of the running test */

static int set_up(void **state)
{
	(void)state;
	make_folder(folder);
	return chdir(folder);
}

static int tear_down(void **state)
{
	struct error err;
	(void)state;
	MUST(tree_remove(folder, &err), err);
	assert_false(path_exists(folder));
	return chdir("/");
}

static void write_file(const char *path, const char *text)
{
	struct error err;
	MUST(file_replace(path, text, strlen(text), 0644, FILE_NO_SYNC, &err), err);
}

static void whole_files_are_read_up_to_their_limit(void **state)
{
	auto_free char *data = NULL;
	auto_free char *large = malloc(100001);
	size_t size;
	struct error err;
	(void)state;
	memset(large, 'x', 100000);
	large[100000] = '\0';
	write_file("large", large);
	MUST(file_read("large", 100000, &data, &size, &err), err);
	assert_int_equal(size, 100000);
	assert_string_equal(data, large);
	assert_int_equal(file_read("large", 99999, &data, &size, &err), -EFBIG);
	assert_int_equal(file_read("none", 1, &data, &size, &err), -ENOENT);
	assert_string_equal(err.text, "cannot open none: No such file or directory");
	assert_true(file_read(".", 1, &data, &size, &err) < 0);
}

static void a_file_is_replaced_whole_or_not_at_all(void **state)
{
	auto_free char *data = NULL;
	struct stat info;
	size_t size;
	struct error err;
	(void)state;
	write_file("file", "old");
	MUST(file_replace("file", "new", 3, 0640, FILE_SYNC, &err), err);
	MUST(file_read("file", 10, &data, &size, &err), err);
	assert_string_equal(data, "new");
	assert_int_equal(stat("file", &info), 0);
	assert_int_equal(info.st_mode & 0777, 0640);
	assert_int_equal(file_replace("none/file", "x", 1, 0600, FILE_NO_SYNC, &err), -ENOENT);
	assert_int_equal(mkdir("folder", 0700), 0);
	assert_true(file_replace("folder", "x", 1, 0600, FILE_NO_SYNC, &err) < 0);
	MUST(tree_remove("folder", &err), err);
	MUST(tree_remove("file", &err), err);
	/* And no temporary file is left: the folder is empty. */
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(rmdir(folder), 0);
	make_folder(folder);
}

static void folders_are_made_with_their_parents(void **state)
{
	struct error err;
	(void)state;
	MUST(directory_make("a/b//c/", 0755, &err), err);
	MUST(directory_make("a/b/c", 0755, &err), err);
	assert_true(path_exists("a/b/c"));
	write_file("file", "");
	assert_int_equal(directory_make("file", 0755, &err), -ENOTDIR);
	assert_int_equal(directory_make("file/x", 0755, &err), -ENOTDIR);
	assert_int_equal(directory_make("", 0755, &err), -EINVAL);
}

static void trees_are_removed_without_following_links(void **state)
{
	struct error err;
	(void)state;
	MUST(directory_make("kept", 0755, &err), err);
	write_file("kept/file", "");
	MUST(directory_make("tree/below", 0755, &err), err);
	write_file("tree/below/file", "");
	assert_int_equal(symlink("../kept", "tree/link"), 0);
	assert_int_equal(symlink("/nowhere", "tree/dangling"), 0);
	MUST(tree_remove("tree", &err), err);
	assert_false(path_exists("tree"));
	assert_true(path_exists("kept/file"));
	assert_int_equal(symlink("kept", "link"), 0);
	MUST(tree_remove("link", &err), err);
	assert_true(path_exists("kept/file"));
	MUST(tree_remove("none", &err), err);
}

/* Deeper than a process may have descriptors, and than any path may be long. */
static void very_deep_trees_are_removed(void **state)
{
	struct error err;
	(void)state;
	MUST(directory_make("deep", 0755, &err), err);
	int fd = open("deep", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < 1500; i++) {
		assert_int_equal(mkdirat(fd, "0123456789", 0700), 0);
		int below = openat(fd, "0123456789", O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(below >= 0);
		close(fd);
		fd = below;
	}
	close(fd);
	MUST(tree_remove("deep", &err), err);
	assert_false(path_exists("deep"));
}

static void mounts_are_not_crossed(void **state)
{
	struct error err;
	(void)state;
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		skip();
	MUST(directory_make("kept", 0755, &err), err);
	write_file("kept/file", "");
	MUST(directory_make("tree/mount", 0755, &err), err);
	/* A bind mount has the same device number: only the mount itself tells. */
	assert_int_equal(mount("kept", "tree/mount", NULL, MS_BIND, NULL), 0);
	assert_int_equal(tree_remove("tree", &err), -EBUSY);
	assert_non_null(strstr(err.text, "mount"));
	assert_true(path_exists("kept/file"));
	assert_int_equal(umount2("tree/mount", MNT_DETACH), 0);
}

static void links_do_not_lead_out_of_a_root(void **state)
{
	static const struct {
		const char *path;
		int result;
	} rows[] = {
		{ "file", 0 },   { "/file", 0 },        { "../../file", 0 },
		{ "inside", 0 }, { "passwd", -ENOENT }, { "up", -ENOENT },
	};
	struct error err;
	(void)state;
	MUST(directory_make("root", 0755, &err), err);
	write_file("root/file", "");
	write_file("outside", "");
	assert_int_equal(symlink("/file", "root/inside"), 0);
	assert_int_equal(symlink("/etc/passwd", "root/passwd"), 0);
	assert_int_equal(symlink("../outside", "root/up"), 0);
	auto_fd root = open("root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_fd fd = -1;
		int r = file_open_in_root(root, rows[i].path, O_RDONLY, 0, &fd, &err);
		CHECK_ROW(i, rows[i].path, r == rows[i].result);
	}
	auto_fd made = -1;
	MUST(file_open_in_root(root, "../new", O_CREAT | O_WRONLY, 0600, &made, &err), err);
	assert_true(path_exists("root/new"));
}

static void a_lock_ends_with_its_process(void **state)
{
	int fd, status;
	struct error err;
	(void)state;
	int ready[2];
	char byte;
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (lock_take("lock", -1, &fd, &err) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(lock_take("lock", 0, &fd, &err), -EWOULDBLOCK);
	uint64_t start_ms = clock_monotonic_ms();
	assert_int_equal(lock_take("lock", 50, &fd, &err), -EWOULDBLOCK);
	assert_true(clock_monotonic_ms() - start_ms >= 50);
	kill(pid, SIGKILL);
	MUST(lock_take("lock", 5000, &fd, &err), err);
	close(fd);
	waitpid(pid, &status, 0);
	close(ready[0]);
	close(ready[1]);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(whole_files_are_read_up_to_their_limit),
		IN_FOLDER(a_file_is_replaced_whole_or_not_at_all),
		IN_FOLDER(folders_are_made_with_their_parents),
		IN_FOLDER(trees_are_removed_without_following_links),
		IN_FOLDER(very_deep_trees_are_removed),
		IN_FOLDER(mounts_are_not_crossed),
		IN_FOLDER(links_do_not_lead_out_of_a_root),
		IN_FOLDER(a_lock_ends_with_its_process),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
