/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bad input: one clear line, a status, and nothing left. */
#include "kit.h"

static void each_bad_flag_is_one_line_and_leaves_nothing(void **state)
{
	static const struct {
		const char *flags, *errors;
	} rows[] = {
		{ "--ip6 ::1", "--ip6 ::1: network bridge has no IPv6: it was made without "
			       "--ipv6" },
		{ "--ip6 10.1.2.3", "--ip6 10.1.2.3: is no IPv6 address" },
		{ "--ip6 fd00::g",
		  "--ip6: \"fd00::g\" is no address: 10.1.2.3 or fd00::1 would be" },
		{ "--ip fd00::1", "--ip fd00::1: is no IPv4 address" },
		{ "--ip 10.8.0.2",
		  "--ip 10.8.0.2: lies outside subnet 172.17.0.0/16 of network bridge" },
		{ "--network none --ip6 fd00::1",
		  "--ip6: needs a network; --network none has none of its own" },
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
	assert_non_null(strstr(scene_errors(scene), "--ip 10.8.0.2: lies outside subnet"));
}

static void bad_networks_are_refused(void **state)
{
	static const struct {
		const char *words, *errors;
	} rows[] = {
		{ "--ipv4=false n", "--ipv4=false: needs --ipv6 beside it" },
		{ "--ipv4=false --ipv6 --subnet 10.1.0.0/16 n",
		  "--ipv4=false: --subnet 10.1.0.0/16 is IPv4" },
		{ "--subnet fd00::/64 --subnet fd01::/64 n",
		  "--subnet fd01::/64: the network has fd00::/64 already, and takes one subnet of "
		  "each family" },
		{ "--subnet fd00::1/64 n",
		  "--subnet fd00::1/64: has host bits; the subnet is fd00::/64" },
		{ "--subnet fd00::/127 n",
		  "--subnet fd00::/127: an IPv6 network has a length of 8 to 126" },
		{ "--subnet fe80::/64 n", "network n: subnet fe80::/64 is not for hosts: choose "
					  "one of fd00::/8" },
		{ "--subnet fd00::/64 --gateway fd01::1 n",
		  "--gateway fd01::1 lies outside subnet fd00::/64" },
		{ "--subnet fd00::/64 --gateway fd00::1 --gateway fd00::2 n",
		  "--gateway fd00::2: the network has fd00::1 already" },
		{ "--subnet 10.1.0.0/16 --ip-range fd00::/80 n",
		  "--ip-range fd00::/80: needs its --subnet beside it" },
		{ "--subnet fd00::/64 --ip-range fd00::/48 n",
		  "--ip-range fd00::/48 lies outside subnet fd00::/64" },
		{ "--subnet fd00::/64 --aux-address a=fd01::1 n",
		  "--aux-address a=fd01::1 lies outside subnet fd00::/64" },
		{ "host", "network name host: has a meaning of its own" },
		{ "--subnet 10.1.2.3/16 n",
		  "--subnet 10.1.2.3/16: has host bits; the subnet is 10.1.0.0/16" },
		{ "--subnet 10.1.0.0/16 --gateway 10.2.0.1 n",
		  "--gateway 10.2.0.1 lies outside subnet 10.1.0.0/16" },
		{ "--gateway 10.2.0.1 n", "--gateway 10.2.0.1: needs its --subnet beside it" },
		{ "--driver overlay n", "--driver overlay: only bridge is there" },
		{ "-o masquerade.source=x n", "-o masquerade.source=x: \"x\" is no address" },
		{ "--internal -o masquerade.except=10.0.0.0/8 n",
		  "network n: it is not masqueraded, so masquerading has no options" },
		{ "-o foo=bar n",
		  "-o foo=bar: unknown; known are multicast, big-tcp, "
		  "masquerade.{except,source,endpoint-independent,filtering}, "
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
