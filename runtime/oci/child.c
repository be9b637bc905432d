/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What becomes of a clone of the caller: it joins or fills its namespaces,
 * becomes who it shall be, says that it is ready, waits, and executes. Any
 * failure is sent to the caller and ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "capability.h"
#include "hooks.h"
#include "launch.h"
#include "namespaces.h"
#include "root.h"
#include "sync.h"
#include "syscalls.h"

#define EXIT_NOT_STARTED 127
#define KEPT_MAX 8

static int compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void reset_signals(void)
{
	sigset_t none;
	sigemptyset(&none);
	for (int number = 1; number < NSIG; number++)
		(void)signal(number, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0);
}

/* Descriptors that we open must not become standard ones, which are replaced in the end. */
static int fill_stdio(struct error *err)
{
	int fd;
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd < 2);
	if (fd < 0)
		return error_set_errno(err, errno, "/dev/null");
	if (fd > 2)
		close(fd);
	return 0;
}

int child_clean(const struct launch *launch, struct error *err)
{
	reset_signals();
	int kept[KEPT_MAX] = { launch->sync_fd,
			       launch->listen_fd,
			       launch->init_pidfd,
			       launch->stdio[0],
			       launch->stdio[1],
			       launch->stdio[2],
			       2 };
	size_t count = 7;
	qsort(kept, count, sizeof *kept, compare_fds);
	unsigned int next = 0;
	for (size_t i = 0; i < count; i++) {
		if (kept[i] < 0)
			continue;
		unsigned int fd = (unsigned int)kept[i];
		if (fd > next && sys_close_range(next, fd - 1, 0) < 0)
			return error_set_errno(err, errno, "closing descriptors");
		next = fd >= next ? fd + 1 : next;
	}
	if (sys_close_range(next, ~0u, 0) < 0)
		return error_set_errno(err, errno, "closing descriptors");
	return fill_stdio(err);
}

/* Standard descriptors may be given in any order, one for another. */
static int take_stdio(const struct launch *launch, struct error *err)
{
	int copies[3];
	for (int i = 0; i < 3; i++) {
		copies[i] = launch->stdio[i] >= 0 ? fcntl(launch->stdio[i], F_DUPFD_CLOEXEC, 3)
						  : open("/dev/null", O_RDWR | O_CLOEXEC);
		if (copies[i] < 0)
			return error_set_errno(err, errno, "standard descriptor %d", i);
	}
	for (int i = 0; i < 3; i++)
		if (dup2(copies[i], i) < 0)
			return error_set_errno(err, errno, "standard descriptor %d", i);
	return 0;
}

static int raise_loopback(struct error *err)
{
	auto_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		return error_set_errno(err, errno, "raising the loopback device");
	return 0;
}

static int await_go(const struct launch *launch, struct error *err)
{
	if (!launch->await_go)
		return 0;
	int r = sync_send(launch->sync_fd, SYNC_NAMESPACES, -1);
	if (r == 0)
		r = sync_receive(launch->sync_fd, NULL, err);
	return r == SYNC_GO ? 0 : error_set(err, ECANCELED, "creation was given up");
}

/* Inside a user namespace we are nobody until its map is written. */
static int become_root(const struct launch *launch, struct error *err)
{
	if (launch->spec->namespaces[OCI_NS_USER].use == OCI_NS_HOST)
		return 0;
	if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return error_set_errno(err, errno, "becoming root of the user namespace");
	return 0;
}

/* With a user namespace the caller moves us: its groups are not ours to enter. */
static int enter_groups(const struct launch *launch, struct error *err)
{
	const struct oci_spec *spec = launch->spec;
	int r = 0;
	if (spec->namespaces[OCI_NS_USER].use == OCI_NS_HOST)
		r = cgroup_enter(&launch->layout, spec->cgroup_path, 0, err);
	if (r == 0 && spec->namespaces[OCI_NS_CGROUP].use == OCI_NS_NEW &&
	    unshare(CLONE_NEWCGROUP) < 0)
		r = error_set_errno(err, errno, "new cgroup namespace");
	return r;
}

static int name_host(const struct oci_spec *spec, struct error *err)
{
	if (!spec->hostname || spec->namespaces[OCI_NS_UTS].use == OCI_NS_HOST)
		return 0;
	if (sethostname(spec->hostname, strlen(spec->hostname)) < 0)
		return error_set_errno(err, errno, "hostname %s", spec->hostname);
	return 0;
}

static int enter_namespaces(const struct launch *launch, struct error *err)
{
	const struct oci_spec *spec = launch->spec;
	int r = await_go(launch, err);
	if (r == 0)
		r = enter_groups(launch, err);
	if (r == 0)
		r = namespaces_join_paths(spec, err);
	if (r == 0)
		r = become_root(launch, err);
	if (r == 0)
		r = name_host(spec, err);
	if (r == 0 && spec->namespaces[OCI_NS_NETWORK].use == OCI_NS_NEW)
		r = raise_loopback(err);
	return r;
}

static int finish_stdio(const struct launch *launch, enum terminal_console console, int *ret_master,
			struct error *err)
{
	*ret_master = -1;
	return launch->process->terminal ? terminal_open(launch->process, console, ret_master, err)
					 : take_stdio(launch, err);
}

static int create_steps(const struct launch *launch, int *ret_master, struct error *err)
{
	const struct oci_spec *spec = launch->spec;
	if (setsid() < 0)
		return error_set_errno(err, errno, "new session");
	umask(0); /* the modes of what we make are as they are written */
	int r = enter_namespaces(launch, err);
	if (r == 0)
		r = limits_apply(launch->process, err);
	if (r == 0)
		r = hooks_run(spec, OCI_HOOK_CREATE_CONTAINER, 1, err);
	if (r == 0)
		r = root_enter(spec, &launch->layout, err);
	if (r == 0)
		r = finish_stdio(launch, TERMINAL_AND_CONSOLE, ret_master, err);
	if (r == 0)
		r = directory_enter(launch->process->cwd ? launch->process->cwd : "/", err);
	if (r == 0)
		r = identity_take(launch, err);
	/* Engines with a start of their own tell 127 and 126 only if it is the creation that fails.
	 */
	if (r == 0 && spec->start_socket)
		r = program_check(launch->process, err);
	return r;
}

/* Who starts us: the creator on the same socket, or whoever connects. */
static int await_start(struct launch *launch, struct error *err)
{
	if (launch->listen_fd >= 0) {
		int fd = accept4(launch->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			return error_set_errno(err, errno, "waiting for the start");
		close(launch->listen_fd);
		close(launch->sync_fd);
		launch->listen_fd = -1;
		launch->sync_fd = fd;
	}
	int r = sync_receive(launch->sync_fd, NULL, err);
	if (r == 0) /* the creator has gone away: so does the container */
		_exit(EXIT_NOT_STARTED);
	return r == SYNC_GO ? 0 : r < 0 ? r : error_set(err, EPROTO, "not a start");
}

static int send_ready(const struct launch *launch, int master, struct error *err)
{
	int r = sync_send(launch->sync_fd, SYNC_READY, master);
	if (master >= 0)
		close(master);
	return r < 0 ? error_set_errno(err, -r, "telling that the container is ready") : 0;
}

static _Noreturn void fail(const struct launch *launch, const struct error *err)
{
	sync_send_error(launch->sync_fd, err);
	_exit(EXIT_NOT_STARTED);
}

_Noreturn void child_create(struct launch *launch)
{
	struct error err = { 0 };
	int master = -1;
	int r = child_clean(launch, &err);
	if (r == 0)
		r = create_steps(launch, &master, &err);
	if (r == 0)
		r = send_ready(launch, master, &err);
	if (r == 0)
		r = await_start(launch, &err);
	if (r == 0)
		r = hooks_run(launch->spec, OCI_HOOK_START_CONTAINER, 1, &err);
	/* The caller's descriptors were lent for the set-up only. */
	if (r == 0 && sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		r = error_set_errno(&err, errno, "closing descriptors");
	if (r == 0)
		r = identity_finish(launch, &err);
	if (r == 0 && launch->spec->init)
		init_run(launch);
	if (r == 0)
		(void)program_execute(launch->process, &err);
	fail(launch, &err);
}

static int join_steps(const struct launch *launch, int *ret_master, struct error *err)
{
	if (setsid() < 0)
		return error_set_errno(err, errno, "new session");
	int r = limits_apply(launch->process, err);
	if (r == 0)
		r = cgroup_enter(&launch->layout, launch->spec->cgroup_path, 0, err);
	if (r == 0)
		r = namespaces_join(launch->spec, launch->init_pidfd, err);
	if (r == 0)
		r = become_root(launch, err);
	if (r == 0)
		r = finish_stdio(launch, TERMINAL_ONLY, ret_master, err);
	if (r == 0)
		r = directory_enter(launch->process->cwd ? launch->process->cwd : "/", err);
	return r == 0 ? identity_take(launch, err) : r;
}

_Noreturn void child_join(struct launch *launch)
{
	struct error err = { 0 };
	int master = -1;
	int r = child_clean(launch, &err);
	if (r == 0)
		r = join_steps(launch, &master, &err);
	if (r == 0)
		r = send_ready(launch, master, &err);
	if (r == 0)
		r = await_start(launch, &err);
	if (r == 0 && sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		r = error_set_errno(&err, errno, "closing descriptors");
	if (r == 0)
		r = identity_finish(launch, &err);
	if (r == 0)
		(void)program_execute(launch->process, &err);
	fail(launch, &err);
}
