/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data path beside others: other instances, other tools' programs, no process at all. */
#include "world.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

/* <linux/bpf.h> of Debian 12 is older than tcx. */
#define TCX_INGRESS 46
#define TCX_BEFORE (1u << 3)
#define TCX_AFTER (1u << 4)

static void traffic_flows_with_no_process_alive(void **state)
{
	struct world *world = *state;
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	world_container(world, "c2", "web", "10.1.0.3/24");
	scene_tcp_server(world->scene, "c1", 80);
	dataplane_free(TAKE(world->dataplane));
	scene_assert_tcp(world->scene, "client", "10.99.0.1", 8080, "c1", "10.99.0.2");
	scene_assert_tcp(world->scene, "node", "127.0.0.1", 8080, "c1", NULL);
	scene_assert_tcp(world->scene, "c2", "10.1.0.2", 80, "c1", "10.1.0.3");
}

static void no_firewall_rule_is_made(void **state)
{
	struct world *world = *state;
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	if (scene_run(world->scene, "node", "nft", "list", "ruleset", NULL) != 0)
		skip();
	assert_string_equal(scene_output(world->scene), "");
	scene_assert_run(world->scene, "sh", "-c",
			 "cat /proc/net/ip_tables_names 2>/dev/null; true", NULL);
	assert_string_equal(scene_output(world->scene), "");
}

static void two_instances_share_a_host_and_an_uplink(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	char root[512];
	struct world second = { .scene = world->scene };
	struct instance instance;
	snprintf(root, sizeof root, "%s/second", scene_folder(world->scene));
	world_claim(directory_make(root, 0755, &err), &err);
	world_claim(instance_init(root, &instance, &err), &err);
	world_claim(dataplane_open(&instance, &second.dataplane, &err), &err);

	world_network(world, "web", "10.1.0.0/24");
	world_network(&second, "web2", "10.2.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	world_publish(&second, "c2", "web2", "10.2.0.2/24", "8081:80", NULL);
	scene_tcp_server(world->scene, "c1", 80);
	scene_tcp_server(world->scene, "c2", 80);
	scene_tcp_server(world->scene, "client", 99);
	scene_assert_tcp(world->scene, "client", "10.99.0.1", 8080, "c1", "10.99.0.2");
	scene_assert_tcp(world->scene, "client", "10.99.0.1", 8081, "c2", "10.99.0.2");
	scene_assert_tcp(world->scene, "node", "127.0.0.1", 8080, "c1", NULL);
	scene_assert_tcp(world->scene, "node", "127.0.0.1", 8081, "c2", NULL);
	scene_assert_tcp(world->scene, "c1", "10.99.0.2", 99, "client", "10.99.0.1");
	scene_assert_tcp(world->scene, "c2", "10.99.0.2", 99, "client", "10.99.0.1");

	dataplane_free(second.dataplane);
	world_claim(dataplane_reset(&instance, &err), &err);
	scene_assert_tcp(world->scene, "client", "10.99.0.1", 8080, "c1", "10.99.0.2");
	scene_assert_no_tcp(world->scene, "client", "10.99.0.1", 8081);
}

/* connect() of a container or of another host is none of our business. */
static void the_socket_hooks_act_on_the_hosts_own_sockets_only(void **state)
{
	struct world *world = *state;
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	world_container(world, "c2", "web", "10.1.0.3/24");
	scene_tcp_server(world->scene, "c1", 80);
	scene_tcp_server(world->scene, "c2", 8080);
	scene_tcp_server(world->scene, "client", 8080);
	scene_assert_tcp(world->scene, "node", "127.0.0.1", 8080, "c1", NULL);
	scene_assert_tcp(world->scene, "c2", "127.0.0.1", 8080, "c2", "127.0.0.1");
	scene_assert_tcp(world->scene, "client", "127.0.0.1", 8080, "client", "127.0.0.1");
}

/* A filter that lets everything pass; the kernel counts how often it ran. */
static int load_onlooker(void)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = -1 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "onlooker", "GPL", program,
			       ARRAY_SIZE(program), NULL);
	assert_true(fd >= 0);
	return fd;
}

static uint64_t runs_of(int fd)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof info;
	assert_int_equal(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	return info.run_cnt;
}

static int link_tcx(int program, unsigned flags)
{
	struct bpf_link_create_opts options = { .sz = sizeof options, .flags = flags };
	return bpf_link_create(program, (int)if_nametoindex("up0"), TCX_INGRESS, &options);
}

static void filters_of_others_see_their_packets(void **state)
{
	struct world *world = *state;
	auto_fd counting = bpf_enable_stats(BPF_STATS_RUN_TIME);
	auto_fd before = load_onlooker(), after = load_onlooker(), classic = load_onlooker();
	/* Before 6.6 there are classic filters only. */
	auto_fd first = link_tcx(before, TCX_BEFORE), last = -1;
	bool has_tcx = first >= 0;
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	if (has_tcx)
		last = link_tcx(after, TCX_AFTER);
	struct bpf_tc_hook hook = { .sz = sizeof hook,
				    .ifindex = (int)if_nametoindex("up0"),
				    .attach_point = BPF_TC_INGRESS };
	struct bpf_tc_opts filter = { .sz = sizeof filter, .prog_fd = classic };
	bpf_tc_hook_create(&hook);
	assert_int_equal(bpf_tc_attach(&hook, &filter), 0);

	scene_tcp_server(world->scene, "node", 81);
	scene_assert_tcp(world->scene, "client", "10.99.0.1", 81, "node", "10.99.0.2");
	assert_true(!has_tcx || runs_of(before) > 0);
	assert_true(!has_tcx || runs_of(after) > 0);
	assert_true(runs_of(classic) > 0);
	scene_tcp_server(world->scene, "c1", 80);
	scene_assert_tcp(world->scene, "client", "10.99.0.1", 8080, "c1", "10.99.0.2");
	hook.attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS;
	bpf_tc_hook_destroy(&hook);
}

struct sighting {
	char reason[32], container[64];
	unsigned count;
};

static int keep_sight(const struct drop_sight *sight, void *context, struct error *err)
{
	struct sighting *seen = context;
	(void)err;
	if (strcmp(sight->reason, "isolated") != 0)
		return 0;
	snprintf(seen->reason, sizeof seen->reason, "%s", sight->reason);
	snprintf(seen->container, sizeof seen->container, "%s", sight->container_id);
	seen->count++;
	return 0;
}

static void drops_are_followed_as_they_happen(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	struct sighting seen = { .count = 0 }, seen_too = { .count = 0 };
	world_network(world, "web", "10.1.0.0/24");
	world_network(world, "db", "10.2.0.0/24");
	world_container(world, "c1", "web", "10.1.0.2/24");
	world_container(world, "c2", "db", "10.2.0.2/24");
	AUTO(drop_follower) follower = NULL;
	AUTO(drop_follower) other = NULL;
	world_claim(drops_follow(world->dataplane, &follower, &err), &err);
	world_claim(drops_follow(world->dataplane, &other, &err), &err);
	scene_assert_no_ping(world->scene, "c2", "10.1.0.2");
	for (int i = 0; i < 50 && (seen.count == 0 || seen_too.count == 0); i++) {
		struct pollfd wait = { .fd = drops_follow_fd(follower), .events = POLLIN };
		poll(&wait, 1, 200);
		world_claim(drops_follow_read(follower, keep_sight, &seen, &err), &err);
		world_claim(drops_follow_read(other, keep_sight, &seen_too, &err), &err);
	}
	assert_string_equal(seen_too.reason, "isolated");
	assert_string_equal(seen.reason, "isolated");
	assert_string_equal(seen.container, "c2");
	assert_true(world_drops(world, "isolated", "c2") > 0);
}

static void a_network_is_made_once_and_refuses_what_overlaps(void **state)
{
	static const struct {
		const char *name, *subnet, *device;
		int result;
		const char *text;
	} rows[] = {
		{ "web", "10.1.0.0/24", "", 0, "" },
		{ "web", "10.3.0.0/24", "", -EEXIST,
		  "network web is there already with the subnet 10.1.0.0/24" },
		{ "db", "10.1.0.128/25", "", -EADDRINUSE,
		  "network db: subnet 10.1.0.128/25 overlaps 10.1.0.0/24 of network web" },
		{ "db", "10.2.0.0/24", "up0", -EBUSY,
		  "network db: device up0 is there already and no bridge: choose another name" },
		{ "a b", "10.2.0.0/24", "", -EINVAL,
		  "network name \"a b\" must be of letters, digits, _ . - and begin with a letter "
		  "or "
		  "digit" },
		{ "db", "10.2.0.0/31", "", -EINVAL,
		  "network db: subnet 10.2.0.0/31 must have a length of 8 to 30" },
	};
	struct world *world = *state;
	world_network(world, "web", "10.1.0.0/24");
	char *before = scene_snapshot(world->scene);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct network_spec spec = { .masquerade = true };
		struct network_info info;
		struct error err = { 0 };
		print_message("row %zu\n", i);
		snprintf(spec.name, sizeof spec.name, "%s", rows[i].name);
		snprintf(spec.device, sizeof spec.device, "%s", rows[i].device);
		world_claim(prefix_parse(rows[i].subnet, &spec.subnet, &err), &err);
		assert_int_equal(network_ensure(world->dataplane, &spec, &info, &err),
				 rows[i].result);
		assert_string_equal(err.text, rows[i].text);
	}
	scene_assert_unchanged(world->scene, before);
	free(before);
}

static void a_network_in_use_is_not_deleted(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	world_network_as(world, "web", "10.1.0.0/24", (struct network_spec){ .device = "br-web" });
	world_container(world, "c1", "web", "10.1.0.2/24");
	assert_int_equal(network_delete(world->dataplane, "web", &err), -EBUSY);
	assert_string_equal(err.text, "network web is in use by container c1");
	world_delete(world, "c1");
	world_claim(network_delete(world->dataplane, "web", &err), &err);
	assert_false(scene_has_device(world->scene, "node", "br-web"));
	assert_int_equal(network_delete(world->dataplane, "web", &err), -ENOENT);
}

static void a_changed_setting_holds_for_running_containers(void **state)
{
	struct world *world = *state;
	world_network(world, "web", "10.1.0.0/24");
	world_container(world, "c1", "web", "10.1.0.2/24");
	scene_tcp_server(world->scene, "client", 99);
	scene_assert_tcp(world->scene, "c1", "10.99.0.2", 99, "client", "10.99.0.1");
	world_network_as(world, "web", "10.1.0.0/24", (struct network_spec){ .internal = true });
	scene_assert_no_tcp(world->scene, "c1", "10.99.0.2", 99);
	world_network(world, "web", "10.1.0.0/24");
	scene_assert_tcp(world->scene, "c1", "10.99.0.2", 99, "client", "10.99.0.1");
}

static void expect_refusal(struct world *world, const char *root_name, int code, const char *text)
{
	char root[512], run[600];
	struct error err = { 0 };
	struct instance instance;
	AUTO(dataplane) dataplane = NULL;
	snprintf(root, sizeof root, "%s/%s", scene_folder(world->scene), root_name);
	world_claim(directory_make(root, 0755, &err), &err);
	world_claim(instance_init(root, &instance, &err), &err);
	if (code == -EPROTO) {
		char path[600];
		world_claim(directory_make(instance.bpf, 0755, &err), &err);
		snprintf(path, sizeof path, "%s/abi", instance.bpf);
		assert_int_equal(symlink("99", path), 0);
	}
	assert_int_equal(dataplane_open(&instance, &dataplane, &err), code);
	assert_non_null(strstr(err.text, text));
	snprintf(run, sizeof run, "%s/run", root);
	assert_false(path_exists(run));
	world_claim(tree_remove(instance.bpf, &err), &err);
}

static void a_host_that_lacks_something_is_told_what(void **state)
{
	struct world *world = *state;
	expect_refusal(world, "other-version", -EPROTO,
		       "holds the programs of a newer wherry (layout 99, this one has 1)");
	char *bpffs = getenv("WHERRY_BPFFS") ? strdup(getenv("WHERRY_BPFFS")) : NULL;
	setenv("WHERRY_BPFFS", scene_folder(world->scene), 1);
	expect_refusal(world, "no-bpffs", -ENOENT, "is no bpffs: mount -t bpf bpf /");
	if (bpffs)
		setenv("WHERRY_BPFFS", bpffs, 1);
	else
		unsetenv("WHERRY_BPFFS");
	free(bpffs);
}

static void an_uplink_that_changes_its_address_is_followed(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	world_network(world, "web", "10.1.0.0/24");
	world_publish(world, "c1", "web", "10.1.0.2/24", "8080:80", NULL);
	scene_tcp_server(world->scene, "c1", 80);
	scene_tcp_server(world->scene, "client", 99);
	scene_assert_run(world->scene, "ip", "addr", "flush", "dev", "up0", NULL);
	scene_address(world->scene, "node", "up0", "10.99.0.5/24");
	world_claim(uplinks_refresh(world->dataplane, &err), &err);
	scene_assert_tcp(world->scene, "client", "10.99.0.5", 8080, "c1", "10.99.0.2");
	scene_assert_tcp(world->scene, "c1", "10.99.0.2", 99, "client", "10.99.0.5");
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(traffic_flows_with_no_process_alive),
		SCENE_TEST(no_firewall_rule_is_made),
		SCENE_TEST(two_instances_share_a_host_and_an_uplink),
		SCENE_TEST(the_socket_hooks_act_on_the_hosts_own_sockets_only),
		SCENE_TEST(filters_of_others_see_their_packets),
		SCENE_TEST(drops_are_followed_as_they_happen),
		SCENE_TEST(a_network_is_made_once_and_refuses_what_overlaps),
		SCENE_TEST(a_network_in_use_is_not_deleted),
		SCENE_TEST(a_changed_setting_holds_for_running_containers),
		SCENE_TEST(a_host_that_lacks_something_is_told_what),
		SCENE_TEST(an_uplink_that_changes_its_address_is_followed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
