/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wherry why` and `wherry trace`: the answers, and that asking leaves no trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "dump.h"
#include "kit.h"

static void ask(struct scene *scene, const char *from, const char *to)
{
	if (scene_run(scene, NULL, "wherry", "why", "--from", from, "--to", to, "--steps", NULL) !=
	    0)
		fail_msg("why --from %s --to %s: %s", from, to, scene_errors(scene));
}

static void answers_name_what_decides(void **state)
{
	static const struct {
		const char *from, *to, *told[3];
	} rows[] = {
		{ "shop",
		  "web:80",
		  { "delivered container web", "decided   from_container",
		    "by        wh1_endpoints 10.21.0.2 in network 1 -> web" } },
		{ "shop", "web", { "icmp 10.21.0.3", "delivered container web" } },
		{ "shop",
		  "store:80",
		  { "dropped   isolated: the destination is in another network", "wh1_subnets",
		    "change    wherry network connect back shop" } },
		{ "shop",
		  "10.21.0.99:80",
		  { "dropped   no-endpoint", "10.21.0.99 in network 1: none" } },
		{ "shop",
		  "outside:53/udp",
		  { "leaves    out by up0", "becomes   udp 10.99.0.1:" } },
		{ "shop",
		  "10.99.0.1:8080",
		  { "delivered container web", "*:8080/tcp -> 10.21.0.2:80 of web" } },
		{ "shop", "host", { "host      the host by " } },
		{ "outside",
		  "host:8080",
		  { "delivered container web", "the host's forward rules decide on it",
		    "becomes   tcp 203.0.113.1:40000 -> 10.21.0.2:80" } },
		{ "10.99.0.2", "10.99.0.1:8080", { "delivered container web" } },
		{ "outside",
		  "host:8081",
		  { "host      the host's own stack", "wherry run -p 8081:PORT" } },
		{ "outside", "web:80", { "dropped   direct", "wherry run -p 80:80" } },
		{ "host",
		  "127.0.0.1:8080",
		  { "socket_connect", "delivered container web", "decided   to_container" } },
		{ "host", "store:80", { "delivered container store" } },
		{ "host", "host:8081/udp", { "no program of wherry sees it" } },
	};
	struct scene *scene = *state;
	kit_build(scene);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		ask(scene, rows[i].from, rows[i].to);
		for (size_t k = 0; k < ARRAY_SIZE(rows[i].told) && rows[i].told[k]; k++)
			kit_assert_told(scene, rows[i].told[k]);
	}
}

static void answer_is_json_with_stable_keys(void **state)
{
	static const char *const keys[] = { "packet",  "verdict", "reason", "meaning", "target",
					    "becomes", "stage",   "entry",  "change",  "steps" };
	struct scene *scene = *state;
	char key[32];
	kit_build(scene);
	assert_int_equal(scene_run(scene, NULL, "wherry", "why", "--from", "shop", "--to",
				   "store:80", "-o", "json", NULL),
			 0);
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		snprintf(key, sizeof key, "\"%s\": ", keys[i]);
		kit_assert_told(scene, key);
	}
	kit_assert_told(scene, "\"verdict\": \"dropped\"");
}

/* Others of the scene may send meanwhile (neighbour discovery): one quiet try is proof enough. */
#define TRIES 8

static void asking_changes_no_map(void **state)
{
	static const char *const questions[][2] = { { "outside", "host:8080" },
						    { "shop", "outside:53/udp" },
						    { "shop", "store:80" } };
	struct scene *scene = *state;
	kit_build(scene);
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		bool equal = false;
		for (int try = 0; !equal && try < TRIES; try++) {
			auto_free char *before = dump_maps(scene_instance(scene));
			ask(scene, questions[i][0], questions[i][1]);
			auto_free char *after = dump_maps(scene_instance(scene));
			equal = strcmp(before, after) == 0;
		}
		if (!equal)
			fail_msg("why --from %s --to %s changes a map", questions[i][0],
				 questions[i][1]);
	}
}

static void flow_is_traced_both_ways(void **state)
{
	struct scene_reply reply;
	struct scene *scene = *state;
	char client[64];
	kit_build(scene);
	scene_tcp_server(scene, "web", 80);
	auto_fd fd = scene_tcp_open(scene, "client", "10.99.0.1", 8080, &reply);
	assert_true(fd >= 0);
	snprintf(client, sizeof client, "10.99.0.2:%u", reply.peer_port);
	assert_int_equal(scene_run(scene, NULL, "wherry", "trace", client, "10.99.0.1:8080", NULL),
			 0);
	kit_assert_told(scene, "delivered container web");
	kit_assert_told(scene, "packet    tcp 10.21.0.2:80 -> 10.99.0.2:");
	kit_assert_told(scene, "leaves    out by up0");
	kit_assert_told(scene, "becomes   tcp 10.99.0.1:8080 -> 10.99.0.2:");
}

static void frame_in_hex_is_traced(void **state)
{
	struct scene *scene = *state;
	kit_build(scene);
	/* An ARP request of nobody's: the MAC is not the container's. */
	assert_int_equal(scene_run(scene, NULL, "wherry", "trace", "--from", "shop", "--hex",
				   "ffffffffffff 02:00:00:00:00:99 0806 0001 0800 0604 0001 "
				   "020000000099 0a150003 000000000000 0a150001",
				   NULL),
			 0);
	kit_assert_told(scene, "dropped   spoof-mac");
}

static void bad_words_get_one_line(void **state)
{
	static const struct {
		const char *from, *to, *error;
	} rows[] = {
		{ "nosuch", "web:80",
		  "wherry: why: --from: nosuch is no container, no address, and neither host nor "
		  "outside\n" },
		{ "shop", "web:80/xyz",
		  "wherry: why: --to: /xyz is none of /tcp, /udp, /sctp, /icmp\n" },
		{ "shop", "web:0", "wherry: why: --to: :0 is no port (1-65535)\n" },
		{ "shop", "web/tcp", "wherry: why: --to: web/tcp: a port is missing (web:PORT)\n" },
	};
	struct scene *scene = *state;
	kit_build(scene);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(scene_run(scene, NULL, "wherry", "why", "--from", rows[i].from,
					   "--to", rows[i].to, NULL),
				 1);
		assert_string_equal(scene_errors(scene), rows[i].error);
	}
	assert_int_equal(
		scene_run(scene, NULL, "wherry", "trace", "10.99.0.2:1", "10.99.0.1:2", NULL), 1);
	assert_string_equal(scene_errors(scene),
			    "wherry: trace: no flow from 10.99.0.2:1 to 10.99.0.1:2 is known: "
			    "wherry flows lists them\n");
}

#define scene_test(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		scene_test(answers_name_what_decides), scene_test(answer_is_json_with_stable_keys),
		scene_test(asking_changes_no_map),     scene_test(flow_is_traced_both_ways),
		scene_test(frame_in_hex_is_traced),    scene_test(bad_words_get_one_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
