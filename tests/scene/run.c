/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs in a scene. Only the network namespace changes for them: mounts
 * and cgroups are the scene's already. Output goes to files in memory, so
 * that a daemon which holds its output open does not hold the test.
 */
#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/process.h"

#define ARGUMENTS_MAX 64
#define OUTPUT_MAX (4u << 20)
#define TIMEOUT_MS 180000

/* The path of a program: as it is, from WHERRY_BIN, or from PATH. */
static void find_program(const char *name, char *ret, size_t size)
{
	const char *bin = getenv("WHERRY_BIN");
	auto_words folders = { 0 };
	struct error err;
	snprintf(ret, size, "%s", name);
	if (strchr(name, '/'))
		return;
	snprintf(ret, size, "%s/%s", bin ? bin : "", name);
	if (bin && access(ret, X_OK) == 0)
		return;
	MUST(words_split("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ':',
			 &folders, &err),
	     err);
	for (size_t i = 0; i < folders.count; i++) {
		snprintf(ret, size, "%s/%s", folders.items[i], name);
		if (access(ret, X_OK) == 0)
			return;
	}
	fail_msg("scene: there is no program \"%s\"", name);
}

struct start {
	struct process_spec spec;
	pid_t pid;
	int pidfd;
};

static int start_here(void *context, struct error *err)
{
	struct start *start = context;
	return process_start(&start->spec, &start->pid, &start->pidfd, err);
}

static int memory_file(const char *content)
{
	int fd = memfd_create("scene", MFD_CLOEXEC);
	MUST_ERRNO(fd >= 0, "memory");
	if (content) {
		MUST_ERRNO(fd_write_all(fd, content, strlen(content)) == 0, "memory");
		MUST_ERRNO(lseek(fd, 0, SEEK_SET) == 0, "memory");
	}
	return fd;
}

static char *memory_text(int fd)
{
	char *text;
	size_t size;
	struct error err;
	MUST_ERRNO(lseek(fd, 0, SEEK_SET) == 0, "memory");
	MUST(file_read_fd(fd, "output", OUTPUT_MAX, &text, &size, &err), err);
	return text;
}

/* Our environment and more; the later of two settings wins in getenv, so it is put first. */
static void build_environment(const char *const *more, struct words *ret)
{
	struct error err;
	for (; more && *more; more++)
		MUST(words_append(ret, *more, &err), err);
	for (char **variable = environ; *variable; variable++)
		MUST(words_append(ret, *variable, &err), err);
}

static void start_program(struct scene *scene, const struct scene_command *command,
			  struct start *start)
{
	char program[SCENE_PATH_MAX];
	auto_words environment = { 0 };
	struct error err;
	find_program(command->argv[0], program, sizeof program);
	build_environment(command->environment, &environment);
	start->spec.path = program;
	start->spec.argv = (char *const *)command->argv;
	start->spec.envp = environment.items;
	int netns_fd = scene_netns_fd(scene, command->host ? command->host : "node");
	MUST(netns_run(netns_fd, start_here, start, &err), err);
}

static int await_end(const struct scene_command *command, struct start *start)
{
	struct pollfd fds = { .fd = start->pidfd, .events = POLLIN };
	struct error err;
	int status, timeout_ms = command->timeout_ms ? command->timeout_ms : TIMEOUT_MS;
	bool ended = poll(&fds, 1, timeout_ms) == 1;
	if (!ended)
		kill(start->pid, SIGKILL);
	MUST(process_wait(start->pid, &status, &err), err);
	close(start->pidfd);
	if (!ended)
		fail_msg("scene: %s has not ended within %d ms", command->argv[0], timeout_ms);
	return status;
}

int scene_execute(struct scene *scene, const struct scene_command *command)
{
	auto_fd input = memory_file(command->input);
	auto_fd output = memory_file(NULL);
	auto_fd errors = memory_file(NULL);
	struct start start = {
		.spec = { .stdin_fd = input, .stdout_fd = output, .stderr_fd = errors },
	};
	start_program(scene, command, &start);
	int status = await_end(command, &start);
	free(scene->output);
	free(scene->errors);
	scene->output = memory_text(output);
	scene->errors = memory_text(errors);
	return status;
}

static void collect_arguments(const char *first, va_list more, const char **ret)
{
	size_t count = 0;
	for (const char *word = first; word; word = va_arg(more, const char *)) {
		assert_true(count + 1 < ARGUMENTS_MAX);
		ret[count++] = word;
	}
	ret[count] = NULL;
}

int scene_run(struct scene *scene, const char *host, const char *program, ...)
{
	const char *argv[ARGUMENTS_MAX];
	va_list more;
	va_start(more, program);
	collect_arguments(program, more, argv);
	va_end(more);
	return scene_execute(scene, &(struct scene_command){ .host = host, .argv = argv });
}

void scene_assert_run(struct scene *scene, const char *program, ...)
{
	const char *argv[ARGUMENTS_MAX];
	va_list more;
	va_start(more, program);
	collect_arguments(program, more, argv);
	va_end(more);
	int status = scene_execute(scene, &(struct scene_command){ .argv = argv });
	if (status != 0)
		fail_msg("%s %s: exit code %d\n%s%s", program, argv[1] ? argv[1] : "", status,
			 scene->output, scene->errors);
}

pid_t scene_start(struct scene *scene, const char *host, const char *program, ...)
{
	const char *argv[ARGUMENTS_MAX];
	va_list more;
	va_start(more, program);
	collect_arguments(program, more, argv);
	va_end(more);
	struct start start = {
		.spec = { .stdin_fd = -1, .stdout_fd = STDOUT_FILENO, .stderr_fd = STDERR_FILENO },
	};
	start_program(scene, &(struct scene_command){ .host = host, .argv = argv }, &start);
	close(start.pidfd);
	scene_keep_process(scene, start.pid);
	return start.pid;
}

void scene_stop(struct scene *scene, pid_t pid, int signal)
{
	for (size_t i = 0; i < scene->process_count; i++) {
		if (scene->processes[i] != pid)
			continue;
		scene->processes[i] = scene->processes[--scene->process_count];
		kill(pid, signal);
		waitpid(pid, NULL, 0);
		return;
	}
	fail_msg("scene: process %d was not started by scene_start", pid);
}

const char *scene_output(const struct scene *scene)
{
	return scene->output ? scene->output : "";
}

const char *scene_errors(const struct scene *scene)
{
	return scene->errors ? scene->errors : "";
}
