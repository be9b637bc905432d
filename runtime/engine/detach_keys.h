/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The keys by which a user leaves a container that runs on, in Docker's form:
 * "ctrl-p,ctrl-q". Pure: knows no terminal.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define DETACH_KEYS_MAX 16

struct detach_keys {
	uint8_t keys[DETACH_KEYS_MAX];
	size_t count;   /* 0: nothing leaves */
	size_t matched; /* of the input so far, held back */
};
/** NULL: ctrl-p,ctrl-q; "": none. */
int detach_keys_parse(const char *text, struct detach_keys *ret_keys, struct error *err);
/**
 * Passes input on, but what may be the beginning of the keys. ret_passed has
 * room for size + DETACH_KEYS_MAX bytes. True when all keys were typed in a row.
 */
bool detach_keys_scan(struct detach_keys *keys, const uint8_t *data, size_t size,
		      uint8_t *ret_passed, size_t *ret_size);
