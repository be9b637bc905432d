/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wherry-cni as a runtime sees it: containers attached, checked, detached. */
#include "runtime.h"

static void cni_031_a_result_names_bridge_host_end_and_container_in_this_order(void **state)
{
	struct scene *scene = *state;

	scene_container(scene, "c1");
	assert_string_equal(runtime_add(scene, "c1", CONFIG), "10.1.0.2");
	assert_string_equal(runtime_text(scene, NULL, 0, "cniVersion"), "1.0.0");
	assert_string_equal(runtime_text(scene, "ips", 0, "gateway"), "10.1.0.1");
	assert_string_equal(runtime_text(scene, "interfaces", 0, "name"), "cni0");
	assert_string_equal(runtime_text(scene, "interfaces", 2, "name"), "eth0");
	assert_string_equal(runtime_text(scene, "interfaces", 2, "sandbox"),
			    scene_netns_path(scene, "c1"));
	assert_string_equal(runtime_text(scene, "routes", 0, "dst"), "0.0.0.0/0");
	assert_true(scene_has_device(scene, "node", runtime_text(scene, "interfaces", 1, "name")));
	runtime_expect_silence(scene, "DEL", "c1", CONFIG);
}

static void cni_058_the_first_packet_passes_when_add_returns(void **state)
{
	struct scene *scene = *state;
	char first[64];

	scene_container(scene, "c1");
	scene_container(scene, "c2");
	snprintf(first, sizeof first, "%s", runtime_add(scene, "c1", CONFIG));
	assert_int_equal(scene_ping(scene, "node", first, 1000), 0);
	runtime_add(scene, "c2", CONFIG);
	assert_int_equal(scene_ping(scene, "c2", first, 1000), 0);
	scene_tcp_server(scene, "c1", 80);
	scene_assert_tcp(scene, "c2", first, 80, "c1", "10.1.0.3");
}

#define PORT(host)                                           \
	"'runtimeConfig':{'portMappings':[{'hostPort':" host \
	",'containerPort':80,'protocol':'tcp'}]}"

static void cni_013_a_published_port_is_reached_whatever_the_case_of_its_keys(void **state)
{
	struct scene *scene = *state;

	scene_host(scene, "client");
	scene_link(scene, "client", "eth0", "10.99.0.2/24", "node", "up0", "10.99.0.1/24");
	scene_container(scene, "c1");
	runtime_add(scene, "c1",
		    WITH("'runtimeConfig':{'PortMappings':[{'HostPort':8080,'ContainerPort':80,"
			 "'Protocol':'tcp','HostIP':''}]}"));
	scene_tcp_server(scene, "c1", 80);
	scene_assert_tcp(scene, "client", "10.99.0.1", 8080, "c1", "10.99.0.2");
	scene_assert_tcp(scene, "node", "127.0.0.1", 8080, "c1", NULL);
	runtime_expect_silence(scene, "DEL", "c1", CONFIG);
	scene_assert_no_tcp(scene, "client", "10.99.0.1", 8080);
}

static void cni_083_a_port_that_is_held_names_its_holder_and_leaves_nothing(void **state)
{
	struct scene *scene = *state;

	scene_container(scene, "c1");
	scene_container(scene, "c2");
	runtime_add(scene, "c1", WITH(PORT("8080")));
	auto_free char *before = scene_snapshot(scene);
	assert_int_equal(runtime_run(scene, "ADD", "c2", WITH(PORT("8080"))), 1);
	if (!strstr(scene_output(scene), "8080") || !strstr(scene_output(scene), "c1") ||
	    !strstr(scene_output(scene), "\"code\":101"))
		fail_msg("%s", scene_output(scene));
	scene_assert_unchanged(scene, before);
	assert_string_equal(runtime_add(scene, "c2", CONFIG), "10.1.0.4");
}

static void cni_066_a_second_add_is_refused_and_the_first_stays(void **state)
{
	struct scene *scene = *state;

	scene_container(scene, "c1");
	runtime_add(scene, "c1", CONFIG);
	runtime_expect_error(scene, "ADD", "c1", CONFIG, 103,
			     "container c1 (eth0) is attached to network net already, with address "
			     "10.1.0.2");
	scene_assert_ping(scene, "node", "10.1.0.2");
}

static void cni_063_a_full_range_is_named(void **state)
{
	static const char config[] = ROUTED IPAM("'subnet':'10.1.0.0/30'") "}";
	struct scene *scene = *state;

	scene_container(scene, "c1");
	scene_container(scene, "c2");
	runtime_add(scene, "c1", config);
	auto_free char *before = scene_snapshot(scene);
	runtime_expect_error(scene, "ADD", "c2", config, 102,
			     "no free address in 10.1.0.1-10.1.0.2 of network net");
	scene_assert_unchanged(scene, before);
}

static void cni_065_a_taken_or_foreign_address_is_refused(void **state)
{
	struct scene *scene = *state;

	scene_container(scene, "c1");
	scene_container(scene, "c2");
	assert_string_equal(runtime_add(scene, "c1",
					WITH("'runtimeConfig':{'ips':['10.1.0.9/16'],"
					     "'mac':'02:42:00:00:00:09'}")),
			    "10.1.0.9");
	assert_string_equal(runtime_text(scene, "interfaces", 2, "mac"), "02:42:00:00:00:09");
	runtime_expect_error(scene, "ADD", "c2", WITH("'runtimeConfig':{'ips':['10.1.0.9']}"), 101,
			     "address 10.1.0.9 of network net is held by container c1 (eth0)");
	runtime_expect_error(scene, "ADD", "c2", WITH("'runtimeConfig':{'ips':['10.2.0.9']}"), 104,
			     "address 10.2.0.9 is in no range: 10.1.0.1-10.1.255.254 would be "
			     "right");
}

static void unknown_network_without_a_subnet_is_named(void **state)
{
	struct scene *scene = *state;

	scene_container(scene, "c1");
	runtime_expect_error(
		scene, "ADD", "c1", ROUTED "'ipam':{}}", 7,
		"network net is unknown, and \"ipam\" names no subnet to make it with");
}

static void cni_108_del_is_idempotent(void **state)
{
	static const struct {
		const char *netns, *config;
	} rows[] = {
		{ NULL, CONFIG },
		{ NULL, CONFIG }, /* a second time */
		{ "", CONFIG },
		{ "/run/netns/gone", CONFIG },
		{ "/etc/hostname", CONFIG },
		{ NULL, WITH("'prevResult':{'cniVersion':'9'}") },
		{ NULL, WITH("'prevResult':'broken','mtu':'x'") },
	};
	struct scene *scene = *state;

	scene_container(scene, "c1");
	runtime_add(scene, "c1", CONFIG);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct call call = { .command = "DEL",
				     .container = "c1",
				     .netns = rows[i].netns,
				     .config = rows[i].config };
		if (runtime_call(scene, &call) != 0 || *scene_output(scene))
			fail_msg("row %zu: %s", i, scene_output(scene));
		assert_false(scene_has_device(scene, "c1", "eth0"));
	}
	runtime_add(scene, "c1", CONFIG);
	/* Of another network: this one is none of its business. */
	runtime_expect_silence(scene, "DEL", "c1",
			       "{'cniVersion':'1.0.0','name':'other','type':'wherry-cni'}");
	assert_true(scene_has_device(scene, "c1", "eth0"));
	runtime_expect_silence(scene, "DEL", "c1", CONFIG);
	/* Its addresses are free, and rest. */
	assert_string_equal(runtime_add(scene, "c1", CONFIG), "10.1.0.4");
}

static void cni_108_del_after_the_namespace_went_frees_all(void **state)
{
	struct scene *scene = *state;
	struct call del = { .command = "DEL", .container = "c1", .netns = "", .config = CONFIG };

	scene_container(scene, "c1");
	scene_container(scene, "c2");
	runtime_add(scene, "c1", WITH(PORT("8080")));
	scene_remove(scene, "c1");
	assert_int_equal(runtime_call(scene, &del), 0);
	runtime_add(scene, "c2", WITH(PORT("8080")));
}

static void cni_016_the_plugins_own_namespace_is_refused(void **state)
{
	struct scene *scene = *state;
	struct call call = {
		.command = "ADD", .container = "c1", .netns = "/proc/self/ns/net", .config = CONFIG
	};

	scene_container(scene, "c1");
	assert_int_equal(runtime_call(scene, &call), 1);
	assert_non_null(strstr(scene_output(scene), "\"code\":8"));
	call.netns = "/etc/passwd";
	assert_int_equal(runtime_call(scene, &call), 1);
	assert_non_null(strstr(scene_output(scene), "\"code\":8"));
}

static void cni_112_check_names_what_is_missing(void **state)
{
	static const char check[] = WITH("'prevResult':{'cniVersion':'1.0.0'}");
	struct scene *scene = *state;

	scene_container(scene, "c1");
	runtime_add(scene, "c1", CONFIG);
	runtime_expect_silence(scene, "CHECK", "c1", check);
	runtime_expect_error(scene, "CHECK", "c1", CONFIG, 7,
			     "standard input: prevResult: is missing");
	assert_int_equal(scene_run(scene, "c1", "ip", "addr", "flush", "dev", "eth0", NULL), 0);
	assert_int_equal(runtime_run(scene, "CHECK", "c1", check), 1);
	assert_non_null(strstr(scene_output(scene), "the interface has not its address"));
}

#define LATEST "{'cniVersion':'1.1.0','name':'net','type':'wherry-cni','bridge':'cni0'," SUBNET

static void cni_117_gc_takes_back_what_is_not_listed(void **state)
{
	struct scene *scene = *state;
	struct call gc = { .command = "GC",
			   .container = "c1",
			   .config = LATEST ",'cni.dev/valid-attachments':[{'containerID':'c2',"
					    "'ifname':'eth0'}]}" };

	for (int i = 1; i <= 3; i++) {
		char name[8];
		snprintf(name, sizeof name, "c%d", i);
		scene_container(scene, name);
		runtime_add(scene, name, LATEST "}");
	}
	assert_int_equal(runtime_call(scene, &gc), 0);
	assert_true(scene_has_device(scene, "c2", "eth0"));
	assert_false(scene_has_device(scene, "c1", "eth0"));
	assert_false(scene_has_device(scene, "c3", "eth0"));
	scene_assert_ping(scene, "node", "10.1.0.3");
	runtime_expect_silence(scene, "STATUS", "c1", LATEST "}");
	gc.config = LATEST "}";
	assert_int_equal(runtime_call(scene, &gc), 1);
	assert_non_null(strstr(scene_output(scene), "\"code\":7"));
}

static void cni_114_status_tells_of_what_containers_suffer_from(void **state)
{
	struct scene *scene = *state;
	struct call status = { .command = "STATUS", .container = "c1", .config = LATEST "}" };

	scene_container(scene, "c1");
	runtime_add(scene, "c1", LATEST "}");
	runtime_expect_silence(scene, "STATUS", "c1", LATEST "}");
	assert_int_equal(scene_run(scene, "node", "ip", "link", "del", "cni0", NULL), 0);
	assert_int_equal(runtime_call(scene, &status), 1);
	assert_non_null(strstr(scene_output(scene), "\"code\":51"));
	assert_non_null(strstr(scene_output(scene), "cni0"));
}

static void what_is_told_about_a_container_is_kept_until_del(void **state)
{
	static const char config[] =
		ROUTED SUBNET ",'args':{'cni':{'labels':[{'key':'tier','value':'web'}]}}}";
	struct scene *scene = *state;
	struct call add = { .command = "ADD",
			    .container = "c1",
			    .config = config,
			    .args = "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;IP=10.1.0.9" };

	scene_container(scene, "c1");
	assert_int_equal(runtime_call(scene, &add), 0);
	assert_int_equal(scene_run(scene, "node", "wherry", "cni", "labels", "c1", NULL), 0);
	assert_non_null(strstr(scene_output(scene), "\"K8S_POD_NAMESPACE\": \"shop\""));
	assert_non_null(strstr(scene_output(scene), "\"tier\": \"web\""));
	assert_null(strstr(scene_output(scene), "10.1.0.9"));
	runtime_expect_silence(scene, "DEL", "c1", config);
	assert_int_equal(scene_run(scene, "node", "wherry", "cni", "labels", "c1", NULL), 1);
}

static void another_networks_subnet_is_refused_by_name(void **state)
{
	struct scene *scene = *state;
	static const char other[] =
		"{'cniVersion':'1.0.0','name':'other','type':'wherry-cni'," SUBNET "}";

	scene_container(scene, "c1");
	scene_container(scene, "c2");
	runtime_add(scene, "c1", CONFIG);
	assert_int_equal(runtime_run(scene, "ADD", "c2", other), 1);
	assert_non_null(strstr(scene_output(scene), "net"));
}

static void cni_040_there_is_one_default_route(void **state)
{
	static const char both[] =
		ROUTED IPAM("'subnet':'10.1.0.0/16','routes':[{'dst':'0.0.0.0/0'},"
			    "{'dst':'10.9.0.0/16'}]") "}";
	struct scene *scene = *state;

	scene_container(scene, "c1");
	runtime_add(scene, "c1", both);
	assert_string_equal(runtime_text(scene, "routes", 0, "dst"), "0.0.0.0/0");
	assert_string_equal(runtime_text(scene, "routes", 1, "dst"), "10.9.0.0/16");
	assert_int_equal(scene_run(scene, "c1", "ip", "route", NULL), 0);
	assert_string_equal(scene_output(scene),
			    "default via 10.1.0.1 dev eth0 \n"
			    "10.1.0.0/16 dev eth0 proto kernel scope link src 10.1.0.2 \n"
			    "10.9.0.0/16 via 10.1.0.1 dev eth0 \n");
}

/* Runs the plugin under another program, which takes something away first. */
static void expect_under(struct scene *scene, const char *script, const char *answer)
{
	char command[2048], json[512];

	snprintf(command, sizeof command,
		 "export CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_IFNAME=eth0 CNI_PATH=/x "
		 "CNI_NETNS=%s; "
		 "echo '{\"cniVersion\":\"1.0.0\",\"name\":\"net\",\"ipam\":{\"subnet\":"
		 "\"10.1.0.0/16\"}}' | %s",
		 scene_netns_path(scene, "c1"), script);
	snprintf(json, sizeof json, "{\"cniVersion\":\"1.0.0\",%s}", answer);
	int status = scene_run(scene, "node", "/bin/sh", "-c", command, NULL);
	assert_string_equal(scene_output(scene), json);
	assert_int_equal(status, 1);
}

static void what_the_machine_lacks_is_named(void **state)
{
	struct scene *scene = *state;

	scene_container(scene, "c1");
	expect_under(scene,
		     "/usr/bin/setpriv --reuid 65534 --clear-groups --bounding-set=-all "
		     "--inh-caps=-all "
		     "$WHERRY_BIN/wherry-cni",
		     "\"code\":105,\"msg\":\"wherry needs root (CAP_BPF, CAP_NET_ADMIN)\"");
	expect_under(scene, "unshare -m sh -c 'umount /sys/fs/bpf && exec $WHERRY_BIN/wherry-cni'",
		     "\"code\":100,\"msg\":\"/sys/fs/bpf is no bpffs: mount -t bpf bpf "
		     "/sys/fs/bpf\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(cni_031_a_result_names_bridge_host_end_and_container_in_this_order),
		SCENE(cni_058_the_first_packet_passes_when_add_returns),
		SCENE(cni_013_a_published_port_is_reached_whatever_the_case_of_its_keys),
		SCENE(cni_083_a_port_that_is_held_names_its_holder_and_leaves_nothing),
		SCENE(cni_066_a_second_add_is_refused_and_the_first_stays),
		SCENE(cni_063_a_full_range_is_named),
		SCENE(cni_065_a_taken_or_foreign_address_is_refused),
		SCENE(unknown_network_without_a_subnet_is_named),
		SCENE(cni_108_del_is_idempotent),
		SCENE(cni_108_del_after_the_namespace_went_frees_all),
		SCENE(cni_016_the_plugins_own_namespace_is_refused),
		SCENE(cni_112_check_names_what_is_missing),
		SCENE(cni_114_status_tells_of_what_containers_suffer_from),
		SCENE(what_is_told_about_a_container_is_kept_until_del),
		SCENE(cni_117_gc_takes_back_what_is_not_listed),
		SCENE(cni_040_there_is_one_default_route),
		SCENE(what_the_machine_lacks_is_named),
		SCENE(another_networks_subnet_is_refused_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
