/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A volume's first content, which is the image's. It is copied in place, since
 * another container may have the empty volume mounted; a marker beside it says
 * that the copy is not whole, so that a crash is mended by the next one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "runtime/image.h"
#include "volume.h"

#define LOCK_MS 60000
#define PATH_ROOM (INSTANCE_PATH_MAX + 512)

/* 1: an entry and its name; 0: none. */
static int first_entry(const char *path, char ret_name[NAME_MAX + 1], struct error *err)
{
	auto_dir dir = opendir(path);
	if (!dir)
		return error_set_errno(err, errno, "%s", path);
	for (struct dirent *entry; (entry = readdir(dir));) {
		if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
			continue;
		snprintf(ret_name, NAME_MAX + 1, "%s", entry->d_name);
		return 1;
	}
	return 0;
}

/* The directory itself stays: it may be mounted. */
static int clear(const char *path, struct error *err)
{
	char name[NAME_MAX + 1], entry[PATH_ROOM + NAME_MAX];
	int r;
	while ((r = first_entry(path, name, err)) == 1) {
		snprintf(entry, sizeof entry, "%s/%s", path, name);
		r = tree_remove(entry, err);
		if (r < 0)
			return r;
	}
	return r;
}

static int copy(const struct volume *volume, int from_fd, const char *marker, struct error *err)
{
	struct error ignored;
	auto_fd to_fd = open(volume->source, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (to_fd < 0)
		return error_set_errno(err, errno, "%s", volume->source);
	int r = file_replace(marker, "", 0, 0600,
			     volume->kind == VOLUME_NAMED ? FILE_SYNC : FILE_NO_SYNC, err);
	if (r == 0)
		r = image_copy_directory(from_fd, to_fd, err);
	if (r == 0 && volume->kind == VOLUME_NAMED && syncfs(to_fd) < 0)
		r = error_set_errno(err, errno, "write to the disk");
	if (r < 0)
		(void)clear(volume->source, &ignored);
	(void)unlink(marker);
	return r < 0 ? error_wrap(err, "fill volume %s", volume->name) : 0;
}

int volume_fill(const struct instance *instance, const struct volume *volume,
		const struct words *layer_paths, const char *scratch, struct error *err)
{
	char lock[PATH_ROOM], marker[PATH_ROOM], name[NAME_MAX + 1];
	auto_fd lock_fd = -1, from_fd = -1;
	struct error ignored;
	snprintf(lock, sizeof lock, "%s/volumes/%s/lock", instance->lib, volume->name);
	snprintf(marker, sizeof marker, "%s/volumes/%s/filling", instance->lib, volume->name);
	int r = lock_take(lock, LOCK_MS, &lock_fd, err);
	if (r == 0 && path_exists(marker))
		r = clear(volume->source, err);
	if (r == 0)
		r = first_entry(volume->source, name, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = directory_make(scratch, 0700, err);
	if (r == 0)
		r = image_open_directory(layer_paths, volume->destination, scratch, &from_fd, err);
	if (r == 1)
		r = copy(volume, from_fd, marker, err);
	cleanup_fd(&from_fd);
	from_fd = -1;
	(void)tree_remove(scratch, &ignored);
	return r < 0 ? r : 0;
}
