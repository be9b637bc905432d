/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/monitor.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/instance.h"
#include "base/loop.h"
#include "base/process.h"
#include "clients.h"
#include "life.h"
#include "runtime/frame.h"
#include "runtime/oci.h"
#include "runtime/state.h"

#define READ_SIZE 32768
#define DRAIN_MS 1000    /* for output that others still hold after the first process's end */
#define FAREWELL_MS 2000 /* for clients to take what is queued */
#define NUMBER_TEXT 16

struct monitor {
	struct monitor_settings *settings;
	struct container_state state;
	struct clients clients;
	struct life life;
	struct log_writer *log;
	bool may_start, owner_cleans, stop_asked;
	uint64_t wait_ms; /* before the last restart */
	pid_t check;      /* the hidden verb that checks its health; 0: none runs */
	int check_pidfd;
	uint64_t check_at_ms; /* the next one */
};

static int save_state(struct monitor *monitor, struct error *err)
{
	return container_state_write(monitor->settings->run_dir, &monitor->state, err);
}

static void handle_request(void *context, struct client *client, enum frame_type type,
			   const uint8_t *data, size_t size)
{
	struct monitor *monitor = context;
	uint16_t numbers[2];
	switch (type) {
	case FRAME_START:
		monitor->may_start = client == &monitor->clients.rows[0];
		break;
	case FRAME_CLEANED:
		monitor->owner_cleans = client == &monitor->clients.rows[0];
		break;
	case FRAME_ATTACH:
		client->attached = true;
		break;
	case FRAME_STDIN:
		life_take_input(&monitor->life, data, size);
		break;
	case FRAME_STDIN_END:
		life_end_input(&monitor->life);
		break;
	case FRAME_RESIZE:
		if (size != sizeof numbers)
			break;
		memcpy(numbers, data, sizeof numbers);
		life_resize(&monitor->life, numbers[0], numbers[1]);
		break;
	case FRAME_STOP:
		monitor->stop_asked = true;
		break;
	default:
		break;
	}
}

/* Hands on what the container has written. */
static void relay_output(struct monitor *monitor)
{
	static const enum frame_type types[] = { FRAME_STDOUT, FRAME_STDERR };
	uint8_t data[READ_SIZE];
	for (int stream = 0; stream < LOG_STREAM_COUNT; stream++) {
		size_t size = life_read(&monitor->life, stream, data, sizeof data);
		if (!size)
			continue;
		log_writer_take(monitor->log, (enum log_stream)stream, data, size);
		clients_send(&monitor->clients, CLIENTS_ATTACHED, types[stream], data, size);
	}
}

/* One turn: waits for something to happen and does it. */
static void turn(struct monitor *monitor, int timeout_ms)
{
	struct pollfd fds[CLIENTS_MAX + 6];
	bool take_output = !clients_must_wait(&monitor->clients);
	size_t client_count = clients_poll(&monitor->clients, !monitor->life.waiting_size, fds);
	size_t count = client_count + life_poll(&monitor->life, take_output, fds + client_count);
	if (monitor->check)
		fds[count++] = (struct pollfd){ .fd = monitor->check_pidfd, .events = POLLIN };
	if (poll(fds, count, timeout_ms) < 0)
		return;
	clients_handle(&monitor->clients, fds, client_count, handle_request, monitor);
	if (take_output)
		relay_output(monitor);
	life_handle(&monitor->life);
}

static bool output_is_open(const struct life *life)
{
	return life->output[LOG_STDOUT] >= 0 || life->output[LOG_STDERR] >= 0;
}

static int start_hidden_verb(struct monitor *monitor, const char *verb, pid_t pid, pid_t *ret_child,
			     int *ret_pidfd, struct error *err)
{
	char number[NUMBER_TEXT];
	const struct monitor_settings *settings = monitor->settings;
	snprintf(number, sizeof number, "%d", (int)pid);
	char *argv[] = { (char *)(uintptr_t)settings->program,
			 (char *)(uintptr_t) "--root",
			 (char *)(uintptr_t)settings->root,
			 (char *)(uintptr_t)verb,
			 (char *)(uintptr_t)settings->id,
			 pid ? number : NULL,
			 NULL };
	struct process_spec spec = { .path = settings->program,
				     .argv = argv,
				     .stdin_fd = -1,
				     .stdout_fd = -1,
				     .stderr_fd = -1 };
	return process_start(&spec, ret_child, ret_pidfd, err);
}

static int run_hidden_verb(struct monitor *monitor, const char *verb, pid_t pid, struct error *err)
{
	auto_fd pidfd = -1;
	pid_t child;
	int status = 0;
	int r = start_hidden_verb(monitor, verb, pid, &child, &pidfd, err);
	if (r == 0)
		r = process_wait(child, &status, err);
	if (r == 0 && status != 0)
		r = error_set(err, EIO, "%s %s ended with status %d", monitor->settings->program,
			      verb, status);
	return r;
}

/* --- health checks ---------------------------------------------------------------- */

static void reap_check(struct monitor *monitor, int flags)
{
	int status;
	if (!monitor->check || waitpid(monitor->check, &status, flags) != monitor->check)
		return;
	cleanup_fd(&monitor->check_pidfd);
	monitor->check = 0;
	monitor->check_at_ms =
		clock_monotonic_ms() + (uint64_t)monitor->settings->health_interval_ms;
}

static void end_check(struct monitor *monitor)
{
	if (monitor->check)
		(void)kill(monitor->check, SIGKILL);
	reap_check(monitor, 0);
}

/* Starts a check when it is time. How long to wait for the next, or -1. */
static int tend_check(struct monitor *monitor)
{
	struct error ignored;
	uint64_t now = clock_monotonic_ms();
	if (!monitor->settings->health_interval_ms)
		return -1;
	reap_check(monitor, WNOHANG);
	if (monitor->check)
		return -1;
	if (now < monitor->check_at_ms) {
		uint64_t left = monitor->check_at_ms - now;
		return left > INT32_MAX ? INT32_MAX : (int)left;
	}
	if (start_hidden_verb(monitor, VERB_INTERNAL_HEALTH, 0, &monitor->check,
			      &monitor->check_pidfd, &ignored) < 0) {
		monitor->check = 0;
		monitor->check_at_ms = now + (uint64_t)monitor->settings->health_interval_ms;
	}
	return monitor->check ? -1 : (int)monitor->settings->health_interval_ms;
}

/* Relays until the first process has ended and its output is taken. */
static void live(struct monitor *monitor)
{
	monitor->check_at_ms =
		clock_monotonic_ms() + (uint64_t)monitor->settings->health_interval_ms;
	while (!monitor->life.exited)
		turn(monitor, tend_check(monitor));
	end_check(monitor);
	uint64_t end = clock_monotonic_ms() + DRAIN_MS;
	while (output_is_open(&monitor->life)) {
		uint64_t now = clock_monotonic_ms();
		/* While the owner holds its output back, time does not count. */
		if (clients_must_wait(&monitor->clients))
			end = now + DRAIN_MS;
		else if (now >= end)
			break;
		turn(monitor, (int)(end - now));
	}
	log_writer_flush(monitor->log);
}

/* Lets the owner make the network; without it the hidden verb does. */
static int wait_for_start(struct monitor *monitor, bool first, struct error *err)
{
	pid_t pid = monitor->life.container.pid;
	if (!first)
		return run_hidden_verb(monitor, VERB_INTERNAL_ATTACH, pid, err);
	clients_send_number(&monitor->clients, FRAME_CREATED, pid, NULL);
	while (!monitor->may_start && !monitor->stop_asked &&
	       clients_owner_is_there(&monitor->clients) && !monitor->life.exited)
		turn(monitor, -1);
	if (monitor->may_start)
		return 0;
	return error_set(err, ECANCELED, "the verb that started the container is gone");
}

static int load_spec(const struct monitor_settings *settings, struct oci_spec *ret_spec,
		     struct error *err)
{
	char path[INSTANCE_PATH_MAX + 128];
	auto_json document = NULL;
	struct json_at at;
	snprintf(path, sizeof path, "%s/%s", settings->dir, MONITOR_CONFIG);
	int r = json_read_file(path, MONITOR_CONFIG_SIZE_MAX, &document, err);
	if (r < 0)
		return r;
	struct json_at root = json_root(document, path);
	r = json_get_object(&root, "spec", JSON_REQUIRED, &at, err);
	return r < 0 ? r : oci_spec_load(&at, ret_spec, err);
}

/* From nothing to a running program. */
static int begin_life(struct monitor *monitor, bool first, struct error *err)
{
	struct oci_spec spec = { 0 };
	struct container_state *state = &monitor->state;
	int r = load_spec(monitor->settings, &spec, err);
	if (r == 0)
		r = life_create(&spec, monitor->settings->interactive, &monitor->life, err);
	oci_spec_release(&spec);
	if (r == 0)
		r = process_identify(monitor->life.container.pid, &state->process, err);
	if (r == 0 && first) {
		state->status = CONTAINER_CREATED;
		r = save_state(monitor, err);
	}
	if (r == 0)
		r = wait_for_start(monitor, first, err);
	if (r == 0)
		r = life_start(&monitor->life, err);
	if (r < 0)
		return r;
	state->status = CONTAINER_RUNNING;
	state->started_ns = clock_wall_ns();
	r = save_state(monitor, err);
	/* What the making of it needed is given back for the years to come. */
	malloc_trim(0);
	return r;
}

static void end_life(struct monitor *monitor, int exit_code)
{
	life_end(&monitor->life);
	monitor->state.process = (struct process_identity){ 0 };
	monitor->state.exit_code = exit_code;
	monitor->state.finished_ns = clock_wall_ns();
}

/* `update` may have changed the policy since. */
static void reload_policy(struct monitor *monitor)
{
	char path[INSTANCE_PATH_MAX + 128];
	auto_json document = NULL;
	struct error ignored;
	struct monitor_settings now = *monitor->settings;
	snprintf(path, sizeof path, "%s/%s", monitor->settings->dir, MONITOR_CONFIG);
	if (json_read_file(path, MONITOR_CONFIG_SIZE_MAX, &document, &ignored) < 0)
		return;
	struct json_at root = json_root(document, path);
	if (monitor_settings_load(&root, &now, &ignored) == 0)
		monitor->settings->restart = now.restart;
}

/* True if another life begins now; false when the end is final. */
static bool wait_for_restart(struct monitor *monitor)
{
	struct error ignored;
	uint64_t now = clock_monotonic_ms();
	struct container_state *state = &monitor->state;
	reload_policy(monitor);
	if (monitor->stop_asked ||
	    !restart_policy_wants(monitor->settings->restart, state->exit_code,
				  (unsigned)state->restarts))
		return false;
	monitor->wait_ms = restart_wait_ms(monitor->wait_ms, now - monitor->life.started_ms);
	state->status = CONTAINER_RESTARTING;
	(void)save_state(monitor, &ignored);
	for (uint64_t end = now + monitor->wait_ms; now < end && !monitor->stop_asked;
	     now = clock_monotonic_ms())
		turn(monitor, (int)(end - now));
	state->restarts++;
	return !monitor->stop_asked;
}

/* All lives. Returns the error of a life that could not begin. */
static int run_lives(struct monitor *monitor, struct error *err)
{
	for (bool first = true;; first = false) {
		int r = begin_life(monitor, first, err);
		if (r < 0) {
			end_life(monitor, err->code == ENOENT                           ? 127
					  : err->code == EACCES || err->code == ENOEXEC ? 126
											: 128);
			return r;
		}
		if (first)
			clients_send(&monitor->clients, CLIENTS_ALL, FRAME_STARTED, NULL, 0);
		live(monitor);
		end_life(monitor, monitor->life.exit_code);
		if (!wait_for_restart(monitor))
			return 0;
	}
}

/* The owner clears up, or, when it is gone, a hidden verb in our place. */
static int clear_up(struct monitor *monitor, struct error *err)
{
	const struct monitor_settings *settings = monitor->settings;
	while (clients_owner_is_there(&monitor->clients) && !monitor->owner_cleans)
		turn(monitor, -1);
	if (monitor->owner_cleans)
		return 0;
	clients_flush(&monitor->clients, FAREWELL_MS);
	clients_keep_over_exec(&monitor->clients);
	execl(settings->program, settings->program, "--root", settings->root, VERB_INTERNAL_CLEANUP,
	      settings->id, (char *)NULL);
	return error_set_errno(err, errno, "%s %s", settings->program, VERB_INTERNAL_CLEANUP);
}

int monitor_run(struct monitor_settings *settings, int owner_fd, struct error *err)
{
	struct monitor monitor = { .settings = settings };
	struct error life_error = { 0 };
	int listen_fd = -1;
	AUTO(log_writer) log = NULL;

	clients_init(&monitor.clients, -1, owner_fd);
	monitor.life.output[0] = monitor.life.output[1] = monitor.life.input = -1;
	monitor.life.container.pidfd = -1;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	signal(SIGPIPE, SIG_IGN);
	int r = frame_listen(settings->run_dir, MONITOR_SOCKET, &listen_fd, err);
	monitor.clients.listen_fd = listen_fd;
	if (r == 0)
		r = log_writer_open(settings->dir, settings->log, &log, err);
	monitor.log = log;
	if (r == 0)
		r = process_identify(getpid(), &monitor.state.monitor, err);
	if (r == 0)
		r = run_lives(&monitor, &life_error);
	else
		life_error = *err;
	monitor.state.status = CONTAINER_EXITED;
	(void)save_state(&monitor, err);
	if (r < 0)
		clients_send_number(&monitor.clients, FRAME_FAILED, life_error.code,
				    life_error.text);
	else
		clients_send_number(&monitor.clients, FRAME_EXIT, monitor.state.exit_code, NULL);
	r = clear_up(&monitor, err);
	clients_release(&monitor.clients);
	return r;
}
