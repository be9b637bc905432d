/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as an image's JSON documents. What must hold: a config that is
 * taken can be written, and is then taken again.
 */
#include "manifest.h"

#include <assert.h>
#include <string.h>

#include "fuzz.h"

static void write_and_read(const struct image *image)
{
	struct error err = { 0 };
	struct json_t *config = NULL;
	auto_json root = json_new_object();
	auto_free char *text = NULL;
	auto_json again = NULL;
	struct image copy = { 0 };
	struct json_t *rootfs = json_new_object();
	json_put(rootfs, "diff_ids", json_new_array());
	json_put(root, "rootfs", rootfs);
	json_put_string(root, "architecture", image->architecture);
	json_put_string(root, "os", image->os);
	assert(image_config_write(&image->config, &config, &err) == 0);
	json_put(root, "config", config);
	assert(json_format(root, JSON_COMPACT, &text, &err) == 0);
	assert(json_parse("again", text, strlen(text), &again, &err) == 0);
	struct json_at at = json_root(again, "again");
	assert(image_config_read(&at, &copy, &err) == 0);
	assert(copy.config.env.count == image->config.env.count);
	assert(copy.config.entrypoint.count == image->config.entrypoint.count);
	image_release(&copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_json document = NULL;
	struct error err = { 0 };
	struct manifest manifest = { 0 };
	struct image image = { 0 };
	struct descriptor descriptor;
	if (json_parse("input", (const char *)data, size, &document, &err) < 0)
		return 0;
	struct json_at root = json_root(document, "input");
	if (manifest_read(&root, &manifest, &err) == 0)
		manifest_release(&manifest);
	descriptor_read(&root, &descriptor, &err);
	if (image_config_read(&root, &image, &err) == 0)
		write_and_read(&image);
	image_release(&image);
	return 0;
}
