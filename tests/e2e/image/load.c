/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Archives into a store: the good ones come out exactly as they went in, the
 * hostile ones leave no trace, and a load that is killed loses nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "kit.h"

#define ESCAPE_PATH "/tmp/wherry-escape"

static void images_get_the_names_that_their_archives_say(void **state)
{
	static const struct {
		const char *path, *names;
	} rows[] = {
		{ "busybox.tar", "busybox:latest" },
		{ "busybox", "busybox:latest" },
		{ "apps", "apps:base apps:nginx apps:redis" },
		{ "apps-zstd", "apps-zstd:nginx" },
	};
	struct place *place = *state;
	const char *images = kit_images();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char path[256], names[256];
		snprintf(path, sizeof path, "%s/%s", images, rows[i].path);
		kit_load(place, path, names, sizeof names);
		assert_string_equal(names, rows[i].names);
	}
}

/* Needs no folder of images: what tests and the demo make on a fresh machine. */
static void an_archive_of_this_machine_s_busybox_loads(void **state)
{
	struct place *place = *state;
	const char *source = getenv("WHERRY_SOURCE");
	char tool[512], archive[128], names[64];
	struct stat st;
	if (!source || access("/bin/busybox", X_OK) < 0) {
		print_message("skipped: needs WHERRY_SOURCE and busybox-static\n");
		skip();
	}
	snprintf(tool, sizeof tool, "%s/tests/tools/busybox-image", source);
	snprintf(archive, sizeof archive, "%s/busybox.tar", place->path);
	free(kit_run((const char *[]){ tool, archive, NULL }));
	kit_load(place, archive, names, sizeof names);
	assert_string_equal(names, "busybox:latest");
	auto_fd root = kit_mount(place, "busybox");
	assert_int_equal(fstatat(root, "bin/sh", &st, 0), 0);
	assert_true(st.st_nlink > 100);
	/* Cut anywhere, it is refused. */
	assert_int_equal(stat(archive, &st), 0);
	for (int part = 0; part < 8; part++) {
		struct error err = { 0 };
		auto_words none = { 0 };
		assert_int_equal(truncate(archive, st.st_size / 8 * (7 - part) + 100), 0);
		assert_true(image_load(place->store, archive, NULL, &none, &err) < 0);
	}
}

static void an_image_has_what_its_config_says(void **state)
{
	struct place *place = *state;
	char path[256], names[256];
	struct image image = { 0 };
	struct error err = { 0 };
	snprintf(path, sizeof path, "%s/apps", kit_images());
	kit_load(place, path, names, sizeof names);
	assert_int_equal(image_find(place->store, "apps:redis", &image, &err), 1);
	assert_string_equal(image.config.user, "redis:redis");
	assert_string_equal(image.config.working_dir, "/data");
	assert_string_equal(image.config.volumes.items[0], "/data");
	assert_string_equal(image.config.exposed_ports.items[0], "6379/tcp");
	assert_string_equal(image.config.entrypoint.items[0], "redis-server");
	assert_int_equal(image.config.command.count, 4);
	assert_string_equal(image.config.stop_signal, "SIGTERM");
	assert_non_null(strstr(image.config.healthcheck_json, "redis-cli"));
	assert_int_equal(image.layer_paths.count, 2);
	image_release(&image);
}

/* '*' in a column of the expectation is free. */
static bool line_fits(const char *wanted, const char *line)
{
	auto_words a = { 0 }, b = { 0 };
	struct error err;
	CHECK(words_split(wanted, ' ', &a, &err), err);
	CHECK(words_split(line, ' ', &b, &err), err);
	if (a.count != b.count)
		return false;
	for (size_t i = 0; i < a.count; i++)
		if (!text_equal(a.items[i], "*") && !text_equal(a.items[i], b.items[i]))
			return false;
	return true;
}

static void compare_tree(struct place *place, const char *images, const char *tag)
{
	char root[64], script[256], expected[256], name[64];
	auto_free char *wanted = NULL, *listing = NULL;
	auto_words lines = { 0 }, wanted_lines = { 0 };
	struct error err = { 0 };
	size_t size;
	snprintf(name, sizeof name, "nasty:%s", tag);
	auto_fd fd = kit_mount(place, name);
	snprintf(root, sizeof root, "/proc/%d/fd/%d", (int)getpid(), fd);
	snprintf(script, sizeof script, "%s/tree-manifest.py", images);
	snprintf(expected, sizeof expected, "%s/nasty-expected-%s.txt", images, tag);
	listing = kit_run((const char *[]){ "/usr/bin/python3", script, root, NULL });
	CHECK(file_read(expected, 1 << 20, &wanted, &size, &err), err);
	CHECK(words_split(wanted, '\n', &wanted_lines, &err), err);
	CHECK(words_split(listing, '\n', &lines, &err), err);
	assert_int_equal(lines.count, wanted_lines.count);
	for (size_t i = 0; i < lines.count; i++)
		if (!line_fits(wanted_lines.items[i], lines.items[i]))
			fail_msg("%s: %.300s\ninstead of %.300s", tag, lines.items[i],
				 wanted_lines.items[i]);
}

static void hard_but_legal_images_unpack_exactly(void **state)
{
	static const char *const tags[] = { "full",      "crosslink", "whiteout-order",
					    "odd-types", "no-layers", "empty-layers" };
	struct place *place = *state;
	const char *images = kit_images();
	char path[256], names[256];
	snprintf(path, sizeof path, "%s/nasty", images);
	kit_load(place, path, names, sizeof names);
	for (size_t i = 0; i < ARRAY_SIZE(tags); i++)
		compare_tree(place, images, tags[i]);
}

static void refuse_one(struct place *place, const char *path)
{
	auto_words names = { 0 };
	struct error err = { 0 };
	auto_free char *before = kit_list(place->path);
	if (image_load(place->store, path, NULL, &names, &err) == 0)
		fail_msg("%s was taken", path);
	auto_free char *after = kit_list(place->path);
	if (!text_equal(before, after))
		fail_msg("%s left something:\n%s\n%s", path, before, after);
	if (!text_starts_with(err.text, path) || strlen(err.text) < strlen(path) + 10 ||
	    strchr(err.text, '\n'))
		fail_msg("%s: no clear line: %s", path, err.text);
	auto_free char *kept = NULL;
	size_t size;
	CHECK(file_read(ESCAPE_PATH, 64, &kept, &size, &err), err);
	assert_string_equal(kept, "kept");
}

static void hostile_archives_are_refused_and_leave_nothing(void **state)
{
	struct place *place = *state;
	char folder[256];
	snprintf(folder, sizeof folder, "%s/hostile", kit_images());
	auto_dir dir = opendir(folder);
	assert_non_null(dir);
	kit_write("/tmp", "wherry-escape", "kept");
	int count = 0;
	for (struct dirent *entry; (entry = readdir(dir)); count++) {
		char path[600];
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (text_ends_with(path, ".tar"))
			refuse_one(place, path);
	}
	unlink(ESCAPE_PATH);
	assert_true(count > 90);
}

/* --- faults ---------------------------------------------------------------------- */

struct killer {
	int calls_left;
};

static void die_at_last(void *context, const char *what, uint64_t done, uint64_t total)
{
	struct killer *killer = context;
	(void)what;
	(void)done;
	(void)total;
	if (--killer->calls_left == 0)
		raise(SIGKILL);
}

/* In a process of its own; true if it was killed. */
static bool load_and_die(struct place *place, const char *path, int calls)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct killer killer = { calls };
		struct image_progress progress = { die_at_last, &killer };
		struct words names = { 0 };
		struct error err = { 0 };
		place_open(place);
		_exit(image_load(place->store, path, &progress, &names, &err) < 0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status);
}

static void a_killed_load_leaves_what_was_there_and_can_be_repeated(void **state)
{
	struct place *place = *state;
	char path[256], busybox[256], names[256];
	struct error err = { 0 };
	struct image image;
	const char *images = kit_images();
	snprintf(path, sizeof path, "%s/apps", images);
	snprintf(busybox, sizeof busybox, "%s/busybox.tar", images);
	kit_load(place, busybox, names, sizeof names);
	char layers[128];
	snprintf(layers, sizeof layers, "%s/var/lib/wherry/layers", place->root);
	auto_free char *before = kit_list(layers);
	place_close(place);
	assert_true(load_and_die(place, path, 1));
	for (int calls = 2; calls < 20 && load_and_die(place, path, calls); calls++)
		;
	place_open(place);
	assert_int_equal(image_find(place->store, "busybox", &image, &err), 1);
	image_release(&image);
	kit_load(place, path, names, sizeof names);
	assert_string_equal(names, "apps:base apps:nginx apps:redis");
	/* And what is removed leaves the store as it was. */
	static const char *const loaded[] = { "apps:base", "apps:nginx", "apps:redis" };
	for (size_t i = 0; i < ARRAY_SIZE(loaded); i++) {
		auto_words removed = { 0 };
		CHECK(image_remove(place->store, loaded[i], false, NULL, NULL, &removed, &err),
		      err);
		assert_int_equal(removed.count, 2);
	}
	auto_free char *left = kit_list(layers);
	assert_string_equal(before, left);
}

static void a_full_disk_is_a_clear_error(void **state)
{
	struct place *place = *state;
	char path[256], names[256];
	struct error err = { 0 };
	auto_words none = { 0 };
	const char *images = kit_images();
	assert_int_equal(mount(NULL, place->path, NULL, MS_REMOUNT, "size=20m"), 0);
	auto_free char *before = kit_list(place->path);
	snprintf(path, sizeof path, "%s/apps", images);
	assert_int_equal(image_load(place->store, path, NULL, &none, &err), -ENOSPC);
	auto_free char *after = kit_list(place->path);
	assert_string_equal(before, after);
	snprintf(path, sizeof path, "%s/busybox.tar", images);
	kit_load(place, path, names, sizeof names);
	assert_string_equal(names, "busybox:latest");
}

static void standard_input_is_an_archive_too(void **state)
{
	struct place *place = *state;
	char path[256], names[64];
	int kept = dup(STDIN_FILENO);
	snprintf(path, sizeof path, "%s/busybox.tar", kit_images());
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	dup2(fd, STDIN_FILENO);
	kit_load(place, "-", names, sizeof names);
	dup2(kept, STDIN_FILENO);
	close(kept);
	assert_string_equal(names, "busybox:latest");
}

int main(void)
{
#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, place_set_up, place_tear_down)
	const struct CMUnitTest tests[] = {
		WITH_PLACE(images_get_the_names_that_their_archives_say),
		WITH_PLACE(an_archive_of_this_machine_s_busybox_loads),
		WITH_PLACE(an_image_has_what_its_config_says),
		WITH_PLACE(hard_but_legal_images_unpack_exactly),
		WITH_PLACE(hostile_archives_are_refused_and_leave_nothing),
		WITH_PLACE(a_killed_load_leaves_what_was_there_and_can_be_repeated),
		WITH_PLACE(a_full_disk_is_a_clear_error),
		WITH_PLACE(standard_input_is_an_archive_too),
	};
	int r = kit_begin();
	return r ? r : cmocka_run_group_tests(tests, NULL, NULL);
}
