/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One header block of a tar archive: checksum, numbers, and names from their
 * fixed fields. Names may be changed by extensions later.
 */
#include <errno.h>
#include <string.h>

#include "tar_internal.h"

/* Offsets of POSIX.1-1988 ustar; GNU's own fields begin at 345. */
enum {
	AT_NAME = 0,
	AT_MODE = 100,
	AT_UID = 108,
	AT_GID = 116,
	AT_SIZE = 124,
	AT_MTIME = 136,
	AT_CHECKSUM = 148,
	AT_TYPE = 156,
	AT_LINK = 157,
	AT_MAGIC = 257,
	AT_MAJOR = 329,
	AT_MINOR = 337,
	AT_PREFIX = 345,
};
#define NAME_SIZE 100
#define PREFIX_SIZE 155
#define DEVICE_MAJOR_MAX 0xfff /* what the kernel's dev_t holds */
#define DEVICE_MINOR_MAX 0xfffff

/* GNU's numbers that do not fit octal: two's complement, big endian, 0x80 set. */
static int number_base256(const uint8_t *field, size_t size, int64_t *ret)
{
	uint64_t value = field[0] & 0x40 ? UINT64_MAX : 0;
	value = value << 6 | (field[0] & 0x3f);
	for (size_t i = 1; i < size; i++) {
		uint64_t top = value >> 55; /* must stay a mere sign */
		if (top != 0 && top != 0x1ff)
			return -EBADMSG;
		value = value << 8 | field[i];
	}
	*ret = (int64_t)value;
	return 0;
}

int tar_number(const uint8_t *field, size_t size, int64_t *ret)
{
	if (field[0] & 0x80)
		return number_base256(field, size, ret);
	size_t i = 0;
	int64_t value = 0;
	while (i < size && field[i] == ' ')
		i++;
	for (; i < size && field[i] >= '0' && field[i] <= '7'; i++) {
		if (value > INT64_MAX >> 3)
			return -EBADMSG;
		value = value << 3 | (field[i] - '0');
	}
	for (; i < size; i++)
		if (field[i] != ' ' && field[i] != 0)
			return -EBADMSG;
	*ret = value;
	return 0;
}

static int check_sum(const uint8_t block[TAR_BLOCK], struct error *err)
{
	int64_t stored, plain = 0, with_sign = 0; /* some old tars added signed bytes */
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		uint8_t byte = i >= AT_CHECKSUM && i < AT_TYPE ? ' ' : block[i];
		plain += byte;
		with_sign += (int8_t)byte;
	}
	if (tar_number(block + AT_CHECKSUM, 8, &stored) < 0 ||
	    (stored != plain && stored != with_sign))
		return error_set(err, EBADMSG, "a tar header's checksum is wrong");
	return 0;
}

static int number_in(const uint8_t *field, size_t size, int64_t max, int64_t *ret)
{
	if (tar_number(field, size, ret) < 0 || *ret < 0 || *ret > max)
		return -EBADMSG;
	return 0;
}

static int parse_numbers(const uint8_t block[TAR_BLOCK], struct tar_entry *entry, struct error *err)
{
	int64_t size, mode, uid, gid, mtime;
	if (number_in(block + AT_SIZE, 12, INT64_MAX - TAR_BLOCK, &size) < 0)
		return error_set(err, EBADMSG,
				 "a tar header's size is negative, absurd or no number");
	if (number_in(block + AT_MODE, 8, INT64_MAX, &mode) < 0)
		return error_set(err, EBADMSG, "a tar header's mode is no number");
	if (number_in(block + AT_UID, 8, UINT32_MAX - 1, &uid) < 0 ||
	    number_in(block + AT_GID, 8, UINT32_MAX - 1, &gid) < 0)
		return error_set(err, EBADMSG, "a tar header's owner is no user or group number");
	if (tar_number(block + AT_MTIME, 12, &mtime) < 0)
		return error_set(err, EBADMSG, "a tar header's time is no number");
	entry->size = entry->stored_size = (uint64_t)size;
	entry->mode = (uint32_t)mode & 07777;
	entry->uid = (uint32_t)uid;
	entry->gid = (uint32_t)gid;
	entry->mtime_s = mtime;
	return 0;
}

static int parse_device(const uint8_t block[TAR_BLOCK], struct tar_entry *entry, struct error *err)
{
	int64_t major, minor;
	if (number_in(block + AT_MAJOR, 8, DEVICE_MAJOR_MAX, &major) < 0 ||
	    number_in(block + AT_MINOR, 8, DEVICE_MINOR_MAX, &minor) < 0)
		return error_set(err, EBADMSG, "a tar header's device number is out of range");
	entry->major = (uint32_t)major;
	entry->minor = (uint32_t)minor;
	return 0;
}

/* A field that ends with a NUL only if it is not full. */
static int field_text(const uint8_t *field, size_t size, char **ret_text, struct error *err)
{
	*ret_text = strndup((const char *)field, size);
	return *ret_text ? 0 : error_set(err, ENOMEM, "no memory for a name");
}

static int parse_names(const uint8_t block[TAR_BLOCK], struct tar_entry *entry, struct error *err)
{
	auto_free char *name = NULL, *prefix = NULL;
	int r = field_text(block + AT_NAME, NAME_SIZE, &name, err);
	if (r == 0)
		r = field_text(block + AT_LINK, NAME_SIZE, &entry->link, err);
	bool posix = memcmp(block + AT_MAGIC, "ustar\0", 6) == 0;
	if (r == 0 && posix)
		r = field_text(block + AT_PREFIX, PREFIX_SIZE, &prefix, err);
	if (r < 0)
		return r;
	if (prefix && *prefix)
		return text_format(&entry->path, err, "%s/%s", prefix, name);
	entry->path = TAKE(name);
	return 0;
}

static bool is_zero(const uint8_t block[TAR_BLOCK])
{
	return block[0] == 0 && memcmp(block, block + 1, TAR_BLOCK - 1) == 0;
}

int tar_header_parse(const uint8_t block[TAR_BLOCK], struct tar_header *ret, struct error *err)
{
	if (is_zero(block))
		return 0;
	*ret = (struct tar_header){ .type = (char)block[AT_TYPE] };
	ret->gnu = memcmp(block + AT_MAGIC, "ustar  ", 8) == 0;
	int r = check_sum(block, err);
	if (r == 0)
		r = parse_numbers(block, &ret->entry, err);
	if (r == 0 && (ret->type == '3' || ret->type == '4'))
		r = parse_device(block, &ret->entry, err);
	if (r == 0)
		r = parse_names(block, &ret->entry, err);
	if (r < 0)
		tar_entry_release(&ret->entry);
	return r < 0 ? r : 1;
}
