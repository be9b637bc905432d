/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Containers find each other by name, and are reached on published ports. */
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/process.h"
#include "kit.h"

#include <string.h>

static void make_pair(struct scene *scene)
{
	done(scene, "wherry network create front");
	done(scene, "wherry run -d --name web --network front --network-alias www -p 8080:80 "
		    "busybox httpd -f -p 80 -h /etc");
}

static void names_and_aliases_resolve_in_a_network(void **state)
{
	struct scene *scene = *state;
	make_pair(scene);
	expect(scene,
	       "wherry run --rm --network front busybox wget -qO- http://web/hostname | wc -l", 0,
	       "1\n");
	done(scene, "wherry run --rm --network front busybox wget -qO- http://www/passwd");
	done(scene,
	     "wherry run --rm --network front --link web:db busybox wget -qO- http://db/passwd");
	assert_int_not_equal(
		shell(scene, "wherry run --rm busybox wget -T 2 -qO- http://web/passwd"), 0);
}

static void a_server_of_ones_own_does_not_hide_the_neighbours(void **state)
{
	struct scene *scene = *state;
	struct error err;
	char query[512] = "";
	auto_fd fd = -1;
	make_pair(scene);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(53) };
	assert_int_equal(
		netns_socket(scene_netns_fd(scene, "other"), AF_INET, SOCK_DGRAM, 0, &fd, &err), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	done(scene, "wherry run --rm --network front --dns 192.0.2.2 busybox "
		    "wget -qO- http://web/passwd");
	done(scene, "wherry run -d --network front --dns 192.0.2.2 busybox "
		    "ping -c 1 nobody.example");
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	assert_int_equal(poll(&wait, 1, 10000), 1);
	assert_true(recv(fd, query, sizeof query, 0) > 12);
	assert_memory_equal(query + 12, "\6nobody\7example", 15);
	expect_error(scene, "wherry run --rm --dns nonsense busybox true", 125,
		     "wherry: run: --dns: \"nonsense\" is no address: 10.1.2.3 or "
		     "fd00::1 would be\n");
}

static void a_published_port_is_reached_from_everywhere(void **state)
{
	struct scene *scene = *state;
	make_pair(scene);
	done(scene, "busybox wget -qO- http://127.0.0.1:8080/passwd");
	done(scene, "wherry run --rm busybox wget -qO- http://192.0.2.1:8080/passwd");
	assert_int_equal(scene_run(scene, "other", "busybox", "wget", "-qO-",
				   "http://192.0.2.1:8080/passwd", NULL),
			 0);
	done(scene, "wherry rm -f web");
	scene_assert_no_tcp(scene, "other", "192.0.2.1", 8080);
}

static void rates_limit_what_a_container_receives_and_sends(void **state)
{
	struct scene *scene = *state;
	expect_error(
		scene, "wherry run --rm --ingress-rate fast busybox true", 125,
		"wherry: run: --ingress-rate: \"fast\" is no rate: 100m for 100 Mbit/s, 1g/20m "
		"with a burst of 20 Mbit\n");
	expect_error(scene, "wherry run --rm --network host --egress-rate 1m busybox true", 125,
		     "wherry: run: --egress-rate: needs a network; --network host has none of its "
		     "own\n");
	done(scene, "wherry run -d --name slow --ingress-rate 10m --egress-rate 20m/1m busybox "
		    "sleep 100");
	expect(scene, "tc qdisc show | grep -c 'tbf.* rate 10Mbit '", 0, "1\n");
	expect(scene,
	       "nsenter -t $(wherry inspect --format '{{.State.Pid}}' slow) -n "
	       "tc qdisc show dev eth0 | grep -c 'tbf.* rate 20Mbit '",
	       0, "1\n");
	done(scene, "wherry rm -f slow");
}

static void a_running_container_joins_and_leaves_a_network(void **state)
{
	struct scene *scene = *state;
	make_pair(scene);
	done(scene, "wherry run -d --name c busybox sleep 100");
	done(scene, "wherry network connect --alias side front c");
	done(scene, "wherry exec c wget -qO- http://web/passwd");
	done(scene, "wherry run --rm --network front busybox ping -c 1 -W 2 side");
	expect_error(scene, "wherry network connect front c", 1,
		     "wherry: network connect: container c is in network front already\n");
	done(scene, "wherry network disconnect front c");
	expect(scene, "wherry exec c ls /sys/class/net", 0, "eth0\nlo\n");
}

static void a_published_port_leads_to_a_network_that_is_left(void **state)
{
	struct scene *scene = *state;
	make_pair(scene);
	done(scene, "wherry network create back");
	done(scene, "wherry network connect back web");
	done(scene, "wherry network disconnect front web");
	done(scene, "busybox wget -qO- http://127.0.0.1:8080/passwd");
	assert_int_equal(scene_run(scene, "other", "busybox", "wget", "-qO-",
				   "http://192.0.2.1:8080/passwd", NULL),
			 0);
	done(scene, "wherry network disconnect back web");
	scene_assert_no_tcp(scene, "other", "192.0.2.1", 8080);
	done(scene, "wherry network connect front web");
	assert_int_equal(scene_run(scene, "other", "busybox", "wget", "-qO-",
				   "http://192.0.2.1:8080/passwd", NULL),
			 0);
}

static void a_port_is_published_for_some_and_bound_by_nobody(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry run -d --name web --publish-from 203.0.113.0/24,203.0.113.9 -p 8080:80 "
		    "-p 127.0.0.1:8081:80 busybox httpd -f -p 80 -h /etc");
	done(scene, "wherry run -d --name all -p 0:80 busybox httpd -f -p 80 -h /etc");
	scene_assert_no_tcp(scene, "other", "192.0.2.1", 8080);
	done(scene, "busybox wget -qO- http://127.0.0.1:8080/passwd");
	expect(scene, "wherry ports --exposure -o json | grep -o 'reachedBy\": *\"[^\"]*' | sort",
	       0,
	       "reachedBy\": \"203.0.113.0/24,203.0.113.9/32\n"
	       "reachedBy\": \"host\nreachedBy\": \"world\n");
	assert_int_not_equal(shell(scene, "busybox httpd -f -p 8080"), 0);
	assert_int_equal(shell(scene, "wherry run --publish-from 1.2.3.4/33 -p 1:1 busybox true"),
			 125);
	assert_non_null(strstr(scene_errors(scene), "--publish-from"));
}

static void the_hosts_firewall_decides_on_ports_unless_told_otherwise(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry run -d --name web -p 8080:80 busybox httpd -f -p 80 -h /etc");
	done(scene, "wherry run -d --name open --host-firewall bypass -p 8081:80 busybox httpd -f "
		    "-p 80 -h /etc");
	done(scene, "nft 'add table ip user; add chain ip user forward "
		    "{ type filter hook forward priority 0; policy drop; }'");
	scene_assert_no_tcp(scene, "other", "192.0.2.1", 8080);
	assert_int_equal(scene_run(scene, "other", "busybox", "wget", "-qO-",
				   "http://192.0.2.1:8081/passwd", NULL),
			 0);
	done(scene, "wherry flows --state host-firewall | grep 8080");
	done(scene, "nft delete table ip user");
	assert_int_equal(scene_run(scene, "other", "busybox", "wget", "-qO-",
				   "http://192.0.2.1:8080/passwd", NULL),
			 0);
	assert_int_equal(shell(scene, "wherry run --host-firewall off -p 1:1 busybox true"), 125);
	assert_non_null(strstr(scene_errors(scene), "--host-firewall"));
}

static void a_network_in_use_is_not_removed(void **state)
{
	struct scene *scene = *state;
	make_pair(scene);
	expect_error(scene, "wherry network rm front", 1,
		     "wherry: network rm: network front: container web is in it: stop it or "
		     "disconnect it first\n");
	done(scene, "wherry rm -f web");
	expect(scene, "wherry network rm front", 0, "front\n");
}

static void a_container_shares_the_network_of_another(void **state)
{
	struct scene *scene = *state;
	make_pair(scene);
	done(scene, "wherry run --rm --network container:web busybox wget -qO- "
		    "http://127.0.0.1/passwd");
}

static void networks_are_listed_and_shown(void **state)
{
	struct scene *scene = *state;
	done(scene,
	     "wherry network create --subnet 10.20.0.0/16 --ip-range 10.20.5.0/24 --label a=b "
	     "--internal front");
	expect(scene,
	       "wherry network ls --format '{{.Name}} {{.Driver}} {{.Subnet}} {{.Internal}}'", 0,
	       "front bridge 10.20.0.0/16 true\n");
	expect(scene,
	       "wherry network inspect -f '{{index .Labels \"a\"}} {{json .IPAM.Config}}' front", 0,
	       "b [{\"Subnet\":\"10.20.0.0/16\",\"IPRange\":\"10.20.5.0/24\","
	       "\"Gateway\":\"10.20.0.1\"}]\n");
	expect(scene,
	       "wherry run --rm --network front busybox ip -4 -o addr show eth0 | grep -o "
	       "'10.20.5.[0-9]*/16'",
	       0, "10.20.5.0/16\n"); /* an ordinary address of the subnet, as with Docker */
	done(scene,
	     "wherry network create --subnet 10.21.0.0/16 -o masquerade.endpoint-independent=true "
	     "-o masquerade.except=10.0.0.0/8,192.0.2.1 out");
	expect(scene,
	       "wherry network inspect -f '{{index .Options \"masquerade.except\"}} {{index "
	       ".Options \"masquerade.endpoint-independent\"}}' out",
	       0, "10.0.0.0/8,192.0.2.1/32 true\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE(names_and_aliases_resolve_in_a_network),
		ENGINE(a_server_of_ones_own_does_not_hide_the_neighbours),
		ENGINE(a_published_port_is_reached_from_everywhere),
		ENGINE(rates_limit_what_a_container_receives_and_sends),
		ENGINE(a_running_container_joins_and_leaves_a_network),
		ENGINE(a_published_port_leads_to_a_network_that_is_left),
		ENGINE(a_port_is_published_for_some_and_bound_by_nobody),
		ENGINE(the_hosts_firewall_decides_on_ports_unless_told_otherwise),
		ENGINE(a_network_in_use_is_not_removed),
		ENGINE(a_container_shares_the_network_of_another),
		ENGINE(networks_are_listed_and_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
