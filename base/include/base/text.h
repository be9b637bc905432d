/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Strings: a growing buffer, formatting into fresh memory, parsing of numbers
 * with whole-string checks, and lists of words.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

/* A growing text; starts as {0}. `data` is always NUL-terminated once used. */
struct text {
	char *data;
	size_t size; /* bytes, without the NUL */
	size_t capacity;
	bool failed; /* memory ran out: later appends do nothing */
};
void text_free(struct text *text); /* frees data; text itself is a value */
#define auto_text __attribute__((cleanup(text_free), unused)) struct text

void text_append(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_append_bytes(struct text *text, const void *data, size_t size);
/** Hands the memory to the caller (free); -ENOMEM if any append failed. An empty text gives "". */
int text_take(struct text *text, char **ret_text, struct error *err);

/** asprintf with an error. The caller frees *ret_text. */
int text_format(char **ret_text, struct error *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** strdup with an error. */
int text_copy(const char *text, char **ret_text, struct error *err);

/** The whole of text as decimal in min..max, without sign, blank or empty. 0 or -EINVAL. */
int text_to_unsigned(const char *text, uint64_t min, uint64_t max, uint64_t *ret);
int text_to_signed(const char *text, int64_t min, int64_t max, int64_t *ret);
/** "64m", "1g", "512" (bytes; b k m g t, either case, 1024). 0 or -EINVAL. */
int text_to_size_bytes(const char *text, uint64_t *ret_bytes);
/** "1500ms", "10s", "1m30s", "2h" (Go's form) in milliseconds. 0 or -EINVAL. */
int text_to_duration_ms(const char *text, int64_t *ret_ms);

bool text_equal(const char *a, const char *b); /* NULL equals NULL only */
bool text_starts_with(const char *text, const char *prefix);
bool text_ends_with(const char *text, const char *suffix);
/** Only bytes of [a-zA-Z0-9_.-], first alphanumeric, at most max long: names of things. */
bool text_is_name(const char *text, size_t max);

/* A list of owned strings that ends with NULL, fit for execve. Starts as {0}. */
struct words {
	char **items; /* NULL while empty */
	size_t count;
};
void words_free(struct words *words); /* frees items; words itself is a value */
#define auto_words __attribute__((cleanup(words_free), unused)) struct words
int words_append(struct words *words, const char *text, struct error *err);
int words_append_format(struct words *words, struct error *err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int words_copy(const struct words *from, struct words *to, struct error *err);
/** Splits at each `separator`; empty pieces are kept. */
int words_split(const char *text, char separator, struct words *ret, struct error *err);

/** Hex of bytes into out (2 * size + 1 bytes). */
void text_from_hex_bytes(const uint8_t *bytes, size_t size, char *out);
