/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tar_internal.h"
#include "tar_write.h"

#include <unistd.h>
#include <sys/mman.h>

#include "check.h"

static void numbers_are_octal_or_base_256(void **state)
{
	static const struct {
		const char *field;
		size_t size;
		bool good;
		int64_t number;
	} rows[] = {
		{ "0000644", 8, true, 0644 },
		{ "   644 ", 8, true, 0644 },
		{ "\0\0\0\0\0\0\0", 8, true, 0 },
		{ "77777777", 8, true, 077777777 },
		{ "0000648", 8, false, 0 },
		{ "64 4\0\0\0", 8, false, 0 },
		{ "-000644", 8, false, 0 },
		{ "\x80\0\0\0\0\x2d\xc6\xc2", 8, true, 3000002 },
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\0", 12, true, -512 },
		{ "\x80\0\0\x01\0\0\0\0\0\0\0\0", 12, false, 0 },
		{ "\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12, true, INT64_MAX },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t number = 0;
		int r = tar_number((const uint8_t *)rows[i].field, rows[i].size, &number);
		CHECK_ROW(i, (r == 0) == rows[i].good && number == rows[i].number);
	}
}

static void pax_records_must_be_as_long_as_they_say(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "14 path=hello\n", true },
		{ "14 path=hello\n13 uid=10000\n", true },
		{ "15 path=hello\n", false },
		{ "13 path=hello\n", false },
		{ "99999 path=hello\n", false },
		{ "0 path=hello\n", false },
		{ "x path=hello\n", false },
		{ "14 path:hello\n", false },
		{ "14 path=hello ", false },
		{ "9 uid=-1\n", false },
		{ "9 uid=1x\n", false },
		{ "12 mtime=-1\n", true },
		{ "14 mtime=-1.5\n", true },
		{ "14 mtime=1.5x\n", false },
		{ "20 GNU.sparse.x=y12\n", false },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tar_extension extension = { 0 };
		struct error err = { 0 };
		int r = tar_pax_parse(rows[i].text, strlen(rows[i].text), &extension, &err);
		CHECK_ROW(i, (r == 0) == rows[i].good);
		tar_extension_release(&extension);
	}
}

static void a_time_before_1970_counts_its_nanoseconds_forward(void **state)
{
	struct tar_extension extension = { 0 };
	struct error err = { 0 };
	(void)state;
	CHECK(tar_pax_parse("14 mtime=-1.5\n", 14, &extension, &err), err);
	assert_int_equal(extension.mtime_s, -2);
	assert_int_equal(extension.mtime_ns, 500000000);
	tar_extension_release(&extension);
}

static void sparse_maps_stay_inside_the_file(void **state)
{
	static const struct {
		struct tar_part parts[2];
		uint64_t size, stored;
		bool good;
	} rows[] = {
		{ { { 0, 512 }, { 1024, 512 } }, 2048, 1024, true },
		{ { { 0, 1024 }, { 512, 512 } }, 2048, 1536, false }, /* overlap */
		{ { { 512, 512 }, { 0, 512 } }, 2048, 1024, false },  /* backwards */
		{ { { 0, 512 }, { 2048, 512 } }, 2048, 1024, false }, /* behind the end */
		{ { { 0, 512 }, { 1024, 512 } }, 2048, 512, false },  /* less is stored */
		{ { { 0, 0 }, { UINT64_MAX - 10, 20 } }, 2048, 20, false },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tar_part parts[2] = { rows[i].parts[0], rows[i].parts[1] };
		struct tar_entry entry = { .size = rows[i].size,
					   .stored_size = rows[i].stored,
					   .parts = parts,
					   .part_count = 2 };
		struct error err = { 0 };
		CHECK_ROW(i, (tar_sparse_check(&entry, &err) == 0) == rows[i].good);
	}
}

/* --- what is written is read again ------------------------------------------------ */

struct memory {
	const uint8_t *data;
	size_t size;
	bool given;
};

static int next(void *context, const uint8_t **ret_data, size_t *ret_size, struct error *err)
{
	struct memory *memory = context;
	(void)err;
	if (memory->given || memory->size == 0)
		return 0;
	memory->given = true;
	*ret_data = memory->data;
	*ret_size = memory->size;
	return 1;
}

static void entries_survive_being_written_and_read(void **state)
{
	char long_path[301], long_link[201];
	uint8_t value[] = { 0, 1, '=', '\n' };
	char name[] = "user.x";
	struct tar_xattr xattr = { name, value, sizeof value };
	struct error err = { 0 };
	(void)state;
	memset(long_path, 'p', 300);
	memset(long_link, 'l', 200);
	long_path[300] = long_link[200] = 0;
	struct tar_entry rows[] = {
		{ .type = TAR_FILE, .path = (char[]){ "f" }, .mode = 04755, .size = 5 },
		{ .type = TAR_FILE, .path = long_path, .uid = 3000000, .gid = 5 },
		{ .type = TAR_SYMLINK, .path = (char[]){ "s" }, .link = long_link },
		{ .type = TAR_HARDLINK, .path = (char[]){ "h" }, .link = (char[]){ "f" } },
		{ .type = TAR_CHARACTER, .path = (char[]){ "c" }, .major = 1, .minor = 3 },
		{ .type = TAR_DIRECTORY,
		  .path = (char[]){ "d" },
		  .mode = 01777,
		  .mtime_s = 77,
		  .xattrs = &xattr,
		  .xattr_count = 1 },
		{ .type = TAR_FIFO, .path = (char[]){ "p" } },
	};
	auto_fd fd = memfd_create("tar", 0);
	AUTO(tar_writer) writer = NULL;
	struct digest digest;
	uint64_t size;
	CHECK(tar_writer_create(fd, &writer, &err), err);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CHECK(tar_writer_entry(writer, &rows[i], &err), err);
		if (rows[i].size > 0) {
			CHECK(tar_writer_data(writer, "hello", 5, &err), err);
			CHECK(tar_writer_end_data(writer, &err), err);
		}
	}
	CHECK(tar_writer_finish(writer, &digest, &size, &err), err);

	struct memory memory = { mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0), size, false };
	struct tar_source source = { next, NULL, &memory };
	const struct tar_entry *entry;
	AUTO(tar) tar = NULL;
	CHECK(tar_create(&source, &tar, &err), err);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		CHECK_ROW(i, tar_next(tar, &entry, &err) == 1);
		CHECK_ROW_TEXT(i, entry->path, rows[i].path);
		CHECK_ROW_TEXT(i, entry->link, rows[i].link ? rows[i].link : "");
		CHECK_ROW(i, entry->type == rows[i].type && entry->mode == rows[i].mode);
		CHECK_ROW(i, entry->uid == rows[i].uid && entry->gid == rows[i].gid);
		CHECK_ROW(i, entry->size == rows[i].size && entry->mtime_s == rows[i].mtime_s);
		CHECK_ROW(i, entry->major == rows[i].major && entry->minor == rows[i].minor);
		CHECK_ROW(i, entry->xattr_count == rows[i].xattr_count);
	}
	assert_int_equal(tar_next(tar, &entry, &err), 0);
	munmap((void *)(uintptr_t)memory.data, size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_octal_or_base_256),
		cmocka_unit_test(pax_records_must_be_as_long_as_they_say),
		cmocka_unit_test(a_time_before_1970_counts_its_nanoseconds_forward),
		cmocka_unit_test(sparse_maps_stay_inside_the_file),
		cmocka_unit_test(entries_survive_being_written_and_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
