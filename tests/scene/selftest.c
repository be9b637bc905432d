/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The harness itself: what it shows is so, and what is left it finds. */
#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/file.h"

static void add_client(struct scene *scene)
{
	scene_host(scene, "client");
	scene_link(scene, "client", "eth0", "10.99.0.2/24", "node", "up0", "10.99.0.1/24");
}

static void server_sees_the_address_of_the_client(void **state)
{
	struct scene *scene = *state;
	add_client(scene);
	scene_tcp_server(scene, "node", 8080);
	scene_udp_server(scene, "node", 8053);
	scene_assert_tcp(scene, "client", "10.99.0.1", 8080, "node", "10.99.0.2");
	scene_assert_udp(scene, "client", "10.99.0.1", 8053, "node", "10.99.0.2");
	scene_assert_ping(scene, "client", "10.99.0.1");
	scene_assert_tcp(scene, "node", "127.0.0.1", 8080, "node", "127.0.0.1");
}

static void addresses_of_both_families_work(void **state)
{
	struct scene *scene = *state;
	add_client(scene);
	scene_address(scene, "client", "eth0", "fd99::2/64");
	scene_address(scene, "node", "up0", "fd99::1/64");
	scene_tcp_server(scene, "node", 8080);
	scene_assert_tcp(scene, "client", "fd99::1", 8080, "node", "fd99::2");
	scene_assert_ping(scene, "client", "fd99::1");
}

static void what_does_not_answer_is_told_apart(void **state)
{
	struct scene *scene = *state;
	struct scene_reply reply;
	add_client(scene);
	assert_int_equal(scene_tcp_request(scene, "client", "10.99.0.1", 1, SCENE_WAIT_MS, &reply),
			 -ECONNREFUSED);
	assert_int_equal(scene_udp_request(scene, "client", "10.99.0.1", 1, SCENE_WAIT_MS, &reply),
			 -ECONNREFUSED);
	assert_int_equal(scene_tcp_request(scene, "client", "10.98.0.1", 1, SCENE_WAIT_MS, &reply),
			 -ENETUNREACH);
	scene_assert_no_tcp(scene, "client", "10.99.0.77", 80);
	scene_assert_no_udp(scene, "client", "10.99.0.77", 80);
	scene_assert_no_ping(scene, "client", "10.99.0.77");
}

static void a_connection_stays_until_its_server_ends(void **state)
{
	struct scene *scene = *state;
	struct scene_reply reply;
	scene_tcp_server(scene, "node", 8080);
	auto_fd fd = scene_tcp_open(scene, "node", "127.0.0.1", 8080, &reply);
	assert_true(fd >= 0);
	assert_int_equal(scene_tcp_echo(fd, "hello", 1000), 0);
	scene_end_processes(scene);
	assert_true(scene_tcp_echo(fd, "hello", 1000) < 0);
}

static void traffic_is_routed_through_the_node(void **state)
{
	struct scene *scene = *state;
	add_client(scene);
	scene_container(scene, "c1");
	scene_link(scene, "c1", "eth0", "10.1.0.2/24", "node", "c1", "10.1.0.1/24");
	scene_route(scene, "c1", "0.0.0.0/0", "10.1.0.1");
	scene_route(scene, "client", "10.1.0.0/24", "10.99.0.1");
	assert_int_equal(
		scene_run(scene, "node", "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward", NULL),
		0);
	scene_tcp_server(scene, "c1", 80);
	scene_assert_tcp(scene, "client", "10.1.0.2", 80, "c1", "10.99.0.2");
}

static void a_program_runs_in_its_host_with_the_root_of_the_instance(void **state)
{
	struct scene *scene = *state;
	add_client(scene);
	static const char *const argv[] = { "sh", "-c",
					    "cat; echo $MORE; grep -c eth0 /proc/net/dev; "
					    "echo $WHERRY_ROOT; echo oops >&2; exit 3",
					    NULL };
	static const char *const more[] = { "MORE=more", NULL };
	char wanted[SCENE_PATH_MAX + 32];
	snprintf(wanted, sizeof wanted, "in\nmore\n1\n%s\n", scene_instance(scene)->root);
	assert_int_equal(scene_execute(scene, &(struct scene_command){ .host = "client",
								       .argv = argv,
								       .environment = more,
								       .input = "in\n" }),
			 3);
	assert_string_equal(scene_output(scene), wanted);
	assert_string_equal(scene_errors(scene), "oops\n");
}

static void what_a_program_leaves_is_found(void **state)
{
	struct scene *scene = *state;
	struct error err;
	char path[SCENE_PATH_MAX + 32];
	auto_words lines = { 0 };
	auto_free char *before = scene_snapshot(scene);
	scene_assert_unchanged(scene, before);
	assert_string_equal(before, "");

	scene_container(scene, "c1");
	MUST_ERRNO(scene_run(scene, "c1", "ip", "link", "add", "left0", "type", "veth", "peer",
			     "name", "left1", NULL) == 0,
		   "link");
	snprintf(path, sizeof path, "%s/run/left", scene_instance(scene)->root);
	MUST(directory_make(path, 0755, &err), err);
	MUST_ERRNO(mount("tmpfs", path, "tmpfs", 0, NULL) == 0, path);
	snprintf(path, sizeof path, "%s/run/left/file", scene_instance(scene)->root);
	MUST(file_replace(path, "", 0, 0600, FILE_NO_SYNC, &err), err);
	MUST_ERRNO(mkdir("/sys/fs/bpf/left", 0700) == 0, "bpffs");
	snprintf(path, sizeof path, "%s/left", scene->isolation.cgroup_mount);
	MUST_ERRNO(mkdir(path, 0700) == 0, path);
	pid_t pid = scene_start(scene, "node", "sleep", "100", NULL);

	scene_list_all(scene, &lines);
	auto_text found = { 0 };
	for (size_t i = 0; i < lines.count; i++) {
		char kind[16];
		assert_int_equal(sscanf(lines.items[i], "%15s", kind), 1);
		text_append(&found, "%s ", kind);
	}
	assert_string_equal(found.data, "cgroup file link link mount pin process ");

	scene_stop(scene, pid, SIGTERM);
	rmdir(path);
	rmdir("/sys/fs/bpf/left");
	snprintf(path, sizeof path, "%s/run/left", scene_instance(scene)->root);
	umount(path);
	scene_remove(scene, "c1");
}

static void the_machine_is_as_before(void **state)
{
	(void)state;
	struct stat before, after;
	char folder[SCENE_PATH_MAX];
	assert_int_equal(stat("/proc/self/ns/net", &before), 0);
	auto_fd mounts_before = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	struct scene *scene = scene_create();
	snprintf(folder, sizeof folder, "%s", scene_folder(scene));
	assert_int_equal(scene_free(scene), 0);
	assert_int_equal(stat("/proc/self/ns/net", &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(fstat(mounts_before, &before), 0);
	assert_int_equal(stat("/proc/self/ns/mnt", &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_false(path_exists(folder));
}

#define IN_SCENE(test) cmocka_unit_test_setup_teardown(test, scene_set_up, scene_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_SCENE(server_sees_the_address_of_the_client),
		IN_SCENE(addresses_of_both_families_work),
		IN_SCENE(what_does_not_answer_is_told_apart),
		IN_SCENE(a_connection_stays_until_its_server_ends),
		IN_SCENE(traffic_is_routed_through_the_node),
		IN_SCENE(a_program_runs_in_its_host_with_the_root_of_the_instance),
		IN_SCENE(what_a_program_leaves_is_found),
		cmocka_unit_test(the_machine_is_as_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
