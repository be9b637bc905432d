/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "detach_keys.h"

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define DEFAULT_KEYS "ctrl-p,ctrl-q"

/* "a", or "ctrl-" and one of a-z @ [ \ ] ^ _: 1 to 31, and 0 for @. */
static bool parse_key(const char *text, uint8_t *ret)
{
	if (text[0] && !text[1]) {
		*ret = (uint8_t)text[0];
		return true;
	}
	const char *letter = text + strlen("ctrl-");
	if (!text_starts_with(text, "ctrl-") || !letter[0] || letter[1])
		return false;
	if (letter[0] >= 'a' && letter[0] <= 'z')
		*ret = (uint8_t)(letter[0] - 'a' + 1);
	else if (strchr("@[\\]^_", letter[0]))
		*ret = (uint8_t)(letter[0] - '@');
	else
		return false;
	return true;
}

int detach_keys_parse(const char *text, struct detach_keys *ret_keys, struct error *err)
{
	auto_words words = { 0 };
	*ret_keys = (struct detach_keys){ .count = 0 };
	if (!text)
		text = DEFAULT_KEYS;
	if (!*text)
		return 0;
	int r = words_split(text, ',', &words, err);
	if (r == 0 && words.count > DETACH_KEYS_MAX)
		return error_set(err, E2BIG, "--detach-keys: at most %d keys", DETACH_KEYS_MAX);
	for (size_t i = 0; r == 0 && i < words.count; i++)
		if (!parse_key(words.items[i], &ret_keys->keys[ret_keys->count++]))
			r = error_set(err, EINVAL,
				      "--detach-keys %s: the form is KEY,KEY… of a letter or "
				      "ctrl- and one of a-z @ [ \\ ] ^ _",
				      text);
	return r;
}

bool detach_keys_scan(struct detach_keys *keys, const uint8_t *data, size_t size,
		      uint8_t *ret_passed, size_t *ret_size)
{
	size_t passed = 0;
	for (size_t i = 0; i < size; i++) {
		if (keys->count && data[i] == keys->keys[keys->matched]) {
			if (++keys->matched == keys->count) {
				*ret_size = passed;
				return true;
			}
			continue;
		}
		memcpy(ret_passed + passed, keys->keys, keys->matched);
		passed += keys->matched;
		keys->matched = keys->count && data[i] == keys->keys[0];
		if (!keys->matched)
			ret_passed[passed++] = data[i];
	}
	*ret_size = passed;
	return false;
}
