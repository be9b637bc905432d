/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One health check: the hidden verb that a monitor runs at each interval. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/loop.h"
#include "cleanup.h"
#include "events.h"
#include "health.h"
#include "saved.h"

#define STATE_FILE "health.json"
#define OUTPUT_MAX 4096 /* bytes of a check's output that are kept */
#define LOG_MAX 5       /* checks that are kept */
#define TIMEOUT_MS 30000
#define RETRIES 3
#define NS_PER_MS 1000000
#define EXIT_TIMEOUT -1

struct check {
	struct words command;
	int64_t timeout_ms, start_period_ns, retries;
	int64_t begin_ns, end_ns;
	int exit_code;
	char output[OUTPUT_MAX + 1];
	size_t size;
};

static int read_check(const struct container *container, struct check *check, struct error *err)
{
	struct json_at root = container_root(container), health = json_member(&root, "health");
	struct json_at test = json_member(&health, "Test");
	int64_t timeout_ns = 0;
	int r = json_get_integer(&health, "Timeout", JSON_OPTIONAL, 0, INT64_MAX, &timeout_ns, err);
	check->timeout_ms = timeout_ns >= NS_PER_MS ? timeout_ns / NS_PER_MS : TIMEOUT_MS;
	check->retries = RETRIES;
	if (r == 0)
		r = json_get_integer(&health, "StartPeriod", JSON_OPTIONAL, 0, INT64_MAX,
				     &check->start_period_ns, err);
	if (r == 0)
		r = json_get_integer(&health, "Retries", JSON_OPTIONAL, 0, INT32_MAX,
				     &check->retries, err);
	for (size_t i = 0; r == 0 && i < json_count(&test); i++) {
		struct json_at item = json_element(&test, i);
		const char *text = NULL;
		r = json_as_string(&item, &text, err);
		if (r == 0 && i > 0)
			r = words_append(&check->command, text, err);
		if (r == 0 && i == 0 && text_equal(text, "CMD-SHELL")) {
			r = words_append(&check->command, "/bin/sh", err);
			if (r == 0)
				r = words_append(&check->command, "-c", err);
		}
	}
	return r;
}

/* Takes what the check writes until it ends, or its time is over: then it is killed. */
static void follow(const struct oci_container *process, int output_fd, struct check *check)
{
	uint64_t end = clock_monotonic_ms() + (uint64_t)check->timeout_ms;
	bool ended = false, closed = false;
	while (!ended) {
		struct pollfd fds[] = { { .fd = process->pidfd, .events = POLLIN },
					{ .fd = closed ? -1 : output_fd, .events = POLLIN } };
		uint64_t now = clock_monotonic_ms();
		if (now >= end) {
			(void)syscall(SYS_pidfd_send_signal, process->pidfd, SIGKILL, NULL, 0);
			check->exit_code = EXIT_TIMEOUT;
			return;
		}
		if (poll(fds, 2, (int)(end - now > INT32_MAX ? INT32_MAX : end - now)) < 0)
			continue;
		if (fds[1].revents) {
			char rest[OUTPUT_MAX];
			size_t room = OUTPUT_MAX - check->size;
			ssize_t n = read(output_fd, room ? check->output + check->size : rest,
					 room ? room : sizeof rest);
			closed = n <= 0;
			check->size += n > 0 && room ? (size_t)n : 0;
			continue; /* what was written before the end is taken first */
		}
		ended = fds[0].revents;
	}
}

static int run_check(struct saved *saved, pid_t pid, struct check *check, struct error *err)
{
	struct oci_process *process = &saved->spec.process;
	struct oci_container started = { 0 };
	int status = 0, fds[2];
	auto_fd null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	words_free(&process->args);
	process->args = (struct words){ 0 };
	process->terminal = false;
	int r = words_copy(&check->command, &process->args, err);
	if (r == 0 && pipe2(fds, O_CLOEXEC) < 0)
		r = error_set_errno(err, errno, "a pipe");
	if (r < 0)
		return r;
	auto_fd output_fd = fds[0];
	int stdio[3] = { null_fd, fds[1], fds[1] };
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	check->begin_ns = clock_wall_ns();
	r = oci_exec(&saved->spec, pid, process, stdio, &started, err);
	close(fds[1]);
	if (r < 0) { /* a command that cannot be run is a check that failed */
		check->exit_code = 127;
		check->size = strlen(err->text) < OUTPUT_MAX ? strlen(err->text) : OUTPUT_MAX;
		memcpy(check->output, err->text, check->size);
		check->end_ns = clock_wall_ns();
		return 0;
	}
	follow(&started, output_fd, check);
	r = process_wait(started.pid, &status, err);
	if (check->exit_code != EXIT_TIMEOUT)
		check->exit_code = status;
	else
		check->size = (size_t)snprintf(check->output, sizeof check->output,
					       "the check took over %lld ms, and was killed",
					       (long long)check->timeout_ms);
	check->end_ns = clock_wall_ns();
	oci_container_close(&started);
	return r;
}

/* --- what comes of it ----------------------------------------------------------------------- */

static struct json_t *entry_of(const struct check *check)
{
	char begin[TIME_TEXT_MAX], end[TIME_TEXT_MAX];
	struct json_t *entry = json_new_object();
	time_format(check->begin_ns, begin);
	time_format(check->end_ns, end);
	json_put_string(entry, "Start", begin);
	json_put_string(entry, "End", end);
	json_put_integer(entry, "ExitCode", check->exit_code);
	json_put_string(entry, "Output", check->output);
	return entry;
}

/* Docker's rules: failures while it starts do not count, unless it was healthy before. */
static const char *judge(const struct check *check, const char *before, int64_t started_ns,
			 int64_t *streak)
{
	bool was_starting = text_equal(before, "starting");
	if (check->exit_code == 0) {
		*streak = 0;
		return "healthy";
	}
	if (was_starting && check->end_ns - started_ns < check->start_period_ns)
		return before;
	++*streak;
	return *streak >= check->retries ? "unhealthy" : before;
}

static int note(struct engine *engine, const struct container *container,
		const struct container_now *now, const struct check *check, struct error *err)
{
	auto_json before = health_state(engine, container);
	auto_json after = json_new_object();
	auto_free char *text = NULL;
	struct json_at root = json_root(before, STATE_FILE), log;
	const char *status = "starting";
	struct json_t *kept = json_new_array();
	int64_t streak = 0;
	int r = json_get_string(&root, "Status", JSON_REQUIRED, &status, err);
	if (r == 0)
		r = json_get_integer(&root, "FailingStreak", JSON_REQUIRED, 0, INT64_MAX, &streak,
				     err);
	if (r == 0)
		r = json_get_array(&root, "Log", JSON_OPTIONAL, &log, err);
	size_t count = r == 0 ? json_count(&log) : 0;
	for (size_t i = count >= LOG_MAX ? count - LOG_MAX + 1 : 0; i < count; i++)
		json_append(kept, json_clone(json_element(&log, i).value));
	json_append(kept, entry_of(check));
	const char *verdict = judge(check, status, now->started_ns, &streak);
	json_put_string(after, "Status", verdict);
	json_put_integer(after, "FailingStreak", streak);
	json_put(after, "Log", kept);
	if (r == 0)
		r = json_format(after, JSON_COMPACT, &text, err);
	struct path path = path_in(container_run_dir(engine, container->id), STATE_FILE);
	if (r == 0)
		r = file_replace(path.text, text, strlen(text), 0600, FILE_NO_SYNC, err);
	if (r == 0 && !text_equal(status, verdict)) {
		char action[48];
		snprintf(action, sizeof action, "health_status: %s", verdict);
		event_container(engine, container, action, NULL, NULL);
	}
	return r;
}

int container_check_health(struct engine *engine, const char *id, struct error *err)
{
	AUTO(container) container = NULL;
	struct container_now now = { 0 };
	auto_saved saved = { 0 };
	auto_free struct check *check = calloc(1, sizeof *check);
	if (!check)
		return error_set(err, ENOMEM, "no memory for a check");
	int r = container_find(engine, id, &container, err);
	if (r == 0)
		r = container_look(engine, container, &now, err);
	/* Not settled: it is the monitor that asks, and it is there. */
	if (r < 0 || now.status != CONTAINER_RUNNING || now.paused)
		return r;
	r = read_check(container, check, err);
	if (r == 0 && check->command.count)
		r = saved_load(engine, container->id, &saved, err);
	if (r == 0 && check->command.count)
		r = run_check(&saved, now.state.process.pid, check, err);
	/* Its life may have ended under the check: then its run directory is no longer ours. */
	if (r == 0 && check->command.count && process_is_alive(now.state.process))
		r = note(engine, container, &now, check, err);
	words_free(&check->command);
	return r;
}
