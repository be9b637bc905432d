/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "delegate.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/process.h"
#include "base/text.h"

#define OUTPUT_MAX (1u << 20) /* bytes */
#define TIMEOUT_MS 40000      /* CRI-O gives the whole call 60 s */

static bool is_file(const char *path)
{
	struct stat status;
	return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

static int find_plugin(const struct cni_call *call, const char *type, char **ret_path,
		       struct error *err)
{
	const char *search = call->environment->path;
	auto_words folders = { 0 };

	if (strchr(type, '/') || text_equal(type, ".."))
		return error_set(err, EINVAL, "ipam.type \"%.64s\" is no name of a plugin", type);
	if (!search || !*search)
		return error_set(err, EINVAL,
				 "missing in the environment: CNI_PATH, to find "
				 "plugin %.64s",
				 type);
	int r = words_split(search, ':', &folders, err);
	for (size_t i = 0; r == 0 && i < folders.count; i++) {
		auto_free char *path = NULL;
		if (!*folders.items[i])
			continue;
		r = text_format(&path, err, "%s/%s", folders.items[i], type);
		if (r == 0 && is_file(path)) {
			*ret_path = TAKE(path);
			return 0;
		}
	}
	return r < 0 ? r
		     : error_set(err, ENOENT, "plugin %.64s is in none of CNI_PATH %s", type,
				 search);
}

/* Our environment with another command. */
static int build_environment(const char *command, struct words *ret, struct error *err)
{
	int r = 0;

	for (char **at = environ; r == 0 && *at; at++)
		if (!text_starts_with(*at, "CNI_COMMAND="))
			r = words_append(ret, *at, err);
	return r < 0 ? r : words_append_format(ret, err, "CNI_COMMAND=%s", command);
}

/* What a failed plugin said, or that it said nothing. */
static int plugin_failed(struct cni_call *call, const char *type, int status,
			 struct json_t **document, struct error *err)
{
	struct json_at at = json_root(*document, type);
	struct json_at code = json_member(&at, "code");

	if (json_is_present(&code)) {
		json_free(call->foreign_error);
		call->foreign_error = TAKE(*document);
	}
	return error_set(err, EREMOTEIO, "plugin %s failed with status %d", type, status);
}

static int read_output(const char *type, const char *output, size_t size,
		       struct json_t **ret_document, struct error *err)
{
	if (size == 0)
		return 0;
	int r = json_parse(type, output, size, ret_document, err);
	return r < 0 ? error_wrap(err, "plugin") : 0;
}

int delegate_run(struct cni_call *call, const char *type, const char *command,
		 struct json_t **ret_document, struct error *err)
{
	auto_free char *path = NULL, *output = NULL;
	auto_words environment = { 0 };
	auto_json document = NULL;
	size_t size = 0;
	int status = 0;
	int r = find_plugin(call, type, &path, err);

	if (r == 0)
		r = build_environment(command, &environment, err);
	if (r < 0)
		return r;
	struct process_spec spec = {
		.path = path,
		.argv = (char *[]){ path, NULL },
		.envp = environment.items,
		.stdin_fd = -1,
		.stdout_fd = -1,
		.stderr_fd = STDERR_FILENO,
	};
	r = process_run(&spec, call->config, call->config_size, OUTPUT_MAX, TIMEOUT_MS, &output,
			&size, &status, err);
	if (r < 0)
		return error_wrap(err, "plugin %s", type);
	r = read_output(type, output, size, &document, err);
	if (status != 0)
		return plugin_failed(call, type, status, &document, err);
	if (r == 0)
		*ret_document = TAKE(document);
	return r;
}
