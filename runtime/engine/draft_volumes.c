/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is mounted in a container: volumes, binds, those of other containers and of the image. */
#include <errno.h>
#include <string.h>

#include "draft.h"
#include "spec.h"

static int put_volume(struct draft *draft, const struct volume *from, struct error *err)
{
	if (draft->volume_count == VOLUMES_MAX)
		return error_set(err, E2BIG, "over %d volumes", VOLUMES_MAX);
	struct volume *volume = &draft->volumes[draft->volume_count++];
	*volume = *from;
	return oci_spec_add_mount(&draft->saved.spec, "bind", volume->source, volume->destination,
				  volume->read_only ? "rbind,rprivate,ro" : "rbind,rprivate", err);
}

static int add_volume(struct draft *draft, const char *text, struct error *err)
{
	struct volume volume;
	int r = volume_parse(&draft->engine->instance, text, &volume, err);
	return r < 0 ? r : put_volume(draft, &volume, err);
}

static int add_mount(struct draft *draft, const char *text, struct error *err)
{
	struct volume_mount mount;
	int r = volume_mount_parse(&draft->engine->instance, text, &mount, err);
	if (r < 0)
		return r;
	if (!mount.is_tmpfs)
		return put_volume(draft, &mount.volume, err);
	return oci_spec_add_mount(&draft->saved.spec, "tmpfs", "tmpfs", mount.volume.destination,
				  mount.options, err);
}

bool draft_has_volume_at(const struct draft *draft, const char *destination)
{
	for (size_t i = 0; i < draft->volume_count; i++)
		if (text_equal(draft->volumes[i].destination, destination))
			return true;
	return false;
}

/* A row of another container's mounts. What has no name of its own is shared by its made one. */
static int add_foreign(struct draft *draft, const struct json_at *row, bool read_only,
		       struct error *err)
{
	struct volume volume = { .kind = VOLUME_NAMED };
	const char *kind = "", *name = "", *source = "", *destination = "";
	bool writable = true;
	int r = json_get_string(row, "Type", JSON_REQUIRED, &kind, err);
	if (r == 0)
		r = json_get_string(row, "Name", JSON_OPTIONAL, &name, err);
	if (r == 0)
		r = json_get_string(row, "Source", JSON_REQUIRED, &source, err);
	if (r == 0)
		r = json_get_string(row, "Destination", JSON_REQUIRED, &destination, err);
	if (r == 0)
		r = json_get_bool(row, "RW", JSON_REQUIRED, &writable, err);
	if (r < 0 || draft_has_volume_at(draft, destination))
		return r;
	if (text_equal(kind, "bind"))
		volume.kind = VOLUME_BIND;
	volume.read_only = read_only || !writable;
	snprintf(volume.name, sizeof volume.name, "%s", name);
	snprintf(volume.source, sizeof volume.source, "%s", source);
	snprintf(volume.destination, sizeof volume.destination, "%s", destination);
	return put_volume(draft, &volume, err);
}

/* "CONTAINER[:ro|rw]" */
static int add_volumes_of(struct draft *draft, const char *text, struct error *err)
{
	AUTO(container) other = NULL;
	struct json_at list;
	const char *colon = strchr(text, ':');
	auto_free char *name = strndup(text, strcspn(text, ":"));
	if (!name)
		return error_set(err, ENOMEM, "no memory for volumes");
	if (colon && !text_equal(colon, ":ro") && !text_equal(colon, ":rw"))
		return error_set(err, EINVAL, "--volumes-from %s: the form is CONTAINER[:ro]",
				 text);
	int r = container_find(draft->engine, name, &other, err);
	if (r < 0)
		return error_wrap(err, "--volumes-from");
	struct json_at root = container_root(other);
	r = json_get_array(&root, "mounts", JSON_OPTIONAL, &list, err);
	for (size_t i = 0; r == 0 && i < json_count(&list); i++) {
		struct json_at row = json_element(&list, i);
		r = add_foreign(draft, &row, text_equal(colon, ":ro"), err);
	}
	return r;
}

int draft_take_volumes(struct draft *draft, struct error *err)
{
	const struct words *wanted = &draft->options->volumes;
	const struct words *of_image = &draft->image.config.volumes;
	int r = 0;
	draft->volumes = calloc(VOLUMES_MAX, sizeof *draft->volumes);
	if (!draft->volumes)
		return error_set(err, ENOMEM, "no memory for volumes");
	for (size_t i = 0; r == 0 && i < wanted->count; i++)
		r = add_volume(draft, wanted->items[i], err);
	for (size_t i = 0; r == 0 && i < draft->options->mounts.count; i++)
		r = add_mount(draft, draft->options->mounts.items[i], err);
	for (size_t i = 0; r == 0 && i < draft->options->volumes_from.count; i++)
		r = add_volumes_of(draft, draft->options->volumes_from.items[i], err);
	for (size_t i = 0; r == 0 && i < of_image->count; i++)
		if (!draft_has_volume_at(draft, of_image->items[i]))
			r = add_volume(draft, of_image->items[i], err);
	return r;
}
