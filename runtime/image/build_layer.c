/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions that make a layer: RUN, COPY, ADD, WORKDIR. Each first asks the
 * cache by a key of all that it depends on; otherwise it works on an overlay
 * whose upper directory then is the layer.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/loop.h"
#include "build.h"
#include "build_copy.h"
#include "diff.h"
#include "overlay.h"
#include "tree.h"

/* A layer in the making. */
struct making {
	struct build_layer layer;
	struct words lower;
	char scratch[STORE_PATH_MAX + 32]; /* overlay's work, ADD's archives */
};

static void making_release(struct making *making)
{
	words_free(&making->lower);
}
#define auto_making __attribute__((cleanup(making_release))) struct making

/* The key: what the layer is built on, what is done, and with what. */
static int make_key(struct build *build, const struct instruction *step, const char *what,
		    const struct words *more, char ret_key[DIGEST_TEXT_MAX], struct error *err)
{
	const struct build_stage *stage = build_stage_now(build);
	AUTO(hash) hash = NULL;
	int r = hash_create(&hash, err);
	if (r < 0)
		return r;
	const char *parent =
		stage->layer_count ? stage->layers[stage->layer_count - 1].chain_id.text : "";
	const char *name = instruction_name(step->kind);
	hash_update(hash, parent, strlen(parent) + 1);
	hash_update(hash, name, strlen(name) + 1);
	hash_update(hash, what, strlen(what) + 1);
	for (size_t i = 0; more && i < more->count; i++)
		hash_update(hash, more->items[i], strlen(more->items[i]) + 1);
	snprintf(ret_key, DIGEST_TEXT_MAX, "%s", hash_finish(hash).text);
	return 0;
}

static int push_layer(struct build *build, const struct build_layer *layer, struct error *err)
{
	struct build_stage *stage = build_stage_now(build);
	if (stage->layer_count == IMAGE_LAYERS_MAX)
		return error_set(err, EINVAL, "over %d layers", IMAGE_LAYERS_MAX);
	struct build_layer *more =
		reallocarray(stage->layers, stage->layer_count + 1, sizeof *more);
	if (!more)
		return error_set(err, ENOMEM, "no memory for a layer");
	stage->layers = more;
	stage->layers[stage->layer_count++] = *layer;
	stage->size_bytes += layer->size_bytes;
	if (layer->created_ns > stage->created_ns)
		stage->created_ns = layer->created_ns;
	return 0;
}

/* A layer of this very build under the same key; stages may share steps. */
static const struct build_layer *find_fresh(const struct build *build, const char *key)
{
	for (size_t i = 0; i < build->stage_count; i++)
		for (size_t j = 0; j < build->stages[i].layer_count; j++)
			if (build->stages[i].layers[j].fresh &&
			    text_equal(build->stages[i].layers[j].key, key))
				return &build->stages[i].layers[j];
	return NULL;
}

static int find_cached(struct build *build, const char *key, struct build_layer *ret,
		       struct error *err)
{
	AUTO(store_txn) txn = NULL;
	struct bytes value;
	struct cache_record record;
	struct layer_record layer;
	int r = store_begin(build->store->db, STORE_READ, &txn, err);
	if (r == 0)
		r = store_get(txn, TABLE_CACHE, bytes_of_text(key), &value, err);
	if (r != 1 || value.size != sizeof record)
		return r < 0 ? r : 0;
	memcpy(&record, value.data, sizeof record);
	r = store_layer_find(txn, record.chain_id.text, &layer, err);
	if (r != 1)
		return r;
	*ret = (struct build_layer){ .chain_id = record.chain_id,
				     .diff_id = record.diff_id,
				     .created_ns = record.created_ns,
				     .size_bytes = record.size_bytes };
	store_layer_path(build->store, record.chain_id.text, ret->path);
	snprintf(ret->blob_path, sizeof ret->blob_path, "%s", layer.blob.text);
	return 1;
}

/* 1: the cache has it, and it is on the stage now. */
static int use_cache(struct build *build, const char *key, struct error *err)
{
	struct build_layer layer;
	const struct build_layer *fresh = find_fresh(build, key);
	int r = 1;
	if (fresh)
		layer = *fresh;
	else if (build->request->no_cache)
		return 0;
	else
		r = find_cached(build, key, &layer, err);
	if (r != 1)
		return r;
	build_say(build, " ---> Using cache");
	r = push_layer(build, &layer, err);
	return r < 0 ? r : 1;
}

/* The new root looks like the one below. */
static int copy_root(const char *upper, const struct words *lower, struct error *err)
{
	struct stat st;
	if (lower->count == 0)
		return 0;
	if (stat(lower->items[0], &st) < 0 || chown(upper, st.st_uid, st.st_gid) < 0 ||
	    chmod(upper, st.st_mode & 07777) < 0)
		return error_set_errno(err, errno, "root of the new layer");
	return 0;
}

static int making_begin(struct build *build, const char *key, struct making *making,
			struct error *err)
{
	struct build_layer *layer = &making->layer;
	size_t number = build->fresh_count++;
	layer->fresh = true;
	snprintf(layer->key, sizeof layer->key, "%s", key);
	snprintf(layer->path, sizeof layer->path, "%s/layers/%zu", build->work.path, number);
	snprintf(layer->blob_path, sizeof layer->blob_path, "%s/blobs/%zu", build->work.path,
		 number);
	snprintf(making->scratch, sizeof making->scratch, "%s/step%zu", build->work.path, number);
	if (mkdir(layer->path, 0755) < 0 || chmod(layer->path, 0755) < 0 ||
	    mkdir(making->scratch, 0700) < 0)
		return error_set_errno(err, errno, "make a folder in %s", build->work.path);
	int r = stage_lower_paths(build_stage_now(build), &making->lower, err);
	return r < 0 ? r : copy_root(layer->path, &making->lower, err);
}

static int making_mount(struct making *making, int *ret_fd, struct error *err)
{
	return overlay_open(&making->lower, making->layer.path, making->scratch, ret_fd, err);
}

static int making_end(struct build *build, struct making *making, struct error *err)
{
	struct build_layer *layer = &making->layer;
	const struct build_stage *stage = build_stage_now(build);
	const struct digest *parent =
		stage->layer_count ? &stage->layers[stage->layer_count - 1].chain_id : NULL;
	auto_fd fd = open(layer->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return error_set_errno(err, errno, "open %s", layer->path);
	int r = diff_write(fd, layer->blob_path, &layer->diff_id, &layer->size_bytes, err);
	if (r == 0)
		r = digest_chain(parent, &layer->diff_id, &layer->chain_id, err);
	if (r == 0)
		r = tree_remove(making->scratch, err);
	layer->created_ns = clock_wall_ns();
	return r < 0 ? r : push_layer(build, layer, err);
}

/* What a container's mounts left in the upper directory: empty places, no content. */
static void remove_mount_points(const char *upper)
{
	static const char *const files[] = { "etc/resolv.conf", "etc/hosts", "etc/hostname" };
	static const char *const folders[] = { "proc", "sys", "dev" };
	auto_fd fd = open(upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	for (size_t i = 0; fd >= 0 && i < ARRAY_SIZE(files); i++)
		if (tree_stat(fd, files[i], &st) == 0 && S_ISREG(st.st_mode) && st.st_size == 0)
			unlinkat(fd, files[i], 0);
	for (size_t i = 0; fd >= 0 && i < ARRAY_SIZE(folders); i++)
		if (tree_stat(fd, folders[i], &st) == 0 && S_ISDIR(st.st_mode))
			unlinkat(fd, folders[i], AT_REMOVEDIR); /* only if it is empty */
}

/* ARGs are in RUN's environment, but not in the image's. */
static int run_environment(const struct build_stage *stage, struct words *ret, struct error *err)
{
	int r = words_copy(&stage->config.env, ret, err);
	for (size_t i = 0; r == 0 && i < stage->args.count; i++) {
		const char *word = stage->args.items[i], *equals = strchr(word, '=');
		auto_free char *name = strndup(word, (size_t)(equals - word));
		if (!name)
			return error_set(err, ENOMEM, "no memory for the environment");
		if (!words_value(&stage->config.env, name))
			r = words_append(ret, word, err);
	}
	return r;
}

static int run_command(struct build *build, const struct words *args, const struct words *env,
		       struct making *making, struct error *err)
{
	struct image_config config = build_stage_now(build)->config;
	config.env = *env;
	char work[STORE_PATH_MAX + 64];
	snprintf(work, sizeof work, "%s/work", making->scratch);
	if (mkdir(work, 0700) < 0)
		return error_set_errno(err, errno, "make %s", work);
	if (!build->runner || !build->runner->run)
		return error_set(err, ENOTSUP, "nothing here can run commands");
	if (build->request->output)
		fflush(build->request->output);
	int r = build->runner->run(build->runner->context, &making->lower, making->layer.path, work,
				   &config, args, err);
	if (r > 0)
		return error_set(err, ECANCELED, "\"%.200s\" exited with %d", build->step->rest, r);
	if (r == 0)
		remove_mount_points(making->layer.path);
	return r;
}

static int step_run(struct build *build, const struct instruction *step, struct error *err)
{
	struct build_stage *stage = build_stage_now(build);
	char key[DIGEST_TEXT_MAX];
	auto_words args = { 0 }, env = { 0 }, depends = { 0 };
	if (step->flags.count > 0)
		return error_set(err, ENOTSUP, "%s is not supported", step->flags.items[0]);
	int r = step->json ? 0 : words_copy(&stage->shell, &args, err);
	for (size_t i = 0; r == 0 && i < step->args.count; i++)
		r = words_append(&args, step->args.items[i], err);
	if (r == 0)
		r = run_environment(stage, &env, err);
	for (size_t i = 0; r == 0 && i < args.count; i++)
		r = words_append(&depends, args.items[i], err);
	for (size_t i = 0; r == 0 && i < env.count; i++)
		r = words_append_format(&depends, err, "env %s", env.items[i]);
	if (r == 0)
		r = words_append_format(&depends, err, "in %s by %s",
					stage->config.working_dir ? stage->config.working_dir : "/",
					stage->config.user ? stage->config.user : "0");
	if (r == 0)
		r = make_key(build, step, step->rest, &depends, key, err);
	if (r == 0)
		r = use_cache(build, key, err);
	if (r != 0)
		return r < 0 ? r : 0;
	auto_making making = { 0 };
	build_say(build, " ---> Running %.60s%s", step->rest, strlen(step->rest) > 60 ? "..." : "");
	r = making_begin(build, key, &making, err);
	if (r == 0)
		r = run_command(build, &args, &env, &making, err);
	return r < 0 ? r : making_end(build, &making, err);
}

/* Options of COPY and ADD. */
struct copy_options {
	const char *from, *chown, *chmod;
};

static int read_options(const struct instruction *step, struct copy_options *ret, struct error *err)
{
	for (size_t i = 0; i < step->flags.count; i++) {
		const char *flag = step->flags.items[i];
		if (text_starts_with(flag, "--chown="))
			ret->chown = flag + strlen("--chown=");
		else if (text_starts_with(flag, "--chmod="))
			ret->chmod = flag + strlen("--chmod=");
		else if (step->kind == INSTRUCTION_COPY && text_starts_with(flag, "--from="))
			ret->from = flag + strlen("--from=");
		else if (!text_equal(flag, "--link"))
			return error_set(err, ENOTSUP, "%s is not supported", flag);
	}
	return 0;
}

/* The tree that COPY --from names: a stage by name or number, or an image. */
static int open_from(struct build *build, const char *from, const char *scratch, int *ret_fd,
		     struct error *err)
{
	const struct build_stage *stage = NULL;
	struct build_stage image = { 0 };
	uint64_t number;
	auto_words lower = { 0 };
	char upper[STORE_PATH_MAX + 64];
	for (size_t i = 0; i + 1 < build->stage_count; i++)
		if (build->stages[i].name && strcasecmp(build->stages[i].name, from) == 0)
			stage = &build->stages[i];
	if (!stage && build->stage_count > 1 &&
	    text_to_unsigned(from, 0, build->stage_count - 2, &number) == 0)
		stage = &build->stages[number];
	int r = stage ? 0 : stage_from_image(build, from, &image, err);
	if (r == 0)
		r = stage_lower_paths(stage ? stage : &image, &lower, err);
	stage_release(&image);
	if (r < 0)
		return error_wrap(err, "--from=%.60s", from);
	snprintf(upper, sizeof upper, "%s/upper", scratch);
	if (mkdir(scratch, 0700) < 0 || mkdir(upper, 0755) < 0)
		return error_set_errno(err, errno, "make %s", upper);
	return overlay_open(&lower, upper, scratch, ret_fd, err);
}

/* Relative to WORKDIR; a final '/' stays. */
static int full_destination(struct build *build, const char *word, char **ret, struct error *err)
{
	const char *folder = build_stage_now(build)->config.working_dir;
	auto_free char *expanded = NULL;
	int r = step_expand(build, word, &expanded, err);
	if (r < 0)
		return r;
	if (!*expanded)
		return error_set(err, EINVAL, "the destination is empty");
	if (*expanded == '/')
		*ret = TAKE(expanded);
	else if (text_equal(expanded, ".") || text_equal(expanded, "./"))
		return text_format(ret, err, "%s/", folder ? folder : "");
	else
		return text_format(ret, err, "%s/%s", folder ? folder : "",
				   expanded + (text_starts_with(expanded, "./") ? 2 : 0));
	return 0;
}

static int read_sources(struct build *build, const struct instruction *step,
			struct copy_request *request, struct error *err)
{
	for (size_t i = 0; i + 1 < step->args.count; i++) {
		auto_free char *source = NULL;
		int r = step_expand(build, step->args.items[i], &source, err);
		if (r < 0)
			return r;
		if (step->kind == INSTRUCTION_ADD &&
		    (strstr(source, "://") || text_starts_with(source, "git@")))
			return error_set(err, ENOTSUP,
					 "\"%.200s\": ADD takes local files only, no URLs", source);
		r = words_append(&request->sources, source, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_mode(const char *text, struct copy_request *request, struct error *err)
{
	char *end;
	if (!text)
		return 0;
	unsigned long mode = strtoul(text, &end, 8);
	if (!*text || *end || mode > 07777 || *text == '-' || *text == '+')
		return error_set(err, EINVAL, "--chmod=%.40s is no octal mode", text);
	request->set_mode = true;
	request->mode = (uint32_t)mode;
	return 0;
}

static int copy_into(struct build *build, struct copy_request *request, const struct words *paths,
		     const char *owner, struct making *making, struct error *err)
{
	char archive[STORE_PATH_MAX + 64];
	auto_fd root = -1;
	(void)build;
	int r = making_mount(making, &root, err);
	if (r == 0 && owner) {
		request->set_owner = true;
		r = root_find_owner(root, owner, &request->uid, &request->gid, err);
	}
	snprintf(archive, sizeof archive, "%s/archive", making->scratch);
	request->scratch = archive;
	return r < 0 ? r : copy_run(request, paths, root, err);
}

static int copy_step(struct build *build, const struct instruction *step,
		     struct copy_request *request, const struct copy_options *options,
		     struct error *err)
{
	char key[DIGEST_TEXT_MAX];
	struct digest content;
	auto_words paths = { 0 }, depends = { 0 };
	auto_free char *owner = NULL;
	int r = options->chown ? step_expand(build, options->chown, &owner, err) : 0;
	if (r == 0)
		r = copy_resolve(request, &paths, err);
	if (r == 0)
		r = copy_digest(request, &paths, &content, err);
	if (r == 0)
		r = words_append_format(&depends, err, "%s chown=%s chmod=%s", content.text,
					owner ? owner : "", options->chmod ? options->chmod : "");
	if (r == 0)
		r = make_key(build, step, request->destination, &depends, key, err);
	if (r == 0)
		r = use_cache(build, key, err);
	if (r != 0)
		return r < 0 ? r : 0;
	auto_making making = { 0 };
	r = making_begin(build, key, &making, err);
	if (r == 0)
		r = copy_into(build, request, &paths, owner, &making, err);
	return r < 0 ? r : making_end(build, &making, err);
}

static int step_copy(struct build *build, const struct instruction *step, struct error *err)
{
	struct copy_options options = { 0 };
	struct copy_request request = { .from_fd = build->context_fd,
					.from_name = "the build context",
					.ignore = &build->ignore,
					.extract = step->kind == INSTRUCTION_ADD };
	auto_fd from = -1;
	auto_free char *destination = NULL;
	char scratch[STORE_PATH_MAX + 32];
	snprintf(scratch, sizeof scratch, "%s/from%zu", build->work.path, build->fresh_count);
	int r = read_options(step, &options, err);
	if (r == 0)
		r = read_mode(options.chmod, &request, err);
	if (r == 0 && options.from) {
		build->fresh_count++;
		r = open_from(build, options.from, scratch, &from, err);
		request.from_fd = from;
		request.from_name = "that image";
		request.ignore = NULL;
		request.keep_owner = true;
	}
	if (r == 0)
		r = read_sources(build, step, &request, err);
	if (r == 0)
		r = full_destination(build, step->args.items[step->args.count - 1], &destination,
				     err);
	request.destination = destination;
	if (r == 0)
		r = copy_step(build, step, &request, &options, err);
	words_free(&request.sources);
	return r;
}

/* The directory is made where it is missing: only then is there a layer. */
static int step_workdir(struct build *build, const struct instruction *step, struct error *err)
{
	struct image_config *config = &build_stage_now(build)->config;
	char key[DIGEST_TEXT_MAX];
	auto_free char *path = NULL;
	bool made = false;
	int r = full_destination(build, step->rest, &path, err);
	if (r < 0)
		return r;
	for (size_t size = strlen(path); size > 1 && path[size - 1] == '/';)
		path[--size] = 0;
	r = make_key(build, step, path, NULL, key, err);
	if (r == 0)
		r = use_cache(build, key, err);
	if (r == 0) {
		auto_making making = { 0 };
		auto_fd root = -1, folder = -1;
		r = making_begin(build, key, &making, err);
		if (r == 0)
			r = making_mount(&making, &root, err);
		if (r == 0)
			r = root_make_directory(root, path, &folder, &made, err);
		cleanup_fd(&folder);
		cleanup_fd(&root);
		folder = root = -1;
		if (r == 0 && made)
			r = making_end(build, &making, err);
	}
	if (r < 0)
		return r;
	free(config->working_dir);
	config->working_dir = TAKE(path);
	return 0;
}

int step_layer(struct build *build, const struct instruction *step, struct error *err)
{
	if (step->kind == INSTRUCTION_RUN)
		return step_run(build, step, err);
	if (step->kind == INSTRUCTION_WORKDIR)
		return step_workdir(build, step, err);
	return step_copy(build, step, err);
}
