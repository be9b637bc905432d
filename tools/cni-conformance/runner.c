/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A point runs as the first process of its own process namespace: whatever it
 * or a plugin leaves running ends with it. Its claims go to a file in memory,
 * so that those before a hang are kept.
 */
#include "runner.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

#define POINT_TIMEOUT_S 120
#define LONG_TIMEOUT_S 600
#define CLAIMS_MAX (1u << 24)

static const struct point *const tables[] = {
	protocol_points,  environment_points, process_points, version_points, result_points,
	bridge_points,    ipam_points,        port_points,    extra_points,   refusal_points,
	lifecycle_points, collect_points,     broken_points,
};

size_t runner_point_count(void)
{
	size_t count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
		for (const struct point *point = tables[i]; point->run; point++)
			count++;
	return count;
}

/* In the order of their numbers; those of one number in the order of the tables. */
const struct point *runner_point(size_t index)
{
	for (int number = 0; number < 1000; number++)
		for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
			for (const struct point *point = tables[i]; point->run; point++)
				if (point->number == number && index-- == 0)
					return point;
	return NULL;
}

/* The plugins' own word on 1.1.0. */
static bool speaks_v11(struct world *world)
{
	for (size_t i = 0; i < chain_length(world->list); i++) {
		auto_outcome outcome = { 0 };
		struct call call = { .type = chain_type(world->list, i),
				     .command = "VERSION",
				     .input = "{\"cniVersion\":\"1.0.0\"}" };
		call_run(world, &call, &outcome);
		if (!outcome.output || !strstr(outcome.output, "\"1.1.0\""))
			return false;
	}
	return true;
}

static bool has_pool(const struct world *world)
{
	return result_has(world->list, "plugins.0.ipam.ranges") ||
	       result_has(world->list, "plugins.0.ipam.subnet");
}

static const char *missing_need(struct world *world, unsigned needs)
{
	static const struct {
		unsigned need;
		const char *type, *reason;
	} keys[] = {
		{ NEEDS_BRIDGE, "bridge", "no plugin here takes bridge's keys" },
		{ NEEDS_PORTMAP, "portmap", "no plugin here takes portmap's keys" },
		{ NEEDS_FIREWALL, "firewall", "no plugin here takes firewall's keys" },
		{ NEEDS_BANDWIDTH, "bandwidth", "no plugin here takes bandwidth's keys" },
		{ NEEDS_TUNING, "tuning", "no plugin here takes tuning's keys" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if ((needs & keys[i].need) && chain_find(world, world->list, keys[i].type) < 0)
			return keys[i].reason;
	if ((needs & NEEDS_CHAIN) && chain_length(world->list) < 2)
		return "the list has one plugin only";
	if ((needs & NEEDS_POOL) && !has_pool(world))
		return "its ipam has neither ranges nor subnet";
	if ((needs & NEEDS_LONG) && !world->settings->is_long)
		return "only with --long";
	if ((needs & NEEDS_IPAM_TYPE) && !world->settings->ipam_type)
		return "--ipam names no IPAM plugin";
	if ((needs & NEEDS_V11) && !speaks_v11(world))
		return "the plugins do not speak 1.1.0";
	return NULL;
}

static void live(const struct settings *settings, const struct point *point, int claims_fd)
{
	struct world world = { .settings = settings,
			       .list = settings->list,
			       .claims_fd = claims_fd };
	struct error err;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (world_enter(&world, &err) < 0) {
		show(&world, "%s", err.text);
		claim(&world, false, "the witness can make a world");
		_exit(0);
	}
	const char *reason = missing_need(&world, point->needs);
	if (reason)
		skip(&world, "%s", reason);
	else
		point->run(&world);
	_exit(0);
}

/* The namespaces first, then their first process. */
static pid_t start_point(const struct settings *settings, const struct point *point, int claims_fd)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(settings->is_long ? LONG_TIMEOUT_S : POINT_TIMEOUT_S);
	if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWCGROUP | CLONE_NEWIPC) < 0)
		_exit(1);
	pid_t first = fork();
	if (first == 0)
		live(settings, point, claims_fd);
	int status = 1;
	if (first < 0 || waitpid(first, &status, 0) < 0)
		_exit(1);
	_exit(status ? 1 : 0);
}

struct slot {
	const struct point *point;
	pid_t pid;
	int claims_fd;
	int status;
};

static void report_line(struct report *report, const char *line)
{
	auto_json claim_json = NULL;
	struct error err;
	if (json_parse("claim", line, strlen(line), &claim_json, &err) < 0)
		return;
	const char *detail = result_text(claim_json, "detail");
	report_claim(report, (enum verdict)result_number(claim_json, "verdict", VERDICT_FAIL),
		     result_text(claim_json, "text"), detail[0] ? detail : NULL);
}

static void report_slot(struct report *report, struct slot *slot)
{
	auto_free char *text = NULL;
	size_t size;
	struct error err;
	char *rest, *line;
	report_point(report, slot->point);
	lseek(slot->claims_fd, 0, SEEK_SET);
	if (file_read_fd(slot->claims_fd, "claims", CLAIMS_MAX, &text, &size, &err) == 0)
		for (rest = text; (line = strsep(&rest, "\n"));)
			if (line[0])
				report_line(report, line);
	if (slot->status != 0)
		report_claim(report, VERDICT_FAIL, "the point came to its end",
			     WIFSIGNALED(slot->status) && WTERMSIG(slot->status) == SIGALRM
				     ? "it was stopped by its time limit"
				     : "the witness's own process failed");
	close(slot->claims_fd);
}

static bool is_chosen(const struct words *chosen, int number)
{
	for (size_t i = 0; i < chosen->count; i++) {
		uint64_t wanted;
		if (text_to_unsigned(chosen->items[i], 0, 999, &wanted) == 0 &&
		    (int)wanted == number)
			return true;
	}
	return chosen->count == 0;
}

/* A cgroup tree whose root the worlds have: what is attached there meets nobody else. */
static void enter_cgroup(void)
{
	static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		char path[PATH_MAX_BYTES], file[PATH_MAX_BYTES + 32];
		struct error err;
		snprintf(file, sizeof file, "%s/cgroup.procs", mounts[i]);
		if (!path_exists(file))
			continue;
		snprintf(path, sizeof path, "%s/cni-conformance-%d", mounts[i], getpid());
		snprintf(file, sizeof file, "%s/cgroup.procs", path);
		if (mkdir(path, 0755) == 0)
			(void)file_write_existing(file, "0", &err);
		return;
	}
}

static void leave_cgroup(void)
{
	static const char *const mounts[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		char path[PATH_MAX_BYTES], file[PATH_MAX_BYTES];
		struct error err;
		snprintf(path, sizeof path, "%s/cni-conformance-%d", mounts[i], getpid());
		snprintf(file, sizeof file, "%s/cgroup.procs", mounts[i]);
		if (!path_exists(path))
			continue;
		(void)file_write_existing(file, "0", &err);
		rmdir(path);
	}
}

static void wait_for_one(struct slot *slots, size_t begin, size_t end)
{
	int status;
	pid_t pid = waitpid(-1, &status, 0);
	for (size_t i = begin; i < end; i++) {
		if (slots[i].pid != pid)
			continue;
		slots[i].status = status;
		slots[i].pid = 0;
	}
}

static size_t count_running(const struct slot *slots, size_t begin, size_t end)
{
	size_t count = 0;
	for (size_t i = begin; i < end; i++)
		count += slots[i].pid > 0;
	return count;
}

int runner_run(const struct settings *settings, const struct words *chosen, struct report *report,
	       struct error *err)
{
	size_t total = 0, started = 0, reported = 0;
	auto_free struct slot *slots = calloc(runner_point_count(), sizeof *slots);
	if (!slots)
		return error_set(err, ENOMEM, "no memory for the points");
	for (size_t i = 0; i < runner_point_count(); i++)
		if (is_chosen(chosen, runner_point(i)->number))
			slots[total++].point = runner_point(i);
	if (total == 0)
		return error_set(err, EINVAL, "there is no such point (see --list)");
	enter_cgroup();
	while (reported < total) {
		while (started < total &&
		       count_running(slots, reported, started) < (size_t)settings->jobs) {
			struct slot *slot = &slots[started++];
			slot->claims_fd = memfd_create("claims", MFD_CLOEXEC);
			slot->pid = start_point(settings, slot->point, slot->claims_fd);
			if (slot->pid < 0)
				slot->status = 1;
		}
		if (slots[reported].pid <= 0)
			report_slot(report, &slots[reported++]);
		else
			wait_for_one(slots, reported, started);
	}
	leave_cgroup();
	return 0;
}
