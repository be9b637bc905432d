/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scene as a whole: made, furnished with hosts and cables, ended. */
#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/process.h"
#include "netlink.h"

#define RESET_TIMEOUT_MS 30000

struct scene_netns *scene_find(struct scene *scene, const char *name)
{
	for (size_t i = 0; i < scene->host_count; i++)
		if (text_equal(scene->hosts[i].name, name))
			return &scene->hosts[i];
	fail_msg("scene: there is no host or container \"%s\"", name);
	return NULL;
}

/* Gives the namespace that the thread is in a name, as `ip netns` does. */
static void name_netns(struct scene *scene, const char *name)
{
	struct scene_netns *made = &scene->hosts[scene->host_count];
	assert_true(scene->host_count < SCENE_HOSTS_MAX);
	snprintf(made->name, sizeof made->name, "%s", name);
	snprintf(made->path, sizeof made->path, "%s/netns/%s", scene->isolation.folder, name);
	made->fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	MUST_ERRNO(made->fd >= 0, "network namespace");
	auto_fd place = open(made->path, O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	MUST_ERRNO(place >= 0, made->path);
	MUST_ERRNO(mount("/proc/thread-self/ns/net", made->path, NULL, MS_BIND, NULL) == 0,
		   made->path);
	scene->host_count++;
	struct error err;
	MUST(netlink_set_up("lo", &err), err);
	made->devices = scene_list_devices();
}

static void add_netns(struct scene *scene, const char *name, const char *forwarding)
{
	struct error err;
	auto_fd own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	MUST_ERRNO(own >= 0 && unshare(CLONE_NEWNET) == 0, "network namespace");
	name_netns(scene, name);
	MUST(file_write_existing("/proc/sys/net/ipv4/ip_forward", forwarding, &err), err);
	MUST_ERRNO(setns(own, CLONE_NEWNET) == 0, "way back");
}

struct scene *scene_create(void)
{
	struct scene *scene = calloc(1, sizeof *scene);
	char path[SCENE_PATH_MAX + 16];
	struct error err;
	assert_non_null(scene);
	isolation_enter(&scene->isolation);
	snprintf(path, sizeof path, "%s/netns", scene->isolation.folder);
	MUST(directory_make(path, 0755, &err), err);
	snprintf(path, sizeof path, "%s/root", scene->isolation.folder);
	MUST(directory_make(path, 0755, &err), err);
	MUST_ERRNO(setenv("WHERRY_ROOT", path, 1) == 0, "environment");
	MUST(instance_init(path, &scene->instance, &err), err);
	name_netns(scene, "node");
	return scene;
}

void scene_keep_process(struct scene *scene, pid_t pid)
{
	assert_true(scene->process_count < SCENE_PROCESSES_MAX);
	scene->processes[scene->process_count++] = pid;
}

void scene_end_processes(struct scene *scene)
{
	for (size_t i = 0; i < scene->process_count; i++)
		kill(scene->processes[i], SIGKILL);
	for (size_t i = 0; i < scene->process_count; i++)
		waitpid(scene->processes[i], NULL, 0);
	scene->process_count = 0;
}

/* The instance's own way to leave nothing. */
static bool reset_instance(struct scene *scene)
{
	static const char *const argv[] = { "wherry", "system", "reset", "--force", NULL };
	char program[SCENE_PATH_MAX];
	const char *folder = getenv("WHERRY_BIN");
	snprintf(program, sizeof program, "%s/wherry", folder ? folder : "");
	if (!path_exists(program) ||
	    (!path_exists(scene->instance.run) && !path_exists(scene->instance.bpf)))
		return true;
	int status = scene_execute(
		scene, &(struct scene_command){ .argv = argv, .timeout_ms = RESET_TIMEOUT_MS });
	if (status != 0)
		print_error("scene: wherry system reset: %d: %s\n", status, scene->errors);
	return status == 0;
}

static bool print_leftovers(const struct words *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		print_error("scene: left over: %s\n", lines->items[i]);
	return lines->count == 0;
}

static void free_memory(struct scene *scene)
{
	for (size_t i = 0; i < scene->host_count; i++) {
		cleanup_fd(&scene->hosts[i].fd);
		free(scene->hosts[i].devices);
	}
	free(scene->output);
	free(scene->errors);
	free(scene);
}

int scene_free(struct scene *scene)
{
	auto_words lines = { 0 };
	static struct bpf_objects objects; /* as large as a stack frame should not be */
	objects.count = 0;
	scene_end_processes(scene);
	bpf_objects_collect(scene->instance.bpf, &objects);
	bool good = reset_instance(scene);
	isolation_await_processes(&scene->isolation, SCENE_WAIT_MS);
	scene_list_all(scene, &lines);
	bpf_objects_await_end(&objects, SCENE_WAIT_MS, &lines);
	good = print_leftovers(&lines) && good;
	if (!isolation_leave(&scene->isolation)) {
		print_error("scene: cgroup %s cannot be removed\n", scene->isolation.cgroup);
		good = false;
	}
	unsetenv("WHERRY_ROOT");
	free_memory(scene);
	return good ? 0 : -1;
}

int scene_set_up(void **state)
{
	*state = scene_create();
	return 0;
}

int scene_tear_down(void **state)
{
	return scene_free(*state);
}

void scene_host(struct scene *scene, const char *name)
{
	add_netns(scene, name, "1");
}

void scene_container(struct scene *scene, const char *name)
{
	add_netns(scene, name, "0");
}

void scene_remove(struct scene *scene, const char *name)
{
	struct scene_netns *gone = scene_find(scene, name);
	MUST_ERRNO(umount2(gone->path, MNT_DETACH) == 0 && unlink(gone->path) == 0, gone->path);
	close(gone->fd);
	free(gone->devices);
	*gone = scene->hosts[--scene->host_count];
}

/* A host's work in its namespace. */
struct placed {
	const char *device;
	struct prefix address;
	struct ip via;
	bool found;
};

static int place_address(void *context, struct error *err)
{
	const struct placed *placed = context;
	return netlink_add_address(placed->device, placed->address, err);
}

static int place_route(void *context, struct error *err)
{
	const struct placed *placed = context;
	return netlink_add_route(placed->address, placed->via, err);
}

void scene_address(struct scene *scene, const char *host, const char *device, const char *address)
{
	struct placed placed = { .device = device };
	struct error err;
	MUST(prefix_parse(address, &placed.address, &err), err);
	MUST(netns_run(scene_netns_fd(scene, host), place_address, &placed, &err), err);
}

void scene_route(struct scene *scene, const char *host, const char *prefix, const char *via)
{
	struct placed placed = { 0 };
	struct error err;
	MUST(prefix_parse(prefix, &placed.address, &err), err);
	MUST(ip_parse(via, &placed.via, &err), err);
	MUST(netns_run(scene_netns_fd(scene, host), place_route, &placed, &err), err);
}

static int place_up(void *context, struct error *err)
{
	return netlink_set_up(context, err);
}

static void finish_cable(struct scene *scene, const char *host, const char *device)
{
	struct error err;
	MUST(netns_run(scene_netns_fd(scene, host), place_up, (void *)device, &err), err);
	assert_true(scene->cable_count < ARRAY_SIZE(scene->cables));
	snprintf(scene->cables[scene->cable_count].host, SCENE_NAME_MAX, "%s", host);
	snprintf(scene->cables[scene->cable_count].device, SCENE_NAME_MAX, "%s", device);
	scene->cable_count++;
}

void scene_link(struct scene *scene, const char *host_a, const char *device_a,
		const char *address_a, const char *host_b, const char *device_b,
		const char *address_b)
{
	struct cable_end ends[2] = { { device_a, scene_netns_fd(scene, host_a) },
				     { device_b, scene_netns_fd(scene, host_b) } };
	struct error err;
	MUST(netlink_add_cable(ends, &err), err);
	finish_cable(scene, host_a, device_a);
	finish_cable(scene, host_b, device_b);
	if (address_a)
		scene_address(scene, host_a, device_a, address_a);
	if (address_b)
		scene_address(scene, host_b, device_b, address_b);
}

static int look_for_device(void *context, struct error *err)
{
	struct placed *placed = context;
	char line[SCENE_NAME_MAX + 2];
	auto_free char *devices = scene_list_devices();
	(void)err;
	snprintf(line, sizeof line, "%s\n", placed->device);
	const char *at = strstr(devices, line);
	placed->found = at && (at == devices || at[-1] == '\n');
	return 0;
}

bool scene_has_device(struct scene *scene, const char *host, const char *device)
{
	struct placed placed = { .device = device };
	struct error err;
	MUST(netns_run(scene_netns_fd(scene, host), look_for_device, &placed, &err), err);
	return placed.found;
}

int scene_netns_fd(struct scene *scene, const char *name)
{
	return scene_find(scene, name)->fd;
}

const char *scene_netns_path(struct scene *scene, const char *name)
{
	return scene_find(scene, name)->path;
}

const struct instance *scene_instance(const struct scene *scene)
{
	return &scene->instance;
}

const char *scene_folder(const struct scene *scene)
{
	return scene->isolation.folder;
}
