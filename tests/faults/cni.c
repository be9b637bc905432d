/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every system call of ADD and DEL fails once, and the process is killed
 * before each: after it one DEL leaves the machine as before, and a new ADD
 * succeeds. A sample of the calls, spread evenly; all with WHERRY_TEST_LONG.
 */
#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>

#include "base/file.h"
#include "injector.h"
#include "runtime.h"

#define SAMPLE 8 /* calls of each command and mode */

struct plugin {
	struct scene *scene;
	char path[1024], input[1024], variables[8][1100];
	char *environment[10];
};

static void write_config(struct plugin *plugin)
{
	static const char text[] =
		"{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"type\":\"wherry-cni\","
		"\"bridge\":\"cni0\",\"isDefaultGateway\":true,\"ipMasq\":true,"
		"\"sysctl\":{\"net.core.somaxconn\":\"500\"},"
		"\"ipam\":{\"type\":\"wherry-ipam\",\"subnet\":\"10.1.0.0/16\"},"
		"\"runtimeConfig\":{\"portMappings\":[{\"hostPort\":8080,\"containerPort\":80,"
		"\"protocol\":\"tcp\"}]}}";
	struct error err = { 0 };

	snprintf(plugin->input, sizeof plugin->input, "%s/config", scene_folder(plugin->scene));
	if (file_replace(plugin->input, text, sizeof text - 1, 0600, FILE_NO_SYNC, &err) < 0)
		fail_msg("%s", err.text);
}

static void set_up(struct plugin *plugin, struct scene *scene)
{
	const char *bpffs = getenv("WHERRY_BPFFS");

	*plugin = (struct plugin){ .scene = scene };
	scene_container(scene, "c1");
	write_config(plugin);
	snprintf(plugin->path, sizeof plugin->path, "%s/wherry-cni", getenv("WHERRY_BIN"));
	snprintf(plugin->variables[1], sizeof plugin->variables[1], "CNI_CONTAINERID=c1");
	snprintf(plugin->variables[2], sizeof plugin->variables[2], "CNI_NETNS=%s",
		 scene_netns_path(scene, "c1"));
	snprintf(plugin->variables[3], sizeof plugin->variables[3], "CNI_IFNAME=eth0");
	snprintf(plugin->variables[4], sizeof plugin->variables[4], "WHERRY_ROOT=%s",
		 getenv("WHERRY_ROOT"));
	snprintf(plugin->variables[5], sizeof plugin->variables[5], "WHERRY_BPFFS=%s",
		 bpffs ? bpffs : "/sys/fs/bpf");
	/* Its search for leaks is a tracer too, and there can be one only. */
	snprintf(plugin->variables[6], sizeof plugin->variables[6],
		 "ASAN_OPTIONS=detect_leaks=0:abort_on_error=0");
	for (size_t i = 0; i < 7; i++)
		plugin->environment[i] = plugin->variables[i];
}

static struct fault_outcome call_with(struct plugin *plugin, const char *command,
				      const struct fault *fault)
{
	struct fault_program program = { plugin->path, plugin->environment, plugin->input };
	struct fault_outcome outcome;

	snprintf(plugin->variables[0], sizeof plugin->variables[0], "CNI_COMMAND=%s", command);
	int r = fault_run(&program, fault, &outcome);
	if (r == -EPERM)
		skip();
	if (r < 0)
		fail_msg("%s: %s", command, strerror(-r));
	return outcome;
}

static int call_plain(struct plugin *plugin, const char *command)
{
	struct fault none = { FAULT_NONE, 0, 0 };
	return call_with(plugin, command, &none).status;
}

static void expect_success(struct plugin *plugin, const char *command, const struct fault *fault,
			   long call)
{
	int status = call_plain(plugin, command);
	if (status != 0)
		fail_msg("%s ends with %d after call %d (system call %ld) %s", command, status,
			 fault->number, call,
			 fault->mode == FAULT_KILL ? "was not reached" : strerror(fault->error));
}

/* One fault in `command`, and the repair. */
static void strike(struct plugin *plugin, const char *command, const struct fault *fault,
		   const char *before)
{
	bool is_del = strcmp(command, "DEL") == 0;

	if (is_del)
		expect_success(plugin, "ADD", fault, -1);
	struct fault_outcome outcome = call_with(plugin, command, fault);
	/* Who cannot come back from another namespace ends at once, as if it were killed. */
	bool lost = outcome.call == SYS_setns && outcome.status == 128 + SIGABRT;
	bool killed = fault->mode == FAULT_KILL && outcome.status == 128 + SIGKILL;
	if (outcome.status > 1 && !lost && !killed)
		fail_msg("%s: call %d (system call %ld) with %s ends it with %d", command,
			 fault->number, outcome.call, strerror(fault->error), outcome.status);
	expect_success(plugin, "DEL", fault, outcome.call);
	scene_assert_unchanged(plugin->scene, before);
	expect_success(plugin, "ADD", fault, outcome.call);
	expect_success(plugin, "DEL", fault, outcome.call);
}

static void strike_each(struct plugin *plugin, const char *command, enum fault_mode mode,
			const int *errors, size_t error_count, const char *before)
{
	struct fault none = { FAULT_NONE, 0, 0 };

	if (strcmp(command, "DEL") == 0)
		assert_int_equal(call_plain(plugin, "ADD"), 0);
	int calls = call_with(plugin, command, &none).calls;
	assert_int_equal(call_plain(plugin, "DEL"), 0);
	assert_true(calls > SAMPLE);
	int step = getenv("WHERRY_TEST_LONG") ? 1 : calls / SAMPLE;
	print_message("%s: every %d. of %d system calls\n", command, step, calls);
	for (int i = step / 2; i < calls; i += step)
		for (size_t e = 0; e < error_count; e++) {
			struct fault fault = { mode, i, errors[e] };
			/* One error a call in a sample, each in its turn. */
			if (step > 1 && (size_t)(i / step) % error_count != e)
				continue;
			strike(plugin, command, &fault, before);
		}
}

static void run_both(struct scene *scene, enum fault_mode mode, const int *errors,
		     size_t error_count)
{
	struct plugin plugin;

	set_up(&plugin, scene);
	assert_int_equal(call_plain(&plugin, "ADD"), 0); /* the network is there from now on */
	assert_int_equal(call_plain(&plugin, "DEL"), 0);
	auto_free char *before = scene_snapshot(scene);
	strike_each(&plugin, "ADD", mode, errors, error_count, before);
	strike_each(&plugin, "DEL", mode, errors, error_count, before);
	scene_assert_unchanged(scene, before);
}

static void a_system_call_that_fails_leaves_nothing_behind_after_del(void **state)
{
	static const int errors[] = { ENOMEM, EIO, EINTR };
	run_both(*state, FAULT_ERROR, errors, ARRAY_SIZE(errors));
}

static void a_kill_before_any_system_call_leaves_nothing_behind_after_del(void **state)
{
	static const int none[] = { 0 };
	run_both(*state, FAULT_KILL, none, ARRAY_SIZE(none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(a_system_call_that_fails_leaves_nothing_behind_after_del),
		SCENE(a_kill_before_any_system_call_leaves_nothing_behind_after_del),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
