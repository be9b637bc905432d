/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RUN steps of a build: in a network of their own, and nothing stays of them. */
#include "kit.h"

#define BUILDS "$WHERRY_ROOT/run/wherry/builds"

/* Builds busybox and one RUN step; %s of flags. */
static int build(struct scene *scene, const char *flags, const char *command)
{
	auto_text line = { 0 };
	text_append(&line,
		    "mkdir -p $D/c && printf '%%s\\n' 'FROM busybox' \"RUN %s\" >$D/c/Dockerfile; "
		    "wherry build -q --no-cache -t built %s $D/c",
		    command, flags);
	return shell(scene, line.data);
}

static void built(struct scene *scene, const char *flags, const char *command)
{
	if (build(scene, flags, command) != 0)
		fail_msg("build %s: %s: %s", flags, command, scene_errors(scene));
}

static void run_steps_are_in_a_network_of_their_own(void **state)
{
	static const struct {
		const char *flags, *command;
	} rows[] = {
		{ "", "test -e /sys/class/net/eth0 -a ! -e /sys/class/net/up0" },
		{ "", "grep -q '^nameserver 127.0.0.11' /etc/resolv.conf" },
		{ "", "grep -q ^172 /etc/hosts" },
		{ "", "ping -c 1 -W 5 192.0.2.2" },
		{ "--network front", "wget -qO- http://web/passwd" },
		{ "--network none", "test ! -e /sys/class/net/eth0 -a ! -e /sys/class/net/up0" },
		{ "--network host", "test -e /sys/class/net/up0" },
	};
	struct scene *scene = *state;
	done(scene, "wherry network create front && wherry run -d --name web --network front "
		    "busybox httpd -f -p 80 -h /etc");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		built(scene, rows[i].flags, rows[i].command);
	expect(scene, "wherry ps -q | wc -l", 0, "1\n");
}

static void a_network_that_is_not_there_is_refused(void **state)
{
	struct scene *scene = *state;
	assert_int_equal(build(scene, "--network nowhere", "true"), 1);
	assert_string_equal(scene_errors(scene),
			    "wherry: build: --network: no such network: nowhere\n");
}

static void a_build_leaves_nothing_of_its_steps(void **state)
{
	struct scene *scene = *state;
	built(scene, "", "echo 1 >/f");
	done(scene, "wherry rmi built");
	settle_links(scene);
	auto_free char *before = scene_snapshot(scene);
	built(scene, "", "echo 1 >/f");
	assert_int_not_equal(build(scene, "", "exit 3"), 0);
	done(scene, "wherry rmi built");
	settle_links(scene);
	expect(scene, "ls " BUILDS, 0, "");
	expect(scene, "wherry ipam ls -o json", 0, "[]\n");
	scene_assert_unchanged(scene, before);
}

static void a_build_that_is_ended_leaves_nothing(void **state)
{
	static const struct {
		const char *signal;
		bool at_once;
	} rows[] = { { "INT", true }, { "TERM", true }, { "KILL", false } };
	struct scene *scene = *state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_text line = { 0 };
		done(scene, "mkdir -p $D/c && printf 'FROM busybox\\nRUN sleep 1234\\n' "
			    ">$D/c/Dockerfile");
		text_append(&line,
			    "wherry build -q --no-cache $D/c >/dev/null 2>&1 & "
			    "until pgrep -f '^sleep 1234' >/dev/null; do :; done; "
			    "kill -%s $!; ! wait $!",
			    rows[i].signal);
		done(scene, line.data);
		if (!rows[i].at_once)
			built(scene, "", "true");
		expect(scene, "ls " BUILDS, 0, "");
		expect(scene, "wherry ipam ls -o json", 0, "[]\n");
		assert_int_not_equal(shell(scene, "pgrep -f '^sleep 1234'"), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE(run_steps_are_in_a_network_of_their_own),
		ENGINE(a_network_that_is_not_there_is_refused),
		ENGINE(a_build_leaves_nothing_of_its_steps),
		ENGINE(a_build_that_is_ended_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
