/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * image_build: reads the Dockerfile, goes through its steps, commits.
 */
#include "build.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>

#include "base/file.h"
#include "build_copy.h"

#define IGNORE_SIZE_MAX (1u << 20)

void build_release(struct build *build)
{
	for (size_t i = 0; i < build->stage_count; i++)
		stage_release(&build->stages[i]);
	free(build->stages);
	dockerfile_release(&build->dockerfile);
	ignore_release(&build->ignore);
	words_free(&build->global_args);
	cleanup_fd(&build->context_fd);
	store_work_end(&build->work);
}
#define auto_build __attribute__((cleanup(build_release))) struct build

void build_say(struct build *build, const char *format, ...)
{
	if (!build->request->output)
		return;
	va_list list;
	va_start(list, format);
	vfprintf(build->request->output, format, list);
	va_end(list);
	fputc('\n', build->request->output);
}

struct build_stage *build_stage_now(struct build *build)
{
	return &build->stages[build->stage_count - 1];
}

int build_wrap(struct build *build, struct error *err)
{
	return error_wrap(err, "%s:%u: %s", build->dockerfile.name, build->step->line,
			  instruction_name(build->step->kind));
}

static int read_dockerfile(struct build *build, struct error *err)
{
	const struct build_request *request = build->request;
	auto_free char *path = NULL, *text = NULL;
	size_t size;
	int r = request->dockerfile
			? text_copy(request->dockerfile, &path, err)
			: text_format(&path, err, "%s/Dockerfile", request->context_dir);
	if (r == 0)
		r = file_read(path, DOCKERFILE_SIZE_MAX, &text, &size, err);
	if (r < 0)
		return r;
	const char *slash = strrchr(path, '/');
	return dockerfile_parse(slash ? slash + 1 : path, text, size, &build->dockerfile, err);
}

static int open_context(struct build *build, struct error *err)
{
	auto_free char *text = NULL;
	auto_fd fd = -1;
	size_t size;
	struct error missing;
	build->context_fd = open(build->request->context_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (build->context_fd < 0)
		return error_set_errno(err, errno, "build context %s", build->request->context_dir);
	if (file_open_in_root(build->context_fd, ".dockerignore", O_RDONLY | O_NONBLOCK, 0, &fd,
			      &missing) < 0)
		return 0;
	int r = file_read_fd(fd, ".dockerignore", IGNORE_SIZE_MAX, &text, &size, err);
	return r < 0 ? r : ignore_parse(text, &build->ignore, err);
}

static bool makes_layer(enum instruction_kind kind)
{
	return kind == INSTRUCTION_RUN || kind == INSTRUCTION_COPY || kind == INSTRUCTION_ADD ||
	       kind == INSTRUCTION_WORKDIR;
}

/* " ---> 0123456789ab": what the image's id would be now. Also checks the config. */
static int say_id(struct build *build, struct error *err)
{
	auto_free char *json = NULL;
	auto_json document = NULL;
	struct digest id;
	struct image image = { 0 };
	int r = stage_format_config(build_stage_now(build), &json, err);
	if (r == 0)
		r = digest_of(json, strlen(json), &id, err);
	if (r == 0)
		r = json_parse("image", json, strlen(json), &document, err);
	struct json_at root = json_root(document, "image");
	if (r == 0)
		r = image_config_read(&root, &image, err);
	image_release(&image);
	const char *base = build_stage_now(build)->base_id;
	bool unchanged = build->step->kind == INSTRUCTION_FROM && *base;
	if (r == 0)
		build_say(build, " ---> %.12s",
			  unchanged ? base + strlen(DIGEST_PREFIX) : digest_hex(&id));
	return r;
}

static int run_step(struct build *build, const struct instruction *step, struct error *err)
{
	if (step->kind == INSTRUCTION_FROM)
		return stage_begin(build, err);
	if (!makes_layer(step->kind) || build->stage_count == 0)
		return step_config(build, step, err);
	return step_layer(build, step, err);
}

static int run_steps(struct build *build, struct error *err)
{
	for (size_t i = 0; i < build->dockerfile.count; i++) {
		const struct instruction *step = &build->dockerfile.items[i];
		build->step = step;
		build_say(build, "Step %zu/%zu : %s", i + 1, build->dockerfile.count, step->text);
		size_t before = build->stage_count ? build_stage_now(build)->layer_count : 0;
		int r = run_step(build, step, err);
		if (r == 0 && build->stage_count > 0 && step->kind != INSTRUCTION_FROM)
			stage_add_history(build_stage_now(build), step->text,
					  build_stage_now(build)->layer_count == before);
		if (r == 0 && build->stage_count > 0)
			r = say_id(build, err);
		if (r < 0)
			return build_wrap(build, err);
	}
	return 0;
}

static int check_request(const struct build_request *request, struct error *err)
{
	auto_free char *name = NULL;
	for (size_t i = 0; i < request->build_args.count; i++)
		if (!strchr(request->build_args.items[i], '='))
			return error_set(err, EINVAL, "build argument \"%.60s\" is not NAME=VALUE",
					 request->build_args.items[i]);
	return request->tag ? image_reference_normalise(request->tag, &name, err) : 0;
}

static int build_all(struct build *build, char ret_id[DIGEST_TEXT_MAX], struct error *err)
{
	auto_free char *json = NULL;
	int r = run_steps(build, err);
	if (r == 0)
		r = stage_format_config(build_stage_now(build), &json, err);
	if (r == 0)
		return build_commit(build, json, ret_id, err);
	struct error ignored; /* the first error is the one to tell */
	if (build->fresh_count > 0)
		build_commit(build, NULL, NULL, &ignored);
	return r;
}

int image_build(struct image_store *store, const struct build_request *request,
		const struct build_runner *runner, char ret_id[DIGEST_TEXT_MAX], struct error *err)
{
	auto_build build = { .store = store,
			     .request = request,
			     .runner = runner,
			     .context_fd = -1,
			     .work = { .lock_fd = -1 } };
	int r = check_request(request, err);
	if (r == 0)
		r = read_dockerfile(&build, err);
	if (r == 0)
		r = open_context(&build, err);
	if (r == 0)
		r = store_work_begin(store, &build.work, err);
	if (r == 0)
		r = build_all(&build, ret_id, err);
	if (r < 0)
		return r;
	build_say(&build, "Successfully built %.12s", ret_id + strlen(DIGEST_PREFIX));
	auto_free char *name = NULL;
	if (request->tag && image_reference_normalise(request->tag, &name, err) == 0)
		build_say(&build, "Successfully tagged %s", name);
	return 0;
}
