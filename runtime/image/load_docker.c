/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docker-archives: manifest.json lists images by the names of their members.
 * Nothing there is named by digest, so layers are checked by the diff ids of
 * the config, and the config by itself.
 */
#include <errno.h>

#include "load.h"

static int read_layers(const struct json_at *entry, struct manifest *manifest, struct error *err)
{
	struct json_at layers;
	int r = manifest_make_layers(entry, "Layers", manifest, &layers, err);
	for (size_t i = 0; r == 0 && i < json_count(&layers); i++) {
		struct json_at item = json_element(&layers, i);
		const char *member = NULL;
		r = json_as_string(&item, &member, err);
		if (r == 0)
			r = text_copy(member, &manifest->layers[i].member, err);
		manifest->layer_count = i + 1;
	}
	return r;
}

static int read_names(const struct json_at *entry, struct words *ret, struct error *err)
{
	struct json_at tags;
	int r = json_get_array(entry, "RepoTags", JSON_OPTIONAL, &tags, err);
	for (size_t i = 0; r == 0 && i < json_count(&tags); i++) {
		struct json_at item = json_element(&tags, i);
		const char *text = NULL;
		auto_free char *name = NULL;
		r = json_as_string(&item, &text, err);
		if (r == 0)
			r = image_reference_normalise(text, &name, err);
		if (r == 0)
			r = words_append(ret, name, err);
	}
	return r;
}

static int add_entry(struct load *load, const struct json_at *entry, struct error *err)
{
	struct manifest manifest = { 0 };
	auto_words names = { 0 };
	const char *config = NULL;
	struct load_parts parts = { .manifest = &manifest, .names = &names };
	if (!json_is_object(entry))
		return json_error(entry, err, EINVAL, "must be an object");
	int r = json_get_string(entry, "Config", JSON_REQUIRED, &config, err);
	if (r == 0)
		r = read_names(entry, &names, err);
	if (r == 0)
		r = read_layers(entry, &manifest, err);
	if (r == 0)
		r = source_read(load->source, config, MANIFEST_SIZE_MAX, &parts.config_json,
				&parts.config_size, err);
	else
		config = NULL;
	if (r == 0 && config)
		r = json_error(entry, err, EINVAL, "Config \"%.200s\" is not in the archive",
			       config);
	if (r == 1)
		r = load_add_image(load, &parts, err);
	manifest_release(&manifest);
	return r;
}

int load_gather_docker(struct load *load, struct error *err)
{
	auto_free char *text = NULL;
	auto_json document = NULL;
	size_t size;
	int r = source_read(load->source, "manifest.json", MANIFEST_SIZE_MAX, &text, &size, err);
	if (r == 0)
		return error_set(err, EINVAL,
				 "holds neither oci-layout nor manifest.json: is it an image?");
	if (r == 1)
		r = json_parse("manifest.json", text, size, &document, err);
	if (r < 0)
		return r;
	struct json_at root = json_root(document, "manifest.json");
	if (!json_is_array(&root) || json_count(&root) == 0)
		return json_error(&root, err, EINVAL, "must be a list of images");
	for (size_t i = 0; r == 0 && i < json_count(&root); i++) {
		struct json_at entry = json_element(&root, i);
		r = add_entry(load, &entry, err);
	}
	return r;
}
