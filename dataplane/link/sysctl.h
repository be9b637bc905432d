/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Settings of one device, or of the namespace that the thread is in. Only own
 * devices and containers' namespaces are ever written.
 */
#include <stddef.h>

#include "base/error.h"

/**
 * Writes /proc/sys/net/FAMILY/conf/DEVICE/KEY. Returns 1 if written, 0 if the
 * kernel has no such setting (a kernel without IPv6).
 */
int sysctl_device_set(const char *family, const char *device, const char *key, const char *value,
		      struct error *err);
struct sysctl_setting {
	const char *family, *key, *value;
};
/** Writes several of one device. */
int sysctl_device_set_all(const char *device, const struct sysctl_setting *settings, size_t count,
			  struct error *err);
/** Reads it; *ret_value is 0 if there is none. */
int sysctl_device_get(const char *family, const char *device, const char *key, int *ret_value,
		      struct error *err);

/**
 * An instance of procfs that nobody else sees, for the functions below: the
 * caller closes it. -1 where none is to be had; they then go through /proc.
 */
int sysctl_tree_open(void);
/** Writes sys/net/PATH of the tree; results as sysctl_device_set. */
int sysctl_set_at(int tree_fd, const char *path, const char *value, struct error *err);
int sysctl_device_set_at(int tree_fd, const char *family, const char *device, const char *key,
			 const char *value, struct error *err);
