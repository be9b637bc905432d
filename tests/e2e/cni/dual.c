/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wherry-cni with ranges of both families, and of IPv6 alone: given, asked for, checked, freed. */
#include "base/file.h"
#include "runtime.h"

#define BOTH                                                \
	ROUTED IPAM("'ranges':[[{'subnet':'10.1.0.0/16'}]," \
		    "[{'subnet':'fd01::/64'}]],'routes':["  \
		    "{'dst':'0.0.0.0/0'},{'dst':'fd07::/64'}]")
#define SIX ROUTED IPAM("'subnet':'fd01::/64','rangeStart':'fd01::20','gateway':'fd01::ff'")
#define CHECKED ",'prevResult':{'cniVersion':'1.0.0','ips':[{'address':'fd01::2/64'}]}}"

static void make_outside(struct scene *scene)
{
	scene_host(scene, "client");
	scene_link(scene, "client", "eth0", "10.99.0.2/24", "node", "up0", "10.99.0.1/24");
	scene_address(scene, "client", "eth0", "fd99::2/64");
	scene_address(scene, "node", "up0", "fd99::1/64");
	scene_container(scene, "c1");
	scene_container(scene, "c2");
}

static void cni_059_each_set_gives_an_address_of_its_family(void **state)
{
	struct scene *scene = *state;

	make_outside(scene);
	assert_string_equal(runtime_add(scene, "c1", BOTH "}"), "10.1.0.2");
	assert_string_equal(runtime_text(scene, "ips", 1, "address"), "fd01::2/64");
	assert_string_equal(runtime_text(scene, "ips", 1, "gateway"), "fd01::1");
	assert_string_equal(runtime_text(scene, "routes", 1, "dst"), "fd07::/64");
	assert_string_equal(runtime_text(scene, "routes", 2, "dst"), "::/0");
	assert_string_equal(runtime_text(scene, "routes", 2, "gw"), "fd01::1");
	runtime_add(scene, "c2", BOTH "}");
	scene_assert_run(scene, "sh", "-c",
			 "test $(\"$WHERRY_BIN\"/wherry ipam ls | grep -Ec "
			 "'fd01::[23]|10.1.0.[23]') = 4",
			 NULL);
	scene_assert_ping(scene, "c2", "fd01::2");
	scene_assert_ping(scene, "c2", "10.1.0.2");
	scene_assert_ping(scene, "c1", "fd01::1");
	scene_assert_ping(scene, "c1", "fd99::2");
	scene_assert_ping(scene, "c1", "10.99.0.2");
	scene_assert_run(scene, "sh", "-c",
			 "test $(ip -o addr show dev cni0 | grep -Ec "
			 "'10.1.0.1/16|fd01::1/64') = 2",
			 NULL);
}

static void cni_059_a_network_of_ipv6_alone_works(void **state)
{
	struct scene *scene = *state;

	make_outside(scene);
	assert_string_equal(runtime_add(scene, "c1", SIX "}"), "fd01::20");
	assert_string_equal(runtime_text(scene, "ips", 0, "gateway"), "fd01::ff");
	assert_string_equal(runtime_text(scene, "routes", 0, "dst"), "::/0");
	scene_assert_ping(scene, "c1", "fd01::ff");
	scene_assert_ping(scene, "c1", "fd99::2");
	runtime_expect_error(scene, "ADD", "c1", SIX "}", 103,
			     "container c1 (eth0) is attached to network net already, with address "
			     "fd01::20");
}

static void cni_065_addresses_of_both_families_are_asked_for_in_all_three_ways(void **state)
{
	struct scene *scene = *state;
	struct call call = { .command = "ADD", .container = "c1", .config = BOTH "}" };
	static const struct {
		const char *args, *config, *v4, *v6;
	} rows[] = {
		{ NULL, BOTH ",'runtimeConfig':{'ips':['10.1.0.9/16','fd01::9/64']}}",
		  "10.1.0.9/16", "fd01::9/64" },
		{ NULL, BOTH ",'args':{'cni':{'ips':['fd01::a']}}}", NULL, "fd01::a/64" },
		{ "IP=fd01::b,10.1.0.11", BOTH "}", "10.1.0.11/16", "fd01::b/64" },
	};

	scene_container(scene, "c1");
	scene_container(scene, "c2");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		call.args = rows[i].args;
		call.config = rows[i].config;
		call.command = "ADD";
		if (runtime_call(scene, &call) != 0)
			fail_msg("row %zu: %s", i, scene_output(scene));
		if (rows[i].v4)
			assert_string_equal(runtime_text(scene, "ips", 0, "address"), rows[i].v4);
		assert_string_equal(runtime_text(scene, "ips", 1, "address"), rows[i].v6);
		runtime_expect_error(scene, "ADD", "c2",
				     BOTH ",'runtimeConfig':{'ips':['fd01::1:9','fd02::9']}}", 104,
				     "address fd02::9 is in no range: "
				     "fd01::1-fd01::ffff:ffff:ffff:ffff would be right");
		runtime_expect_silence(scene, "DEL", "c1", BOTH "}");
	}
}

static void cni_112_check_misses_an_address_and_a_lease_of_ipv6(void **state)
{
	struct scene *scene = *state;

	scene_container(scene, "c1");
	runtime_add(scene, "c1", BOTH "}");
	runtime_expect_silence(scene, "CHECK", "c1", BOTH CHECKED);
	assert_int_equal(
		scene_run(scene, "c1", "ip", "addr", "del", "fd01::2/64", "dev", "eth0", NULL), 0);
	assert_int_equal(runtime_run(scene, "CHECK", "c1", BOTH CHECKED), 1);
	assert_non_null(strstr(scene_output(scene), "fd01::2"));
}

static void cni_115_status_and_gc_know_both_families(void **state)
{
	static const char small[] =
		"{'cniVersion':'1.1.0','name':'net','type':'wherry-cni','isDefaultGateway':true,"
		"'ipMasq':true," IPAM("'ranges':[[{'subnet':'10.1.0.0/16'}],"
				      "[{'subnet':'fd01::/126','rangeEnd':'fd01::2'}]]") "%s}";
	struct scene *scene = *state;
	char config[1024], gc[1024];

	snprintf(config, sizeof config, small, "");
	snprintf(gc, sizeof gc, small, ",'cni.dev/valid-attachments':[]");
	scene_container(scene, "c1");
	scene_container(scene, "c2");
	runtime_expect_silence(scene, "STATUS", "c1", config);
	runtime_add(scene, "c1", config);
	runtime_expect_error(scene, "STATUS", "c1", config, 50,
			     "no free address in fd01::1-fd01::2 of network net");
	auto_free char *before = scene_snapshot(scene);
	runtime_expect_error(scene, "ADD", "c2", config, 102,
			     "no free address in fd01::1-fd01::2 of network net");
	scene_assert_unchanged(scene, before);
	runtime_expect_silence(scene, "GC", "c1", gc);
	runtime_expect_silence(scene, "STATUS", "c1", config);
	runtime_add(scene, "c2", config);
}

static void cni_035_old_versions_have_a_place_for_each_family(void **state)
{
	static const char config[] =
		"{'cniVersion':'0.2.0','name':'net','type':'wherry-cni','isDefaultGateway':true,"
		"'ipMasq':true," IPAM("'ranges':[[{'subnet':'10.1.0.0/16'}],"
				      "[{'subnet':'fd01::/64'}]]") "}";
	struct scene *scene = *state;

	scene_container(scene, "c1");
	assert_int_equal(runtime_run(scene, "ADD", "c1", config), 0);
	assert_non_null(strstr(scene_output(scene), "\"ip4\":{\"ip\":\"10.1.0.2/16\""));
	assert_non_null(strstr(scene_output(scene), "\"ip6\":{\"ip\":\"fd01::2/64\",\"gateway\":"
						    "\"fd01::1\",\"routes\":[{\"dst\":\"::/0\""));
}

static void cni_059_two_ranges_of_one_subnet_give_two_addresses(void **state)
{
	static const char config[] =
		ROUTED IPAM("'ranges':[[{'subnet':'fd01::/64','rangeStart':'fd01::a0','rangeEnd':"
			    "'fd01::af'}],[{'subnet':'fd01::/64','rangeStart':'fd01::b0',"
			    "'rangeEnd':'fd01::bf'}]]") "}";
	struct scene *scene = *state;

	scene_container(scene, "c1");
	assert_string_equal(runtime_add(scene, "c1", config), "fd01::a0");
	assert_string_equal(runtime_text(scene, "ips", 1, "address"), "fd01::b0/64");
	scene_assert_ping(scene, "node", "fd01::a0");
	scene_assert_ping(scene, "node", "fd01::b0");
	runtime_expect_silence(scene, "DEL", "c1", config);
}

static void cni_021_debians_static_gives_addresses_of_both_families(void **state)
{
	static const char config[] =
		ROUTED "'ipam':{'type':'static','addresses':[{'address':'10.1.0.5/16','gateway':"
		       "'10.1.0.1'},{'address':'fd01::5/64','gateway':'fd01::1'}],'routes':["
		       "{'dst':'0.0.0.0/0'},{'dst':'::/0'}]}}";
	static const char two_subnets[] =
		ROUTED "'ipam':{'type':'static','addresses':[{'address':'fd01::5/64'},"
		       "{'address':'fd02::5/64'}]}}";
	struct scene *scene = *state;

	if (!path_exists("/usr/lib/cni/static"))
		skip();
	make_outside(scene);
	assert_string_equal(runtime_add(scene, "c1", config), "10.1.0.5");
	assert_string_equal(runtime_text(scene, "ips", 1, "address"), "fd01::5/64");
	scene_assert_ping(scene, "c1", "fd99::2");
	runtime_expect_silence(scene, "DEL", "c1", config);
	auto_free char *before = scene_snapshot(scene);
	runtime_expect_error(scene, "ADD", "c2", two_subnets, 100,
			     "plugin static gave addresses of fd01::/64 and of fd02::/64: a second "
			     "subnet of IPv6 is not supported yet");
	scene_assert_unchanged(scene, before);
}

static void cni_077_a_port_has_the_families_that_host_ip_names(void **state)
{
	static const struct {
		const char *host_ip;
		bool v4, v6;
	} rows[] = {
		{ "", true, true },         { "0.0.0.0", true, false },
		{ "::", false, true },      { "10.99.0.1", true, false },
		{ "fd99::1", false, true }, { "fd99::7", false, false },
	};
	struct scene *scene = *state;

	make_outside(scene);
	scene_tcp_server(scene, "c1", 80);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char config[1024];
		snprintf(config, sizeof config,
			 BOTH ",'runtimeConfig':{'portMappings':[{'hostPort':8080,"
			      "'containerPort':80,'protocol':'tcp','hostIP':'%s'}]}}",
			 rows[i].host_ip);
		runtime_add(scene, "c1", config);
		if (rows[i].v4)
			scene_assert_tcp(scene, "client", "10.99.0.1", 8080, "c1", "10.99.0.2");
		else
			scene_assert_no_tcp(scene, "client", "10.99.0.1", 8080);
		if (rows[i].v6)
			scene_assert_tcp(scene, "client", "fd99::1", 8080, "c1", "fd99::2");
		else
			scene_assert_no_tcp(scene, "client", "fd99::1", 8080);
		runtime_expect_silence(scene, "DEL", "c1", config);
	}
	/* A family that the container lacks is passed over, as portmap does. */
	runtime_add(scene, "c1",
		    SIX ",'runtimeConfig':{'portMappings':[{'hostPort':8080,'containerPort':80,"
			"'protocol':'tcp','hostIP':'10.99.0.1'}]}}");
	scene_assert_no_tcp(scene, "client", "10.99.0.1", 8080);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(cni_059_each_set_gives_an_address_of_its_family),
		SCENE(cni_059_a_network_of_ipv6_alone_works),
		SCENE(cni_065_addresses_of_both_families_are_asked_for_in_all_three_ways),
		SCENE(cni_112_check_misses_an_address_and_a_lease_of_ipv6),
		SCENE(cni_115_status_and_gc_know_both_families),
		SCENE(cni_035_old_versions_have_a_place_for_each_family),
		SCENE(cni_059_two_ranges_of_one_subnet_give_two_addresses),
		SCENE(cni_021_debians_static_gives_addresses_of_both_families),
		SCENE(cni_077_a_port_has_the_families_that_host_ip_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
