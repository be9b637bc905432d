/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/file.h"
#include "spec.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define ENV_FILE_MAX (1u << 20)

static int append_words(struct words *to, const struct words *from, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < from->count; i++)
		r = words_append(to, from->items[i], err);
	return r;
}

static int set_args(struct words *args, const struct process_request *request, struct error *err)
{
	const struct image_config *config = request->config;
	bool own_entrypoint = request->entrypoint != NULL;
	int r = 0;
	if (own_entrypoint && request->entrypoint[0])
		r = words_append(args, request->entrypoint, err);
	else if (!own_entrypoint)
		r = append_words(args, &config->entrypoint, err);
	if (r < 0)
		return r;
	if (request->command && request->command->count)
		r = append_words(args, request->command, err);
	else if (!own_entrypoint)
		r = append_words(args, &config->command, err);
	if (r == 0 && !args->count)
		return error_set(err, EINVAL,
				 "no command: the image has neither ENTRYPOINT nor CMD, name one");
	return r;
}

int env_set(struct words *env, const char *assignment, struct error *err)
{
	size_t size = strcspn(assignment, "=") + 1;
	for (size_t i = 0; i < env->count; i++) {
		if (strncmp(env->items[i], assignment, size) != 0)
			continue;
		char *copy = NULL;
		int r = text_copy(assignment, &copy, err);
		if (r < 0)
			return r;
		free(env->items[i]);
		env->items[i] = copy;
		return 0;
	}
	return words_append(env, assignment, err);
}

int env_take(struct words *env, const char *text, struct error *err)
{
	auto_free char *assignment = NULL;
	if (!text[0] || text[0] == '=')
		return error_set(err, EINVAL, "env \"%s\": the form is NAME=VALUE or NAME", text);
	if (strchr(text, '='))
		return env_set(env, text, err);
	const char *value = getenv(text);
	if (!value)
		return 0;
	int r = text_format(&assignment, err, "%s=%s", text, value);
	return r < 0 ? r : env_set(env, assignment, err);
}

int env_read_file(const char *path, struct words *env, struct error *err)
{
	auto_free char *data = NULL;
	auto_words lines = { 0 };
	size_t size;
	int r = file_read(path, ENV_FILE_MAX, &data, &size, err);
	if (r == 0)
		r = words_split(data, '\n', &lines, err);
	for (size_t i = 0; r == 0 && i < lines.count; i++) {
		const char *line = lines.items[i] + strspn(lines.items[i], " \t");
		if (line[0] && line[0] != '#')
			r = words_append(env, line, err);
	}
	return r < 0 ? error_wrap(err, "--env-file") : 0;
}

static int set_env(struct oci_process *process, const struct process_request *request,
		   const char *home, struct error *err)
{
	struct words *env = &process->env;
	auto_free char *home_entry = NULL, *hostname = NULL;
	int r = words_append(env, DEFAULT_PATH, err);
	if (r == 0 && request->hostname)
		r = text_format(&hostname, err, "HOSTNAME=%s", request->hostname);
	if (r == 0 && hostname)
		r = env_set(env, hostname, err);
	if (r == 0 && request->terminal)
		r = env_set(env, "TERM=xterm", err);
	if (r == 0)
		r = text_format(&home_entry, err, "HOME=%s", home && home[0] ? home : "/");
	if (r == 0)
		r = env_set(env, home_entry, err);
	for (size_t i = 0; r == 0 && i < request->config->env.count; i++)
		r = env_set(env, request->config->env.items[i], err);
	for (size_t i = 0; r == 0 && request->env && i < request->env->count; i++)
		r = env_take(env, request->env->items[i], err);
	return r;
}

/* The layer whose /etc/passwd the container will see; the top one if none has it. */
static int open_user_root(const struct words *layer_paths, int *ret_fd, struct error *err)
{
	for (size_t i = 0; i < layer_paths->count; i++) {
		auto_fd fd = open(layer_paths->items[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		auto_fd passwd = -1;
		struct error ignored;
		if (fd < 0)
			return error_set_errno(err, errno, "layer %s", layer_paths->items[i]);
		if (i + 1 < layer_paths->count &&
		    file_open_in_root(fd, "etc/passwd", O_RDONLY, 0, &passwd, &ignored) < 0)
			continue;
		*ret_fd = TAKE_FD(fd);
		return 0;
	}
	return error_set(err, EINVAL, "the image has no layers");
}

int spec_set_process(struct oci_process *process, const struct process_request *request,
		     struct error *err)
{
	auto_fd root_fd = -1;
	auto_free char *home = NULL;
	const char *user = request->user ? request->user : request->config->user;
	const char *dir =
		request->working_dir ? request->working_dir : request->config->working_dir;
	if (dir && dir[0] && dir[0] != '/')
		return error_set(err, EINVAL, "working directory %s: is not absolute", dir);
	int r = set_args(&process->args, request, err);
	if (r == 0)
		r = open_user_root(request->layer_paths, &root_fd, err);
	if (r == 0)
		r = oci_user_resolve(root_fd, user && user[0] ? user : "0", process, &home, err);
	if (r == 0)
		r = set_env(process, request, home, err);
	if (r < 0)
		return r;
	free(process->cwd);
	process->cwd = NULL;
	process->terminal = request->terminal;
	return text_copy(dir && dir[0] ? dir : "/", &process->cwd, err);
}
