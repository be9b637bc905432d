/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many endpoints in one network: what an ADD and a DEL do then is what they did when
 * they were alone. Counted in system calls, each netlink message and map access being
 * one, since times on a busy machine tell nothing. 300 endpoints; 4,000 with
 * WHERRY_TEST_LONG.
 */
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../faults/injector.h"
#include "base/file.h"
#include "dataplane/verify.h"

#define BYTES_EACH 8192 /* of the store, for each endpoint */
/* The store's trees grow higher: a few more pages are written. */
#define MOST(first) ((first) + (first) / 5)
#define WAITS 64 /* calls while a DEL waits until the link is off the kernel's lists */

static uint32_t count_wanted(void)
{
	return getenv("WHERRY_TEST_LONG") ? 4000 : 300;
}

/* --- one call of the plugin, counted ----------------------------------------------- */

static void write_config(struct scene *scene, char *ret_path, size_t size)
{
	static const char text[] =
		"{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"type\":\"wherry-cni\","
		"\"bridge\":\"cni0\",\"isDefaultGateway\":true,\"ipMasq\":true,"
		"\"ipam\":{\"type\":\"wherry-ipam\",\"subnet\":\"10.1.0.0/16\"}}";
	struct error err = { 0 };
	snprintf(ret_path, size, "%s/config", scene_folder(scene));
	world_claim(file_replace(ret_path, text, sizeof text - 1, 0600, FILE_NO_SYNC, &err), &err);
}

static int calls_of(struct scene *scene, const char *command, const char *container)
{
	char path[1024], input[1024], variables[7][1100];
	char *environment[8] = { NULL };
	const char *bpffs = getenv("WHERRY_BPFFS");
	struct fault none = { FAULT_NONE, 0, 0 };
	struct fault_outcome outcome;
	write_config(scene, input, sizeof input);
	snprintf(path, sizeof path, "%s/wherry-cni", getenv("WHERRY_BIN"));
	snprintf(variables[0], sizeof variables[0], "CNI_COMMAND=%s", command);
	snprintf(variables[1], sizeof variables[1], "CNI_CONTAINERID=%s", container);
	snprintf(variables[2], sizeof variables[2], "CNI_NETNS=%s",
		 scene_netns_path(scene, container));
	snprintf(variables[3], sizeof variables[3], "CNI_IFNAME=eth0");
	snprintf(variables[4], sizeof variables[4], "WHERRY_ROOT=%s", getenv("WHERRY_ROOT"));
	snprintf(variables[5], sizeof variables[5], "WHERRY_BPFFS=%s",
		 bpffs ? bpffs : "/sys/fs/bpf");
	/* Its search for leaks is a tracer too, and there can be one only. */
	snprintf(variables[6], sizeof variables[6], "ASAN_OPTIONS=detect_leaks=0");
	for (size_t i = 0; i < 7; i++)
		environment[i] = variables[i];
	struct fault_program program = { path, environment, input };
	int r = fault_run(&program, &none, &outcome);
	if (r == -EPERM)
		skip();
	if (r < 0 || outcome.status != 0)
		fail_msg("%s of %s ends with %d, %d", command, container, r, outcome.status);
	return outcome.calls;
}

/* --- the others --------------------------------------------------------------------- */

static void allow_descriptors(uint32_t count)
{
	struct rlimit limit = { count + 1024, count + 1024 };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static int new_netns(void)
{
	auto_fd own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_true(own >= 0 && unshare(CLONE_NEWNET) == 0);
	int made = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_int_equal(setns(own, CLONE_NEWNET), 0);
	assert_true(made >= 0);
	return made;
}

static void fill(struct world *world, uint32_t count, int *ret_fds)
{
	struct error err = { 0 };
	for (uint32_t i = 0; i < count; i++) {
		char id[32], address[32];
		struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
		snprintf(id, sizeof id, "other%u", i);
		snprintf(address, sizeof address, "10.1.%u.%u/16", 64 + i / 250, 1 + i % 250);
		ret_fds[i] = new_netns();
		struct endpoint_spec spec = { .container_id = id,
					      .interface = "eth0",
					      .network = "net",
					      .netns_path = "",
					      .netns_fd = ret_fds[i],
					      .publish_policy = PUBLISH_IGNORE_LISTENERS,
					      .owner = "test" };
		world_claim(prefix_parse(address, &spec.address, &err), &err);
		world_claim(endpoint_add(world->dataplane, &spec, &info, &err), &err);
	}
}

static off_t store_size(struct scene *scene)
{
	char path[INSTANCE_PATH_MAX + 16];
	struct stat status;
	snprintf(path, sizeof path, "%s/state.mdb", scene_instance(scene)->run);
	assert_int_equal(stat(path, &status), 0);
	return status.st_blocks * 512;
}

static int print_finding(const char *finding, void *context, struct error *err)
{
	(void)context;
	(void)err;
	print_error("%s\n", finding);
	return 0;
}

static void an_endpoint_among_many_costs_what_the_first_did(void **state)
{
	struct world *world = *state;
	struct scene *scene = world->scene;
	struct error err = { 0 };
	uint32_t count = count_wanted();
	auto_free int *fds = calloc(count, sizeof *fds);
	allow_descriptors(count);
	scene_container(scene, "c1");
	scene_container(scene, "c2");
	calls_of(scene, "ADD", "c1"); /* makes the network */
	int first_add = calls_of(scene, "ADD", "c2"), first_del = calls_of(scene, "DEL", "c2");
	off_t before = store_size(scene);
	fill(world, count, fds);
	assert_true(store_size(scene) - before <= (off_t)count * BYTES_EACH);
	int last_add = calls_of(scene, "ADD", "c2");
	print_message("ADD: %d system calls, %d beside %u others\n", first_add, last_add, count);
	assert_in_range(last_add, 1, MOST(first_add));
	scene_assert_ping(scene, "c1", "10.1.64.1");
	scene_assert_ping(scene, "c2", "10.1.0.2");
	scene_assert_ping(scene, "c2", "10.1.64.1");
	assert_int_equal(dataplane_verify(world->dataplane, VERIFY_ALL, print_finding, NULL, &err),
			 0);
	int last_del = calls_of(scene, "DEL", "c2");
	print_message("DEL: %d system calls, %d beside %u others\n", first_del, last_del, count);
	assert_in_range(last_del, 1, MOST(first_del) + WAITS);
	for (uint32_t i = 0; i < count; i++)
		close(fds[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_endpoint_among_many_costs_what_the_first_did,
						world_set_up, world_tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
