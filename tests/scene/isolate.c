/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Out of the machine and back: a mount namespace with a bpffs, a cgroup with
 * a cgroup namespace whose root it is, and a network namespace that is the
 * host "node". What a killed test has left (an empty folder, a cgroup) is
 * cleared by the next one: their names hold the pid, and the namespace that the
 * pid is of.
 */
#include "private.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <poll.h>
#include <sys/syscall.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/loop.h"
#include "base/process.h"

#define NAME_FORMAT "wherry.%x.%d" /* pid namespace, pid */
#define MEMBERS "/members"         /* the cgroup of the scene's own processes */
#define PROC_FILE_MAX (1u << 20)
#define END_WAIT_MS 5000
#define STEP_MS 5

static void pause_ms(int ms)
{
	nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000L }, NULL);
}

static void skip_test(const char *reason)
{
	printf("SKIP: %s: %s\n", reason, strerror(errno));
	fflush(stdout);
	_exit(77);
}

/* The mount point of the machine's cgroup2; "" if it has none. */
static void find_cgroup_mount(char *ret, size_t size)
{
	auto_free char *text = NULL;
	size_t text_size;
	struct error err;
	char *rest, *line;
	ret[0] = '\0';
	MUST(file_read("/proc/self/mountinfo", PROC_FILE_MAX, &text, &text_size, &err), err);
	for (rest = text; (line = strsep(&rest, "\n"));) {
		char root[SCENE_PATH_MAX], place[SCENE_PATH_MAX];
		const char *kind = strstr(line, " - cgroup2 ");
		if (kind && sscanf(line, "%*s %*s %*s %511s %511s", root, place) == 2 &&
		    strcmp(root, "/") == 0)
			snprintf(ret, size, "%s", place);
	}
}

/* Our own place in the cgroup2 tree, as a path of the machine's mount. */
static void find_cgroup_home(struct isolation *isolation)
{
	auto_free char *text = NULL;
	size_t size;
	struct error err;
	char *rest, *line;
	MUST(file_read("/proc/self/cgroup", PROC_FILE_MAX, &text, &size, &err), err);
	for (rest = text; (line = strsep(&rest, "\n"));)
		if (text_starts_with(line, "0::"))
			snprintf(isolation->cgroup_home, sizeof isolation->cgroup_home, "%s%s",
				 isolation->cgroup_mount, line + strlen("0::"));
}

/* rmdir of a tree of cgroups, whose files are no files; -errno of the last. */
static int remove_cgroups(const char *path)
{
	auto_dir folder = opendir(path);
	const struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		char below[SCENE_PATH_MAX + 256];
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
		remove_cgroups(below);
	}
	return rmdir(path) < 0 ? -errno : 0;
}

static void kill_cgroup(const char *path)
{
	char file[SCENE_PATH_MAX + 32];
	struct error ignored;
	snprintf(file, sizeof file, "%s/cgroup.kill", path);
	(void)file_write_existing(file, "1", &ignored);
}

/* Ends a cgroup and all in it. */
static bool end_cgroup(const char *path)
{
	for (int waited = 0; waited < END_WAIT_MS; waited += STEP_MS) {
		int r = remove_cgroups(path);
		if (r == 0 || r == -ENOENT)
			return true;
		kill_cgroup(path);
		pause_ms(STEP_MS);
	}
	return false;
}

/* The number of our pid namespace: a process of another one is not ours to look for. */
static unsigned pid_space(void)
{
	struct stat space = { 0 };
	MUST_ERRNO(stat("/proc/self/ns/pid", &space) == 0, "/proc/self/ns/pid");
	return (unsigned)space.st_ino;
}

/* Scenes whose process is gone. */
static void clear_dead(const char *parent, bool is_cgroup)
{
	auto_dir folder = opendir(parent);
	const struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		char path[SCENE_PATH_MAX + 256];
		unsigned space;
		int pid;
		if (sscanf(entry->d_name, NAME_FORMAT, &space, &pid) != 2 || space != pid_space() ||
		    kill(pid, 0) == 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", parent, entry->d_name);
		if (is_cgroup)
			end_cgroup(path);
		else
			rmdir(path);
	}
}

static void enter_cgroup(struct isolation *isolation)
{
	char file[SCENE_PATH_MAX + 32];
	struct error err;
	find_cgroup_mount(isolation->cgroup_mount, sizeof isolation->cgroup_mount);
	if (!isolation->cgroup_mount[0])
		skip_test("no cgroup2 is mounted");
	find_cgroup_home(isolation);
	clear_dead(isolation->cgroup_mount, true);
	/* Beside our own: a cgroup2 tree may forbid processes above other cgroups. */
	snprintf(isolation->cgroup, sizeof isolation->cgroup, "%s/" NAME_FORMAT,
		 isolation->cgroup_mount, pid_space(), getpid());
	/* A killed process of the same pid, long ago, may have left it. */
	end_cgroup(isolation->cgroup);
	if (mkdir(isolation->cgroup, 0755) < 0)
		skip_test("cannot make a cgroup");
	snprintf(file, sizeof file, "%s/cgroup.procs", isolation->cgroup);
	MUST(file_write_existing(file, "0", &err), err);
	MUST_ERRNO(unshare(CLONE_NEWCGROUP) == 0, "cgroup namespace");
	/* One deeper: a cgroup with processes of its own gives its children no controllers. */
	snprintf(file, sizeof file, "%s" MEMBERS, isolation->cgroup);
	MUST_ERRNO(mkdir(file, 0755) == 0, file);
	snprintf(file, sizeof file, "%s" MEMBERS "/cgroup.procs", isolation->cgroup);
	MUST(file_write_existing(file, "0", &err), err);
}

static void replace_mount(const char *kind, const char *place)
{
	while (umount2(place, MNT_DETACH) == 0)
		; /* what lay above each other */
	MUST_ERRNO(mount(kind, place, kind, 0, NULL) == 0, place);
}

/* A cgroup2 whose root is the scene's: programs attached there see the scene only. */
static void enter_mounts(struct isolation *isolation)
{
	MUST_ERRNO(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
	MUST_ERRNO(umount2(isolation->cgroup_mount, MNT_DETACH) == 0, isolation->cgroup_mount);
	MUST_ERRNO(mount("cgroup2", isolation->cgroup_mount, "cgroup2", 0, NULL) == 0,
		   isolation->cgroup_mount);
	replace_mount("bpf", "/sys/fs/bpf");
	MUST_ERRNO(mount("tmpfs", isolation->folder, "tmpfs", 0, "mode=0755") == 0,
		   isolation->folder);
}

void isolation_enter(struct isolation *isolation)
{
	struct isolation made = { .mount_fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC),
				  .net_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC),
				  .cgroup_fd = open("/proc/self/ns/cgroup", O_RDONLY | O_CLOEXEC),
				  .folder_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC) };
	if (geteuid() != 0) {
		errno = EPERM;
		skip_test("scenes need root");
	}
	clear_dead("/tmp", false);
	snprintf(made.folder, sizeof made.folder, "/tmp/" NAME_FORMAT, pid_space(), getpid());
	if (mkdir(made.folder, 0755) < 0 && errno != EEXIST)
		skip_test("cannot make a folder in /tmp");
	/* The cgroup first: it is made in the machine's tree. */
	enter_cgroup(&made);
	if (unshare(CLONE_NEWNS | CLONE_NEWNET) < 0)
		skip_test("no namespaces");
	enter_mounts(&made);
	*isolation = made;
}

/* Whoever left a program running must not leave it to the machine. */
bool isolation_leave(struct isolation *isolation)
{
	char file[SCENE_PATH_MAX + 32];
	struct error err;
	int way_back[] = { isolation->net_fd, isolation->cgroup_fd, isolation->mount_fd };
	for (size_t i = 0; i < ARRAY_SIZE(way_back); i++) {
		/* Nothing may go on in the wrong place. */
		if (setns(way_back[i], 0) < 0)
			abort();
		close(way_back[i]);
	}
	if (fchdir(isolation->folder_fd) < 0)
		abort();
	close(isolation->folder_fd);
	snprintf(file, sizeof file, "%s/cgroup.procs", isolation->cgroup_home);
	if (file_write_existing(file, "0", &err) < 0)
		print_error("scene: %s\n", err.text);
	rmdir(isolation->folder);
	return end_cgroup(isolation->cgroup);
}

static void list_cgroup(const char *path, const char *shown, struct words *lines)
{
	char file[SCENE_PATH_MAX + 32];
	auto_free char *text = NULL;
	size_t size;
	struct error err;
	char *rest, *line;
	snprintf(file, sizeof file, "%s/cgroup.procs", path);
	if (file_read(file, PROC_FILE_MAX, &text, &size, &err) < 0)
		return;
	for (rest = text; (line = strsep(&rest, "\n"));) {
		char name[SCENE_NAME_MAX];
		int64_t pid;
		if (text_to_signed(line, 0, INT32_MAX, &pid) < 0 || pid == getpid())
			continue;
		process_name((pid_t)pid, name, sizeof name);
		words_append_format(lines, &err, "process %d %s", (int)pid, name);
	}
	if (shown[0] && !text_equal(shown, MEMBERS))
		words_append_format(lines, &err, "cgroup %s", shown);
}

static void list_cgroups(const char *path, const char *shown, struct words *lines)
{
	list_cgroup(path, shown, lines);
	auto_dir folder = opendir(path);
	const struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		char below[SCENE_PATH_MAX + 256], name[SCENE_PATH_MAX + 256];
		if (entry->d_type != DT_DIR || entry->d_name[0] == '.')
			continue;
		snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
		snprintf(name, sizeof name, "%s/%s", shown, entry->d_name);
		list_cgroups(below, name, lines);
	}
}

/* What was told to end may take a moment: each is waited for, within one limit. */
void isolation_await_processes(const struct isolation *isolation, int limit_ms)
{
	char file[SCENE_PATH_MAX + 32];
	auto_free char *text = NULL;
	size_t size;
	struct error err;
	char *rest, *line;
	uint64_t end_ms = clock_monotonic_ms() + (uint64_t)limit_ms;
	snprintf(file, sizeof file, "%s" MEMBERS "/cgroup.procs", isolation->cgroup_mount);
	if (file_read(file, PROC_FILE_MAX, &text, &size, &err) < 0)
		return;
	for (rest = text; (line = strsep(&rest, "\n"));) {
		int64_t pid;
		uint64_t now_ms = clock_monotonic_ms();
		if (text_to_signed(line, 1, INT32_MAX, &pid) < 0 || pid == getpid())
			continue;
		auto_fd pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
		struct pollfd wait = { .fd = pidfd, .events = POLLIN };
		if (pidfd >= 0)
			poll(&wait, 1, now_ms < end_ms ? (int)(end_ms - now_ms) : 0);
	}
}

/* Whether the kernel still ends a link on behalf of a process that was left behind for it. */
static bool has_leaving(const struct words *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		if (text_ends_with(lines->items[i], " wherry-leaving"))
			return true;
	return false;
}

void isolation_list_processes(const struct isolation *isolation, struct words *lines)
{
	auto_words found = { 0 };
	struct error err;
	for (int waited = 0; waited < END_WAIT_MS; waited += STEP_MS) {
		words_free(&found);
		list_cgroups(isolation->cgroup_mount, "", &found);
		if (!has_leaving(&found))
			break;
		pause_ms(STEP_MS);
	}
	for (size_t i = 0; i < found.count; i++)
		MUST(words_append(lines, found.items[i], &err), err);
}
