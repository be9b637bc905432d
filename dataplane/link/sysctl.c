/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel keeps the directories of all namespaces' settings in one chain of
 * an instance of procfs, and an instance keeps what was ever looked up: with
 * 1,500 containers' settings written through /proc a look-up takes a
 * millisecond, also for everybody else on the host. An instance of procfs of
 * our own costs 0.05 ms to make and one short wait for RCU to end, so it is
 * used where it pays: for namespaces beyond the first few.
 */
#include "link/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/cleanup.h"

#define SYSCTL_PATH_MAX 128

int sysctl_tree_open(void)
{
	auto_fd context = fsopen("proc", FSOPEN_CLOEXEC);
	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(context, FSMOUNT_CLOEXEC, 0);
}

int sysctl_set_at(int tree_fd, const char *path, const char *value, struct error *err)
{
	char whole[SYSCTL_PATH_MAX];
	snprintf(whole, sizeof whole, "%ssys/net/%s", tree_fd < 0 ? "/proc/" : "", path);
	auto_fd fd = openat(tree_fd, whole, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return error_set_errno(err, errno, "cannot write %s to /proc/sys/net/%s", value,
				       path);
	return 1;
}

int sysctl_device_set_at(int tree_fd, const char *family, const char *device, const char *key,
			 const char *value, struct error *err)
{
	char path[SYSCTL_PATH_MAX];
	snprintf(path, sizeof path, "%s/conf/%s/%s", family, device, key);
	return sysctl_set_at(tree_fd, path, value, err);
}

int sysctl_device_set(const char *family, const char *device, const char *key, const char *value,
		      struct error *err)
{
	return sysctl_device_set_at(-1, family, device, key, value, err);
}

int sysctl_device_set_all(const char *device, const struct sysctl_setting *settings, size_t count,
			  struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		int r = sysctl_device_set(settings[i].family, device, settings[i].key,
					  settings[i].value, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int sysctl_device_get(const char *family, const char *device, const char *key, int *ret_value,
		      struct error *err)
{
	char path[SYSCTL_PATH_MAX], text[16] = "";
	snprintf(path, sizeof path, "/proc/sys/net/%s/conf/%s/%s", family, device, key);
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		*ret_value = 0;
		return 0;
	}
	if (fd < 0 || read(fd, text, sizeof text - 1) < 0)
		return error_set_errno(err, errno, "cannot read %s", path);
	*ret_value = (int)strtol(text, NULL, 10);
	return 0;
}
