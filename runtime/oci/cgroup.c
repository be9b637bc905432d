/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Groups are made, entered, signalled and removed in each hierarchy alike; only
 * v2 must hand its controllers down level by level first.
 */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cgroup_devices.h"

#define PIDS_SIZE_MAX (4u << 20) /* bytes of cgroup.procs */
#define KILL_WAIT_MS 10000       /* a process in an uninterruptible wait may take so long */
#define MAKE_ROUNDS_MAX 16
#define REMOVE_ROUNDS_MAX 100

bool cgroup_is_wanted(const struct cgroup_hierarchy *hierarchy, const struct oci_resources *limits)
{
	/* cpuset and blkio are no use unless a limit is asked, and cost time in every start. */
	const unsigned int seldom = 1u << CGROUP_CPUSET | 1u << CGROUP_BLKIO;
	if (hierarchy->unified || (hierarchy->controllers & ~seldom))
		return true;
	return (hierarchy->controllers & 1u << CGROUP_CPUSET) &&
	       (limits->cpuset_cpus || limits->cpuset_mems);
}

/* A path that named a hierarchy's root would have every process of the host killed. */
static int check_path(const char *path, struct error *err)
{
	if (!path || path[strspn(path, "/.")] == '\0' || strstr(path, ".."))
		return error_set(err, EINVAL, "cgroup path \"%s\" names no group of its own",
				 path ? path : "");
	return 0;
}

/* Every level above the group hands down what it has; what it lacks is met when a limit is set. */
static void delegate(const char *directory, unsigned int controllers)
{
	static const enum cgroup_controller on_v2[] = { CGROUP_CPU, CGROUP_MEMORY, CGROUP_PIDS,
							CGROUP_CPUSET };
	auto_free char *file = NULL;
	struct error ignored = { 0 };
	if (text_format(&file, &ignored, "%s/cgroup.subtree_control", directory) < 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(on_v2); i++) {
		char word[32];
		if (!(controllers & 1u << on_v2[i]))
			continue;
		snprintf(word, sizeof word, "+%s", cgroup_controller_name(on_v2[i]));
		(void)file_write_existing(file, word, &ignored);
	}
}

/* The last container's end may take the directory above away meanwhile. */
static int make_plain(const char *full, struct error *err)
{
	int r = 0;
	for (int i = 0; i < MAKE_ROUNDS_MAX; i++) {
		if (mkdir(full, 0755) == 0 || errno == EEXIST)
			return 0;
		error_clear(err);
		r = directory_make(full, 0755, err);
		if (r != -ENOENT)
			return r;
	}
	return r;
}

static int make_group(const struct cgroup_hierarchy *hierarchy, const char *path, struct error *err)
{
	auto_free char *full = NULL;
	int r = cgroup_file(hierarchy, path, "", &full, err);
	if (r < 0)
		return r;
	if (!hierarchy->unified)
		return make_plain(full, err);
	char *slash = full + strlen(hierarchy->mount);
	for (; slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(full, 0755) < 0 && errno != EEXIST)
			return error_set_errno(err, errno, "cgroup %s", full);
		delegate(full, hierarchy->controllers);
		*slash = '/';
	}
	if (mkdir(full, 0755) < 0 && errno != EEXIST)
		return error_set_errno(err, errno, "cgroup %s", full);
	return 0;
}

int cgroup_make(const struct cgroup_layout *layout, const struct oci_spec *spec, struct error *err)
{
	int r = check_path(spec->cgroup_path, err);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < layout->count; i++)
		if (cgroup_is_wanted(&layout->hierarchies[i], &spec->resources))
			r = make_group(&layout->hierarchies[i], spec->cgroup_path, err);
	if (r == 0)
		r = cgroup_set_limits(layout, spec->cgroup_path, &spec->resources, err);
	if (r == 0)
		r = cgroup_set_devices(layout, spec, err);
	if (r < 0) {
		struct error ignored = { 0 };
		(void)cgroup_remove(layout, spec->cgroup_path, &ignored);
	}
	return r;
}

/*
 * A v1 group is entered by "0" in tasks: for a single thread that moves itself
 * the kernel takes no lock, where cgroup.procs waits for an RCU grace period
 * of 12 ms. Children are cloned into the group of v2 (cgroup_unified_open).
 */
static int enter_one(const struct cgroup_hierarchy *hierarchy, const char *path, pid_t pid,
		     struct error *err)
{
	char text[16];
	auto_free char *file = NULL;
	int length = snprintf(text, sizeof text, "%d", (int)pid);
	int r = cgroup_file(hierarchy, path, pid == 0 ? "tasks" : "cgroup.procs", &file, err);
	if (r < 0)
		return r;
	auto_fd fd = open(file, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 || write(fd, text, (size_t)length) < 0)
		return error_set_errno(err, errno, "entering cgroup %s", file);
	return 0;
}

int cgroup_enter(const struct cgroup_layout *layout, const char *path, pid_t pid, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < layout->count; i++)
		if (!layout->hierarchies[i].unified)
			r = enter_one(&layout->hierarchies[i], path, pid, err);
	return r;
}

int cgroup_unified_open(const struct cgroup_layout *layout, const char *path, int *ret_fd,
			struct error *err)
{
	for (size_t i = 0; i < layout->count; i++) {
		auto_free char *directory = NULL;
		if (!layout->hierarchies[i].unified)
			continue;
		int r = cgroup_file(&layout->hierarchies[i], path, "", &directory, err);
		if (r < 0)
			return r;
		int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return errno == ENOENT ? 0 : error_set_errno(err, errno, "%s", directory);
		*ret_fd = fd;
		return 1;
	}
	return 0;
}

static int compare_pids(const void *a, const void *b)
{
	pid_t left = *(const pid_t *)a, right = *(const pid_t *)b;
	return (left > right) - (left < right);
}

struct pid_list {
	pid_t *items;
	size_t count;
};

static int append_pids(struct pid_list *list, char *text, struct error *err)
{
	char *save = NULL;
	for (char *word = strtok_r(text, "\n", &save); word; word = strtok_r(NULL, "\n", &save)) {
		uint64_t pid = 0;
		if (text_to_unsigned(word, 1, INT32_MAX, &pid) < 0)
			continue; /* 0: a process that our pid namespace cannot see */
		pid_t *items = realloc(list->items, (list->count + 1) * sizeof *items);
		if (!items)
			return error_set(err, ENOMEM, "no memory for a list of processes");
		list->items = items;
		list->items[list->count++] = (pid_t)pid;
	}
	return 0;
}

static int read_pids(const struct cgroup_hierarchy *hierarchy, const char *path,
		     struct pid_list *list, struct error *err)
{
	auto_free char *file = NULL, *text = NULL;
	size_t size;
	int r = cgroup_file(hierarchy, path, "cgroup.procs", &file, err);
	if (r < 0 || !path_exists(file))
		return r;
	r = file_read(file, PIDS_SIZE_MAX, &text, &size, err);
	if (r == -ENOENT || r == -ENODEV) {
		error_clear(err);
		return 0;
	}
	return r < 0 ? r : append_pids(list, text, err);
}

int cgroup_pids(const struct cgroup_layout *layout, const char *path, pid_t **ret_pids,
		size_t *ret_count, struct error *err)
{
	struct pid_list list = { 0 };
	int r = check_path(path, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < layout->count; i++) {
		r = read_pids(&layout->hierarchies[i], path, &list, err);
		if (r < 0) {
			free(list.items);
			return r;
		}
	}
	if (list.count > 1)
		qsort(list.items, list.count, sizeof *list.items, compare_pids);
	size_t unique = 0;
	for (size_t i = 0; i < list.count; i++)
		if (unique == 0 || list.items[unique - 1] != list.items[i])
			list.items[unique++] = list.items[i];
	*ret_pids = list.items;
	*ret_count = unique;
	return 0;
}

int cgroup_signal(const struct cgroup_layout *layout, const char *path, int signal_number,
		  size_t *ret_count, struct error *err)
{
	auto_free pid_t *pids = NULL;
	size_t count = 0;
	int r = cgroup_pids(layout, path, &pids, &count, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		(void)kill(pids[i], signal_number);
	*ret_count = count;
	return 0;
}

static int freezer_file(const struct cgroup_layout *layout, const char *path, bool *ret_unified,
			char **ret_file, struct error *err)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_find(layout, CGROUP_FREEZER);
	if (!hierarchy)
		return error_set(err, ENOTSUP, "this host has no cgroup controller \"freezer\"");
	*ret_unified = hierarchy->unified;
	return cgroup_file(hierarchy, path, hierarchy->unified ? "cgroup.freeze" : "freezer.state",
			   ret_file, err);
}

int cgroup_freeze(const struct cgroup_layout *layout, const char *path, enum cgroup_freeze state,
		  struct error *err)
{
	bool unified;
	auto_free char *file = NULL;
	int r = freezer_file(layout, path, &unified, &file, err);
	if (r < 0)
		return r;
	const char *word = unified ? (state == CGROUP_FROZEN ? "1" : "0")
				   : (state == CGROUP_FROZEN ? "FROZEN" : "THAWED");
	return file_write_existing(file, word, err);
}

bool cgroup_is_frozen(const struct cgroup_layout *layout, const char *path)
{
	bool unified;
	size_t size;
	auto_free char *file = NULL, *text = NULL;
	struct error ignored = { 0 };
	if (freezer_file(layout, path, &unified, &file, &ignored) < 0 ||
	    file_read(file, 64, &text, &size, &ignored) < 0)
		return false;
	return unified ? text[0] == '1' : text_starts_with(text, "FR"); /* FROZEN, FREEZING */
}

/* Kills one round of processes and waits for their end. */
static int kill_and_wait(const pid_t *pids, size_t count, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		auto_fd pidfd = pidfd_open(pids[i], 0);
		if (pidfd < 0)
			continue;
		(void)pidfd_send_signal(pidfd, SIGKILL, NULL, 0);
		struct pollfd wait = { .fd = pidfd, .events = POLLIN };
		if (poll(&wait, 1, KILL_WAIT_MS) == 0)
			return error_set(err, ETIMEDOUT, "process %d does not end", (int)pids[i]);
	}
	return 0;
}

/* Nested groups that the container made are removed from the inside out. */
static int remove_group(const char *directory, unsigned int depth)
{
	if (rmdir(directory) == 0 || errno == ENOENT)
		return 0;
	if (depth == 0)
		return -errno;
	auto_dir dir = opendir(directory);
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		auto_free char *child = NULL;
		struct error ignored = { 0 };
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.' ||
		    text_format(&child, &ignored, "%s/%s", directory, entry->d_name) < 0)
			continue;
		(void)remove_group(child, depth - 1);
	}
	return rmdir(directory) == 0 || errno == ENOENT ? 0 : -errno;
}

/* Groups above that hold no other container; the kernel refuses to remove the rest. */
static void remove_parents(char *directory, size_t mount_length)
{
	for (char *slash; (slash = strrchr(directory, '/'));) {
		if ((size_t)(slash - directory) <= mount_length)
			return;
		*slash = '\0';
		if (rmdir(directory) < 0)
			return;
	}
}

static int remove_from(const struct cgroup_layout *layout, const struct cgroup_hierarchy *hierarchy,
		       const char *path, struct error *err)
{
	enum { DEPTH_MAX = 16 };
	auto_free char *directory = NULL;
	int r = cgroup_file(hierarchy, path, "", &directory, err);
	for (int round = 0; r == 0; round++) {
		int removed = remove_group(directory, DEPTH_MAX);
		if (removed == 0) {
			remove_parents(directory, strlen(hierarchy->mount));
			return 0;
		}
		if (round == REMOVE_ROUNDS_MAX)
			return error_set_errno(err, -removed, "removing cgroup %s", directory);
		auto_free pid_t *pids = NULL;
		size_t count = 0;
		(void)cgroup_freeze(layout, path, CGROUP_THAWED, err);
		r = cgroup_pids(layout, path, &pids, &count, err);
		if (r == 0)
			r = kill_and_wait(pids, count, err);
		if (r == 0 && count == 0)
			(void)poll(NULL, 0, 1); /* the last process's task is on its way out */
	}
	return r;
}

int cgroup_remove(const struct cgroup_layout *layout, const char *path, struct error *err)
{
	int result = check_path(path, err);
	for (size_t i = 0; result != -EINVAL && i < layout->count; i++) {
		int r = remove_from(layout, &layout->hierarchies[i], path, err);
		if (r < 0)
			result = r;
	}
	return result;
}
