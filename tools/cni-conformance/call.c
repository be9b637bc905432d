/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One start of a plugin: the environment and standard input that it is told,
 * and all that comes out. Files in memory take its output, so that nothing a
 * plugin writes can make us wait.
 */
#include "conformance.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "base/file.h"
#include "base/process.h"

#define OUTPUT_MAX (1u << 22)

int64_t now_ms(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void outcome_free(struct outcome *outcome)
{
	free(outcome->output);
	free(outcome->errors);
	json_free(outcome->json);
	*outcome = (struct outcome){ 0 };
}

/* The first file of this name in the folders, as libcni searches. */
static bool find_plugin(const struct world *world, const char *type, char *ret, size_t size)
{
	auto_words folders = { 0 };
	struct error err;
	if (words_split(world->path, ':', &folders, &err) < 0)
		return false;
	for (size_t i = 0; i < folders.count; i++) {
		struct stat status;
		snprintf(ret, size, "%s/%s", folders.items[i], type);
		if (stat(ret, &status) == 0 && S_ISREG(status.st_mode))
			return true;
	}
	return false;
}

static void put_variable(struct words *environment, const char *name, const char *value)
{
	struct error err;
	if (value)
		words_append_format(environment, &err, "%s=%s", name, value);
}

static void build_environment(const struct world *world, const struct call *call, struct words *ret)
{
	struct error err;
	for (char **item = environ; *item; item++)
		if (!text_starts_with(*item, "CNI_"))
			words_append(ret, *item, &err);
	for (size_t i = 0; i < world->settings->environment.count; i++)
		words_append(ret, world->settings->environment.items[i], &err);
	put_variable(ret, "CNI_COMMAND", call->command);
	put_variable(ret, "CNI_CONTAINERID", call->id);
	put_variable(ret, "CNI_NETNS", call->netns);
	put_variable(ret, "CNI_IFNAME", call->ifname);
	put_variable(ret, "CNI_ARGS", call->args);
	put_variable(ret, "CNI_PATH", call->path);
	if (call->extra)
		words_append(ret, call->extra, &err);
}

static int memory_file(const char *bytes, size_t size)
{
	int fd = memfd_create("witness", MFD_CLOEXEC);
	if (fd >= 0 && size) {
		fd_write_all(fd, bytes, size);
		lseek(fd, 0, SEEK_SET);
	}
	return fd;
}

int call_start(struct world *world, const struct call *call, struct running *ret)
{
	char path[PATH_MAX_BYTES * 2];
	auto_words environment = { 0 };
	struct error err;
	char type[PATH_MAX_BYTES];
	char *argv[] = { type, NULL };
	*ret = (struct running){ .pid = -1, .pidfd = -1, .output_fd = -1, .errors_fd = -1 };
	snprintf(type, sizeof type, "%s", call->type);
	if (!find_plugin(world, call->type, path, sizeof path)) {
		show(world, "no plugin %s in %s", call->type, world->path);
		return -ENOENT;
	}
	build_environment(world, call, &environment);
	size_t size = call->input_size ? call->input_size : call->input ? strlen(call->input) : 0;
	auto_fd input_fd = call->input ? memory_file(call->input, size) : -1;
	auto_fd output_fd = memory_file(NULL, 0);
	auto_fd errors_fd = memory_file(NULL, 0);
	struct process_spec spec = { .path = path,
				     .argv = argv,
				     .envp = environment.items,
				     .stdin_fd = input_fd,
				     .stdout_fd = call->stdout_fd > 0 ? call->stdout_fd : output_fd,
				     .stderr_fd = errors_fd };
	ret->start_ms = now_ms();
	int r = process_start(&spec, &ret->pid, &ret->pidfd, &err);
	if (r < 0) {
		show(world, "%s", err.text);
		return r;
	}
	ret->output_fd = TAKE_FD(output_fd);
	ret->errors_fd = TAKE_FD(errors_fd);
	return 0;
}

static char *read_all(int fd, size_t *ret_size)
{
	char *bytes = NULL;
	struct error err;
	*ret_size = 0;
	if (fd < 0 || lseek(fd, 0, SEEK_SET) < 0 ||
	    file_read_fd(fd, "output", OUTPUT_MAX, &bytes, ret_size, &err) < 0)
		bytes = calloc(1, 1);
	return bytes;
}

static void describe(struct world *world, const struct outcome *outcome)
{
	show(world, "exit %d after %d ms; stdout: %.700s; stderr: %.500s", outcome->status,
	     (int)outcome->duration_ms, outcome->output, outcome->errors);
}

void call_finish(struct world *world, struct running *running, int timeout_ms, struct outcome *ret)
{
	struct error err;
	size_t ignored;
	*ret = (struct outcome){ .status = -1 };
	if (running->pid > 0) {
		struct pollfd wait = { .fd = running->pidfd, .events = POLLIN };
		bool ended = poll(&wait, 1, timeout_ms) == 1;
		if (!ended)
			kill(running->pid, SIGKILL);
		int status = -1;
		process_wait(running->pid, &status, &err);
		ret->status = ended ? status : -1;
		ret->duration_ms = now_ms() - running->start_ms;
	}
	ret->output = read_all(running->output_fd, &ret->output_size);
	ret->errors = read_all(running->errors_fd, &ignored);
	if (running->pid > 0) {
		describe(world, ret);
		json_parse("stdout", ret->output, ret->output_size, &ret->json, &err);
	}
	cleanup_fd(&running->pidfd);
	cleanup_fd(&running->output_fd);
	cleanup_fd(&running->errors_fd);
	*running = (struct running){ .pid = -1, .pidfd = -1, .output_fd = -1, .errors_fd = -1 };
}

void call_run(struct world *world, const struct call *call, struct outcome *ret)
{
	struct running running;
	call_start(world, call, &running);
	call_finish(world, &running, call->timeout_ms ? call->timeout_ms : CALL_TIMEOUT_MS, ret);
}
