/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OCI layouts: index.json names manifests and further indexes; each blob is
 * checked against the size and digest by which it was named.
 */
#include <errno.h>
#include <string.h>

#include "load.h"

#define ANNOTATION_TAG "org.opencontainers.image.ref.name"
#define ANNOTATION_NAME "io.containerd.image.name"

struct walk {
	struct load *load;
	const char *default_name;
	struct words names; /* of the image that is looked for */
	size_t seen;        /* descriptors, over all indexes */
	bool other_platform;
};

/* A JSON blob by its descriptor. */
static int read_blob(struct load *load, const struct descriptor *descriptor, char **ret_data,
		     size_t *ret_size, struct error *err)
{
	char name[128];
	struct digest digest;
	auto_free char *data = NULL;
	size_t size = 0;
	snprintf(name, sizeof name, "blobs/sha256/%s", digest_hex(&descriptor->digest));
	int r = source_read(load->source, name, MANIFEST_SIZE_MAX, &data, &size, err);
	if (r == 0)
		return error_set(err, EINVAL, "%s is missing", name);
	if (r == 1)
		r = digest_of(data, size, &digest, err);
	if (r < 0)
		return r;
	if (size != descriptor->size)
		return error_set(err, EBADMSG, "%s has %zu bytes, its descriptor says %llu", name,
				 size, (unsigned long long)descriptor->size);
	if (!digest_equal(&digest, &descriptor->digest))
		return error_set(err, EBADMSG, "%s has content of another digest, %s", name,
				 digest.text);
	*ret_data = TAKE(data);
	*ret_size = size;
	return 0;
}

/* The name that an entry of index.json asks for; none is fine. */
static int read_name(struct walk *walk, const struct json_at *entry, struct error *err)
{
	struct json_at annotations;
	const char *name = NULL, *tag = NULL;
	words_free(&walk->names);
	int r = json_get_object(entry, "annotations", JSON_OPTIONAL, &annotations, err);
	if (r < 0 || !json_is_present(&annotations))
		return r;
	r = json_get_string(&annotations, ANNOTATION_NAME, JSON_OPTIONAL, &name, err);
	if (r == 0)
		r = json_get_string(&annotations, ANNOTATION_TAG, JSON_OPTIONAL, &tag, err);
	if (r < 0 || (!name && !tag))
		return r;
	auto_free char *whole = NULL, *normal = NULL;
	if (name || strpbrk(tag, "/:"))
		r = text_copy(name ? name : tag, &whole, err);
	else
		r = text_format(&whole, err, "%s:%s",
				walk->default_name ? walk->default_name : "image", tag);
	if (r == 0)
		r = image_reference_normalise(whole, &normal, err);
	if (r < 0 || (!walk->default_name && !name && !strpbrk(tag, "/:")))
		return r; /* a tag without a name to go with: checked, not used */
	return words_append(&walk->names, normal, err);
}

static int add_manifest(struct walk *walk, char *json, size_t size, struct error *err)
{
	auto_json document = NULL;
	struct manifest manifest = { 0 };
	struct load_parts parts = { .manifest_json = json,
				    .manifest_size = size,
				    .manifest = &manifest,
				    .names = &walk->names };
	int r = json_parse("manifest", json, size, &document, err);
	struct json_at root = json_root(document, "manifest");
	if (r == 0)
		r = manifest_read(&root, &manifest, err);
	if (r == 0)
		r = read_blob(walk->load, &manifest.config, &parts.config_json, &parts.config_size,
			      err);
	if (r == 0)
		r = load_add_image(walk->load, &parts, err);
	else
		free(json);
	manifest_release(&manifest);
	return r < 0 ? r : 1;
}

static int walk_index(struct walk *walk, const struct json_at *index, int depth, struct error *err);

/* 1: an image for this host was added; 0: it is for another. */
static int walk_entry(struct walk *walk, const struct json_at *entry, int depth, struct error *err)
{
	struct descriptor descriptor;
	enum manifest_kind kind = KIND_MANIFEST;
	if (++walk->seen > INDEX_ENTRIES_MAX)
		return json_error(entry, err, EINVAL, "over %d manifests", INDEX_ENTRIES_MAX);
	int r = descriptor_read(entry, &descriptor, err);
	if (r == 0)
		r = descriptor_kind(entry, &descriptor, &kind, err);
	if (r == 0)
		r = platform_matches(entry, err);
	if (r <= 0) {
		walk->other_platform = r == 0;
		return r;
	}
	auto_free char *json = NULL;
	size_t size = 0;
	r = read_blob(walk->load, &descriptor, &json, &size, err);
	if (r < 0)
		return r;
	if (kind == KIND_MANIFEST)
		return add_manifest(walk, TAKE(json), size, err);
	auto_json document = NULL;
	r = json_parse("index", json, size, &document, err);
	if (r < 0)
		return r;
	struct json_at root = json_root(document, "index");
	return walk_index(walk, &root, depth + 1, err);
}

/* The outermost index lists images, those inside list the platforms of one. */
static int walk_index(struct walk *walk, const struct json_at *index, int depth, struct error *err)
{
	struct json_at manifests;
	int64_t version = 0;
	int found = 0;
	if (depth > INDEX_DEPTH_MAX)
		return json_error(index, err, EINVAL, "over %d indexes are nested",
				  INDEX_DEPTH_MAX);
	if (!json_is_object(index))
		return json_error(index, err, EINVAL, "must be an object");
	int r = json_get_integer(index, "schemaVersion", JSON_REQUIRED, 2, 2, &version, err);
	if (r == 0)
		r = json_get_array(index, "manifests", JSON_REQUIRED, &manifests, err);
	for (size_t i = 0; r >= 0 && i < json_count(&manifests); i++) {
		struct json_at entry = json_element(&manifests, i);
		r = depth == 0 ? read_name(walk, &entry, err) : 0;
		if (r == 0)
			r = walk_entry(walk, &entry, depth, err);
		found |= r == 1;
		if (depth > 0 && found)
			break;
	}
	return r < 0 ? r : found;
}

static int check_layout(struct load *load, struct error *err)
{
	auto_free char *text = NULL;
	auto_json document = NULL;
	const char *version = NULL;
	size_t size;
	int r = source_read(load->source, "oci-layout", MANIFEST_SIZE_MAX, &text, &size, err);
	if (r == 1)
		r = json_parse("oci-layout", text, size, &document, err);
	struct json_at root = json_root(document, "oci-layout");
	if (r == 0)
		r = json_get_string(&root, "imageLayoutVersion", JSON_REQUIRED, &version, err);
	if (r == 0 && !text_starts_with(version, "1."))
		return json_error(&root, err, EINVAL,
				  "imageLayoutVersion \"%.40s\" is not supported, 1.0.0 is",
				  version);
	return r;
}

int load_gather_oci(struct load *load, const char *default_name, struct error *err)
{
	auto_free char *text = NULL;
	auto_json document = NULL;
	size_t size;
	struct walk walk = { .load = load, .default_name = default_name };
	int r = check_layout(load, err);
	if (r == 0)
		r = source_read(load->source, "index.json", MANIFEST_SIZE_MAX, &text, &size, err);
	else
		return r;
	if (r == 0)
		return error_set(err, EINVAL, "index.json is missing");
	if (r == 1)
		r = json_parse("index.json", text, size, &document, err);
	struct json_at root = json_root(document, "index.json");
	if (r == 0)
		r = walk_index(&walk, &root, 0, err);
	words_free(&walk.names);
	if (r == 0)
		return error_set(err, EINVAL, "holds no image%s%s",
				 walk.other_platform ? " for linux/" : "",
				 walk.other_platform ? platform_architecture() : "");
	return r < 0 ? r : 0;
}
