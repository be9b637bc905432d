/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runfloor LOWER COMMAND [ARG...] - the least that running a container can be: new
 * namespaces, an overlay over LOWER, /proc, /dev, /sys, pivot_root, exec, wait. No
 * limits, no filter, no log, no network beyond the namespace itself.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <linux/sched.h>
#include <unistd.h>

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "runfloor: %s: %s\n", what, strerror(errno));
	_exit(125);
}

static void check(int result, const char *what)
{
	if (result < 0)
		fail(what);
}

static void make_devices(void)
{
	static const struct {
		const char *path;
		unsigned minor;
	} devices[] = { { "dev/null", 3 },   { "dev/zero", 5 },    { "dev/full", 7 },
			{ "dev/random", 8 }, { "dev/urandom", 9 } };

	for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
		check(mknod(devices[i].path, S_IFCHR | 0666, makedev(1, devices[i].minor)),
		      devices[i].path);
}

static _Noreturn void child(const char *lower, const char *work, char **command)
{
	char options[8192], merged[512];

	check(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "private");
	snprintf(merged, sizeof merged, "%s/merged", work);
	snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s/upper,workdir=%s/work", lower,
		 work, work);
	check(mount("overlay", merged, "overlay", 0, options), "overlay");
	check(chdir(merged), "chdir");
	mkdir("proc", 0755);
	mkdir("dev", 0755);
	mkdir("sys", 0755);
	check(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "proc");
	check(mount("tmpfs", "dev", "tmpfs", MS_NOSUID, "mode=755"), "dev");
	make_devices();
	check(mount("sysfs", "sys", "sysfs", MS_RDONLY | MS_NOSUID | MS_NODEV, NULL), "sys");
	check((int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
	check(umount2(".", MNT_DETACH), "umount");
	check(chdir("/"), "chdir /");
	execv(command[0], command);
	fail(command[0]);
}

int main(int argc, char **argv)
{
	struct clone_args args = { .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS |
					    CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP,
				   .exit_signal = SIGCHLD };
	char work[] = "/tmp/runfloor-XXXXXX", path[64];
	static const char *const parts[] = { "upper", "work", "merged" };
	int status;
	pid_t pid;

	if (argc < 3) {
		fputs("usage: runfloor LOWER COMMAND [ARG...]\n", stderr);
		return 2;
	}
	if (!mkdtemp(work))
		fail(work);
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", work, parts[i]);
		check(mkdir(path, 0755), path);
	}
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
	check(pid, "clone3");
	if (!pid)
		child(argv[1], work, argv + 2);
	check(waitpid(pid, &status, 0), "wait");
	snprintf(path, sizeof path, "%s/work/work", work);
	rmdir(path);
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof path, "%s/%s", work, parts[i]);
		rmdir(path);
	}
	rmdir(work);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
