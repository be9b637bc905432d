/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits hold, or creation says which controller the host lacks.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "cgroup.h"
#include "cgroup_devices.h"
#include "kit.h"

/* Skips where the host lacks the controller, after checking that it is said. */
static void need_controller(struct box *box)
{
	auto_words missing = { 0 };
	MUST(oci_missing_controllers(&box->spec.resources, &missing, &box->err), box->err);
	if (missing.count == 0)
		return;
	box_command(box, "id");
	assert_int_equal(box_run(box), -ENOTSUP);
	print_message("skipped: %s\n", missing.items[0]);
	skip();
}

static void too_much_memory_is_the_end(void **state)
{
	struct box *box = *state;
	box->spec.resources.memory_bytes = 16 << 20;
	need_controller(box);
	box_command(box, "eat 64");
	MUST(box_run(box), box->err);
	assert_true(WIFSIGNALED(box->status) && WTERMSIG(box->status) == SIGKILL);
	assert_string_equal(box_output(box, "eat 2"), "eaten\n");
}

static void too_many_processes_cannot_be_had(void **state)
{
	struct box *box = *state;
	box->spec.resources.pids = 5;
	need_controller(box);
	assert_string_equal(box_output(box, "children 20"), "4\n");
}

static void cpu_limits_are_set(void **state)
{
	struct box *box = *state;
	box->spec.resources.cpu_quota_us = 50000;
	box->spec.resources.cpu_period_us = 100000;
	need_controller(box);
	auto_cgroup_layout layout = { 0 };
	MUST(cgroup_layout_read(&layout, &box->err), box->err);
	const struct cgroup_hierarchy *cpu = cgroup_find(&layout, CGROUP_CPU);
	bool unified = cpu->unified;
	const char *command = unified ? "show /sys/fs/cgroup/cpu.max"
				      : "show /sys/fs/cgroup/cpu/cpu.cfs_quota_us";
	assert_string_equal(box_output(box, command), unified ? "50000 100000\n" : "50000\n");
}

static void cpus_are_restricted(void **state)
{
	struct box *box = *state;
	box->spec.resources.cpuset_cpus = strdup("0");
	need_controller(box);
	auto_cgroup_layout layout = { 0 };
	MUST(cgroup_layout_read(&layout, &box->err), box->err);
	const char *command = cgroup_find(&layout, CGROUP_CPUSET)->unified
				      ? "show /sys/fs/cgroup/cpuset.cpus"
				      : "show /sys/fs/cgroup/cpuset/cpuset.cpus";
	assert_string_equal(box_output(box, command), "0\n");
}

static void set_limit(struct box *box, uint64_t value, bool explicit_request)
{
	box->spec.process.rlimits = calloc(1, sizeof *box->spec.process.rlimits);
	assert_non_null(box->spec.process.rlimits);
	box->spec.process.rlimit_count = 1;
	box->spec.process.rlimits[0] =
		(struct oci_rlimit){ RLIMIT_NOFILE, value, value, explicit_request };
}

static void a_limit_is_given(void **state)
{
	struct box *box = *state;
	set_limit(box, 1000, true);
	assert_string_equal(box_output(box, "limit"), "1000 1000\n");
}

/* Nobody may raise a hard limit without CAP_SYS_RESOURCE. */
static void a_default_limit_is_clamped_and_an_explicit_one_refused(void **state)
{
	struct box *box = *state;
	struct rlimit held;
	getrlimit(RLIMIT_NOFILE, &held);
	rlim_t top = held.rlim_max;
	set_limit(box, 1048576, false);
	box_command(box, "limit");
	MUST(box_run(box), box->err);
	unsigned long soft = 0, hard = 0;
	assert_int_equal(sscanf(box->output, "%lu %lu", &soft, &hard), 2);
	if (hard == 1048576 && top < 1048576)
		skip(); /* this host may raise it */
	box->spec.process.rlimits[0].explicit_request = true;
	int r = box_run(box);
	if (top >= 1048576) {
		assert_int_equal(r, 0);
		return;
	}
	assert_int_equal(r, -EPERM);
	assert_non_null(strstr(box->err.text, "RLIMIT_NOFILE"));
}

/* In a v2 group of the test's own, whatever the host uses for its containers. */
static void the_device_program_of_v2_refuses(void **state)
{
	struct box *box = *state;
	char group[128];
	snprintf(group, sizeof group, "/sys/fs/cgroup/%s/wherry-device-test-%d",
		 path_exists("/sys/fs/cgroup/unified") ? "unified" : ".", (int)getpid());
	if (mkdir(group, 0755) < 0) {
		print_message("skipped: no v2 tree below /sys/fs/cgroup\n");
		skip();
	}
	auto_fd fd = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = cgroup_attach_device_program(fd, &box->spec, &box->err);
	int status = -1;
	pid_t pid = r < 0 ? -1 : fork();
	if (pid == 0) {
		char path[64];
		auto_fd procs = openat(fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
		snprintf(path, sizeof path, "%s/mem", box->directory);
		bool ok = write(procs, "0", 1) == 1 && open("/dev/null", O_RDWR) >= 0 &&
			  mknod(path, S_IFCHR | 0600, makedev(1, 1)) == 0 &&
			  open(path, O_RDONLY) < 0 && errno == EPERM;
		_exit(ok ? 0 : 1);
	}
	if (pid > 0)
		waitpid(pid, &status, 0);
	rmdir(group);
	MUST(r, box->err);
	assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
	(void)argc;
	kit_begin(argv);
#define ROW(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)
	const struct CMUnitTest tests[] = {
		ROW(too_much_memory_is_the_end),
		ROW(too_many_processes_cannot_be_had),
		ROW(cpu_limits_are_set),
		ROW(cpus_are_restricted),
		ROW(a_limit_is_given),
		ROW(a_default_limit_is_clamped_and_an_explicit_one_refused),
		ROW(the_device_program_of_v2_refuses),
	};
	return cmocka_run_group_tests_name("oci-limits", tests, NULL, NULL);
}
