/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * JSON with a path in each error. Reading goes through cursors: small values
 * on the stack that know their parent, so that an error can say
 * `net.conf: ipam.ranges[0][1].subnet: "10.1" is no prefix`. A cursor is valid
 * while its document and its parent cursor are. Hostile input: documents are
 * refused over JSON_DEPTH_MAX nested levels or `size` over the caller's limit.
 *
 * Jansson is spoken to in base/json*.c only.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/ip.h"

#define JSON_DEPTH_MAX 64

struct json_t; /* one value; owned by whoever created it, counted inside jansson */

void json_free(struct json_t *value);
static inline void json_freep(struct json_t **value)
{
	json_free(*value);
}
#define auto_json __attribute__((cleanup(json_freep), unused)) struct json_t *

/** A place in a document. `value` is NULL for a key that is not there. */
struct json_at {
	const struct json_t *value;
	const struct json_at *parent; /* NULL at the root */
	const char *key;              /* member of an object, or NULL */
	size_t index;                 /* element of an array, where key is NULL */
	const char *source;           /* at the root: file name or "standard input" */
};

/** Whether a key must be there: JSON_REQUIRED fails with "is missing". */
enum json_need { JSON_OPTIONAL, JSON_REQUIRED };

/** How keys match: CNI configurations are compared without regard to case, exact first. */

/**
 * Gate: parses `size` bytes of text. Duplicate keys: the last wins, as in Go.
 * The caller owns *ret_value (auto_json). Returns 0, -EINVAL (text names
 * source, line and column), -E2BIG (too deep), -ENOMEM.
 */
int json_parse(const char *source, const char *text, size_t size, struct json_t **ret_value,
	       struct error *err);
/** As json_parse, of a whole file of at most size_max bytes. */
int json_read_file(const char *path, size_t size_max, struct json_t **ret_value, struct error *err);

/** The cursor of a document's root. source is lent. */
struct json_at json_root(const struct json_t *value, const char *source);
/** Member `key`, exact spelling first, else without regard to case; value NULL if none. */
struct json_at json_member(const struct json_at *at, const char *key);
/** Element `index` of an array. */
struct json_at json_element(const struct json_at *at, size_t index);
/** True if there is a value, and it is not null. */
bool json_is_present(const struct json_at *at);
bool json_is_object(const struct json_at *at);
bool json_is_array(const struct json_at *at);
bool json_is_string(const struct json_at *at);
/** Elements of an array or members of an object; 0 for anything else. */
size_t json_count(const struct json_at *at);
/** Member number `index` of an object, its name in .key; for walking all keys. */
struct json_at json_member_at(const struct json_at *at, size_t index);

/** Sets err to "source: path: message" for this place; returns -code. */
int json_error(const struct json_at *at, struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * Typed reads of member `key` of object `at`. An absent or null key leaves
 * *ret untouched and returns 0 under JSON_OPTIONAL. A wrong type is -EINVAL
 * with the value, and what would be right, in the text. Strings are lent by
 * the document and hold no NUL byte.
 */
int json_get_string(const struct json_at *at, const char *key, enum json_need need,
		    const char **ret, struct error *err);
int json_get_bool(const struct json_at *at, const char *key, enum json_need need, bool *ret,
		  struct error *err);
/** An integer in min..max; a number with a fraction is refused. */
int json_get_integer(const struct json_at *at, const char *key, enum json_need need, int64_t min,
		     int64_t max, int64_t *ret, struct error *err);
int json_get_ip(const struct json_at *at, const char *key, enum json_need need, struct ip *ret,
		struct error *err);
int json_get_prefix(const struct json_at *at, const char *key, enum json_need need,
		    struct prefix *ret, struct error *err);
int json_get_mac(const struct json_at *at, const char *key, enum json_need need, struct mac *ret,
		 struct error *err);
/** The cursor of a member that must be an object (array); *ret->value NULL if absent. */
int json_get_object(const struct json_at *at, const char *key, enum json_need need,
		    struct json_at *ret, struct error *err);
int json_get_array(const struct json_at *at, const char *key, enum json_need need,
		   struct json_at *ret, struct error *err);
/** The value at this place as a string; -EINVAL if it is none. */
int json_as_string(const struct json_at *at, const char **ret, struct error *err);
int json_as_integer(const struct json_at *at, int64_t min, int64_t max, int64_t *ret,
		    struct error *err);

/*
 * Building. Functions with "put" and "append" take ownership of `value` also
 * when they fail, and treat a NULL value as out of memory, so that a whole
 * document is built first and checked once: json_format of a broken document
 * fails. Keys keep the order in which they were put.
 */
struct json_t *json_new_object(void);
struct json_t *json_new_array(void);
struct json_t *json_new_string(const char *text); /* invalid UTF-8 becomes '?', NULL null */
struct json_t *json_new_integer(int64_t number);
struct json_t *json_new_bool(bool value);
struct json_t *json_new_null(void);
/** A deep copy. */
struct json_t *json_clone(const struct json_t *value);
void json_put(struct json_t *object, const char *key, struct json_t *value);
void json_put_string(struct json_t *object, const char *key, const char *text);
void json_put_integer(struct json_t *object, const char *key, int64_t number);
void json_put_bool(struct json_t *object, const char *key, bool value);
void json_append(struct json_t *array, struct json_t *value);

enum json_style { JSON_COMPACT, JSON_INDENTED };
/** The text of a document, NUL-terminated; the caller frees *ret_text. */
int json_format(const struct json_t *value, enum json_style style, char **ret_text,
		struct error *err);
