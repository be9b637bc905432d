/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Where a mount lands. The image and volumes of a container are hostile, and
 * another container may change a shared volume while we work: a target is a
 * descriptor, found inside the root by the kernel (openat2, RESOLVE_IN_ROOT),
 * and so never leaves it whatever its links say.
 */
#include "base/error.h"

enum target_kind { TARGET_DIRECTORY, TARGET_FILE };

/** Opens (O_PATH) what path is in the root. 1, 0 if there is none, or -errno. */
int target_find(int root_fd, const char *path, int *ret_fd, struct error *err);
/**
 * As target_find, but makes what is missing: directories on the way, and at
 * the end a directory or an empty file. Links are followed as the container
 * would see them, dangling ones too.
 */
int target_make(int root_fd, const char *path, enum target_kind kind, int *ret_fd,
		struct error *err);
