/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OCI's descriptors and manifests. Docker's own media types mean the same
 * things and are taken as well.
 */
#include "manifest.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#define BLOB_SIZE_MAX ((int64_t)1 << 44) /* 16 TiB: what file systems hold in one file */

static const struct {
	const char *type;
	enum compression compression;
} layer_types[] = {
	{ MEDIA_LAYER, COMPRESSION_NONE },
	{ MEDIA_LAYER "+gzip", COMPRESSION_GZIP },
	{ MEDIA_LAYER "+zstd", COMPRESSION_ZSTD },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar", COMPRESSION_NONE },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", COMPRESSION_GZIP },
	{ "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", COMPRESSION_ZSTD },
	{ "application/vnd.docker.image.rootfs.diff.tar", COMPRESSION_NONE },
	{ "application/vnd.docker.image.rootfs.diff.tar.gzip", COMPRESSION_GZIP },
	{ "application/vnd.docker.image.rootfs.diff.tar.zstd", COMPRESSION_ZSTD },
	{ "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", COMPRESSION_GZIP },
};
static const struct {
	const char *type;
	enum manifest_kind kind;
} manifest_types[] = {
	{ MEDIA_MANIFEST, KIND_MANIFEST },
	{ "application/vnd.docker.distribution.manifest.v2+json", KIND_MANIFEST },
	{ "application/vnd.oci.image.index.v1+json", KIND_INDEX },
	{ "application/vnd.docker.distribution.manifest.list.v2+json", KIND_INDEX },
};
static const char *const config_types[] = {
	MEDIA_CONFIG,
	"application/vnd.docker.container.image.v1+json",
};

void manifest_release(struct manifest *manifest)
{
	for (size_t i = 0; i < manifest->layer_count; i++)
		free(manifest->layers[i].member);
	free(manifest->layers);
	*manifest = (struct manifest){ 0 };
}

int descriptor_read(const struct json_at *at, struct descriptor *ret, struct error *err)
{
	const char *digest = NULL;
	int64_t size = 0;
	if (!json_is_object(at))
		return json_error(at, err, EINVAL,
				  "must be an object with mediaType, digest, size");
	int r = json_get_string(at, "mediaType", JSON_REQUIRED, &ret->media_type, err);
	if (r == 0)
		r = json_get_string(at, "digest", JSON_REQUIRED, &digest, err);
	if (r == 0)
		r = json_get_integer(at, "size", JSON_REQUIRED, 0, BLOB_SIZE_MAX, &size, err);
	if (r < 0)
		return r;
	ret->size = (uint64_t)size;
	struct error ignored;
	if (digest_check(digest, "", &ret->digest, &ignored) < 0)
		return json_error(at, err, EINVAL,
				  "digest \"%.100s\" is not sha256: and 64 lower-case hex digits",
				  digest);
	return 0;
}

int descriptor_kind(const struct json_at *at, const struct descriptor *descriptor,
		    enum manifest_kind *ret_kind, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(manifest_types); i++)
		if (text_equal(manifest_types[i].type, descriptor->media_type)) {
			*ret_kind = manifest_types[i].kind;
			return 0;
		}
	return json_error(at, err, EINVAL, "media type \"%.100s\" is neither manifest nor index",
			  descriptor->media_type);
}

int media_type_compression(const struct json_at *at, const char *media_type, enum compression *ret,
			   struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(layer_types); i++)
		if (text_equal(layer_types[i].type, media_type)) {
			*ret = layer_types[i].compression;
			return 0;
		}
	return json_error(at, err, EINVAL,
			  "layers of media type \"%.100s\" are not supported (tar, plain or with "
			  "gzip or zstd, is)",
			  media_type);
}

static int read_layer(const struct json_at *at, struct layer_blob *layer, struct error *err)
{
	struct descriptor descriptor;
	int r = descriptor_read(at, &descriptor, err);
	if (r == 0)
		r = media_type_compression(at, descriptor.media_type, &layer->compression, err);
	if (r < 0)
		return r;
	layer->declared = true;
	layer->digest = descriptor.digest;
	layer->size = descriptor.size;
	return text_format(&layer->member, err, "blobs/sha256/%s", digest_hex(&layer->digest));
}

int manifest_make_layers(const struct json_at *at, const char *key, struct manifest *manifest,
			 struct json_at *ret_layers, struct error *err)
{
	int r = json_get_array(at, key, JSON_REQUIRED, ret_layers, err);
	if (r < 0)
		return r;
	size_t count = json_count(ret_layers);
	if (count > IMAGE_LAYERS_MAX)
		return json_error(ret_layers, err, EINVAL,
				  "%zu layers are more than the %d that a mount can have", count,
				  IMAGE_LAYERS_MAX);
	manifest->layers = calloc(count + 1, sizeof *manifest->layers);
	return manifest->layers ? 0 : error_set(err, ENOMEM, "no memory for layers");
}

static int read_layers(const struct json_at *root, struct manifest *manifest, struct error *err)
{
	struct json_at layers;
	int r = manifest_make_layers(root, "layers", manifest, &layers, err);
	for (size_t i = 0; r == 0 && i < json_count(&layers); i++) {
		struct json_at layer = json_element(&layers, i);
		manifest->layer_count = i + 1;
		r = read_layer(&layer, &manifest->layers[i], err);
	}
	return r;
}

static int check_config_type(const struct json_at *at, const char *type, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(config_types); i++)
		if (text_equal(config_types[i], type))
			return 0;
	return json_error(at, err, EINVAL, "media type \"%.100s\" is no image's config", type);
}

static int check_document(const struct json_at *root, struct error *err)
{
	int64_t version = 0;
	if (!json_is_object(root))
		return json_error(root, err, EINVAL, "must be an object");
	int r = json_get_integer(root, "schemaVersion", JSON_REQUIRED, 0, INT32_MAX, &version, err);
	if (r == 0 && version != 2)
		return json_error(root, err, EINVAL, "schemaVersion is %d, must be 2",
				  (int)version);
	return r;
}

int manifest_read(const struct json_at *root, struct manifest *ret, struct error *err)
{
	const char *type = NULL;
	struct json_at config;
	struct manifest manifest = { 0 };
	int r = check_document(root, err);
	if (r == 0)
		r = json_get_string(root, "mediaType", JSON_OPTIONAL, &type, err);
	if (r == 0 && type && !strstr(type, "manifest.v"))
		return json_error(root, err, EINVAL, "mediaType \"%.100s\" is no image manifest",
				  type);
	if (r == 0)
		r = json_get_object(root, "config", JSON_REQUIRED, &config, err);
	if (r == 0)
		r = descriptor_read(&config, &manifest.config, err);
	if (r == 0)
		r = check_config_type(&config, manifest.config.media_type, err);
	if (r == 0)
		r = read_layers(root, &manifest, err);
	if (r < 0)
		manifest_release(&manifest);
	else
		*ret = manifest;
	return r;
}

const char *platform_architecture(void)
{
	static const struct {
		const char *machine, *architecture;
	} rows[] = {
		{ "x86_64", "amd64" }, { "aarch64", "arm64" },   { "armv7l", "arm" },
		{ "i686", "386" },     { "riscv64", "riscv64" }, { "ppc64le", "ppc64le" },
		{ "s390x", "s390x" },
	};
	struct utsname name;
	uname(&name);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (text_equal(rows[i].machine, name.machine))
			return rows[i].architecture;
	return "unknown";
}

int platform_matches(const struct json_at *descriptor, struct error *err)
{
	struct json_at platform;
	const char *architecture = NULL, *os = NULL;
	int r = json_get_object(descriptor, "platform", JSON_OPTIONAL, &platform, err);
	if (r < 0 || !json_is_present(&platform))
		return r < 0 ? r : 1;
	r = json_get_string(&platform, "architecture", JSON_REQUIRED, &architecture, err);
	if (r == 0)
		r = json_get_string(&platform, "os", JSON_REQUIRED, &os, err);
	if (r < 0)
		return r;
	return text_equal(os, "linux") && text_equal(architecture, platform_architecture());
}
