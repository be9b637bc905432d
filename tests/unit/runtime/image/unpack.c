/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Layers of a few entries, written by a table, unpacked one on the other as
 * root; what overlayfs would be told is looked at in the upper directory.
 */
#include "unpack.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "check.h"
#include "tar_write.h"
#include "tree.h"

struct layers {
	char path[32];
	int lower, upper;
};

static int set_up(void **state)
{
	struct layers *layers = test_calloc(1, sizeof *layers);
	snprintf(layers->path, sizeof layers->path, "/tmp/wherry-unit-XXXXXX");
	assert_non_null(mkdtemp(layers->path));
	layers->lower = layers->upper = -1;
	*state = layers;
	return 0;
}

static int tear_down(void **state)
{
	struct layers *layers = *state;
	struct error err = { 0 };
	cleanup_fd(&layers->lower);
	cleanup_fd(&layers->upper);
	CHECK(tree_remove(layers->path, &err), err);
	test_free(layers);
	return 0;
}

struct memory {
	uint8_t *data;
	size_t size;
	bool given;
};

static int next(void *context, const uint8_t **ret_data, size_t *ret_size, struct error *err)
{
	struct memory *memory = context;
	(void)err;
	if (memory->given)
		return 0;
	memory->given = true;
	*ret_data = memory->data;
	*ret_size = memory->size;
	return 1;
}

/* Entries end with one without a path; files hold their own path. */
static void write_layer(const struct tar_entry *entries, int fd)
{
	struct error err = { 0 };
	struct digest digest;
	uint64_t size;
	AUTO(tar_writer) writer = NULL;
	CHECK(tar_writer_create(fd, &writer, &err), err);
	for (; entries->path; entries++) {
		struct tar_entry entry = *entries;
		entry.size = entry.type == TAR_FILE ? strlen(entry.path) : 0;
		entry.mtime_s = 1000;
		CHECK(tar_writer_entry(writer, &entry, &err), err);
		if (entry.type == TAR_FILE) {
			CHECK(tar_writer_data(writer, entry.path, entry.size, &err), err);
			CHECK(tar_writer_end_data(writer, &err), err);
		}
	}
	CHECK(tar_writer_finish(writer, &digest, &size, &err), err);
}

static int unpack(const struct tar_entry *entries, int root_fd, const int *lower,
		  size_t lower_count, struct error *err)
{
	auto_fd fd = memfd_create("layer", 0);
	write_layer(entries, fd);
	off_t size = lseek(fd, 0, SEEK_END);
	struct memory memory = { mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0),
				 (size_t)size, false };
	struct tar_source source = { next, NULL, &memory };
	struct unpack_limits limits = { 1 << 20, 1 << 20 };
	AUTO(tar) tar = NULL;
	AUTO(unpacker) unpacker = NULL;
	CHECK(tar_create(&source, &tar, err), *err);
	CHECK(unpacker_create(root_fd, &limits, &unpacker, err), *err);
	int r = unpacker_run(unpacker, tar, err);
	if (r == 0)
		r = unpacker_finish(unpacker, lower, lower_count, err);
	munmap(memory.data, (size_t)size);
	return r;
}

static int make_root(const char *folder, const char *name)
{
	char path[64];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	assert_int_equal(mkdir(path, 0755), 0);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Both layers; the result of the upper one. */
static int stack(struct layers *layers, const struct tar_entry *lower,
		 const struct tar_entry *upper, struct error *err)
{
	layers->lower = make_root(layers->path, "lower");
	layers->upper = make_root(layers->path, "upper");
	CHECK(unpack(lower, layers->lower, NULL, 0, err), *err);
	return unpack(upper, layers->upper, &layers->lower, 1, err);
}

static bool is_whiteout(int root, const char *path)
{
	struct stat st;
	return tree_stat(root, path, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == 0;
}

#define NAME(text)       \
	.path = (char[]) \
	{                \
		text     \
	}
#define LINK(text)       \
	.link = (char[]) \
	{                \
		text     \
	}

static void whiteouts_hide_what_is_below_and_nothing_else(void **state)
{
	struct layers *layers = *state;
	struct tar_entry lower[] = {
		{ NAME("d/gone") }, { NAME("d/both") }, { NAME("d/tree/x") }, { 0 }
	};
	struct tar_entry upper[] = { { NAME("d/.wh.gone") },
				     { NAME("d/both") },
				     { NAME("d/.wh.both") },
				     { NAME("d/tree/new") },
				     { NAME("d/.wh.tree") },
				     { NAME("d/.wh.never") },
				     { 0 } };
	struct error err = { 0 };
	struct stat st;
	CHECK(stack(layers, lower, upper, &err), err);
	assert_true(is_whiteout(layers->upper, "d/gone"));
	assert_int_equal(tree_stat(layers->upper, "d/both", &st), 0);
	assert_true(S_ISREG(st.st_mode));
	assert_int_equal(tree_is_opaque(layers->upper, "d/tree"), 1);
	assert_int_equal(tree_is_opaque(layers->upper, "d"), 0);
	assert_true(tree_stat(layers->upper, "d/never", &st) < 0);
}

static void directories_without_an_entry_look_as_below(void **state)
{
	struct layers *layers = *state;
	struct tar_entry lower[] = {
		{ .type = TAR_DIRECTORY, NAME("d"), .mode = 01770, .uid = 7, .gid = 8 }, { 0 }
	};
	struct tar_entry upper[] = { { NAME("d/file") }, { 0 } };
	struct error err = { 0 };
	struct stat st;
	CHECK(stack(layers, lower, upper, &err), err);
	assert_int_equal(tree_stat(layers->upper, "d", &st), 0);
	assert_int_equal(st.st_mode & 07777, 01770);
	assert_int_equal(st.st_uid, 7);
	assert_int_equal(st.st_gid, 8);
	assert_int_equal(st.st_mtim.tv_sec, 1000);
}

static void a_hard_link_to_a_lower_file_brings_it_up(void **state)
{
	struct layers *layers = *state;
	struct tar_entry lower[] = { { NAME("d/target"), .mode = 0640, .uid = 3 }, { 0 } };
	struct tar_entry upper[] = { { .type = TAR_HARDLINK, NAME("d/link"), LINK("d/target") },
				     { 0 } };
	struct error err = { 0 };
	struct stat link, target;
	CHECK(stack(layers, lower, upper, &err), err);
	assert_int_equal(tree_stat(layers->upper, "d/link", &link), 0);
	assert_int_equal(tree_stat(layers->upper, "d/target", &target), 0);
	assert_true(link.st_ino == target.st_ino && link.st_uid == 3 && link.st_size == 8);
}

static void upper_layers_that_reach_through_lower_ones_are_refused(void **state)
{
	struct layers *layers = *state;
	const struct {
		const char *what;
		struct tar_entry entry;
	} rows[] = {
		{ "a file below a link", { NAME("esc/x") } },
		{ "a whiteout below a link", { NAME("esc/.wh.x") } },
		{ "an opaque marker below a link", { NAME("esc/.wh..wh..opq") } },
		{ "a file below a file", { NAME("file/x") } },
		{ "a hard link through a link",
		  { .type = TAR_HARDLINK, NAME("h"), LINK("esc/passwd") } },
		{ "a hard link to a directory", { .type = TAR_HARDLINK, NAME("h"), LINK("dir") } },
		{ "a hard link to nothing", { .type = TAR_HARDLINK, NAME("h"), LINK("none") } },
	};
	struct tar_entry lower[] = { { .type = TAR_SYMLINK, NAME("esc"), LINK("/etc") },
				     { NAME("file") },
				     { .type = TAR_DIRECTORY, NAME("dir") },
				     { 0 } };
	struct error err = { 0 };
	layers->lower = make_root(layers->path, "lower");
	CHECK(unpack(lower, layers->lower, NULL, 0, &err), err);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char name[16];
		struct tar_entry upper[] = { rows[i].entry, { 0 } };
		snprintf(name, sizeof name, "upper%zu", i);
		auto_fd root = make_root(layers->path, name);
		if (unpack(upper, root, &layers->lower, 1, &err) == 0)
			fail_msg("row %zu: %s was taken", i, rows[i].what);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(whiteouts_hide_what_is_below_and_nothing_else,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(directories_without_an_entry_look_as_below, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_hard_link_to_a_lower_file_brings_it_up, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			upper_layers_that_reach_through_lower_ones_are_refused, set_up, tear_down),
	};
	if (geteuid() != 0) {
		fprintf(stderr, "skipped: whiteouts are devices, which need root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
