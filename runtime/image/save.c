/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image_save: images as one archive that is both an OCI layout (index.json) and
 * a docker-archive (manifest.json): the blobs are those of the store, as they
 * are, each once.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "manifest.h"
#include "path.h"
#include "store.h"
#include "tar_write.h"

#define COPY_SIZE (256u << 10)
#define MEDIA_INDEX "application/vnd.oci.image.index.v1+json"

struct saving {
	struct image_store *store;
	struct tar_writer *writer;
	struct path_set blobs; /* written already */
	struct json_t *manifests, *entries;
};

static int put_header(struct saving *saving, const char *name, enum tar_type type, uint64_t size,
		      struct error *err)
{
	auto_free char *path = strdup(name);
	struct tar_entry entry = { .type = type,
				   .path = path,
				   .mode = type == TAR_DIRECTORY ? 0755 : 0644,
				   .size = size };
	return path ? tar_writer_entry(saving->writer, &entry, err)
		    : error_set(err, ENOMEM, "no memory for an archive");
}

static int copy_blob(struct saving *saving, int fd, uint64_t left, struct error *err)
{
	auto_free uint8_t *buffer = malloc(COPY_SIZE);
	int r = buffer ? 0 : error_set(err, ENOMEM, "no memory for an archive");
	while (r == 0 && left > 0) {
		ssize_t n = read(fd, buffer, left < COPY_SIZE ? (size_t)left : COPY_SIZE);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return error_set_errno(err, n < 0 ? errno : EIO, "read a blob");
		r = tar_writer_data(saving->writer, buffer, (size_t)n, err);
		left -= (uint64_t)n;
	}
	return r < 0 ? r : tar_writer_end_data(saving->writer, err);
}

/* name: where it is in the archive. */
static int put_blob(struct saving *saving, const char *text, char name[96], uint64_t *ret_size,
		    struct error *err)
{
	struct digest digest;
	struct stat st;
	char path[STORE_PATH_MAX];
	int r = digest_check(text, "blob", &digest, err);
	if (r < 0)
		return r;
	store_blob_path(saving->store, &digest, path);
	snprintf(name, 96, "blobs/sha256/%s", digest_hex(&digest));
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set_errno(err, errno, "blob %s", text);
	*ret_size = (uint64_t)st.st_size;
	if (path_set_find(&saving->blobs, text))
		return 0;
	if (!path_set_put(&saving->blobs, text))
		return error_set(err, ENOMEM, "no memory for an archive");
	r = put_header(saving, name, TAR_FILE, *ret_size, err);
	return r < 0 ? r : copy_blob(saving, fd, *ret_size, err);
}

static int put_text(struct saving *saving, const char *name, const char *text, struct error *err)
{
	size_t size = strlen(text);
	int r = put_header(saving, name, TAR_FILE, size, err);
	if (r == 0)
		r = tar_writer_data(saving->writer, text, size, err);
	return r < 0 ? r : tar_writer_end_data(saving->writer, err);
}

static int put_document(struct saving *saving, const char *name, const struct json_t *document,
			struct error *err)
{
	auto_free char *text = NULL;
	int r = json_format(document, JSON_COMPACT, &text, err);
	return r < 0 ? r : put_text(saving, name, text, err);
}

/* A manifest in the index, named by the tag alone as an OCI layout does it. */
static void add_manifest(struct saving *saving, const struct image *image, uint64_t size,
			 const char *name)
{
	struct json_t *row = json_new_object(), *annotations = json_new_object();
	json_put_string(row, "mediaType", MEDIA_MANIFEST);
	json_put_string(row, "digest", image->manifest);
	json_put_integer(row, "size", (int64_t)size);
	if (name) {
		json_put_string(annotations, "io.containerd.image.name", name);
		json_put_string(annotations, "org.opencontainers.image.ref.name",
				strrchr(name, ':') + 1);
	}
	json_put(row, "annotations", annotations);
	json_append(saving->manifests, row);
}

static void add_entry(struct saving *saving, const char *config, struct json_t *layers,
		      const char *name)
{
	struct json_t *entry = json_new_object(), *tags = json_new_array();
	if (name)
		json_append(tags, json_new_string(name));
	json_put_string(entry, "Config", config);
	json_put(entry, "RepoTags", tags);
	json_put(entry, "Layers", layers);
	json_append(saving->entries, entry);
}

static int save_image(struct saving *saving, const struct image *image, const char *name,
		      struct error *err)
{
	char config[96], path[96];
	uint64_t size;
	struct json_t *layers = json_new_array();
	int r = put_blob(saving, image->id, config, &size, err);
	for (size_t i = 0; r == 0 && i < image->blobs.count; i++) {
		r = put_blob(saving, image->blobs.items[i], path, &size, err);
		if (r == 0)
			json_append(layers, json_new_string(path));
	}
	add_entry(saving, config, layers, name);
	if (r == 0)
		r = put_blob(saving, image->manifest, path, &size, err);
	if (r == 0)
		add_manifest(saving, image, size, name);
	return r;
}

static int save_reference(struct saving *saving, const char *reference, struct error *err)
{
	struct image image = { 0 };
	auto_free char *name = NULL;
	struct error ignored;
	const char *own = NULL;
	int r = image_find(saving->store, reference, &image, err);
	if (r == 0)
		r = error_set(err, ENOENT, "no image %.200s", reference);
	/* By id it goes without a name, as docker saves it. */
	if (r == 1 && image_reference_normalise(reference, &name, &ignored) == 0)
		for (size_t i = 0; i < image.names.count; i++)
			if (text_equal(image.names.items[i], name))
				own = image.names.items[i];
	if (r == 1)
		r = save_image(saving, &image, own, err);
	image_release(&image);
	return r < 0 ? r : 0;
}

static int save_documents(struct saving *saving, struct error *err)
{
	auto_json index = json_new_object();
	json_put_integer(index, "schemaVersion", 2);
	json_put_string(index, "mediaType", MEDIA_INDEX);
	json_put(index, "manifests", TAKE(saving->manifests));
	int r = put_document(saving, "index.json", index, err);
	if (r == 0)
		r = put_document(saving, "manifest.json", saving->entries, err);
	return r < 0 ? r
		     : put_text(saving, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", err);
}

int image_save(struct image_store *store, const struct words *references, int fd, struct error *err)
{
	AUTO(tar_writer) writer = NULL;
	struct saving saving = { .store = store,
				 .manifests = json_new_array(),
				 .entries = json_new_array() };
	struct digest digest;
	uint64_t size;
	auto_fd lock = -1;
	int r = store_lock(store, STORE_SHARED, &lock, err); /* nothing is swept meanwhile */
	if (r == 0)
		r = tar_writer_create(fd, &writer, err);
	saving.writer = writer;
	if (r == 0)
		r = put_header(&saving, "blobs/", TAR_DIRECTORY, 0, err);
	if (r == 0)
		r = put_header(&saving, "blobs/sha256/", TAR_DIRECTORY, 0, err);
	for (size_t i = 0; r == 0 && i < references->count; i++)
		r = save_reference(&saving, references->items[i], err);
	if (r == 0)
		r = save_documents(&saving, err);
	if (r == 0)
		r = tar_writer_finish(writer, &digest, &size, err);
	json_free(saving.manifests);
	json_free(saving.entries);
	path_set_release(&saving.blobs);
	return r;
}
