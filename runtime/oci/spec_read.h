/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Reading OCI's config, part by part. Each fills what is there and leaves the
 * rest; the caller releases the whole when one fails.
 */
#include "runtime/oci.h"

/** Array of strings at `key`; each at most a page or so, as exec takes them. */
int spec_read_words(const struct json_at *at, const char *key, enum json_need need,
		    struct words *ret, struct error *err);
/** A string at `key` into fresh memory; untouched if there is none. */
int spec_read_text(const struct json_at *at, const char *key, enum json_need need, char **ret,
		   struct error *err);
/** Object of strings as key=value words. */
int spec_read_pairs(const struct json_at *at, const char *key, struct words *ret,
		    struct error *err);
/** Fails unless the path at `key` is absolute. */
int spec_check_absolute(const struct json_at *at, const char *key, const char *path,
			struct error *err);
int spec_read_integer32(const struct json_at *at, const char *key, enum json_need need,
			uint32_t *ret, struct error *err);

int spec_read_process(const struct json_at *process, struct oci_process *ret, struct error *err);
int spec_read_linux(const struct json_at *linux_at, struct oci_spec *spec, struct error *err);
int spec_read_hooks(const struct json_at *hooks, struct oci_spec *spec, struct error *err);
