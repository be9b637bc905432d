/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many ADDs and DELs at once, killed at any instant. Whatever they left, an
 * ADD and a DEL of each container must work afterwards, and nothing stay.
 */
#include "world.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#define CONTAINERS 12
#define ROUNDS 6
#define KILL_AFTER_US_MAX 9000

struct names {
	char id[8], address[24], publication[16];
};

static struct names names_of(int i)
{
	struct names names;
	snprintf(names.id, sizeof names.id, "c%d", i);
	snprintf(names.address, sizeof names.address, "10.1.0.%d/24", i + 2);
	snprintf(names.publication, sizeof names.publication, "%d:80", 8000 + i);
	return names;
}

static pid_t start(struct world *world, int i, bool add)
{
	struct names names = names_of(i);
	char tool[512];
	snprintf(tool, sizeof tool, "%s/dp-tool",
		 getenv("WHERRY_BIN") ? getenv("WHERRY_BIN") : ".");
	const char *path = scene_netns_path(world->scene, names.id);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	(void)!freopen("/dev/null", "w", stdout);
	(void)!freopen("/dev/null", "w", stderr);
	if (add)
		execl(tool, tool, "add", names.id, "eth0", "web", path, names.address,
		      names.publication, NULL);
	else
		execl(tool, tool, "del", names.id, "eth0", NULL);
	_exit(127);
}

/* The same instants in each run of the test: a small linear generator. */
static unsigned next_random(unsigned *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 16;
}

static void storm(struct world *world, unsigned *seed)
{
	pid_t pids[CONTAINERS];
	for (int i = 0; i < CONTAINERS; i++)
		pids[i] = start(world, i, next_random(seed) % 3 != 0);
	for (int i = 0; i < CONTAINERS; i++) {
		struct timespec pause = { .tv_nsec = 1000l * (next_random(seed) %
							      (KILL_AFTER_US_MAX / CONTAINERS)) };
		nanosleep(&pause, NULL);
		if (next_random(seed) % 4 != 0)
			kill(pids[i], SIGKILL);
	}
	for (int i = 0; i < CONTAINERS; i++)
		waitpid(pids[i], NULL, 0);
}

static unsigned count_entries(struct world *world, const char *map)
{
	char path[600];
	uint8_t key[64], next[64];
	unsigned count = 0;
	const void *from = NULL;
	snprintf(path, sizeof path, "%s/maps/%s", scene_instance(world->scene)->bpf, map);
	auto_fd fd = bpf_obj_get(path);
	assert_true(fd >= 0);
	while (bpf_map_get_next_key(fd, from, next) == 0) {
		memcpy(key, next, sizeof key);
		from = key;
		count++;
	}
	return count;
}

static void attach_and_check(struct world *world, int i)
{
	struct names names = names_of(i);
	struct error err = { 0 };
	int r = world_try(world, names.id, "web", names.address, names.publication,
			  PUBLISH_IGNORE_LISTENERS, &err);
	if (r != -EEXIST)
		world_claim(r, &err);
	world_claim(endpoint_check(world->dataplane, names.id, "eth0", &err), &err);
}

static void a_storm_of_killed_adds_and_dels_leaves_nothing(void **state)
{
	static const char *const maps[] = { "wh1_sources", "wh1_endpoints", "wh1_ports",
					    "wh1_netns" };
	struct world *world = *state;
	unsigned seed = 42;
	world_network_as(world, "web", "10.1.0.0/24",
			 (struct network_spec){ .masquerade = true, .dns = true });
	for (int i = 0; i < CONTAINERS; i++)
		scene_container(world->scene, names_of(i).id);
	char *before = scene_snapshot(world->scene);
	for (int round = 0; round < ROUNDS; round++)
		storm(world, &seed);
	for (int i = 0; i < CONTAINERS; i++)
		attach_and_check(world, i);
	for (int i = 0; i < CONTAINERS; i++)
		world_delete(world, names_of(i).id);
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++)
		assert_int_equal(count_entries(world, maps[i]), 0);
	scene_assert_unchanged(world->scene, before);
	free(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_storm_of_killed_adds_and_dels_leaves_nothing,
						world_set_up, world_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
