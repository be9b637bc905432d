/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* ADD: a local archive is unpacked at its destination, through the layers' own gate. */
#include "build_copy.h"

/** 1: it was an archive, and is unpacked; 0: it is none, to be copied. */
int extract_if_archive(const struct copy_request *request, int fd, const char *path, uint64_t size,
		       int root_fd, struct error *err);
/** Copies all below source of from_fd to the request's destination. */
int copy_tree(const struct copy_request *request, int from_fd, const char *source, int root_fd,
	      struct error *err);
