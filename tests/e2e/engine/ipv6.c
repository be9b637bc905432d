/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks of both families, and of IPv6 alone: addresses, names, and the way out. */
#include "kit.h"

#define IN(name) "wherry run --rm --network " name " busybox "

#define BOTH(key) "{{.NetworkSettings.Networks.both." #key "}}"
#define SIX(key) "{{.NetworkSettings.Networks.six." #key "}}"

static void make_networks(struct scene *scene)
{
	scene_address(scene, "other", "eth0", "fd99::2/64");
	scene_address(scene, "node", "up0", "fd99::1/64");
	done(scene, "wherry network create --subnet 10.20.0.0/16 --subnet fd20::/64 both");
	done(scene, "wherry network create --ipv4=false --subnet fd60::/64 --gateway fd60::99 "
		    "--ip-range fd60::1:0/112 six");
	done(scene, "wherry run -d --name web --network both busybox httpd -f -p 80 -h /etc");
	done(scene, "wherry run -d --name web6 --network six busybox httpd -f -p 80 -h /etc");
}

static void names_lead_to_both_families(void **state)
{
	struct scene *scene = *state;
	make_networks(scene);
	done(scene, IN("both") "ping -4 -c 1 -W 5 web");
	done(scene, IN("both") "ping -6 -c 1 -W 5 web");
	done(scene, IN("both") "wget -qO- http://web/passwd");
	done(scene, IN("six") "wget -qO- http://web6/passwd");
	done(scene, "wherry run --rm --network six --link web6:db busybox wget -qO- "
		    "http://db/passwd");
	expect(scene, IN("six") "grep nameserver /etc/resolv.conf", 0, "nameserver fd60::99\n");
	expect(scene, IN("both") "grep nameserver /etc/resolv.conf", 0, "nameserver 127.0.0.11\n");
	expect(scene,
	       "ip=$(wherry inspect -f '{{.NetworkSettings.Networks.six.GlobalIPv6Address}}' "
	       "web6); " IN("six") "nslookup $ip | grep -o 'name = .*'",
	       0, "name = web6\n");
	expect(scene, IN("both") "nslookup fd20::2 fd20::1 | grep -o 'name = .*'", 0,
	       "name = web\n");
	done(scene, IN("both") "ping -6 -c 1 -W 5 fd99::2");
	done(scene, IN("six") "ping -6 -c 1 -W 5 fd99::2");
}

static void addresses_are_shown_with_dockers_keys(void **state)
{
	struct scene *scene = *state;
	make_networks(scene);
	done(scene, "wherry run -d --name c --network both --ip 10.20.0.9 --ip6 fd20::9 "
		    "--hostname here busybox sleep 100");
	expect(scene,
	       "wherry inspect -f '" BOTH(IPAddress) " " BOTH(GlobalIPv6Address) "/" BOTH(
		       GlobalIPv6PrefixLen) " " BOTH(IPv6Gateway) "' c",
	       0, "10.20.0.9 fd20::9/64 fd20::1\n");
	expect(scene,
	       "wherry inspect -f '" SIX(IPAddress) "," SIX(IPPrefixLen) "," SIX(Gateway) "," SIX(
		       GlobalIPv6Address) "' web6",
	       0, ",0,,fd60::1:0\n");
	expect(scene, "wherry endpoints | grep -oE '(10.20.0.9/16,fd20::9/64|fd60::1:0/64)' | sort",
	       0, "10.20.0.9/16,fd20::9/64\nfd60::1:0/64\n");
	expect(scene, "wherry exec c grep here /etc/hosts", 0, "10.20.0.9\there\nfd20::9\there\n");
	expect(scene,
	       "wherry network inspect -f '{{.EnableIPv4}} {{.EnableIPv6}} {{json .IPAM.Config}}' "
	       "both six",
	       0,
	       "true true [{\"Subnet\":\"10.20.0.0/16\",\"Gateway\":\"10.20.0.1\"},"
	       "{\"Subnet\":\"fd20::/64\",\"Gateway\":\"fd20::1\"}]\n"
	       "false true [{\"Subnet\":\"fd60::/64\",\"IPRange\":\"fd60::1:0/112\","
	       "\"Gateway\":\"fd60::99\"}]\n");
	expect(scene, "wherry network ls --format '{{.Name}} {{.Subnet}} {{.IPv4}} {{.IPv6}}'", 0,
	       "both 10.20.0.0/16,fd20::/64 true true\nsix fd60::/64 false true\n");
	expect(scene, "wherry network inspect six | grep -o '\"IPv[46]Address\": \"[^\"]*\"'", 0,
	       "\"IPv4Address\": \"\"\n\"IPv6Address\": \"fd60::1:0/64\"\n");
}

static void a_subnet_is_chosen_where_none_is_named(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry network create --ipv6 a");
	done(scene, "wherry network create --ipv6 --ipv4=false b");
	expect(scene,
	       "wherry network ls --format '{{.Name}} {{.Subnet}}' | sed 's/fd[0-9a-f:]*/U/'", 0,
	       "a 172.17.0.0/16,U/64\nb U/64\n");
	done(scene, "wherry run -d --name c --network a busybox sleep 100");
	done(scene, IN("a") "ping -6 -c 1 -W 5 c");
	done(scene, "wherry rm -f c");
	/* Networks of an earlier boot are known, though the data path has them no more. */
	done(scene, "wherry system reset");
	done(scene, "wherry network create --ipv6 d");
	expect(scene,
	       "wherry network ls --format '{{.Subnet}}' | tr , ' ' | xargs -n 1 | sort -u | wc -l",
	       0, "5\n");
}

static void each_family_leaves_by_the_first_network_that_has_it(void **state)
{
	struct scene *scene = *state;
	make_networks(scene);
	done(scene, "wherry network create --subnet 10.30.0.0/16 four");
	done(scene, "wherry network create --internal --subnet 10.40.0.0/16 inner");
	done(scene, "wherry run -d --name c --network inner busybox sleep 100");
	done(scene, "wherry network connect four c");
	done(scene, "wherry network connect both c");
	expect(scene, "wherry exec c ip route | grep default", 0,
	       "default via 10.30.0.1 dev eth1 \n");
	done(scene, "wherry exec c ping -6 -c 1 -W 5 fd99::2");
	done(scene, "wherry exec c ping -4 -c 1 -W 5 192.0.2.2");
	done(scene, "wherry restart -t 0 c");
	expect(scene, "wherry exec c ip route | grep default", 0,
	       "default via 10.30.0.1 dev eth1 \n");
	done(scene, "wherry exec c ping -6 -c 1 -W 5 fd99::2");
}

static void a_container_comes_back_with_both_addresses(void **state)
{
	struct scene *scene = *state;
	make_networks(scene);
	done(scene, "wherry run -d --name c --network both --ip6 fd20::9 busybox sleep 100");
	done(scene, "wherry restart -t 0 c");
	expect(scene, "wherry inspect -f '{{.NetworkSettings.Networks.both.GlobalIPv6Address}}' c",
	       0, "fd20::9\n");
	done(scene, "wherry network connect --ip6 fd60::9 six c");
	done(scene, "wherry exec c wget -qO- http://web6/passwd");
	done(scene, "wherry network disconnect both c");
	done(scene, "wherry exec c ping -6 -c 1 -W 5 fd99::2");
	done(scene, IN("six") "ping -6 -c 1 -W 5 c");
}

static void reach(struct scene *scene, const char *address, int port, bool reached)
{
	char url[64];
	bool v6 = strchr(address, ':');
	snprintf(url, sizeof url, "http://%s%s%s:%d/passwd", v6 ? "[" : "", address, v6 ? "]" : "",
		 port);
	if (!reached)
		scene_assert_no_tcp(scene, "other", address, (uint16_t)port);
	else if (scene_run(scene, "other", "busybox", "wget", "-qO-", url, NULL) != 0)
		fail_msg("%s: %s", url, scene_errors(scene));
}

static void ports_are_published_on_the_families_that_are_named(void **state)
{
	struct scene *scene = *state;
	make_networks(scene);
	done(scene, "wherry run -d --name p --network both -p 8080:80 -p [::]:8081:80 "
		    "-p 0.0.0.0:8082:80 -p [fd99::1]:8083:80 busybox httpd -f -p 80 -h /etc");
	done(scene, "wherry run -d --name p6 --network six -p 8084:80 busybox httpd -f -p 80 -h "
		    "/etc");
	static const struct {
		int port;
		bool v4, v6;
	} rows[] = {
		{ 8080, true, true },  { 8081, false, true }, { 8082, true, false },
		{ 8083, false, true }, { 8084, false, true },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		reach(scene, "192.0.2.1", rows[i].port, rows[i].v4);
		reach(scene, "fd99::1", rows[i].port, rows[i].v6);
	}
	done(scene, "busybox wget -qO- http://[::1]:8080/passwd");
	done(scene, "busybox wget -qO- http://[fd99::1]:8083/passwd");
	done(scene, IN("both") "wget -qO- http://[fd99::1]:8080/passwd");
	done(scene, IN("six") "wget -qO- http://[fd99::1]:8080/passwd");
	expect(scene, "wherry ps --filter name=p --format '{{.Names}} {{.Ports}}'", 0,
	       "p6 [::]:8084->80/tcp\np 0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, "
	       "[::]:8081->80/tcp, 0.0.0.0:8082->80/tcp, [fd99::1]:8083->80/tcp\n");
	expect(scene, "wherry port p 80", 0,
	       "0.0.0.0:8080\n[::]:8080\n[::]:8081\n0.0.0.0:8082\n[fd99::1]:8083\n");
	expect(scene, "wherry port p6", 0, "80/tcp -> [::]:8084\n");
	expect(scene,
	       "wherry ports -o json | grep -o '\"hostIp\": *\"[^\"]*\"' | sort | uniq -c | "
	       "sed 's/^ *//; s/: */:/'",
	       0, "2 \"hostIp\":\"0.0.0.0\"\n3 \"hostIp\":\"::\"\n1 \"hostIp\":\"fd99::1\"\n");
	assert_int_equal(shell(scene, "wherry run --rm --network six -p [::]:8080:81 busybox true"),
			 125);
	assert_non_null(strstr(scene_errors(scene), "host port 8080/tcp is held by container p"));
	assert_int_equal(shell(scene, "wherry run --rm -p [::1]:8090:80 busybox true"), 125);
	assert_non_null(
		strstr(scene_errors(scene), "port 8090 is published on IPv6, but container"));
	expect(scene, "wherry ps -aq | wc -l", 0, "4\n");
	done(scene, "wherry rm -f p");
	reach(scene, "fd99::1", 8080, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE(names_lead_to_both_families),
		ENGINE(addresses_are_shown_with_dockers_keys),
		ENGINE(a_subnet_is_chosen_where_none_is_named),
		ENGINE(each_family_leaves_by_the_first_network_that_has_it),
		ENGINE(a_container_comes_back_with_both_addresses),
		ENGINE(ports_are_published_on_the_families_that_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
