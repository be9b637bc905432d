/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Settings of one device, or of the namespace that the thread is in. Only own
 * devices and containers' namespaces are ever written.
 */
#include "base/error.h"

/**
 * Writes /proc/sys/net/FAMILY/conf/DEVICE/KEY. Returns 1 if written, 0 if the
 * kernel has no such setting (a kernel without IPv6).
 */
int sysctl_device_set(const char *family, const char *device, const char *key, const char *value,
		      struct error *err);
/** Reads it; *ret_value is 0 if there is none. */
int sysctl_device_get(const char *family, const char *device, const char *key, int *ret_value,
		      struct error *err);
