/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The documents that say what an image consists of: OCI's index, manifest and
 * config, and docker-archive's manifest.json. Here hostile JSON becomes values.
 */
#include <stdint.h>

#include "base/json.h"
#include "base/text.h"
#include "digest.h"
#include "inflate.h"
#include "runtime/image.h"

#define MANIFEST_SIZE_MAX (4u << 20) /* bytes of one document */
#define INDEX_DEPTH_MAX 4
#define INDEX_ENTRIES_MAX 1000

#define MEDIA_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define MEDIA_CONFIG "application/vnd.oci.image.config.v1+json"
#define MEDIA_LAYER "application/vnd.oci.image.layer.v1.tar"

/* Points to a blob. */
struct descriptor {
	struct digest digest;
	uint64_t size;
	const char *media_type; /* lent by the document */
};

/* A layer as a manifest names it. */
struct layer_blob {
	struct digest digest;
	uint64_t size;
	bool declared; /* digest, size and compression are known before it is read */
	enum compression compression;
	char *member; /* name in the source */
};
struct manifest {
	struct descriptor config;
	struct layer_blob *layers; /* bottom first */
	size_t layer_count;
};
void manifest_release(struct manifest *manifest);

enum manifest_kind { KIND_MANIFEST, KIND_INDEX };
/** Gate: a descriptor object: mediaType, digest, size. */
int descriptor_read(const struct json_at *at, struct descriptor *ret, struct error *err);
/** Tells index from manifest by a descriptor's media type; -EINVAL for any other. */
int descriptor_kind(const struct json_at *at, const struct descriptor *descriptor,
		    enum manifest_kind *ret_kind, struct error *err);
/** Finds the list `key`, which is *ret_layers, and makes room for as many layers, none filled. */
int manifest_make_layers(const struct json_at *at, const char *key, struct manifest *manifest,
			 struct json_at *ret_layers, struct error *err);
/** Gate: an image manifest. */
int manifest_read(const struct json_at *root, struct manifest *ret, struct error *err);
/** The compression of a layer's media type; -EINVAL for types that are no tar. */
int media_type_compression(const struct json_at *at, const char *media_type, enum compression *ret,
			   struct error *err);

/* This host, in the words of image configs. */
const char *platform_architecture(void);
/**
 * Whether a descriptor's platform is this host's: 1 yes (or none given), 0 no.
 */
int platform_matches(const struct json_at *descriptor, struct error *err);

/** Gate: the config of an image, all but names, paths and sizes. config_json is lent. */
int image_config_read(const struct json_at *config, struct image *ret_image, struct error *err);
/** The config's "config" object as JSON, for images that are built. */
int image_config_write(const struct image_config *config, struct json_t **ret_json,
		       struct error *err);
