/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kill, delete, pause, resume, update.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "container.h"

#define RESOURCES_SIZE_MAX (1u << 20)
#define KILL_WAIT_MS 10000

static int parse_signal(const char *text, int *ret, struct error *err)
{
	uint64_t number;
	if (text_to_unsigned(text, 0, (uint64_t)SIGRTMAX, &number) == 0) {
		*ret = (int)number;
		return 0;
	}
	const char *name = text_starts_with(text, "SIG") ? text + 3 : text;
	for (int i = 1; i < NSIG; i++) {
		const char *known = sigabbrev_np(i);
		if (known && strcasecmp(known, name) == 0) {
			*ret = i;
			return 0;
		}
	}
	return error_set(err, EINVAL, "unknown signal \"%s\"", text);
}

/* The pid is checked after the descriptor is held: from then on it cannot be another's. */
static int send_signal(const struct container *container, int signal_number, struct error *err)
{
	auto_fd pidfd = pidfd_open(container->process.pid, 0);
	if (pidfd < 0 || !process_is_alive(container->process))
		return error_set(err, ESRCH, "container not running");
	if (pidfd_send_signal(pidfd, signal_number, NULL, 0) < 0)
		return error_set_errno(err, errno, "signal %d", signal_number);
	return 0;
}

struct kill_options {
	bool all;
};

static int verb_kill(struct cli *cli, void *target, const struct words *words, struct error *err)
{
	const struct kill_options *options = target;
	auto_container container = { 0 };
	int signal_number = SIGTERM;
	int r = container_load(cli, words->items[0], &container, err);
	if (r == 0 && words->count > 1)
		r = parse_signal(words->items[1], &signal_number, err);
	if (r < 0)
		return r;
	return options->all ? oci_kill_all(&container.spec, signal_number, err)
			    : send_signal(&container, signal_number, err);
}

static int kill_and_wait(const struct container *container, struct error *err)
{
	auto_fd pidfd = pidfd_open(container->process.pid, 0);
	if (pidfd < 0 || !process_is_alive(container->process))
		return 0;
	(void)oci_resume(&container->spec, err); /* the frozen do not die */
	error_clear(err);
	if (pidfd_send_signal(pidfd, SIGKILL, NULL, 0) < 0)
		return errno == ESRCH ? 0 : error_set_errno(err, errno, "SIGKILL");
	struct pollfd wait = { .fd = pidfd, .events = POLLIN };
	if (poll(&wait, 1, KILL_WAIT_MS) == 0)
		return error_set(err, ETIMEDOUT, "container does not end after SIGKILL");
	return 0;
}

struct delete_options {
	bool force;
};

static int verb_delete(struct cli *cli, void *target, const struct words *words, struct error *err)
{
	const struct delete_options *options = target;
	auto_container container = { 0 };
	int r = container_load(cli, words->items[0], &container, err);
	if (r == -ENOENT && options->force)
		return 0; /* engines ask twice */
	if (r < 0)
		return r;
	const char *status = container_status(&container);
	if (!text_equal(status, "stopped") && !options->force && !text_equal(status, "created"))
		return error_set(err, EBUSY, "cannot delete container %s that is not stopped: %s",
				 words->items[0], status);
	r = kill_and_wait(&container, err);
	if (r == 0)
		r = oci_cleanup(&container.spec, err);
	if (r < 0)
		return r;
	struct error ignored = { 0 };
	(void)oci_hooks_run(&container.spec, OCI_HOOK_POSTSTOP, 0, &ignored);
	return container_forget(&container, err);
}

static int verb_pause(struct cli *cli, void *target, const struct words *words, struct error *err)
{
	(void)target;
	auto_container container = { 0 };
	int r = container_load(cli, words->items[0], &container, err);
	if (r == 0 && !text_equal(container_status(&container), "running"))
		r = error_set(err, EINVAL, "cannot pause a container that is %s",
			      container_status(&container));
	return r < 0 ? r : oci_pause(&container.spec, err);
}

static int verb_resume(struct cli *cli, void *target, const struct words *words, struct error *err)
{
	(void)target;
	auto_container container = { 0 };
	int r = container_load(cli, words->items[0], &container, err);
	if (r == 0 && !text_equal(container_status(&container), "paused"))
		r = error_set(err, EINVAL, "cannot resume a container that is %s",
			      container_status(&container));
	return r < 0 ? r : oci_resume(&container.spec, err);
}

struct update_options {
	const char *resources;
	int64_t pids;
	uint64_t memory_bytes;
};

static int read_resources(const char *path, struct oci_resources *ret, struct error *err)
{
	auto_json document = NULL;
	auto_free char *text = NULL;
	size_t size;
	int r = text_equal(path, "-") ? file_read_fd(STDIN_FILENO, "standard input",
						     RESOURCES_SIZE_MAX, &text, &size, err)
				      : file_read(path, RESOURCES_SIZE_MAX, &text, &size, err);
	if (r == 0)
		r = json_parse(path, text, size, &document, err);
	if (r < 0)
		return r;
	struct json_at root = json_root(document, path);
	return oci_resources_read(&root, ret, err);
}

static int verb_update(struct cli *cli, void *target, const struct words *words, struct error *err)
{
	const struct update_options *options = target;
	auto_container container = { 0 };
	struct oci_resources resources = {
		.memory_bytes = -1,
		.memory_swap_bytes = -1,
		.cpu_shares = -1,
		.cpu_quota_us = -1,
		.cpu_period_us = -1,
		.pids = -1,
		.cpu_weight = -1,
	};
	int r = container_load(cli, words->items[0], &container, err);
	if (r == 0 && options->resources)
		r = read_resources(options->resources, &resources, err);
	if (options->pids > 0)
		resources.pids = options->pids;
	if (options->memory_bytes > 0)
		resources.memory_bytes = (int64_t)options->memory_bytes;
	if (r == 0)
		r = oci_update(&container.spec, &resources, err);
	oci_resources_release(&resources);
	return r;
}

static const struct option_spec kill_table[] = {
	FLAG("all", 'a', struct kill_options, all, "every process of the container"),
};
static const struct option_spec delete_table[] = {
	FLAG("force", 'f', struct delete_options, force, "kill it first; a missing one is fine"),
};
static const struct option_spec update_table[] = {
	TEXT("resources", 'r', struct update_options, resources, "FILE",
	     "OCI resources as JSON; - is standard input"),
	{ "pids-limit", 0, OPTION_NUMBER, offsetof(struct update_options, pids), "N",
	  "how many processes" },
	{ "memory", 0, OPTION_SIZE, offsetof(struct update_options, memory_bytes), "BYTES",
	  "memory limit" },
};

const struct verb verbs_control[] = {
	{ { "kill", "ID [SIGNAL]", "Send a signal to a container's first process", NULL, kill_table,
	    ARRAY_SIZE(kill_table), OPTIONS_ANYWHERE, 1, 2 },
	  sizeof(struct kill_options),
	  verb_kill },
	{ { "delete", "ID", "Remove a stopped container", NULL, delete_table,
	    ARRAY_SIZE(delete_table), OPTIONS_ANYWHERE, 1, 1 },
	  sizeof(struct delete_options),
	  verb_delete },
	{ { "pause", "ID", "Stop all processes where they are", NULL, NULL, 0, OPTIONS_ANYWHERE, 1,
	    1 },
	  0,
	  verb_pause },
	{ { "resume", "ID", "Let a paused container go on", NULL, NULL, 0, OPTIONS_ANYWHERE, 1, 1 },
	  0,
	  verb_resume },
	{ { "update", "ID", "Change the limits of a container", NULL, update_table,
	    ARRAY_SIZE(update_table), OPTIONS_ANYWHERE, 1, 1 },
	  sizeof(struct update_options),
	  verb_update },
	{ .spec.name = NULL },
};
