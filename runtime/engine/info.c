/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this instance and its host are: `info`, with Docker's keys where they mean something. */
#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/file.h"
#include "base/loop.h"
#include "cleanup.h"
#include "runtime/oci.h"

#define OS_RELEASE_MAX 65536

struct counts {
	struct engine *engine;
	int64_t all, running, paused, stopped;
};

static int count(struct container *container, void *context, struct error *err)
{
	struct counts *counts = context;
	struct container_now now;
	int r = container_settle(counts->engine, container, &now, err);
	if (r < 0 || now.removed)
		return r;
	counts->all++;
	if (now.paused)
		counts->paused++;
	else if (container_is_running(&now))
		counts->running++;
	else
		counts->stopped++;
	return 0;
}

static int put_counts(struct engine *engine, struct json_t *object, struct error *err)
{
	struct counts counts = { .engine = engine };
	struct image_store *images;
	struct image_disk disk = { 0 };
	int r = containers_each(engine, count, &counts, err);
	if (r == 0)
		r = engine_images(engine, &images, err);
	if (r == 0)
		r = image_disk_usage(images, NULL, NULL, &disk, err);
	json_put_integer(object, "Containers", counts.all);
	json_put_integer(object, "ContainersRunning", counts.running);
	json_put_integer(object, "ContainersPaused", counts.paused);
	json_put_integer(object, "ContainersStopped", counts.stopped);
	json_put_integer(object, "Images", (int64_t)disk.images);
	return r;
}

/* PRETTY_NAME="Debian …" of os-release(5). */
static void put_system(struct json_t *object)
{
	auto_free char *text = NULL;
	size_t size;
	struct error ignored;
	const char *name = "Linux";
	if (file_read("/etc/os-release", OS_RELEASE_MAX, &text, &size, &ignored) == 0) {
		char *at = strstr(text, "PRETTY_NAME=");
		if (at) {
			at += strlen("PRETTY_NAME=");
			at += *at == '"';
			at[strcspn(at, "\"\n")] = 0;
			name = at;
		}
	}
	json_put_string(object, "OperatingSystem", name);
}

static void put_host(struct json_t *object)
{
	struct utsname host;
	uname(&host);
	json_put_string(object, "KernelVersion", host.release);
	put_system(object);
	json_put_string(object, "OSType", "linux");
	json_put_string(object, "Architecture", host.machine);
	json_put_integer(object, "NCPU", sysconf(_SC_NPROCESSORS_ONLN));
	json_put_integer(object, "MemTotal", sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
	json_put_string(object, "Name", host.nodename);
}

/* Limits that this host cannot set, a line each. */
static int put_warnings(struct json_t *object, struct error *err)
{
	static char cpus[] = "0";
	struct oci_resources all = { .memory_bytes = 1 << 20,
				     .memory_swap_bytes = -1,
				     .cpu_shares = -1,
				     .cpu_quota_us = 1000,
				     .cpu_period_us = 100000,
				     .pids = 1,
				     .cpu_weight = -1,
				     .cpuset_cpus = cpus };
	auto_words missing = { 0 };
	struct json_t *warnings = json_new_array();
	int r = oci_missing_controllers(&all, &missing, err);
	for (size_t i = 0; r == 0 && i < missing.count; i++)
		json_append(warnings, json_new_string(missing.items[i]));
	json_put(object, "Warnings", warnings);
	return r;
}

static struct json_t *list_of(const char *const *items, size_t item_count)
{
	struct json_t *list = json_new_array();
	for (size_t i = 0; i < item_count; i++)
		json_append(list, json_new_string(items[i]));
	return list;
}

static void put_kinds(struct json_t *object)
{
	static const char *const volumes[] = { "local" }, *const networks[] = { "bridge", "host",
										"none" };
	static const char *const logs[] = { "json-file" }, *const security[] = { "name=seccomp" };
	struct json_t *plugins = json_new_object();
	json_put(plugins, "Volume", list_of(volumes, ARRAY_SIZE(volumes)));
	json_put(plugins, "Network", list_of(networks, ARRAY_SIZE(networks)));
	json_put(plugins, "Log", list_of(logs, ARRAY_SIZE(logs)));
	json_put(object, "Plugins", plugins);
	json_put_string(object, "Driver", "overlay2");
	json_put_string(object, "LoggingDriver", "json-file");
	json_put_string(object, "CgroupDriver", "cgroupfs");
	json_put_string(object, "CgroupVersion",
			path_exists("/sys/fs/cgroup/cgroup.controllers") ? "2" : "1");
	json_put_string(object, "DefaultRuntime", "wherry");
	json_put(object, "SecurityOptions", list_of(security, ARRAY_SIZE(security)));
}

int engine_info(struct engine *engine, struct json_t **ret_object, struct error *err)
{
	auto_json object = json_new_object();
	char now[TIME_TEXT_MAX];
	int r = put_counts(engine, object, err);
	if (r < 0)
		return r;
	put_kinds(object);
	put_host(object);
	time_format(clock_wall_ns(), now);
	json_put_string(object, "SystemTime", now);
	json_put_string(object, "DockerRootDir", engine->instance.lib);
	json_put_string(object, "RunDir", engine->instance.run);
	json_put_string(object, "ServerVersion", WHERRY_VERSION);
	r = put_warnings(object, err);
	if (r == 0)
		*ret_object = TAKE(object);
	return r;
}
