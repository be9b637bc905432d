/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "link/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define SYSCTL_PATH_MAX 128

static void device_path(char path[SYSCTL_PATH_MAX], const char *family, const char *device,
			const char *key)
{
	snprintf(path, SYSCTL_PATH_MAX, "/proc/sys/net/%s/conf/%s/%s", family, device, key);
}

int sysctl_device_set(const char *family, const char *device, const char *key, const char *value,
		      struct error *err)
{
	char path[SYSCTL_PATH_MAX];
	device_path(path, family, device, key);
	auto_fd fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		return error_set_errno(err, errno, "cannot write %s to %s", value, path);
	return 1;
}

int sysctl_device_get(const char *family, const char *device, const char *key, int *ret_value,
		      struct error *err)
{
	char path[SYSCTL_PATH_MAX], text[16] = "";
	device_path(path, family, device, key);
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
