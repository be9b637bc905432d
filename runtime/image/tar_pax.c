/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pax extended headers: records "LENGTH key=value\n". Each length must agree
 * with what is there; keys that Wherry does not know are left out.
 */
#include <errno.h>
#include <string.h>

#include "tar_internal.h"

#define XATTR_PREFIX "SCHILY.xattr."

struct record {
	char *key, *value; /* value may hold NULs; a NUL stands behind it */
	size_t value_size;
};

static void record_release(struct record *record)
{
	free(record->key);
	free(record->value);
}
#define auto_record __attribute__((cleanup(record_release))) struct record

static int lies(struct error *err)
{
	return error_set(err, EBADMSG, "a pax record's length disagrees with its data");
}

/* Reads the record at data; *ret_size is its length. */
static int read_record(const char *data, size_t size, struct record *ret, size_t *ret_size,
		       struct error *err)
{
	size_t length = 0, digits = 0;
	while (digits < size && digits < 8 && data[digits] >= '0' && data[digits] <= '9')
		length = length * 10 + (size_t)(data[digits++] - '0');
	if (digits == 0 || digits == size || data[digits] != ' ' || length > size ||
	    length < digits + 3 || data[length - 1] != '\n')
		return lies(err);
	const char *key = data + digits + 1, *end = data + length - 1;
	const char *equals = memchr(key, '=', (size_t)(end - key));
	if (!equals || equals == key || memchr(key, 0, (size_t)(equals - key)))
		return error_set(err, EBADMSG, "a pax record is not key=value");
	ret->value_size = (size_t)(end - equals - 1);
	ret->key = strndup(key, (size_t)(equals - key));
	ret->value = calloc(1, ret->value_size + 1);
	if (!ret->key || !ret->value)
		return error_set(err, ENOMEM, "no memory for a pax record");
	memcpy(ret->value, equals + 1, ret->value_size);
	*ret_size = length;
	return 0;
}

static int bad_value(const struct record *record, struct error *err)
{
	return error_set(err, EBADMSG, "pax record %.60s has the value \"%.60s\"", record->key,
			 record->value);
}

static int set_number(const struct record *record, uint64_t max, uint64_t *ret, bool *have,
		      struct error *err)
{
	*have = record->value_size > 0;
	if (*have && text_to_unsigned(record->value, 0, max, ret) < 0)
		return bad_value(record, err);
	return 0;
}

static int set_owner(const struct record *record, uint32_t *ret, bool *have, struct error *err)
{
	uint64_t number = 0;
	int r = set_number(record, UINT32_MAX - 1, &number, have, err);
	*ret = (uint32_t)number;
	return r;
}

/* "[-]SECONDS[.FRACTION]"; nanoseconds count forward, also before 1970. */
static int set_time(const struct record *record, struct tar_extension *extension, struct error *err)
{
	extension->have_mtime = record->value_size > 0;
	if (!extension->have_mtime)
		return 0;
	const char *text = record->value;
	bool negative = *text == '-';
	size_t whole = strspn(text + negative, "0123456789");
	const char *dot = text + negative + whole;
	uint64_t seconds = 0, nanoseconds = 0, scale = 100000000;
	auto_free char *digits = strndup(text + negative, whole);
	if (!digits || text_to_unsigned(digits, 0, INT64_MAX / 2, &seconds) < 0)
		return bad_value(record, err);
	if (*dot == '.')
		for (dot++; *dot >= '0' && *dot <= '9'; dot++, scale /= 10)
			nanoseconds += (uint64_t)(*dot - '0') * scale;
	if (*dot)
		return bad_value(record, err);
	extension->mtime_s = negative ? -(int64_t)seconds : (int64_t)seconds;
	if (negative && nanoseconds > 0) {
		extension->mtime_s--;
		nanoseconds = 1000000000 - nanoseconds;
	}
	extension->mtime_ns = (uint32_t)nanoseconds;
	return 0;
}

static int set_text(struct record *record, char **ret, struct error *err)
{
	if (memchr(record->value, 0, record->value_size))
		return error_set(err, EBADMSG, "pax record %.60s holds a NUL byte", record->key);
	free(*ret);
	*ret = record->value_size > 0 ? TAKE(record->value) : NULL;
	return 0;
}

static int add_xattr(struct record *record, struct tar_extension *extension, struct error *err)
{
	if (record->value_size == 0)
		return 0; /* pax: an empty value deletes the key */
	if (extension->xattr_count == TAR_XATTRS_MAX)
		return error_set(err, EBADMSG, "an entry has over %d extended attributes",
				 TAR_XATTRS_MAX);
	struct tar_xattr *more =
		reallocarray(extension->xattrs, extension->xattr_count + 1, sizeof *more);
	if (!more)
		return error_set(err, ENOMEM, "no memory for extended attributes");
	extension->xattrs = more;
	char *name = strdup(record->key + strlen(XATTR_PREFIX));
	if (!name)
		return error_set(err, ENOMEM, "no memory for extended attributes");
	more[extension->xattr_count++] = (struct tar_xattr){
		.name = name, .size = record->value_size, .value = (uint8_t *)TAKE(record->value)
	};
	return 0;
}

static int apply_sparse(struct record *record, struct tar_extension *extension, struct error *err)
{
	const char *key = record->key + strlen("GNU.sparse.");
	if (text_equal(key, "name"))
		return set_text(record, &extension->sparse_name, err);
	if (text_equal(key, "map"))
		return set_text(record, &extension->sparse_map, err);
	if (text_equal(key, "realsize") || text_equal(key, "size"))
		return set_number(record, INT64_MAX, &extension->real_size,
				  &extension->have_real_size, err);
	if (text_equal(key, "numblocks"))
		return 0;
	if (text_equal(key, "minor") && text_equal(record->value, "0"))
		return 0;
	if (text_equal(key, "major") && text_equal(record->value, "1")) {
		extension->sparse_1_0 = true;
		return 0;
	}
	return error_set(err, EBADMSG, "sparse files by pax record %.60s=%.60s are not supported",
			 record->key, record->value);
}

static int apply(struct record *record, struct tar_extension *extension, struct error *err)
{
	if (text_equal(record->key, "path"))
		return set_text(record, &extension->path, err);
	if (text_equal(record->key, "linkpath"))
		return set_text(record, &extension->link, err);
	if (text_equal(record->key, "size"))
		return set_number(record, INT64_MAX - TAR_BLOCK, &extension->size,
				  &extension->have_size, err);
	if (text_equal(record->key, "uid"))
		return set_owner(record, &extension->uid, &extension->have_uid, err);
	if (text_equal(record->key, "gid"))
		return set_owner(record, &extension->gid, &extension->have_gid, err);
	if (text_equal(record->key, "mtime"))
		return set_time(record, extension, err);
	if (text_starts_with(record->key, "GNU.sparse."))
		return apply_sparse(record, extension, err);
	if (text_starts_with(record->key, XATTR_PREFIX))
		return add_xattr(record, extension, err);
	return 0;
}

int tar_pax_parse(const char *data, size_t size, struct tar_extension *extension, struct error *err)
{
	while (size > 0) {
		auto_record record = { 0 };
		size_t length = 0;
		int r = read_record(data, size, &record, &length, err);
		if (r == 0)
			r = apply(&record, extension, err);
		if (r < 0)
			return r;
		data += length;
		size -= length;
	}
	return 0;
}

int tar_pax_check_global(const char *data, size_t size, struct error *err)
{
	struct tar_extension global = { 0 };
	int r = tar_pax_parse(data, size, &global, err);
	bool changes = global.path || global.link || global.have_size || global.sparse_name ||
		       global.sparse_map || global.sparse_1_0 || global.xattr_count > 0;
	tar_extension_release(&global);
	if (r == 0 && changes)
		return error_set(
			err, EBADMSG,
			"a global pax header gives all entries one name, size or attribute");
	return r;
}

static void xattrs_free(struct tar_xattr *xattrs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(xattrs[i].name);
		free(xattrs[i].value);
	}
	free(xattrs);
}

void tar_extension_release(struct tar_extension *extension)
{
	free(extension->path);
	free(extension->link);
	free(extension->sparse_name);
	free(extension->sparse_map);
	xattrs_free(extension->xattrs, extension->xattr_count);
	*extension = (struct tar_extension){ 0 };
}

void tar_entry_release(struct tar_entry *entry)
{
	free(entry->path);
	free(entry->link);
	free(entry->parts);
	xattrs_free(entry->xattrs, entry->xattr_count);
	*entry = (struct tar_entry){ 0 };
}

static void replace_text(char **to, char **from)
{
	if (!*from)
		return;
	free(*to);
	*to = TAKE(*from);
}

void tar_extension_apply(struct tar_extension *extension, struct tar_entry *entry)
{
	replace_text(&entry->path, &extension->path);
	replace_text(&entry->path, &extension->sparse_name);
	replace_text(&entry->link, &extension->link);
	if (extension->have_size)
		entry->size = entry->stored_size = extension->size;
	if (extension->have_uid)
		entry->uid = extension->uid;
	if (extension->have_gid)
		entry->gid = extension->gid;
	if (extension->have_mtime) {
		entry->mtime_s = extension->mtime_s;
		entry->mtime_ns = extension->mtime_ns;
	}
	if (extension->have_real_size)
		entry->size = extension->real_size;
	entry->xattrs = TAKE(extension->xattrs);
	entry->xattr_count = extension->xattr_count;
	extension->xattr_count = 0;
}
