/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Digests are how content is named: "sha256:" and 64 lower-case hex digits.
 */
#include "digest.h"

#include <errno.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/text.h"

struct hash {
	EVP_MD_CTX *context;
};

int hash_create(struct hash **ret_hash, struct error *err)
{
	AUTO(hash) hash = calloc(1, sizeof *hash);
	if (hash)
		hash->context = EVP_MD_CTX_new();
	if (!hash || !hash->context || EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL) != 1)
		return error_set(err, ENOMEM, "no memory for a hash");
	*ret_hash = TAKE(hash);
	return 0;
}

void hash_free(struct hash *hash)
{
	if (!hash)
		return;
	EVP_MD_CTX_free(hash->context);
	free(hash);
}

void hash_update(struct hash *hash, const void *data, size_t size)
{
	EVP_DigestUpdate(hash->context, data, size);
}

struct digest hash_finish(struct hash *hash)
{
	uint8_t bytes[EVP_MAX_MD_SIZE];
	struct digest digest = { DIGEST_PREFIX };
	EVP_DigestFinal_ex(hash->context, bytes, NULL);
	text_from_hex_bytes(bytes, DIGEST_HEX_SIZE / 2, digest.text + strlen(DIGEST_PREFIX));
	return digest;
}

int digest_of(const void *data, size_t size, struct digest *ret_digest, struct error *err)
{
	AUTO(hash) hash = NULL;
	int r = hash_create(&hash, err);
	if (r < 0)
		return r;
	hash_update(hash, data, size);
	*ret_digest = hash_finish(hash);
	return 0;
}

int digest_check(const char *text, const char *what, struct digest *ret_digest, struct error *err)
{
	if (!text_starts_with(text, DIGEST_PREFIX))
		return error_set(err, EINVAL, "%s: digest \"%.100s\" is not a sha256 digest", what,
				 text);
	const char *hex = text + strlen(DIGEST_PREFIX);
	if (strlen(hex) != DIGEST_HEX_SIZE || strspn(hex, "0123456789abcdef") != DIGEST_HEX_SIZE)
		return error_set(
			err, EINVAL,
			"%s: digest \"%.100s\" is not sha256: and 64 lower-case hex digits", what,
			text);
	snprintf(ret_digest->text, sizeof ret_digest->text, "%s", text);
	return 0;
}

const char *digest_hex(const struct digest *digest)
{
	return digest->text + strlen(DIGEST_PREFIX);
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return strcmp(a->text, b->text) == 0;
}

int digest_chain(const struct digest *parent, const struct digest *diff_id,
		 struct digest *ret_chain, struct error *err)
{
	if (!parent) {
		*ret_chain = *diff_id;
		return 0;
	}
	char both[2 * DIGEST_TEXT_MAX];
	int size = snprintf(both, sizeof both, "%s %s", parent->text, diff_id->text);
	return digest_of(both, (size_t)size, ret_chain, err);
}
