/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What somebody takes away behind Wherry's back is named by a look, mended by a
 * reconcile, and traffic that can go on goes on meanwhile.
 */
#include "world.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "dataplane/verify.h"

#define DEVICE "br-web"

/* The words that stand for what only a run knows: its folder of pins, c1's device. */
static void fill_in(struct world *world, const char *line, char *ret, size_t size)
{
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct error err = { 0 };
	auto_text text = { 0 };
	world_claim(endpoint_find(dataplane_store(world->dataplane), "c1", "eth0", &info, &err),
		    &err);
	for (; *line; line++) {
		if (text_starts_with(line, "@BPF")) {
			text_append(&text, "%s", scene_instance(world->scene)->bpf);
			line += 3;
		} else if (text_starts_with(line, "@C1")) {
			text_append(&text, "%s", info.host_device);
			line += 2;
		} else {
			text_append_bytes(&text, line, 1);
		}
	}
	snprintf(ret, size, "%s", text.data);
}

static void run(struct world *world, const char *line)
{
	char filled[1024];
	fill_in(world, line, filled, sizeof filled);
	if (scene_run(world->scene, "node", "sh", "-c", filled, NULL) != 0)
		fail_msg("%s: %s", filled, scene_errors(world->scene));
}

struct findings {
	char text[4096];
};

static int keep_finding(const char *finding, void *context, struct error *err)
{
	struct findings *findings = context;
	size_t used = strlen(findings->text);
	(void)err;
	snprintf(findings->text + used, sizeof findings->text - used, "%s\n", finding);
	return 0;
}

static int look(struct world *world, struct findings *ret)
{
	struct error err = { 0 };
	ret->text[0] = '\0';
	int count = dataplane_verify(world->dataplane, VERIFY_ALL, keep_finding, ret, &err);
	world_claim(count, &err);
	return count;
}

static void assert_traffic(struct world *world)
{
	scene_assert_tcp(world->scene, "client", "10.99.0.1", 8080, "c1", "10.99.0.2");
	scene_assert_tcp(world->scene, "node", "10.1.0.2", 80, "c1", NULL);
	scene_assert_tcp(world->scene, "node", "127.0.0.1", 8080, "c1", NULL);
	scene_assert_tcp(world->scene, "c2", "10.1.0.2", 80, "c1", "10.1.0.3");
	scene_assert_tcp(world->scene, "c1", "10.99.0.2", 81, "client", "10.99.0.1");
}

static void set_up_traffic(struct world *world)
{
	world_network_as(world, "web", "10.1.0.0/24",
			 (struct network_spec){ .masquerade = true, .device = DEVICE });
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	world_container(world, "c2", "web", "10.1.0.3/24");
	scene_tcp_server(world->scene, "c1", 80);
	scene_tcp_server(world->scene, "client", 81);
	assert_traffic(world);
}

static const struct row {
	const char *damage;
	const char *finding;
	bool has_event; /* the kernel tells wherryd */
} rows[] = {
	{ "ip link del " DEVICE, "its device br-web is gone", true },
	{ "ip link set " DEVICE " down", "its device br-web is down", true },
	{ "ip link set " DEVICE " down; ip link set " DEVICE " name br-other up",
	  "its device br-web is gone", true },
	{ "tc qdisc del dev " DEVICE " clsact; for l in @BPF/links/to_container-*; do "
	  "[ ! -e $l ] || bpftool link detach pinned $l; done",
	  "no program is attached to br-web", false },
	{ "tc qdisc del dev up0 clsact; for l in @BPF/links/from_uplink-*; do "
	  "[ ! -e $l ] || bpftool link detach pinned $l; done",
	  "uplink up0: no program is attached", false },
	{ "tc qdisc del dev @C1 clsact", "no program is attached to its device", true },
	{ "ip link set @C1 down", "its device on the host is down", true },
	{ "ip link set @C1 down; ip link set @C1 name other up", "its device on the host is gone",
	  true },
	{ "bpftool link detach pinned @BPF/links/socket_connect4",
	  "connect4 is attached to no cgroup", false },
	{ "rm @BPF/links/socket_connect4", "connect4 is attached to no cgroup", false },
	{ "rm @BPF/maps/wh1_flows", "wh1_flows is not pinned", false },
	{ "rm @BPF/maps/wh1_endpoints @BPF/maps/wh1_switches", "wh1_endpoints is not pinned",
	  false },
	{ "rm @BPF/programs/from_uplink", "from_uplink is not pinned", false },
	{ ""
	  "k=$(printf '%08x' $(ip -o link show up0 | cut -d: -f1) | sed 's/../& /g'); set -- $k; "
	  "bpftool map delete pinned @BPF/maps/wh1_uplinks key hex $4 $3 $2 $1",
	  "uplink up0: it is not in the kernel's table", false },
	{ "k=$(printf '%08x' $(ip -o link show @C1 | cut -d: -f1) | sed 's/../& /g'); set -- $k; "
	  "bpftool map delete pinned @BPF/maps/wh1_sources key hex $4 $3 $2 $1",
	  "its device is not in the kernel's table of sources", false },
	{ "k=$(printf '%08x' $(ip -o link show " DEVICE " | cut -d: -f1) | sed 's/../& /g'); "
	  "set -- $k; bpftool map delete pinned @BPF/maps/wh1_gateways key hex $4 $3 $2 $1",
	  "br-web is not in the kernel's table of gateways", false },
};

static void what_is_taken_away_is_named_and_mended(void **state)
{
	struct world *world = *state;
	struct findings findings;
	struct scene_reply reply;
	struct error err = { 0 };
	set_up_traffic(world);
	assert_int_equal(look(world, &findings), 0);
	int fd = scene_tcp_open(world->scene, "client", "10.99.0.1", 8080, &reply);
	assert_true(fd >= 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		print_message("row %zu: %s\n", i, rows[i].finding);
		run(world, rows[i].damage);
		look(world, &findings);
		if (!strstr(findings.text, rows[i].finding))
			fail_msg("found only: %s", findings.text);
		world_claim(dataplane_reconcile(world->dataplane, &err), &err);
		if (look(world, &findings) != 0)
			fail_msg("not mended: %s", findings.text);
		assert_int_equal(scene_tcp_echo(fd, "still there", SCENE_WAIT_MS), 0);
		assert_traffic(world);
	}
	close(fd);
}

static bool log_has(const char *path, const char *text)
{
	auto_free char *log = NULL;
	struct error err = { 0 };
	size_t size;
	return file_read(path, 1 << 20, &log, &size, &err) == 0 && strstr(log, text);
}

static void wait_for_log(const char *path, const char *text)
{
	for (int i = 0; i < 4 * SCENE_WAIT_MS; i++) {
		if (log_has(path, text))
			return;
		poll(NULL, 0, 1);
	}
	fail_msg("wherryd says nothing of \"%s\"", text);
}

static void wherryd_mends_what_the_kernel_tells_and_says_so(void **state)
{
	struct world *world = *state;
	char log[INSTANCE_PATH_MAX + 16], pid[INSTANCE_PATH_MAX + 16];
	set_up_traffic(world);
	const struct instance *instance = scene_instance(world->scene);
	snprintf(log, sizeof log, "%s/wherryd.log", instance->run);
	snprintf(pid, sizeof pid, "%s/wherryd.pid", instance->run);
	scene_assert_run(world->scene, "wherryd", "--background", NULL);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!rows[i].has_event)
			continue;
		print_message("row %zu: %s\n", i, rows[i].finding);
		assert_return_code(truncate(log, 0), errno);
		run(world, rows[i].damage);
		wait_for_log(log, rows[i].finding);
		wait_for_log(log, "mended");
		assert_traffic(world);
	}
	char line[INSTANCE_PATH_MAX + 64];
	snprintf(line, sizeof line, "kill $(cat %s); while [ -e %s ]; do sleep 0.01; done", pid,
		 pid);
	run(world, line);
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(what_is_taken_away_is_named_and_mended),
		SCENE_TEST(wherryd_mends_what_the_kernel_tells_and_says_so),
	};
	if (getenv("WHERRY_GUEST")) {
		print_message("skipped: the guest's shell has a tc of its own, without clsact\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
