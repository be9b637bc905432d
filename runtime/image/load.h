/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A load in steps: gather (documents of all images, checked), unpack (layers
 * in parallel), finish (what depends on lower layers, bottom up), commit. What
 * the steps share.
 */
#include "layer.h"
#include "manifest.h"
#include "source.h"
#include "store.h"

#define LOAD_IMAGES_MAX 1000
#define LOAD_JOBS_MAX 4096 /* layers in one load */

/* A layer to unpack, once for all images of the load that have it. */
struct load_job {
	struct layer_blob blob;
	struct digest chain_id;
	char diff_id[DIGEST_TEXT_MAX];
	bool known; /* the store has it already */
	bool finished;
	struct layer_record record;
	struct layer_work work;
	char blob_path[STORE_PATH_MAX + 32], root_path[STORE_PATH_MAX + 32];
};
struct load_image {
	struct image image; /* names are those to give */
	char *manifest;     /* JSON; docker-archives have none until it is made */
	char *config;
	size_t manifest_size, config_size;
	size_t *jobs; /* of the layers, bottom first */
	size_t layer_count;
};
struct load {
	struct image_store *store;
	struct source *source;
	struct store_work work;
	struct load_image *images;
	size_t image_count;
	struct load_job **jobs;
	size_t job_count;
	atomic_ullong done_bytes;
	uint64_t total_bytes;
};

/** Gate: index.json and what it points to. default_name may be NULL. */
int load_gather_oci(struct load *load, const char *default_name, struct error *err);
/** Gate: docker-archive's manifest.json. */
int load_gather_docker(struct load *load, struct error *err);
/**
 * Adds an image: config is parsed and checked against the layers, which become
 * jobs. Takes manifest_json (may be NULL) and config_json, also on failure.
 */
struct load_parts {
	const struct manifest *manifest; /* layers */
	char *manifest_json, *config_json;
	size_t manifest_size, config_size;
	const struct words *names;
};
int load_add_image(struct load *load, struct load_parts *parts, struct error *err);

/** Unpacks all jobs with a few threads; progress may be NULL. */
int load_run_jobs(struct load *load, const struct image_progress *progress, struct error *err);
