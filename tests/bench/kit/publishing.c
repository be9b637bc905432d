/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * publishing - how long an endpoint with many published ports takes to be added, and
 * to be deleted but for its link, in-process, as the engine asks for it.
 *
 * usage: publishing ROOT TURNS PORTS RANGES
 *
 * PORTS ports as RANGES publications, TURNS times; prints a line of JSON: {"add_ms": […],
 * "add_cpu_ms": […], "del_ms": […], "del_cpu_ms": […]}. It is run in the host's namespace and makes
 * one for the container.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/dataplane.h"

#define FIRST 1

static double clock_ms(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

struct moment {
	double time_ms, cpu_ms;
};

static struct moment now(void)
{
	return (struct moment){ clock_ms(CLOCK_MONOTONIC), clock_ms(CLOCK_PROCESS_CPUTIME_ID) };
}

static struct moment since(struct moment begin)
{
	struct moment end = now();
	return (struct moment){ end.time_ms - begin.time_ms, end.cpu_ms - begin.cpu_ms };
}

static int new_netns(struct error *err)
{
	auto_fd own = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (own < 0 || unshare(CLONE_NEWNET) < 0)
		return error_set_errno(err, errno, "cannot make a network namespace");
	int made = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	return setns(own, CLONE_NEWNET) < 0 ? error_set_errno(err, errno, "no way back") : made;
}

static void fill(struct publish_spec *publish, uint32_t ports, uint32_t ranges)
{
	for (uint32_t i = 0; i < ranges; i++) {
		uint16_t first = (uint16_t)(FIRST + i * (ports / ranges));
		publish[i] = (struct publish_spec){ .host_port = first,
						    .container_port = first,
						    .count = (uint16_t)(ports / ranges),
						    .protocol = PROTOCOL_TCP };
	}
}

struct times {
	struct moment add, del;
};

static int turn(struct dataplane *dataplane, struct endpoint_spec *spec, struct times *ret,
		struct error *err)
{
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	auto_fd netns = new_netns(err);
	if (netns < 0)
		return netns;
	spec->netns_fd = netns;
	struct moment begin = now();
	int r = endpoint_add(dataplane, spec, &info, err);
	ret->add = since(begin);
	begin = now();
	if (r == 0)
		r = endpoint_delete(dataplane, spec->container_id, spec->interface,
				    ENDPOINT_LEAVE_LINK, err);
	ret->del = since(begin);
	return r < 0 ? r : 0;
}

static void print_lists(const char *name, const struct times *times, size_t count, bool is_del)
{
	for (int cpu = 0; cpu < 2; cpu++) {
		printf("%s\"%s%s_ms\": [", is_del || cpu ? ", " : "", name, cpu ? "_cpu" : "");
		for (size_t i = 0; i < count; i++) {
			const struct moment *spent = is_del ? &times[i].del : &times[i].add;
			printf("%s%.3f", i ? ", " : "", cpu ? spent->cpu_ms : spent->time_ms);
		}
		printf("]");
	}
}

static int run(const char *root, size_t turns, uint32_t ports, uint32_t ranges, struct error *err)
{
	struct instance instance;
	struct network_info network;
	AUTO(dataplane) dataplane = NULL;
	auto_free struct publish_spec *publish = calloc(ranges ? ranges : 1, sizeof *publish);
	auto_free struct times *times = calloc(turns, sizeof *times);
	struct network_spec wanted = { .name = "ports", .masquerade = true };
	struct endpoint_spec spec = { .container_id = "ports",
				      .interface = "eth0",
				      .network = wanted.name,
				      .netns_path = "",
				      .publish = publish,
				      .publish_count = ranges,
				      .publish_policy = PUBLISH_REFUSE_LISTENERS,
				      .owner = "engine" };
	if (!publish || !times)
		return error_set(err, ENOMEM, "no memory for ports");
	fill(publish, ports, ranges);
	int r = instance_init(root, &instance, err);
	if (r == 0)
		r = dataplane_open(&instance, &dataplane, err);
	if (r == 0)
		r = prefix_parse("10.77.0.0/24", &wanted.subnet, err);
	if (r == 0)
		r = network_ensure(dataplane, &wanted, &network, err);
	if (r == 0)
		r = prefix_parse("10.77.0.2/24", &spec.address, err);
	for (size_t i = 0; r == 0 && i < turns; i++)
		r = turn(dataplane, &spec, &times[i], err);
	if (r < 0)
		return r;
	printf("{");
	print_lists("add", times, turns, false);
	print_lists("del", times, turns, true);
	printf("}\n");
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t turns = 0, ports = 0, ranges = 0;
	struct error err = { 0 };
	if (argc != 5 || text_to_unsigned(argv[2], 1, 1000, &turns) < 0 ||
	    text_to_unsigned(argv[3], 0, 65535, &ports) < 0 ||
	    text_to_unsigned(argv[4], 0, 65535, &ranges) < 0) {
		fprintf(stderr, "usage: publishing ROOT TURNS PORTS RANGES\n");
		return 2;
	}
	if (run(argv[1], (size_t)turns, (uint32_t)ports, (uint32_t)ranges, &err) == 0)
		return 0;
	fprintf(stderr, "publishing: %s\n", err.text);
	return 1;
}
