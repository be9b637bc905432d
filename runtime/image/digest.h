/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Digests are how content is named: "sha256:" and 64 lower-case hex digits.
 * The hash is libcrypto's, which uses the processor's own instructions;
 * OpenSSL is spoken to in digest.c only.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "runtime/image.h"

#define DIGEST_HEX_SIZE 64
#define DIGEST_PREFIX "sha256:"

/* A digest as text; a value type. */
struct digest {
	char text[DIGEST_TEXT_MAX];
};

struct hash;
int hash_create(struct hash **ret_hash, struct error *err);
void hash_free(struct hash *hash);
DEFINE_FREEP(hash)
void hash_update(struct hash *hash, const void *data, size_t size);
/** Ends the hash; it can only be freed afterwards. */
struct digest hash_finish(struct hash *hash);

/** The digest of one run of bytes; -ENOMEM. */
int digest_of(const void *data, size_t size, struct digest *ret_digest, struct error *err);

/** Gate: exactly "sha256:" and 64 of 0-9a-f. -EINVAL says what is wrong; `what` names the place. */
int digest_check(const char *text, const char *what, struct digest *ret_digest, struct error *err);
/** The hex part of a checked digest. */
const char *digest_hex(const struct digest *digest);
bool digest_equal(const struct digest *a, const struct digest *b);

/**
 * The chain id of a layer on top of `parent` (NULL: the bottom layer), as the
 * OCI image specification defines it: it names the layer and all below it.
 */
int digest_chain(const struct digest *parent, const struct digest *diff_id,
		 struct digest *ret_chain, struct error *err);
