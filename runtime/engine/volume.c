/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "volume.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/file.h"
#include "base/text.h"

static int refuse(const char *text, const char *why, struct error *err)
{
	return error_set(err, EINVAL,
			 "volume %s: %s; the form is [/HOST_PATH:|NAME:]/CONTAINER_PATH[:ro]", text,
			 why);
}

static int parse_options(const char *text, const char *options, struct volume *volume,
			 struct error *err)
{
	auto_words words = { 0 };
	int r = words_split(options, ',', &words, err);
	for (size_t i = 0; r == 0 && i < words.count; i++) {
		if (text_equal(words.items[i], "ro"))
			volume->read_only = true;
		else if (text_equal(words.items[i], "nocopy"))
			volume->no_copy = true;
		else if (!text_equal(words.items[i], "rw") && !text_equal(words.items[i], "z") &&
			 !text_equal(words.items[i], "Z"))
			r = refuse(text, "the option is none of ro, rw, nocopy", err);
	}
	return r;
}

static void place_volume(const struct instance *instance, struct volume *volume)
{
	snprintf(volume->source, sizeof volume->source, "%s/volumes/%s/_data", instance->lib,
		 volume->name);
}

static int name_anonymous(struct volume *volume, struct error *err)
{
	uint8_t bytes[32];
	if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
		return error_set_errno(err, errno, "random bytes for a volume's name");
	text_from_hex_bytes(bytes, sizeof bytes, volume->name);
	return 0;
}

static int take_source(const struct instance *instance, const char *text, const char *source,
		       struct volume *volume, struct error *err)
{
	if (source[0] == '/') {
		volume->kind = VOLUME_BIND;
		if (strlen(source) >= sizeof volume->source)
			return refuse(text, "the host path is too long", err);
		snprintf(volume->source, sizeof volume->source, "%s", source);
		return 0;
	}
	volume->kind = VOLUME_NAMED;
	if (!text_is_name(source, VOLUME_NAME_MAX - 1))
		return refuse(text, "the source is neither an absolute path nor a volume's name",
			      err);
	snprintf(volume->name, sizeof volume->name, "%s", source);
	place_volume(instance, volume);
	return 0;
}

int volume_parse(const struct instance *instance, const char *text, struct volume *ret_volume,
		 struct error *err)
{
	struct volume volume = { .kind = VOLUME_ANONYMOUS };
	auto_words words = { 0 };
	int r = words_split(text, ':', &words, err);
	if (r < 0)
		return r;
	if (words.count > 3)
		return refuse(text, "there are too many parts", err);
	const char *destination = words.count > 1 ? words.items[1] : words.items[0];
	if (destination[0] != '/' || strlen(destination) >= sizeof volume.destination)
		return refuse(text, "the container's path is not absolute", err);
	if (text_equal(destination, "/"))
		return refuse(text, "the container's path is its whole root", err);
	snprintf(volume.destination, sizeof volume.destination, "%s", destination);
	if (words.count > 2)
		r = parse_options(text, words.items[2], &volume, err);
	if (r == 0 && words.count > 1)
		r = take_source(instance, text, words.items[0], &volume, err);
	else if (r == 0)
		r = name_anonymous(&volume, err);
	if (r < 0)
		return r;
	if (volume.kind == VOLUME_BIND && volume.no_copy)
		return refuse(text, "nocopy is for volumes, not for directories of the host", err);
	if (volume.kind == VOLUME_ANONYMOUS)
		place_volume(instance, &volume);
	*ret_volume = volume;
	return 0;
}

int volume_make(const struct volume *volume, struct error *err)
{
	if (volume->kind == VOLUME_BIND && path_exists(volume->source))
		return 0;
	return directory_make(volume->source, 0755, err);
}

int volume_remove(const struct instance *instance, const char *name, struct error *err)
{
	char path[INSTANCE_PATH_MAX + 256];
	snprintf(path, sizeof path, "%s/volumes/%s", instance->lib, name);
	return tree_remove(path, err);
}
