/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many at once, and killed in the middle: what a busy node does to a plugin. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/process.h"
#include "runtime.h"

#define KILLS 60
#define KILL_STEP_US 250 /* from 0 to 15 ms: more than an ADD takes */

/*
 * A conflist for cnirun; its path, until the next call. The root is named in
 * it, since a runtime hands on no variables of its own.
 */
static const char *write_conflist(struct scene *scene)
{
	static _Thread_local char path[1024];
	char text[2048];
	struct error err = { 0 };

	int size = snprintf(
		text, sizeof text,
		"{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"plugins\":[{\"type\":\"wherry-cni\","
		"\"root\":\"%s\",\"bridge\":\"cni0\",\"isDefaultGateway\":true,\"ipMasq\":true,"
		"\"capabilities\":{\"portMappings\":true},\"ipam\":{\"type\":\"wherry-ipam\","
		"\"subnet\":\"10.1.0.0/16\"}}]}",
		scene_instance(scene)->root);
	snprintf(path, sizeof path, "%s/net.conflist", scene_folder(scene));
	if (file_replace(path, text, (size_t)size, 0600, FILE_NO_SYNC, &err) < 0)
		fail_msg("%s", err.text);
	return path;
}

static void cni_018_sixty_four_adds_at_once_all_succeed(void **state)
{
	struct scene *scene = *state;
	char cnirun[1024];

	snprintf(cnirun, sizeof cnirun, "%s/cnirun", getenv("WHERRY_BENCH"));
	int status = scene_run(scene, "node", cnirun, "--conflist", write_conflist(scene), "--path",
			       getenv("WHERRY_BIN"), "--count", "64", "--parallel", "64", "--port",
			       "+20000:80/tcp", "--check", NULL);
	if (status != 0)
		fail_msg("%s%s", scene_output(scene), scene_errors(scene));
}

/* Starts the plugin with its configuration in a file as standard input. */
static pid_t start_plugin(struct scene *scene, const char *command, int *ret_pidfd)
{
	char program[1024], config[2048], variables[6][1100];
	char *argv[] = { program, NULL }, *environment[8] = { NULL };
	struct error err = { 0 };
	pid_t pid;

	snprintf(config, sizeof config, "%s/config", scene_folder(scene));
	snprintf(program, sizeof program, "%s/wherry-cni", getenv("WHERRY_BIN"));
	snprintf(variables[0], sizeof variables[0], "CNI_COMMAND=%s", command);
	snprintf(variables[1], sizeof variables[1], "CNI_CONTAINERID=c1");
	snprintf(variables[2], sizeof variables[2], "CNI_NETNS=%s", scene_netns_path(scene, "c1"));
	snprintf(variables[3], sizeof variables[3], "CNI_IFNAME=eth0");
	snprintf(variables[4], sizeof variables[4], "WHERRY_ROOT=%s", getenv("WHERRY_ROOT"));
	snprintf(variables[5], sizeof variables[5], "WHERRY_BPFFS=%s",
		 getenv("WHERRY_BPFFS") ? getenv("WHERRY_BPFFS") : "/sys/fs/bpf");
	for (size_t i = 0; i < ARRAY_SIZE(variables); i++)
		environment[i] = variables[i];
	auto_fd input = open(config, O_RDONLY | O_CLOEXEC);
	struct process_spec spec = { .path = program,
				     .argv = argv,
				     .envp = environment,
				     .stdin_fd = input,
				     .stdout_fd = -1,
				     .stderr_fd = -1 };
	if (process_start(&spec, &pid, ret_pidfd, &err) < 0)
		fail_msg("%s", err.text);
	return pid;
}

static void write_config(struct scene *scene)
{
	static const char text[] =
		"{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"type\":\"wherry-cni\","
		"\"bridge\":\"cni0\",\"isDefaultGateway\":true,\"ipMasq\":true,"
		"\"ipam\":{\"type\":\"wherry-ipam\",\"subnet\":\"10.1.0.0/16\"},"
		"\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":8080,\"containerPort\":80,"
		"\"protocol\":\"tcp\"}]}}";
	char path[1024];
	struct error err = { 0 };

	snprintf(path, sizeof path, "%s/config", scene_folder(scene));
	if (file_replace(path, text, sizeof text - 1, 0600, FILE_NO_SYNC, &err) < 0)
		fail_msg("%s", err.text);
}

static int wait_status(pid_t pid)
{
	struct error err = { 0 };
	int status = -1;
	if (process_wait(pid, &status, &err) < 0)
		fail_msg("%s", err.text);
	return status;
}

static int run_plugin(struct scene *scene, const char *command)
{
	auto_fd pidfd = -1;
	return wait_status(start_plugin(scene, command, &pidfd));
}

/* Kills an ADD after delay_us, unless it ended before. */
static void kill_add(struct scene *scene, int delay_us)
{
	auto_fd pidfd = -1;
	pid_t pid = start_plugin(scene, "ADD", &pidfd);
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	struct timespec delay = { .tv_nsec = delay_us * 1000L };

	ppoll(&ended, 1, &delay, NULL);
	kill(pid, SIGKILL);
	wait_status(pid);
}

static void cni_019_an_add_that_is_killed_is_repaired_by_one_del(void **state)
{
	struct scene *scene = *state;

	write_config(scene);
	scene_container(scene, "c1");
	assert_int_equal(run_plugin(scene, "ADD"), 0); /* the network is there from now on */
	assert_int_equal(run_plugin(scene, "DEL"), 0);
	auto_free char *before = scene_snapshot(scene);
	for (int i = 0; i < KILLS; i++) {
		kill_add(scene, i * KILL_STEP_US);
		if (run_plugin(scene, "DEL") != 0)
			fail_msg("DEL after an ADD killed at %d us", i * KILL_STEP_US);
		scene_assert_unchanged(scene, before);
	}
	assert_int_equal(run_plugin(scene, "ADD"), 0);
	assert_int_equal(run_plugin(scene, "DEL"), 0);
}

static void cni_019_an_add_that_is_killed_is_repaired_by_the_next_add(void **state)
{
	struct scene *scene = *state;

	write_config(scene);
	scene_container(scene, "c1");
	assert_int_equal(run_plugin(scene, "ADD"), 0);
	assert_int_equal(run_plugin(scene, "DEL"), 0);
	for (int i = 0; i < KILLS; i += 2) {
		kill_add(scene, i * KILL_STEP_US);
		run_plugin(scene, "ADD"); /* refused if the first had come to its end */
		assert_true(scene_has_device(scene, "c1", "eth0"));
		assert_int_equal(run_plugin(scene, "DEL"), 0);
		assert_false(scene_has_device(scene, "c1", "eth0"));
	}
}

static void cni_018_ten_dels_at_once_for_one_container_all_succeed(void **state)
{
	struct scene *scene = *state;
	pid_t pids[10];
	int pidfds[10];

	write_config(scene);
	scene_container(scene, "c1");
	assert_int_equal(run_plugin(scene, "ADD"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		pids[i] = start_plugin(scene, "DEL", &pidfds[i]);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++) {
		assert_int_equal(wait_status(pids[i]), 0);
		close(pidfds[i]);
	}
	assert_false(scene_has_device(scene, "c1", "eth0"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(cni_018_sixty_four_adds_at_once_all_succeed),
		SCENE(cni_018_ten_dels_at_once_for_one_container_all_succeed),
		SCENE(cni_019_an_add_that_is_killed_is_repaired_by_one_del),
		SCENE(cni_019_an_add_that_is_killed_is_repaired_by_the_next_add),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
