/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What containers use up: `stats`. */
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/loop.h"
#include "cleanup.h"
#include "saved.h"

#define NET_FILE_MAX (1u << 20)

/* All interfaces of its namespace but lo; with a host's network nothing is its own. */
static void read_network(pid_t pid, struct container_usage *usage)
{
	char path[64];
	auto_free char *text = NULL;
	size_t size;
	struct error ignored;
	char *save = NULL;
	snprintf(path, sizeof path, "/proc/%d/net/dev", (int)pid);
	if (file_read(path, NET_FILE_MAX, &text, &size, &ignored) < 0)
		return;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		unsigned long long received, sent;
		char *colon = strchr(line, ':');
		line += strspn(line, " ");
		if (!colon || text_starts_with(line, "lo:") ||
		    sscanf(colon + 1, "%llu %*u %*u %*u %*u %*u %*u %*u %llu", &received, &sent) !=
			    2)
			continue;
		usage->received_bytes += received;
		usage->sent_bytes += sent;
	}
}

int container_use(struct engine *engine, const char *reference, struct container_usage *ret_usage,
		  struct error *err)
{
	AUTO(container) container = NULL;
	struct container_now now;
	auto_saved saved = { 0 };
	struct oci_usage used;
	*ret_usage = (struct container_usage){ 0 };
	int r = container_find_now(engine, reference, &container, &now, err);
	if (r < 0)
		return r;
	snprintf(ret_usage->id, sizeof ret_usage->id, "%s", container->id);
	snprintf(ret_usage->name, sizeof ret_usage->name, "%s", container->name);
	ret_usage->at_ms = clock_monotonic_ms();
	if (now.status != CONTAINER_RUNNING)
		return 0;
	r = saved_load(engine, container->id, &saved, err);
	if (r == 0)
		r = oci_usage(&saved.spec, &used, err);
	if (r < 0)
		return r;
	ret_usage->running = true;
	ret_usage->cpu_ns = (uint64_t)used.cpu_ns;
	ret_usage->memory_bytes = (uint64_t)used.memory_bytes;
	ret_usage->memory_limit_bytes = (uint64_t)used.memory_limit_bytes;
	ret_usage->pids = (uint64_t)used.pids;
	ret_usage->read_bytes = (uint64_t)used.read_bytes;
	ret_usage->written_bytes = (uint64_t)used.written_bytes;
	if (used.summed & OCI_USAGE_CPU)
		ret_usage->lacks = "cpuacct";
	if (used.summed & OCI_USAGE_PIDS)
		ret_usage->lacks = "pids";
	if (used.summed & OCI_USAGE_MEMORY)
		ret_usage->lacks = "memory";
	if (!text_equal(container->network_mode, "host"))
		read_network(now.state.process.pid, ret_usage);
	return 0;
}
