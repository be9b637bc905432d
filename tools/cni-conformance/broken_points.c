/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Point 128: worlds that are broken, one thing each. An ADD there either works
 * or says why; either way DEL after the repair leaves the machine as before,
 * and the next ADD works.
 */
#include "conformance.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"

/* What a breakage may change for the call. */
struct scene {
	struct call call;
	const struct rlimit *limit;
	int limit_kind;
	int drop_capability; /* -1: none */
};

struct breakage {
	const char *what;
	void (*break_it)(struct scene *scene);
	void (*repair)(void);
	bool must_fail;
};

static void nothing(void)
{
}

static void mount_read_only(const char *path)
{
	mount(path, path, NULL, MS_BIND, NULL);
	mount(NULL, path, NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL);
}

static void no_bpffs(struct scene *scene)
{
	(void)scene;
	mount("tmpfs", "/sys/fs/bpf", "tmpfs", 0, NULL);
}
static void bpffs_back(void)
{
	umount2("/sys/fs/bpf", MNT_DETACH);
}
static void no_cgroup(struct scene *scene)
{
	(void)scene;
	mount("tmpfs", "/sys/fs/cgroup", "tmpfs", 0, NULL);
}
static void cgroup_back(void)
{
	umount2("/sys/fs/cgroup", MNT_DETACH);
}
static void no_sys(struct scene *scene)
{
	(void)scene;
	mount("tmpfs", "/sys", "tmpfs", 0, NULL);
}
static void sys_back(void)
{
	umount2("/sys", MNT_DETACH);
}
static void read_only_proc(struct scene *scene)
{
	(void)scene;
	mount_read_only("/proc/sys");
}
static void proc_back(void)
{
	umount2("/proc/sys", MNT_DETACH);
}
static void read_only_run(struct scene *scene)
{
	(void)scene;
	mount_read_only("/run");
}
static void run_back(void)
{
	umount2("/run", MNT_DETACH);
}
static void read_only_var(struct scene *scene)
{
	(void)scene;
	mount_read_only("/var/lib");
}
static void var_back(void)
{
	umount2("/var/lib", MNT_DETACH);
}
static void full_run(struct scene *scene)
{
	(void)scene;
	mount(NULL, "/run", NULL, MS_REMOUNT, "size=4k");
}
static void run_has_room(void)
{
	mount(NULL, "/run", NULL, MS_REMOUNT, "size=50%");
}
static void no_netns(struct scene *scene)
{
	scene->call.netns = "/run/netns/none";
}
static void long_netns(struct scene *scene)
{
	scene->call.netns =
		"/run/netns/"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
}
static void relative_netns(struct scene *scene)
{
	scene->call.netns = "none/such";
}
static void other_namespace(struct scene *scene)
{
	scene->call.netns = "/proc/self/ns/uts";
}
static void empty_path(struct scene *scene)
{
	scene->call.path = "/none:/none/either";
}
static void odd_path(struct scene *scene)
{
	scene->call.path = "::::";
}
static void no_stdin(struct scene *scene)
{
	scene->call.input = NULL;
}
static void full_stdout(struct scene *scene)
{
	scene->call.stdout_fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
}
static void closed_pipe(struct scene *scene)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	close(ends[0]);
	scene->call.stdout_fd = ends[1];
}
static void few_files(struct scene *scene)
{
	static const struct rlimit four = { 4, 4 };
	scene->limit = &four;
	scene->limit_kind = RLIMIT_NOFILE;
}
static void interface_lo(struct scene *scene)
{
	scene->call.ifname = "lo";
}
static void no_net_admin(struct scene *scene)
{
	scene->drop_capability = 12;
}
static void no_sys_admin(struct scene *scene)
{
	scene->drop_capability = 21;
}
static void lo_down(struct scene *scene)
{
	(void)scene;
	link_set_up(NULL, "lo", false);
}
static void lo_up(void)
{
	link_set_up(NULL, "lo", true);
}
static void no_ipv6(struct scene *scene)
{
	(void)scene;
	sysctl_put("t1", "net/ipv6/conf/all/disable_ipv6", "1");
	sysctl_put("t1", "net/ipv6/conf/default/disable_ipv6", "1");
}
static void interface_taken(struct scene *scene)
{
	(void)scene;
	link_make_pair("t1", "eth0", "far", NULL);
}
static void interface_free(void)
{
	link_delete("t1", "eth0");
}
static void state_is_a_file(struct scene *scene)
{
	(void)scene;
	rename("/run/wherry", "/run/witness/wherry");
	rename("/var/lib/cni", "/var/lib/cni.away");
	file_put("/run/wherry", "");
	file_put("/var/lib/cni", "");
}
static void state_back(void)
{
	unlink("/run/wherry");
	unlink("/var/lib/cni");
	rename("/run/witness/wherry", "/run/wherry");
	rename("/var/lib/cni.away", "/var/lib/cni");
}
static void deep_input(struct scene *scene)
{
	char *text = calloc(1, 200000);
	memset(text, '[', 99999);
	scene->call.input = text;
}
static void huge_input(struct scene *scene)
{
	size_t size = 32u << 20;
	char *text = calloc(1, size + 64);
	int at = snprintf(text, 64, "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"x\":\"");
	memset(text + at, 'x', size);
	snprintf(text + (size_t)at + size, 8, "\"}");
	scene->call.input = text;
}
static void zero_bytes(struct scene *scene)
{
	scene->call.input = "{\"cniVersion\":\"1.0.0\",\"name\":\"a\\u0000b\",\"type\":\"x\"}";
}
static void long_args(struct scene *scene)
{
	char *text = calloc(1, 100001);
	memset(text, 'A', 100000);
	scene->call.args = text;
}
static void foreign_locale(struct scene *scene)
{
	scene->call.extra = "LC_ALL=tr_TR.UTF-8";
}
static void no_home(struct scene *scene)
{
	scene->call.extra = "PATH=";
}

static const struct breakage breakages[] = {
	{ "no bpffs", no_bpffs, bpffs_back, false },
	{ "no cgroup2", no_cgroup, cgroup_back, false },
	{ "no /sys", no_sys, sys_back, false },
	{ "/proc/sys read-only", read_only_proc, proc_back, false },
	{ "/run read-only", read_only_run, run_back, false },
	{ "/var/lib read-only", read_only_var, var_back, false },
	{ "/run full", full_run, run_has_room, false },
	{ "no namespace at CNI_NETNS", no_netns, nothing, true },
	{ "CNI_NETNS of 300 bytes", long_netns, nothing, true },
	{ "CNI_NETNS relative", relative_netns, nothing, true },
	{ "CNI_NETNS of another kind of namespace", other_namespace, nothing, true },
	{ "CNI_PATH without plugins", empty_path, nothing, false },
	{ "CNI_PATH of colons", odd_path, nothing, false },
	{ "no stdin", no_stdin, nothing, true },
	{ "stdout full", full_stdout, nothing, false },
	{ "stdout closed by its reader", closed_pipe, nothing, false },
	{ "four descriptors", few_files, nothing, false },
	{ "the interface named lo", interface_lo, nothing, true },
	{ "no CAP_NET_ADMIN", no_net_admin, nothing, true },
	{ "no CAP_SYS_ADMIN", no_sys_admin, nothing, false },
	{ "lo down", lo_down, lo_up, false },
	{ "no IPv6 in the container", no_ipv6, nothing, false },
	{ "the interface taken", interface_taken, interface_free, true },
	{ "state folders that are files", state_is_a_file, state_back, false },
	{ "100,000 brackets on stdin", deep_input, nothing, true },
	{ "32 MB on stdin", huge_input, nothing, true },
	{ "a NUL in the network's name", zero_bytes, nothing, true },
	{ "CNI_ARGS of 100,000 bytes", long_args, nothing, true },
	{ "a locale with other letters", foreign_locale, nothing, false },
	{ "no PATH", no_home, nothing, false },
};

/* Limits and capabilities go to the plugin through a process between. */
static void run_limited(struct world *world, struct scene *scene, struct outcome *ret)
{
	if (scene->drop_capability >= 0) {
		/* What is not in the bounding set is lost at exec, also by root. */
		prctl(PR_CAPBSET_DROP, scene->drop_capability);
	}
	struct running running;
	int r = call_start(world, &scene->call, &running);
	if (r == 0 && scene->limit)
		prlimit(running.pid, (__rlimit_resource_t)scene->limit_kind, scene->limit, NULL);
	call_finish(world, &running, CALL_TIMEOUT_MS, ret);
}

/* In a child, whose limits end with it; what it writes down is ours as well. */
static void call_broken(struct world *world, const struct breakage *breakage, struct scene *scene)
{
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		auto_outcome outcome = { 0 };
		char what[120];
		run_limited(world, scene, &outcome);
		snprintf(what, sizeof what, "%s: ADD", breakage->what);
		claim(world, outcome.status >= 0 && outcome.status < 128,
		      "%s ends by itself, without a crash", what);
		if (breakage->must_fail || (outcome.status != 0 && scene->call.stdout_fd <= 0))
			claim_error(world, &outcome, 0, NULL, what);
		_exit(0);
	}
	int status;
	waitpid(pid, &status, 0);
}

static void try_breakage(struct world *world, const struct breakage *breakage)
{
	auto_free char *input = chain_input(world->list, 0, NULL, NULL);
	struct scene scene = { .call = { .type = chain_type(world->list, 0),
					 .command = "ADD",
					 .id = "c1",
					 .netns = "/run/netns/t1",
					 .ifname = "eth0",
					 .path = world->path,
					 .input = input },
			       .drop_capability = -1 };
	auto_attachment one = { .id = "c1", .ifname = "eth0", .netns = "/run/netns/t1" };
	netns_make(world, "t1");
	world_remember(world);
	breakage->break_it(&scene);
	call_broken(world, breakage, &scene);
	if (scene.call.stdout_fd > 0)
		close(scene.call.stdout_fd);
	breakage->repair();
	claim(world, chain_do(world, world->list, "DEL", &one), "%s: DEL after the repair",
	      breakage->what);
	netns_drop(world, "t1");
	netns_make(world, "t1");
	claim_clean(world, breakage->what);
	claim(world, chain_do(world, world->list, "ADD", &one), "%s: the next ADD works",
	      breakage->what);
	chain_do(world, world->list, "DEL", &one);
	netns_drop(world, "t1");
}

static void point_broken(struct world *world, size_t first, size_t last)
{
	if (!world_warm(world, world->list))
		return;
	for (size_t i = first; i < last && i < ARRAY_SIZE(breakages); i++)
		try_breakage(world, &breakages[i]);
}

static void point_mounts(struct world *world)
{
	point_broken(world, 0, 7);
}

static void point_calls(struct world *world)
{
	point_broken(world, 7, 16);
}

static void point_limits(struct world *world)
{
	point_broken(world, 16, 24);
}

static void point_input(struct world *world)
{
	point_broken(world, 24, ARRAY_SIZE(breakages));
}

const struct point broken_points[] = {
	{ 128, "broken worlds: mounts", 0, point_mounts },
	{ 128, "broken worlds: the call", 0, point_calls },
	{ 128, "broken worlds: limits and links", 0, point_limits },
	{ 128, "broken worlds: what is read", 0, point_input },
	{ 0 },
};
