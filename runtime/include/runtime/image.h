/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Images: a content store by digest (ROOT/var/lib/wherry/blobs/sha256), layers
 * unpacked once whatever the number of images (…/layers/ID, where ID is short so
 * that a mount's options can hold 127 of them), names that point to images, and
 * the build. All archives are hostile: what is refused leaves no image, blob,
 * temporary file or path outside the store.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/instance.h"
#include "base/json.h"
#include "base/text.h"

#define DIGEST_TEXT_MAX 72 /* "sha256:" and 64 hex digits, NUL */
#define IMAGE_LAYERS_MAX 127

struct image_store;
/** Opens or makes the instance's image store; once in a process. The caller owns *ret_store. */
int image_store_open(const struct instance *instance, struct image_store **ret_store,
		     struct error *err);
void image_store_free(struct image_store *store);
DEFINE_FREEP(image_store)

/* The part of an image's config that a container needs (OCI image config). */
struct image_config {
	struct words entrypoint, command, env;
	char *user, *working_dir, *stop_signal, *healthcheck_json; /* NULL: not set */
	struct words volumes, exposed_ports, labels;               /* labels: key=value */
};
struct image {
	char id[DIGEST_TEXT_MAX];       /* digest of the config */
	char manifest[DIGEST_TEXT_MAX]; /* digest of the manifest */
	struct words names;             /* name:tag */
	struct words layer_paths; /* unpacked directories, top first: overlay's lowerdir order */
	struct words diff_ids;    /* bottom first */
	struct words chain_ids;   /* bottom first: name a layer with all below it */
	struct words blobs;       /* digests of the layers' blobs, bottom first */
	struct image_config config;
	char *architecture, *os;
	int64_t created_ns;
	uint64_t size_bytes; /* unpacked */
};
/** Frees members, zeroes; NULLs are fine. */
void image_release(struct image *image);
/** As image_release, of a config alone. */
void image_config_release(struct image_config *config);

/** Called now and then while bytes are worked on; may be NULL. */
struct image_progress {
	void (*step)(void *context, const char *what, uint64_t done, uint64_t total);
	void *context;
};
/**
 * Gate: docker-archive tar, oci-archive tar, or OCI layout directory; "-" is
 * standard input. Layers: tar, gzip, zstd. Digests, sizes and diff ids are
 * checked. *ret_names: the names that now exist (or ids of unnamed images).
 * An OCI layout names its images by a tag only: they get the name of the file
 * or directory in front ("apps/" with the tag nginx is apps:nginx).
 */
int image_load(struct image_store *store, const char *path, const struct image_progress *progress,
	       struct words *ret_names, struct error *err);
/** By name (":latest" is added), id, or unambiguous prefix of an id. 1 found, 0 not. */
int image_find(struct image_store *store, const char *reference, struct image *ret_image,
	       struct error *err);
/** All images, also those without a name; a non-zero result of visit ends and is returned. */
int image_each(struct image_store *store,
	       int (*visit)(const struct image *image, void *context, struct error *err),
	       void *context, struct error *err);
/**
 * Removes a name; with the last name the image, and layers, blobs and cached
 * build steps that no image uses. By id all names go, and more than one needs
 * force. in_use returns 1 and writes the container's name if one needs the image:
 * that is -EBUSY, or with force only the names go. -ENOENT: no such image.
 * *ret_removed: a line for each thing removed ("Untagged: busybox:latest",
 * "Deleted: sha256:…").
 */
int image_remove(struct image_store *store, const char *reference, bool force,
		 int (*in_use)(const char *image_id, char *ret_name, size_t size, void *context),
		 void *context, struct words *ret_removed, struct error *err);
/**
 * Writes images to fd as an archive that image_load, docker load and OCI tools read. -ENOENT: no
 * such image.
 */
int image_save(struct image_store *store, const struct words *references, int fd,
	       struct error *err);
/** The config of an image by its id, as its maker wrote it; the caller's. */
int image_document(struct image_store *store, const char *id, struct json_t **ret_document,
		   struct error *err);
/** Unpacked bytes of each layer, bottom first: as many as image->chain_ids. */
int image_layer_sizes(struct image_store *store, const struct image *image, uint64_t *ret_sizes,
		      struct error *err);

struct image_disk {
	uint64_t images, images_used;
	uint64_t bytes, used_bytes; /* of layers, each once; of those that images in use have */
	uint64_t cached_layers, cache_bytes; /* of build steps that no image has */
};
/** What images take on the disk; in_use as for image_remove. */
int image_disk_usage(struct image_store *store,
		     int (*in_use)(const char *image_id, char *ret_name, size_t size,
				   void *context),
		     void *context, struct image_disk *ret_disk, struct error *err);
/** Removes the build steps that no image has. */
int image_forget_cache(struct image_store *store, struct error *err);
/** Gives an image one more name; another image that had it loses it. -ENOENT. */
int image_tag(struct image_store *store, const char *reference, const char *name,
	      struct error *err);
/** Normal form of a reference: "busybox" -> "busybox:latest"; refuses hostile ones. Gate. */
int image_reference_normalise(const char *reference, char **ret_name, struct error *err);

/**
 * Opens the directory that the layers (top first) have at path, links resolved inside them.
 * scratch: an empty directory of the same file system, to be removed by the caller. 1, or 0: there
 * is no directory. The descriptor keeps the view of the layers alive.
 */
int image_open_directory(const struct words *layer_paths, const char *path, const char *scratch,
			 int *ret_fd, struct error *err);
/**
 * Copies all below one directory into another, which is empty: owners, modes, times, extended
 * attributes, devices; and the directory's own owner, mode and attributes.
 */
int image_copy_directory(int from_fd, int to_fd, struct error *err);

/* A container's tree, as overlay's layers and what is mounted in it. */
struct image_bind {
	const char *source, *destination; /* destination inside the tree, links resolved in it */
	bool read_only;
};
struct image_tree {
	const struct words *layer_paths; /* top first */
	const char *upper;
	const char *scratch; /* empty, of the same file system; to be removed by the caller */
	bool read_only;      /* all but the binds */
	const struct image_bind *binds;
	size_t bind_count;
};
/**
 * Mounts it where nobody sees it: *ret_fd is its root, *ret_namespace_fd keeps the mounts in it.
 * A bind whose source is a directory gets its place made; else it is left out where there is none.
 */
int image_open_tree(const struct image_tree *tree, int *ret_fd, int *ret_namespace_fd,
		    struct error *err);

/* --- copying in and out of trees (`cp`) --------------------------------------------- */

/** Writes what top_fd (O_PATH) is, named `name`, as a tar archive; "": only what is below it. */
int image_archive_write(int top_fd, const char *name, int fd, struct error *err);
/* Where an archive goes. */
struct image_archive_place {
	int root_fd;        /* no link leads out of it */
	const char *folder; /* a directory inside it */
	bool links;         /* links below folder may be followed, inside root_fd */
	bool keep_owner;    /* else all is uid's and gid's */
	bool keep_special;  /* set-id bits, capabilities and devices too */
	uint32_t uid, gid;
};
/**
 * Gate: unpacks a tar archive (plain, gzip or zstd) from fd. A file in the way is replaced; a
 * directory in the way of a file, or the other way round, is -EEXIST.
 */
int image_archive_read(const struct image_archive_place *place, int fd, struct error *err);

/** Writes all below a directory to fd as a tar archive, names in order. */
int image_write_archive(int root_fd, int fd, struct error *err);
/**
 * Compares an overlay's upper directory with the layers below it: kind is 'A' (added), 'C'
 * (changed) or 'D' (deleted), path begins with '/'. A non-zero result of visit ends the walk.
 */
int image_changes(const struct words *layer_paths, const char *upper,
		  int (*visit)(char kind, const char *path, void *context, struct error *err),
		  void *context, struct error *err);

/* A container that becomes an image. NULL in what it was told: its image's. */
struct image_commit {
	const char *base_id, *upper;        /* its image; the directory of its changes */
	int archive_fd;                     /* instead of both (NULL): a tar archive of all files */
	const char *tag, *author, *message; /* may be NULL */
	const char *created_by;             /* for the history */
	const struct words *entrypoint, *command, *env, *labels;
	const char *user, *working_dir;
	struct words changes; /* lines of a Dockerfile: "CMD ls", "ENV A=b" */
};
int image_commit(struct image_store *store, const struct image_commit *commit,
		 char ret_id[DIGEST_TEXT_MAX], struct error *err);

/* --- build ------------------------------------------------------------------- */

/* Runs one RUN step; given by the engine, so that the image library knows no engine. */
struct build_runner {
	/**
	 * lower_paths: top first; upper receives the changes, work is an empty
	 * directory for overlayfs. To be mounted with redirect_dir=off,metacopy=off,
	 * since upper becomes a layer. config has the environment, user and working
	 * directory. Returns the exit code (0: done) or -errno with err filled.
	 */
	int (*run)(void *context, const struct words *lower_paths, const char *upper,
		   const char *work, const struct image_config *config, const struct words *args,
		   struct error *err);
	void *context;
};
struct build_request {
	const char *context_dir;
	const char *dockerfile; /* NULL: context_dir/Dockerfile */
	const char *tag;        /* may be NULL */
	bool no_cache;
	struct words build_args; /* key=value */
	FILE *output;            /* "Step 1/6 : FROM busybox" lines; NULL: none */
};
/**
 * Builds an image; runner may be NULL if no step is RUN. Errors name the line:
 * Dockerfile:3: COPY: "missing.txt" is not in the build context. Steps that were
 * done before one failed are kept in the cache.
 */
int image_build(struct image_store *store, const struct build_request *request,
		const struct build_runner *runner, char ret_id[DIGEST_TEXT_MAX], struct error *err);
