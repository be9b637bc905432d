/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a container with the defaults can see and do. Each promise is looked at
 * from the inside.
 */
#include <linux/capability.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kit.h"

static void namespaces_are_all_its_own(void **state)
{
	static const char *const names[] = { "mnt", "pid", "uts", "ipc", "net", "cgroup" };
	const char *seen = box_output(*state, "namespaces");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char path[64], link[64] = "";
		snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
		assert_true(readlink(path, link, sizeof link - 1) > 0);
		CHECK_ROW(i, names[i], strstr(seen, names[i]) && !strstr(seen, link));
	}
}

static void root_has_fourteen_capabilities_and_a_filter(void **state)
{
	assert_string_equal(box_output(*state, "status"), "Groups:\t \n"
							  "CapInh:\t0000000000000000\n"
							  "CapPrm:\t00000000a80425fb\n"
							  "CapEff:\t00000000a80425fb\n"
							  "CapBnd:\t00000000a80425fb\n"
							  "CapAmb:\t0000000000000000\n"
							  "NoNewPrivs:\t0\n"
							  "Seccomp:\t2\n");
}

static void another_user_has_no_capability(void **state)
{
	struct box *box = *state;
	box->spec.process.uid = box->spec.process.gid = 1000;
	const char *seen = box_output(box, "status");
	assert_non_null(strstr(seen, "CapPrm:\t0000000000000000"));
	assert_non_null(strstr(seen, "CapEff:\t0000000000000000"));
	assert_non_null(strstr(seen, "CapBnd:\t00000000a80425fb"));
	assert_string_equal(box_output(box, "id"), "1000 1000 1\n");
}

static void no_new_privileges_are_set_where_asked(void **state)
{
	struct box *box = *state;
	box->spec.process.no_new_privileges = true;
	const char *seen = box_output(box, "status");
	assert_non_null(strstr(seen, "NoNewPrivs:\t1"));
	assert_non_null(strstr(seen, "Seccomp:\t2"));
}

struct call_row {
	const char *name, *outcome;
};

static void check_calls(struct box *box, const struct call_row *rows, size_t count)
{
	char words[1024] = "calls";
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(words);
		snprintf(words + length, sizeof words - length, " %s", rows[i].name);
	}
	char *seen = (char *)(uintptr_t)box_output(box, words), *save = NULL;
	for (size_t i = 0; i < count; i++) {
		const char *line = strtok_r(i ? NULL : seen, "\n", &save);
		assert_non_null(line);
		if (strcmp(line, rows[i].outcome) != 0)
			fail_msg("%s: %s, not %s", rows[i].name, line, rows[i].outcome);
	}
}

static void calls_that_reach_the_host_are_refused(void **state)
{
	static const struct call_row rows[] = {
		{ "unshare", "EPERM" },
		{ "unshare-user", "EPERM" }, /* needs no privilege: only the filter stops it */
		{ "keyctl", "EPERM" },
		{ "add_key", "EPERM" },
		{ "request_key", "EPERM" },
		{ "bpf", "EPERM" },
		{ "setns", "EPERM" },
		{ "mount", "EPERM" },
		{ "fsopen", "EPERM" },
		{ "clone-newns", "EPERM" },
		{ "clone3", "ENOSYS" }, /* libraries fall back to clone */
		{ "personality-other", "EPERM" },
		{ "personality-ask", "0" },
		{ "vsock", "EPERM" },
		{ "inet", "0" },
		{ "perf_event_open", "EPERM" },
		{ "userfaultfd", "EPERM" },
		{ "kexec_load", "EPERM" },
		{ "reboot", "EPERM" },
		{ "swapon", "EPERM" },
		{ "init_module", "EPERM" },
		{ "open_by_handle_at", "EPERM" },
		{ "io_uring_setup", "EPERM" },
		{ "settimeofday", "EPERM" },
		{ "syslog", "EPERM" },
		{ "getpid", "0" },
		{ "unknown", "ENOSYS" },
		{ "x32", "ENOSYS" },
	};
	check_calls(*state, rows, ARRAY_SIZE(rows));
}

static void calls_come_with_their_capability(void **state)
{
	static const struct call_row rows[] = {
		{ "unshare", "0" },
		{ "mount", "0" },
		{ "clone3", "EINVAL" }, /* asked of the kernel now */
		{ "setns", "EINVAL" },
		{ "init_module", "EPERM" }, /* that is another capability's */
		{ "keyctl", "EPERM" },
	};
	struct box *box = *state;
	box->spec.process.capabilities |= UINT64_C(1) << CAP_SYS_ADMIN;
	check_calls(box, rows, ARRAY_SIZE(rows));
}

static void nothing_is_filtered_when_unconfined(void **state)
{
	struct box *box = *state;
	box->spec.seccomp = OCI_SECCOMP_UNCONFINED;
	assert_non_null(strstr(box_output(box, "status"), "Seccomp:\t0"));
	assert_string_equal(box_output(box, "calls unshare-user"), "0\n");
}

static void a_given_profile_is_used(void **state)
{
	static const char text[] =
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"getpid\"],"
		"\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":7},{\"names\":[\"socket\"],\"action\":"
		"\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":0,\"value\":2,\"op\":\"SCMP_CMP_EQ\"}]}]}";
	struct box *box = *state;
	MUST(json_parse("profile", text, sizeof text - 1, &box->spec.seccomp_profile, &box->err),
	     box->err);
	box->spec.seccomp = OCI_SECCOMP_PROFILE;
	static const struct call_row rows[] = { { "getpid", "E2BIG" }, { "inet", "EPERM" } };
	check_calls(box, rows, ARRAY_SIZE(rows));
}

static void the_hosts_secrets_are_masked(void **state)
{
	static const struct {
		const char *command, *seen;
	} rows[] = {
		{ "show /proc/keys", "" },
		{ "show /proc/timer_list", "" },
		{ "list /proc/acpi", "" },
		{ "list /sys/firmware", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *seen = box_output(*state, rows[i].command);
		CHECK_ROW(i, rows[i].command,
			  strcmp(seen, rows[i].seen) == 0 || strcmp(seen, "ENOENT\n") == 0);
	}
}

static void kernel_settings_are_read_only(void **state)
{
	static const char *const paths[] = { "/proc/sys/kernel/domainname", "/proc/sysrq-trigger",
					     "/proc/irq/default_smp_affinity",
					     "/sys/kernel/uevent_helper",
					     "/sys/fs/cgroup/memory/cgroup.procs" };
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		char command[128];
		snprintf(command, sizeof command, "write %s", paths[i]);
		const char *seen = box_output(*state, command);
		CHECK_ROW(i, paths[i],
			  strcmp(seen, "EROFS\n") == 0 || strcmp(seen, "ENOENT\n") == 0);
	}
}

static void only_harmless_devices_can_be_opened(void **state)
{
	static const struct {
		const char *command, *outcome;
	} rows[] = {
		{ "node /tmp/null c 1 3", "0\n" },    { "node /tmp/mem c 1 1", "EPERM\n" },
		{ "node /tmp/sda b 8 0", "EPERM\n" }, { "node /tmp/kmsg c 1 11", "EPERM\n" },
		{ "write /dev/null", "0\n" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_ROW(i, rows[i].command,
			  strcmp(box_output(*state, rows[i].command), rows[i].outcome) == 0);
}

static void devices_are_the_usual_ones(void **state)
{
	static const char *const names[] = { "null", "zero", "full",  "random", "urandom",
					     "tty",  "fd",   "stdin", "stdout", "stderr",
					     "ptmx", "pts",  "shm",   "mqueue" };
	const char *seen = box_output(*state, "list /dev");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		CHECK_ROW(i, names[i], strstr(seen, names[i]));
	assert_null(strstr(seen, "sda"));
}

static void a_read_only_root_is_read_only(void **state)
{
	struct box *box = *state;
	box->spec.root_readonly = true;
	assert_string_equal(box_output(box, "make /etc/x"), "EROFS\n");
	assert_string_equal(box_output(box, "make /dev/shm/x"), "0\n");
}

static void only_three_descriptors_are_open(void **state)
{
	int leak = dup2(1, 50); /* without close-on-exec */
	assert_string_equal(box_output(*state, "descriptors"), "0\n1\n2\n");
	close(leak);
}

static void groups_of_the_host_are_not_seen(void **state)
{
	const char *seen = box_output(*state, "show /proc/self/cgroup");
	assert_null(strstr(seen, "wherry"));
	assert_null(strstr(box_output(*state, "list /sys/fs/cgroup/memory"), "wherry"));
}

static void the_hostname_is_its_own(void **state)
{
	struct box *box = *state;
	char before[64], after[64];
	gethostname(before, sizeof before);
	box->spec.hostname = strdup("inside");
	assert_string_equal(box_output(box, "show /proc/sys/kernel/hostname"), "inside\n");
	gethostname(after, sizeof after);
	assert_string_equal(before, after);
}

/* The kernel's root of the container is nobody on the host. */
static void a_user_namespace_maps_its_root(void **state)
{
	struct box *box = *state;
	struct oci_spec *spec = &box->spec;
	char path[128];
	struct oci_id_map map = { 0, 100000, 65536 };
	static const char *const owned[] = { "lower", "upper", "work" };
	for (size_t i = 0; i < ARRAY_SIZE(owned); i++) {
		snprintf(path, sizeof path, "%s/%s", box->directory, owned[i]);
		assert_int_equal(chown(path, map.outside, map.outside), 0);
	}
	assert_int_equal(chmod(box->directory, 0755), 0);
	words_free(&spec->sysctls); /* groups that are not mapped cannot be allowed to ping */
	spec->namespaces[OCI_NS_USER].use = OCI_NS_NEW;
	spec->uid_map = malloc(sizeof map);
	spec->gid_map = malloc(sizeof map);
	assert_true(spec->uid_map && spec->gid_map);
	*spec->uid_map = *spec->gid_map = map;
	spec->uid_map_count = spec->gid_map_count = 1;
	assert_string_equal(box_output(box, "show /proc/self/uid_map"),
			    "         0     100000      65536\n");
	assert_string_equal(box_output(box, "id"), "0 0 1\n");
	assert_string_equal(box_output(box, "write /dev/null"), "0\n");
	assert_string_equal(box_output(box, "calls unshare"), "EPERM\n");
}

int main(int argc, char **argv)
{
	(void)argc;
	kit_begin(argv);
#define ROW(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)
	const struct CMUnitTest tests[] = {
		ROW(namespaces_are_all_its_own),
		ROW(root_has_fourteen_capabilities_and_a_filter),
		ROW(another_user_has_no_capability),
		ROW(no_new_privileges_are_set_where_asked),
		ROW(calls_that_reach_the_host_are_refused),
		ROW(calls_come_with_their_capability),
		ROW(nothing_is_filtered_when_unconfined),
		ROW(a_given_profile_is_used),
		ROW(the_hosts_secrets_are_masked),
		ROW(kernel_settings_are_read_only),
		ROW(only_harmless_devices_can_be_opened),
		ROW(devices_are_the_usual_ones),
		ROW(a_read_only_root_is_read_only),
		ROW(only_three_descriptors_are_open),
		ROW(groups_of_the_host_are_not_seen),
		ROW(the_hostname_is_its_own),
		ROW(a_user_namespace_maps_its_root),
	};
	return cmocka_run_group_tests_name("oci-isolation", tests, NULL, NULL);
}
