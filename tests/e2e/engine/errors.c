/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bad input: one clear line, a status, and nothing left. */
#include "kit.h"

static void each_bad_flag_is_one_line_and_leaves_nothing(void **state)
{
	static const struct {
		const char *flags, *errors;
	} rows[] = {
		{ "--ip6 ::1", "--ip6: IPv6 networks are not there yet" },
		{ "-p 1-3:1-2", "publish 1-3:1-2: the two ranges differ in length; the form is "
				"[[HOST_IP:]HOST_PORT:]PORT[/tcp|/udp]" },
		{ "--memory 5", "--memory: the least is 512k" },
		{ "--network nosuch", "no such network: nosuch" },
		{ "--name /x", "--name /x: is not of [a-zA-Z0-9][a-zA-Z0-9_.-]*" },
		{ "--cpus x", "--cpus x: is no number of CPUs, such as 1.5" },
		{ "--cap-add FLY", "FLY: is no capability, such as NET_ADMIN" },
		{ "-w rel", "working directory rel: is not absolute" },
		{ "--link nosuch", "--link nosuch: no such container: nosuch" },
		{ "--network none -p 80:80",
		  "--publish: needs a network; --network none has none of its own" },
		{ "--rm --restart always", "--rm and --restart: only one of them" },
		{ "--network container:nosuch",
		  "--network container:nosuch: no such container: nosuch" },
	};
	struct scene *scene = *state;
	done(scene, "wherry run --rm busybox true");
	settle_links(scene);
	auto_free char *before = scene_snapshot(scene);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_text line = { 0 }, errors = { 0 };
		text_append(&line, "wherry run %s busybox true", rows[i].flags);
		text_append(&errors, "wherry: run: %s\n", rows[i].errors);
		expect_error(scene, line.data, 125, errors.data);
	}
	expect(scene, "wherry ps -aq", 0, "");
	settle_links(scene);
	scene_assert_unchanged(scene, before);
}

static void a_missing_image_is_named(void **state)
{
	expect_error(*state, "wherry run nosuch", 125,
		     "wherry: run: no such image: nosuch (`wherry images` lists those that are "
		     "there, `wherry load -i FILE` brings more)\n");
}

static void a_name_belongs_to_one_container(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry create --name a --network none busybox");
	assert_int_equal(shell(scene, "wherry run --rm --name a --network none busybox true"), 125);
	assert_non_null(
		strstr(scene_errors(scene), "wherry: run: the name a is held by container "));
	expect(scene, "wherry ps -a --format '{{.Names}}'", 0, "a\n");
}

static void a_taken_port_names_its_holder(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry run -d --name holder -p 8080:80 busybox sleep 100");
	assert_int_equal(shell(scene, "wherry run -d -p 8080:81 busybox sleep 100"), 125);
	assert_non_null(strstr(scene_errors(scene),
			       "wherry: run: host port 8080/tcp is held by container holder"));
	expect(scene, "wherry ps -a --format '{{.Names}}'", 0, "holder\n");
}

static void a_full_range_and_a_taken_address_are_named(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry network create --subnet 10.9.0.0/30 tiny");
	done(scene, "wherry run -d --name t --network tiny busybox sleep 100");
	expect_error(scene, "wherry run --network tiny busybox true", 125,
		     "wherry: run: network tiny: no free address in 10.9.0.1-10.9.0.2 of network "
		     "tiny\n");
	assert_int_equal(shell(scene, "wherry run --network tiny --ip 10.9.0.2 busybox true"), 125);
	assert_non_null(strstr(scene_errors(scene), "10.9.0.2 of network tiny is held by"));
	assert_int_equal(shell(scene, "wherry run --network tiny --ip 10.8.0.2 busybox true"), 125);
	assert_non_null(strstr(scene_errors(scene), "address 10.8.0.2 is in no range"));
}

static void bad_networks_are_refused(void **state)
{
	static const struct {
		const char *words, *errors;
	} rows[] = {
		{ "--ipv6 n", "--ipv6: IPv6 networks are not there yet" },
		{ "host", "network name host: has a meaning of its own" },
		{ "--subnet 10.1.2.3/16 n",
		  "--subnet 10.1.2.3/16: has host bits; the subnet is 10.1.0.0/16" },
		{ "--subnet 10.1.0.0/16 --gateway 10.2.0.1 n",
		  "--gateway 10.2.0.1 lies outside subnet 10.1.0.0/16" },
		{ "--gateway 10.2.0.1 n", "--gateway and --ip-range need --subnet beside them" },
		{ "--driver overlay n", "--driver overlay: only bridge is there" },
		{ "-o foo=bar n",
		  "-o foo=bar: unknown; known are multicast, big-tcp, "
		  "com.docker.network.driver.mtu and "
		  "com.docker.network.bridge.{name,enable_icc,enable_ip_masquerade}" },
	};
	struct scene *scene = *state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_text line = { 0 }, errors = { 0 };
		text_append(&line, "wherry network create %s", rows[i].words);
		text_append(&errors, "wherry: network create: %s\n", rows[i].errors);
		expect_error(scene, line.data, 1, errors.data);
	}
	expect(scene, "wherry network ls -q", 0, "");
}

static void unknown_things_are_named_by_each_verb(void **state)
{
	static const char *const verbs[] = { "start", "stop",    "kill", "rm",
					     "logs",  "inspect", "wait", "top" };
	struct scene *scene = *state;
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
		auto_text line = { 0 }, errors = { 0 };
		text_append(&line, "wherry %s ghost", verbs[i]);
		text_append(&errors, "wherry: %s: no such container: ghost\n", verbs[i]);
		expect_error(scene, line.data, 1, errors.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE(each_bad_flag_is_one_line_and_leaves_nothing),
		ENGINE(a_missing_image_is_named),
		ENGINE(a_name_belongs_to_one_container),
		ENGINE(a_taken_port_names_its_holder),
		ENGINE(a_full_range_and_a_taken_address_are_named),
		ENGINE(bad_networks_are_refused),
		ENGINE(unknown_things_are_named_by_each_verb),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
