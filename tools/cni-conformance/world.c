/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The world of one point: network, mounts, processes and cgroups of its own,
 * /run, /var and /etc that start as the machine's and go away with it. What a
 * plugin leaves there touches nobody, and can be seen.
 */
#include "conformance.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/process.h"

#define OUTSIDE "outside"

static int mount_over(const char *kind, const char *place, const char *options, struct error *err)
{
	if (mount(kind, place, kind, 0, options) < 0)
		return error_set_errno(err, errno, "cannot mount %s at %s", kind, place);
	return 0;
}

/* The folder stays as it is below; what is written goes to memory. */
static int cover(const char *folder, struct error *err)
{
	char upper[PATH_MAX_BYTES], work[PATH_MAX_BYTES], options[4 * PATH_MAX_BYTES];
	snprintf(upper, sizeof upper, "/run/witness/cover%s", folder);
	snprintf(work, sizeof work, "/run/witness/work%s", folder);
	int r = directory_make(upper, 0755, err);
	if (r == 0)
		r = directory_make(work, 0755, err);
	if (r < 0)
		return r;
	snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s,workdir=%s", folder, upper,
		 work);
	if (mount_over("overlay", folder, options, err) == 0)
		return 0;
	return mount_over("tmpfs", folder, "mode=0755", err);
}

static int enter_mounts(struct error *err)
{
	static const char *const covered[] = { "/var", "/etc" };
	static const char *const folders[] = { STUB_FOLDER, STUB_ORDERS, "/run/netns" };
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_set_errno(err, errno, "cannot make the mounts private");
	/* Away, not only covered: plugins read the list of mounts. */
	umount2("/sys", MNT_DETACH);
	umount2("/run", MNT_DETACH);
	int r = mount_over("proc", "/proc", NULL, err);
	if (r == 0)
		r = mount_over("sysfs", "/sys", NULL, err);
	if (r == 0)
		r = mount_over("tmpfs", "/run", "mode=0755", err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(folders); i++)
		r = directory_make(folders[i], 0755, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(covered); i++)
		r = cover(covered[i], err);
	/* Plugins may do without these; those that cannot will say so. */
	struct error ignored;
	mount_over("bpf", "/sys/fs/bpf", NULL, &ignored);
	mount_over("cgroup2", "/sys/fs/cgroup", NULL, &ignored);
	return r;
}

int world_enter(struct world *world, struct error *err)
{
	int r = enter_mounts(err);
	if (r < 0)
		return r;
	snprintf(world->path, sizeof world->path, "%s:%s", STUB_FOLDER,
		 world->settings->plugin_path);
	link_set_up(NULL, "lo", true);
	/* So that folders are there in the upper layer before anybody looks. */
	static const char *const touched[] = { "/var/lib/.witness", "/etc/.witness" };
	for (size_t i = 0; i < ARRAY_SIZE(touched); i++)
		if (file_put(touched[i], ""))
			unlink(touched[i]);
	if (chdir("/") < 0)
		return error_set_errno(err, errno, "/");
	return 0;
}

void netns_make(struct world *world, const char *name)
{
	char path[PATH_MAX_BYTES];
	int status;
	snprintf(path, sizeof path, "/run/netns/%s", name);
	pid_t pid = fork();
	if (pid == 0) {
		int fd = open(path, O_CREAT | O_CLOEXEC, 0644);
		bool made = fd >= 0 && unshare(CLONE_NEWNET) == 0 &&
			    mount("/proc/self/ns/net", path, NULL, MS_BIND, NULL) == 0 &&
			    link_set_up(NULL, "lo", true) == 0;
		_exit(made ? 0 : 1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0) {
		show(world, "%s", path);
		claim(world, false, "the witness can make a namespace");
	}
}

void netns_drop(struct world *world, const char *name)
{
	char path[PATH_MAX_BYTES];
	(void)world;
	snprintf(path, sizeof path, "/run/netns/%s", name);
	umount2(path, MNT_DETACH);
	unlink(path);
}

int inside(const char *name, int (*work)(void *context, struct error *err), void *context)
{
	char path[PATH_MAX_BYTES];
	struct error err;
	auto_fd fd = -1;
	if (!name)
		return work(context, &err);
	snprintf(path, sizeof path, "/run/netns/%s", name);
	int r = netns_open(path, &fd, &err);
	return r < 0 ? r : netns_run(fd, work, context, &err);
}

void outside_make(struct world *world)
{
	netns_make(world, OUTSIDE);
	link_make_pair(NULL, "up0", "eth0", OUTSIDE);
	link_set_up(NULL, "up0", true);
	link_set_up(OUTSIDE, "eth0", true);
	sysctl_put(NULL, "net/ipv6/conf/up0/accept_dad", "0");
	sysctl_put(OUTSIDE, "net/ipv6/conf/eth0/accept_dad", "0");
	address_set(NULL, "up0", "198.51.100.1/24", true);
	address_set(NULL, "up0", "2001:db8:51::1/64", true);
	address_set(OUTSIDE, "eth0", "198.51.100.2/24", true);
	address_set(OUTSIDE, "eth0", "2001:db8:51::2/64", true);
	route_set(NULL, "up0", "0.0.0.0/0", "198.51.100.2", true);
}

bool file_put(const char *path, const char *text)
{
	struct error err;
	return file_replace(path, text, strlen(text), 0644, FILE_NO_SYNC, &err) == 0;
}

struct sysctl {
	char path[PATH_MAX_BYTES];
	const char *value;
	char *read;
	size_t size;
};

/* /proc/sys/net shows the namespace of whoever opens it. */
static int work_put(void *context, struct error *err)
{
	const struct sysctl *sysctl = context;
	return file_write_existing(sysctl->path, sysctl->value, err);
}

static int work_get(void *context, struct error *err)
{
	struct sysctl *sysctl = context;
	auto_free char *text = NULL;
	size_t size;
	int r = file_read(sysctl->path, 4096, &text, &size, err);
	snprintf(sysctl->read, sysctl->size, "%.*s", r < 0 ? 0 : (int)strcspn(text, "\n"),
		 r < 0 ? "" : text);
	return r;
}

int sysctl_put(const char *netns, const char *name, const char *value)
{
	struct sysctl sysctl = { .value = value };
	snprintf(sysctl.path, sizeof sysctl.path, "/proc/sys/%s", name);
	return inside(netns, work_put, &sysctl);
}

void sysctl_get(const char *netns, const char *name, char *ret, size_t size)
{
	struct sysctl sysctl = { .read = ret, .size = size };
	ret[0] = '\0';
	snprintf(sysctl.path, sizeof sysctl.path, "/proc/sys/%s", name);
	inside(netns, work_get, &sysctl);
}
