/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * COPY and ADD as steps of a build: their options, their cache key (names and
 * contents), and the layer that they make.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "build_copy.h"
#include "build_making.h"
#include "overlay.h"

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
int step_path(struct build *build, const char *word, char **ret, struct error *err)
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
		r = making_key(build, step, request->destination, &depends, key, err);
	if (r == 0)
		r = making_from_cache(build, key, err);
	if (r != 0)
		return r < 0 ? r : 0;
	auto_making making = { 0 };
	r = making_begin(build, key, &making, err);
	if (r == 0)
		r = copy_into(build, request, &paths, owner, &making, err);
	return r < 0 ? r : making_end(build, &making, err);
}

int step_copy(struct build *build, const struct instruction *step, struct error *err)
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
		r = step_path(build, step->args.items[step->args.count - 1], &destination, err);
	request.destination = destination;
	if (r == 0)
		r = copy_step(build, step, &request, &options, err);
	words_free(&request.sources);
	return r;
}
