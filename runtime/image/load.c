/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image_load: an archive becomes images. Until the commit at the end all is in
 * a work folder, which goes away whatever happens.
 */
#include "load.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"

static void job_free(struct load_job *job)
{
	if (!job)
		return;
	layer_work_release(&job->work);
	free(job->blob.member);
	free(job);
}

static void image_free_parts(struct load_image *image)
{
	image_release(&image->image);
	free(image->manifest);
	free(image->config);
	free(image->jobs);
}

static void load_release(struct load *load)
{
	for (size_t i = 0; i < load->image_count; i++)
		image_free_parts(&load->images[i]);
	for (size_t i = 0; i < load->job_count; i++)
		job_free(load->jobs[i]);
	free(load->images);
	free(load->jobs);
	source_free(load->source);
	store_work_end(&load->work);
}
#define auto_load __attribute__((cleanup(load_release))) struct load

static bool is_same(const struct load_job *job, const struct layer_blob *blob,
		    const struct digest *chain_id)
{
	return digest_equal(&job->chain_id, chain_id) &&
	       (blob->declared ? digest_equal(&job->blob.digest, &blob->digest)
			       : text_equal(job->blob.member, blob->member));
}

/* The store has it, from the same blob: nothing to do but to check what was declared. */
static int look_up(struct load *load, struct load_job *job, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	char path[STORE_PATH_MAX];
	int r = store_begin(load->store->db, STORE_READ, &txn, err);
	if (r == 0)
		r = store_layer_find(txn, job->chain_id.text, &job->record, err);
	if (r <= 0 || !job->blob.declared || !digest_equal(&job->record.blob, &job->blob.digest))
		return r < 0 ? r : 0;
	if (job->blob.size != job->work.member.size)
		return error_set(err, EINVAL, "layer %s has %llu bytes, its descriptor says %llu",
				 job->blob.member, (unsigned long long)job->work.member.size,
				 (unsigned long long)job->blob.size);
	store_layer_path(load->store, job->chain_id.text, path);
	job->work.root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	job->known = job->finished = job->work.root_fd >= 0;
	return 0;
}

static int prepare_job(struct load *load, struct load_job *job, const struct layer_blob *blob,
		       struct error *err)
{
	int r = text_copy(blob->member, &job->blob.member, err);
	if (r == 0)
		r = source_find(load->source, blob->member, &job->work.member, err);
	if (r == 0)
		return error_set(err, EINVAL, "layer %s is not in the archive", blob->member);
	if (r < 0)
		return error_wrap(err, "layer %.200s", blob->member);
	snprintf(job->blob_path, sizeof job->blob_path, "%s/blobs/%zu", load->work.path,
		 load->job_count);
	snprintf(job->root_path, sizeof job->root_path, "%s/layers/%zu", load->work.path,
		 load->job_count);
	job->work.blob = &job->blob;
	job->work.diff_id = job->diff_id;
	job->work.blob_path = job->blob_path;
	job->work.root_path = job->root_path;
	job->work.done_bytes = &load->done_bytes;
	return look_up(load, job, err);
}

/* The number of the job that unpacks this layer; made if there is none. */
static int find_job(struct load *load, const struct layer_blob *blob, const char *diff_id,
		    const struct digest *chain_id, size_t *ret_index, struct error *err)
{
	for (size_t i = 0; i < load->job_count; i++)
		if (is_same(load->jobs[i], blob, chain_id)) {
			*ret_index = i;
			return 0;
		}
	if (load->job_count == LOAD_JOBS_MAX)
		return error_set(err, EFBIG, "over %d layers in one archive", LOAD_JOBS_MAX);
	struct load_job **more = reallocarray(load->jobs, load->job_count + 1, sizeof *more);
	struct load_job *job = more ? calloc(1, sizeof *job) : NULL;
	if (more)
		load->jobs = more;
	if (!job)
		return error_set(err, ENOMEM, "no memory for a layer");
	layer_work_init(&job->work);
	job->blob = *blob;
	job->blob.member = NULL;
	job->chain_id = *chain_id;
	snprintf(job->diff_id, sizeof job->diff_id, "%s", diff_id);
	int r = prepare_job(load, job, blob, err);
	if (r < 0) {
		job_free(job);
		return r;
	}
	if (!job->known)
		load->total_bytes += job->work.member.size;
	*ret_index = load->job_count;
	load->jobs[load->job_count++] = job;
	return 0;
}

static int add_layers(struct load *load, struct load_image *image, const struct manifest *manifest,
		      struct error *err)
{
	const struct words *diff_ids = &image->image.diff_ids;
	struct digest chain, diff_id;
	if (diff_ids->count != manifest->layer_count)
		return error_set(err, EINVAL,
				 "the manifest has %zu layers, the config %zu diff_ids",
				 manifest->layer_count, diff_ids->count);
	image->jobs = calloc(manifest->layer_count + 1, sizeof *image->jobs);
	if (!image->jobs)
		return error_set(err, ENOMEM, "no memory for layers");
	int r = 0;
	for (size_t i = 0; r == 0 && i < diff_ids->count; i++) {
		r = digest_check(diff_ids->items[i], "config", &diff_id, err);
		if (r == 0)
			r = digest_chain(i ? &chain : NULL, &diff_id, &chain, err);
		if (r == 0)
			r = words_append(&image->image.chain_ids, chain.text, err);
		if (r == 0)
			r = find_job(load, &manifest->layers[i], diff_id.text, &chain,
				     &image->jobs[i], err);
		image->layer_count = i + 1;
	}
	return r;
}

static int parse_image(struct load *load, struct load_image *image, const struct load_parts *parts,
		       struct error *err)
{
	auto_json document = NULL;
	struct digest id;
	int r = json_parse("config", image->config, image->config_size, &document, err);
	struct json_at root = json_root(document, "config");
	if (r == 0)
		r = image_config_read(&root, &image->image, err);
	if (r == 0)
		r = digest_of(image->config, image->config_size, &id, err);
	if (r == 0)
		r = words_copy(parts->names, &image->image.names, err);
	if (r < 0)
		return r;
	snprintf(image->image.id, sizeof image->image.id, "%s", id.text);
	return add_layers(load, image, parts->manifest, err);
}

int load_add_image(struct load *load, struct load_parts *parts, struct error *err)
{
	struct load_image image = { .manifest = parts->manifest_json,
				    .manifest_size = parts->manifest_size,
				    .config = parts->config_json,
				    .config_size = parts->config_size };
	struct load_image *more = NULL;
	int r = 0;
	if (load->image_count < LOAD_IMAGES_MAX)
		more = reallocarray(load->images, load->image_count + 1, sizeof *more);
	if (more) {
		load->images = more;
		r = parse_image(load, &image, parts, err);
	} else {
		r = error_set(err, EFBIG, "over %d images in one archive", LOAD_IMAGES_MAX);
	}
	if (r < 0) {
		image_free_parts(&image);
		return r;
	}
	load->images[load->image_count++] = image;
	return 0;
}

/* Bottom up, so that each layer finds finished ones below. */
static int finish_image(struct load *load, struct load_image *image, struct error *err)
{
	int lower[IMAGE_LAYERS_MAX];
	for (size_t i = 0; i < image->layer_count; i++) {
		struct load_job *job = load->jobs[image->jobs[i]];
		for (size_t j = 0; j < i; j++)
			lower[j] = load->jobs[image->jobs[i - 1 - j]]->work.root_fd;
		if (!job->finished) {
			int r = unpacker_finish(job->work.unpacker, lower, i, err);
			if (r < 0)
				return error_wrap(err, "layer %s", job->blob.member);
			job->finished = true;
			job->record = (struct layer_record){ .blob = job->work.digest,
							     .size_bytes = unpacker_size_bytes(
								     job->work.unpacker) };
		}
		image->image.size_bytes += job->record.size_bytes;
		int r = words_append(&image->image.blobs, job->record.blob.text, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* docker-archives have no manifest: this is the one that a push would send. */
static int make_manifest(struct load *load, struct load_image *image, struct error *err)
{
	static const char *const types[COMPRESSION_COUNT] = { MEDIA_LAYER, MEDIA_LAYER "+gzip",
							      MEDIA_LAYER "+zstd" };
	auto_json root = json_new_object();
	struct json_t *config = json_new_object(), *layers = json_new_array();
	json_put_integer(root, "schemaVersion", 2);
	json_put_string(root, "mediaType", MEDIA_MANIFEST);
	json_put_string(config, "mediaType", MEDIA_CONFIG);
	json_put_string(config, "digest", image->image.id);
	json_put_integer(config, "size", (int64_t)image->config_size);
	json_put(root, "config", config);
	for (size_t i = 0; i < image->layer_count; i++) {
		const struct load_job *job = load->jobs[image->jobs[i]];
		struct json_t *layer = json_new_object();
		json_put_string(layer, "mediaType", types[job->work.compression]);
		json_put_string(layer, "digest", job->record.blob.text);
		json_put_integer(layer, "size", (int64_t)job->work.member.size);
		json_append(layers, layer);
	}
	json_put(root, "layers", layers);
	int r = json_format(root, JSON_COMPACT, &image->manifest, err);
	if (r == 0)
		image->manifest_size = strlen(image->manifest);
	return r;
}

static int write_document(struct load *load, const char *data, size_t size,
			  char ret_digest[DIGEST_TEXT_MAX], struct error *err)
{
	char path[STORE_PATH_MAX + 32];
	struct digest digest;
	int r = digest_of(data, size, &digest, err);
	if (r < 0)
		return r;
	snprintf(ret_digest, DIGEST_TEXT_MAX, "%s", digest.text);
	snprintf(path, sizeof path, "%s/blobs/document", load->work.path);
	r = file_replace(path, data, size, 0644, FILE_NO_SYNC, err);
	return r < 0 ? r : store_blob_adopt(load->store, path, &digest, err);
}

/* Files to their places; none of them counts before the records say so. */
static int move_files(struct load *load, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r >= 0 && i < load->job_count; i++) {
		struct load_job *job = load->jobs[i];
		if (job->known)
			continue;
		r = store_blob_adopt(load->store, job->blob_path, &job->record.blob, err);
		if (r == 0)
			r = store_layer_adopt(load->store, job->root_path, &job->chain_id, err);
	}
	for (size_t i = 0; r >= 0 && i < load->image_count; i++) {
		struct load_image *image = &load->images[i];
		if (!image->manifest)
			r = make_manifest(load, image, err);
		if (r >= 0)
			r = write_document(load, image->config, image->config_size, image->image.id,
					   err);
		if (r >= 0)
			r = write_document(load, image->manifest, image->manifest_size,
					   image->image.manifest, err);
	}
	return r < 0 ? r : 0;
}

static int put_image(struct store_txn *txn, struct image *image, struct words *ret_names,
		     struct error *err)
{
	int r = record_put(txn, image, err);
	for (size_t i = 0; r == 0 && i < image->names.count; i++) {
		r = name_put(txn, image->names.items[i], image->id, err);
		if (r == 0)
			r = words_append(ret_names, image->names.items[i], err);
	}
	if (r == 0 && image->names.count == 0)
		r = words_append(ret_names, image->id, err);
	return r;
}

static int put_records(struct load *load, struct words *ret_names, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	struct layer_record known;
	int r = store_begin(load->store->db, STORE_WRITE, &txn, err);
	for (size_t i = 0; r >= 0 && i < load->job_count; i++) {
		const struct load_job *job = load->jobs[i];
		r = store_layer_find(txn, job->chain_id.text, &known, err);
		if (r == 0)
			r = store_layer_put(txn, &job->chain_id, &job->record, err);
	}
	for (size_t i = 0; r >= 0 && i < load->image_count; i++)
		r = put_image(txn, &load->images[i].image, ret_names, err);
	return r < 0 ? r : store_commit(&txn, err);
}

static int commit(struct load *load, struct words *ret_names, struct error *err)
{
	auto_fd lock = -1;
	auto_words names = { 0 };
	int r = store_commit_lock(load->store, &lock, err);
	if (r == 0)
		r = move_files(load, err);
	if (r == 0)
		r = store_flush(load->store, err);
	if (r == 0)
		r = put_records(load, &names, err);
	if (r == 0) {
		*ret_names = names;
		names = (struct words){ 0 };
	}
	return r;
}

/* "dir/apps/" -> "apps", "busybox.tar" -> "busybox"; NULL if that makes no name. */
static char *default_name(const char *path)
{
	auto_free char *copy = strdup(path), *normal = NULL;
	struct error ignored;
	size_t size = copy ? strlen(copy) : 0;
	while (size > 1 && copy[size - 1] == '/')
		copy[--size] = 0;
	const char *slash = copy ? strrchr(copy, '/') : NULL;
	auto_free char *name = copy ? strdup(slash ? slash + 1 : copy) : NULL;
	if (!name || text_equal(path, "-"))
		return NULL;
	if (text_ends_with(name, ".tar"))
		name[strlen(name) - 4] = 0;
	for (char *byte = name; *byte; byte++)
		*byte = (char)tolower((unsigned char)*byte);
	if (strchr(name, ':') || image_reference_normalise(name, &normal, &ignored) < 0)
		return NULL;
	return TAKE(name);
}

static int gather(struct load *load, const char *path, struct error *err)
{
	struct member ignored;
	int r = source_find(load->source, "oci-layout", &ignored, err);
	if (r < 0)
		return r;
	if (r == 0)
		return load_gather_docker(load, err);
	auto_free char *name = default_name(path);
	return load_gather_oci(load, name, err);
}

static int load_path(struct load *load, const char *path, const struct image_progress *progress,
		     struct words *ret_names, struct error *err)
{
	int r = store_work_begin(load->store, &load->work, err);
	if (r == 0)
		r = source_open(path, load->work.path, &load->source, err);
	if (r == 0)
		r = gather(load, path, err);
	if (r == 0)
		r = load_run_jobs(load, progress, err);
	for (size_t i = 0; r == 0 && i < load->image_count; i++)
		r = finish_image(load, &load->images[i], err);
	return r < 0 ? r : commit(load, ret_names, err);
}

int image_load(struct image_store *store, const char *path, const struct image_progress *progress,
	       struct words *ret_names, struct error *err)
{
	auto_load load = { .store = store, .work = { .lock_fd = -1 } };
	int r = load_path(&load, path, progress, ret_names, err);
	if (r < 0)
		return error_wrap(err, "%s", text_equal(path, "-") ? "standard input" : path);
	return 0;
}
