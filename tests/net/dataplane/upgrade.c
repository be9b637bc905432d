/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nothing that happens to wherryd or to the programs in the kernel is seen by
 * traffic: 1,000 connections and UDP flows run through all of it, an upgrade to a
 * version with another layout of flows included (tests/tools/next-layout).
 */
#include "load.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

#define CONNECTIONS 500 /* in each direction */
#define UDP_FLOWS 32
#define LOSS_PER 100000 /* packets of which not one may be lost */

static const char *built(const char *name, char path[512])
{
	snprintf(path, 512, "%s/%s", getenv("WHERRY_BIN") ? getenv("WHERRY_BIN") : ".", name);
	return path;
}

struct play {
	struct world *world;
	struct load in, out;
	pid_t daemon;
};

/* Its pid file is written when all is opened and reconciled. */
static void wait_for_wherryd(struct play *play)
{
	char path[INSTANCE_PATH_MAX + 16];
	auto_free char *text = NULL;
	struct error err = { 0 };
	size_t size;
	snprintf(path, sizeof path, "%s/wherryd.pid", scene_instance(play->world->scene)->run);
	for (int i = 0; i < 10 * SCENE_WAIT_MS; i++) {
		if (file_read(path, 64, &text, &size, &err) == 0 &&
		    strtol(text, NULL, 10) == play->daemon)
			return;
		free(TAKE(text));
		poll(NULL, 0, 1);
	}
	fail_msg("wherryd does not get ready");
}

static void start_wherryd(struct play *play)
{
	play->daemon = scene_start(play->world->scene, "node", "wherryd", NULL);
	wait_for_wherryd(play);
}

static void kill_wherryd(struct play *play)
{
	scene_stop(play->world->scene, play->daemon, SIGKILL);
}

static void restart_wherryd(struct play *play)
{
	scene_stop(play->world->scene, play->daemon, SIGTERM);
	start_wherryd(play);
}

static void replace_programs(struct play *play)
{
	struct error err = { 0 };
	for (int i = 0; i < 2; i++)
		world_claim(dataplane_reconcile(play->world->dataplane, &err), &err);
}

static void upgrade(struct play *play)
{
	char path[512];
	scene_assert_run(play->world->scene, built("dp-tool-next", path), "reconcile", NULL);
}

static void refuse_the_old_version(struct play *play)
{
	char path[512];
	assert_int_not_equal(
		scene_run(play->world->scene, "node", built("dp-tool", path), "refresh", NULL), 0);
	assert_non_null(strstr(scene_errors(play->world->scene), "of a newer wherry"));
}

static void assert_unharmed(const char *name, const struct load_counts *counts)
{
	uint64_t sent = counts->udp_sent + counts->tcp_sent,
		 lost = counts->udp_lost + counts->tcp_again;
	print_message("%s: %llu packets, %llu lost (%llu of TCP), %u connections broke\n", name,
		      (unsigned long long)sent, (unsigned long long)lost,
		      (unsigned long long)counts->tcp_again, counts->broken);
	assert_int_equal(counts->broken, 0);
	assert_true(counts->rounds > 0);
	assert_true(counts->udp_lost * LOSS_PER <= sent);
}

static void no_connection_and_no_packet_is_lost_to_restart_kill_or_upgrade(void **state)
{
	static const struct {
		const char *name;
		void (*act)(struct play *play);
	} rows[] = {
		{ "wherryd starts", start_wherryd },
		{ "wherryd is killed", kill_wherryd },
		{ "it starts again", start_wherryd },
		{ "it is restarted", restart_wherryd },
		{ "programs are replaced", replace_programs },
		{ "the layout changes", upgrade },
		{ "and is there", upgrade },
		{ "the old version is told so", refuse_the_old_version },
	};
	struct world *world = *state;
	struct play play = { .world = world };
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "7001:7001", "7002:7002/udp", NULL);
	pid_t outside = load_answer(world, "client"), inside = load_answer(world, "c1");
	const struct load_spec in = { "client", "10.99.0.1", CONNECTIONS, UDP_FLOWS };
	const struct load_spec out = { "c1", "10.99.0.2", CONNECTIONS, UDP_FLOWS };
	load_begin(world, &in, &play.in);
	load_begin(world, &out, &play.out);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("%s\n", rows[i].name);
		rows[i].act(&play);
		load_wait_for_round(&play.in);
		load_wait_for_round(&play.out);
	}
	struct load_counts counts[] = { load_stop(&play.in), load_stop(&play.out) };
	scene_stop(world->scene, play.daemon, SIGTERM);
	load_end(outside);
	load_end(inside);
	assert_unharmed("published", &counts[0]);
	assert_unharmed("masqueraded", &counts[1]);
}

#define KILLS 12
#define KILL_STEP_MS 60

/* True if the upgrade came to its end before that. */
static bool upgrade_and_kill(int after_ms)
{
	char path[512];
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		(void)!freopen("/dev/null", "w", stderr);
		execl(built("dp-tool-next", path), path, "refresh", NULL);
		_exit(127);
	}
	poll(NULL, 0, after_ms);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void an_upgrade_that_is_killed_is_finished_by_the_next(void **state)
{
	struct world *world = *state;
	struct scene_reply reply;
	char path[512];
	int kills = 0;
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	scene_tcp_server(world->scene, "c1", 80);
	scene_tcp_server(world->scene, "client", 81);
	int in = scene_tcp_open(world->scene, "client", "10.99.0.1", 8080, &reply);
	int out = scene_tcp_open(world->scene, "c1", "10.99.0.2", 81, &reply);
	assert_true(in >= 0 && out >= 0);
	while (kills < KILLS && !upgrade_and_kill(kills * KILL_STEP_MS))
		kills++;
	print_message("killed %d times\n", kills);
	scene_assert_run(world->scene, built("dp-tool-next", path), "reconcile", NULL);
	assert_int_equal(scene_tcp_echo(in, "published", SCENE_WAIT_MS), 0);
	assert_int_equal(scene_tcp_echo(out, "masqueraded", SCENE_WAIT_MS), 0);
	close(in);
	close(out);
	scene_assert_tcp(world->scene, "client", "10.99.0.1", 8080, "c1", "10.99.0.2");
	scene_assert_tcp(world->scene, "c1", "10.99.0.2", 81, "client", "10.99.0.1");
	scene_assert_tcp(world->scene, "node", "127.0.0.1", 8080, "c1", NULL);
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(no_connection_and_no_packet_is_lost_to_restart_kill_or_upgrade),
		SCENE_TEST(an_upgrade_that_is_killed_is_finished_by_the_next),
	};
	if (getenv("WHERRY_GUEST")) {
		print_message("skipped: an emulated processor is too slow for 1,000 connections\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
