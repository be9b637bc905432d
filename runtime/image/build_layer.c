/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RUN and WORKDIR. Each first asks the cache by a key of all that it depends
 * on; otherwise it works on an overlay whose upper directory then is the layer.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "build_copy.h"
#include "build_making.h"
#include "tree.h"

void making_remove_places(const char *upper)
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
		making_remove_places(making->layer.path);
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
		r = making_key(build, step, step->rest, &depends, key, err);
	if (r == 0)
		r = making_from_cache(build, key, err);
	if (r != 0)
		return r < 0 ? r : 0;
	auto_making making = { 0 };
	build_say(build, " ---> Running %.60s%s", step->rest, strlen(step->rest) > 60 ? "..." : "");
	r = making_begin(build, key, &making, err);
	if (r == 0)
		r = run_command(build, &args, &env, &making, err);
	return r < 0 ? r : making_end(build, &making, err);
}

/* The directory is made where it is missing: only then is there a layer. */
static int step_workdir(struct build *build, const struct instruction *step, struct error *err)
{
	struct image_config *config = &build_stage_now(build)->config;
	char key[DIGEST_TEXT_MAX];
	auto_free char *path = NULL;
	bool made = false;
	int r = step_path(build, step->rest, &path, err);
	if (r < 0)
		return r;
	for (size_t size = strlen(path); size > 1 && path[size - 1] == '/';)
		path[--size] = 0;
	r = making_key(build, step, path, NULL, key, err);
	if (r == 0)
		r = making_from_cache(build, key, err);
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
