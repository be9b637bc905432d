/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data path from a command line, for experiments and for tests that need
 * another process: each word of the library is one verb. The root comes from
 * WHERRY_ROOT.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/process.h"
#include "dataplane/dataplane.h"

#define PUBLISH_MAX 64

struct tool {
	struct instance instance;
	struct dataplane *dataplane;
	int argc;
	char **argv; /* behind the verb */
};

static int run_network(struct tool *tool, struct error *err)
{
	struct network_spec spec = { .masquerade = true, .dns = true };
	struct network_info info;
	int r = prefix_parse(tool->argv[1], &spec.subnet, err);
	if (r < 0)
		return r;
	snprintf(spec.name, sizeof spec.name, "%s", tool->argv[0]);
	for (int i = 2; i < tool->argc; i++) {
		if (text_equal(tool->argv[i], "internal"))
			spec.internal = true;
		else if (text_equal(tool->argv[i], "no-icc"))
			spec.no_icc = true;
		else if (text_equal(tool->argv[i], "routed"))
			spec.routed = true, spec.masquerade = false;
		else
			snprintf(spec.device, sizeof spec.device, "%s", tool->argv[i]);
	}
	r = network_ensure(tool->dataplane, &spec, &info, err);
	if (r == 0)
		printf("%s %u %s %u %s\n", info.spec.name, info.id, info.spec.device,
		       info.device_ifindex, mac_format(info.device_mac).text);
	return r;
}

static int run_network_rm(struct tool *tool, struct error *err)
{
	return network_delete(tool->dataplane, tool->argv[0], err);
}

/* HOST:CONTAINER[-COUNT][/udp], HOST may be IP:PORT */
static int read_publish(char *text, struct publish_spec *ret, struct error *err)
{
	char *udp = strstr(text, "/udp"), *colon, *count;
	*ret = (struct publish_spec){ .count = 1, .protocol = udp ? PROTOCOL_UDP : PROTOCOL_TCP };
	if (udp)
		*udp = '\0';
	count = strchr(text, '+');
	if (count) {
		*count = '\0';
		ret->count = (uint16_t)strtoul(count + 1, NULL, 10);
	}
	colon = strrchr(text, ':');
	if (!colon)
		return error_set(err, EINVAL, "%s is no HOST:CONTAINER", text);
	*colon = '\0';
	ret->container_port = (uint16_t)strtoul(colon + 1, NULL, 10);
	colon = strrchr(text, ':');
	if (colon) {
		*colon = '\0';
		int r = ip_parse(text, &ret->host_ip, err);
		if (r < 0)
			return r;
		text = colon + 1;
	}
	ret->host_port = (uint16_t)strtoul(text, NULL, 10);
	return 0;
}

/* ID INTERFACE NETWORK NETNS ADDRESS/LENGTH [engine] [HOST:CONTAINER[+COUNT][/udp]]… */
static int run_add(struct tool *tool, struct error *err)
{
	struct publish_spec publish[PUBLISH_MAX];
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct network_info network;
	auto_fd netns = -1;
	struct endpoint_spec spec = { .container_id = tool->argv[0],
				      .interface = tool->argv[1],
				      .network = tool->argv[2],
				      .netns_path = tool->argv[3],
				      .publish = publish,
				      .publish_policy = PUBLISH_IGNORE_LISTENERS,
				      .default_route = true,
				      .owner = "test" };
	int r = netns_open(tool->argv[3], &netns, err);
	if (r == 0)
		r = prefix_parse(tool->argv[4], &spec.address, err);
	for (int i = 5; r == 0 && i < tool->argc && spec.publish_count < PUBLISH_MAX; i++) {
		if (text_equal(tool->argv[i], "engine"))
			spec.publish_policy = PUBLISH_REFUSE_LISTENERS;
		else
			r = read_publish(tool->argv[i], &publish[spec.publish_count++], err);
	}
	if (r == 0)
		r = network_find(dataplane_store(tool->dataplane), spec.network, &network, err);
	if (r < 0)
		return r;
	spec.gateway = network.spec.gateway;
	spec.netns_fd = netns;
	r = endpoint_add(tool->dataplane, &spec, &info, err);
	if (r < 0)
		return r;
	printf("%s %u slot %u generation %u mac %s", info.host_device, info.host_ifindex, info.slot,
	       info.generation, mac_format(info.mac).text);
	for (size_t i = 0; i < info.publish_count; i++)
		printf(" port %u", info.publish[i].host_port);
	printf("\n");
	return 0;
}

static int run_del(struct tool *tool, struct error *err)
{
	int r = endpoint_delete(tool->dataplane, tool->argv[0], tool->argv[1],
				tool->argc > 2 ? ENDPOINT_LEAVE_LINK : ENDPOINT_DELETE_LINK, err);
	if (r >= 0)
		printf("%s\n", r ? "removed" : "nothing there");
	return r;
}

static int run_check(struct tool *tool, struct error *err)
{
	return endpoint_check(tool->dataplane, tool->argv[0], tool->argv[1], err);
}

static int print_drop(const struct drop_row *row, void *context, struct error *err)
{
	(void)context;
	(void)err;
	printf("%s %u %s %llu\n", row->reason, row->slot,
	       row->container_id[0] ? row->container_id : "-", (unsigned long long)row->packets);
	return 0;
}

static int run_drops(struct tool *tool, struct error *err)
{
	return drops_each(tool->dataplane, print_drop, NULL, err);
}

static int print_sight(const struct drop_sight *sight, void *context, struct error *err)
{
	(void)err;
	printf("%s %s %s:%u -> %s:%u %s\n", sight->reason, sight->hook,
	       ip_format(sight->source).text, sight->source_port,
	       ip_format(sight->destination).text, sight->destination_port, sight->container_id);
	fflush(stdout);
	--*(int *)context;
	return 0;
}

/* COUNT: how many to wait for */
static int run_follow(struct tool *tool, struct error *err)
{
	AUTO(drop_follower) follower = NULL;
	int left = (int)strtol(tool->argv[0], NULL, 10);
	int r = drops_follow(tool->dataplane, &follower, err);
	if (r == 0)
		printf("following\n"), fflush(stdout);
	while (r == 0 && left > 0) {
		struct pollfd wait = { .fd = drops_follow_fd(follower), .events = POLLIN };
		poll(&wait, 1, 100);
		r = drops_follow_read(follower, print_sight, &left, err);
	}
	return r;
}

static int print_flow(const struct flow_row *row, void *context, struct error *err)
{
	(void)context;
	(void)err;
	printf("%u %s:%u -> %s:%u becomes %s:%u -> %s:%u slot %u %s\n", row->protocol,
	       ip_format(row->source).text, row->source_port, ip_format(row->destination).text,
	       row->destination_port, ip_format(row->new_source).text, row->new_source_port,
	       ip_format(row->new_destination).text, row->new_destination_port, row->slot,
	       row->state);
	return 0;
}

static int run_flows(struct tool *tool, struct error *err)
{
	return flows_each(tool->dataplane, print_flow, NULL, err);
}

static int print_finding(enum doctor_level level, const char *subject, const char *finding,
			 void *context, struct error *err)
{
	static const char *const levels[] = { "fact", "warning", "failure" };
	(void)context;
	(void)err;
	printf("%s: %s: %s\n", levels[level], subject, finding);
	return 0;
}

static int run_doctor(struct tool *tool, struct error *err)
{
	return doctor_each(&tool->instance, print_finding, NULL, err);
}

static int run_reset(struct tool *tool, struct error *err)
{
	return dataplane_reset(&tool->instance, err);
}

static int run_reconcile(struct tool *tool, struct error *err)
{
	return dataplane_reconcile(tool->dataplane, err);
}

static int run_refresh(struct tool *tool, struct error *err)
{
	return uplinks_refresh(tool->dataplane, err);
}

static int run_collect(struct tool *tool, struct error *err)
{
	int r = dataplane_collect(tool->dataplane, err);
	if (r >= 0)
		printf("%d\n", r);
	return r;
}

static const struct verb {
	const char *name;
	int words; /* at least */
	bool needs_open;
	int (*run)(struct tool *tool, struct error *err);
} verbs[] = {
	{ "network", 2, true, run_network },
	{ "network-rm", 1, true, run_network_rm },
	{ "add", 5, true, run_add },
	{ "del", 2, true, run_del },
	{ "check", 2, true, run_check },
	{ "drops", 0, true, run_drops },
	{ "follow", 1, true, run_follow },
	{ "flows", 0, true, run_flows },
	{ "doctor", 0, false, run_doctor },
	{ "reset", 0, false, run_reset },
	{ "reconcile", 0, true, run_reconcile },
	{ "refresh", 0, true, run_refresh },
	{ "collect", 0, true, run_collect },
};

static int run(const struct verb *verb, struct tool *tool, struct error *err)
{
	int r = instance_init(NULL, &tool->instance, err);
	if (r == 0 && tool->argc < verb->words)
		r = error_set(err, EINVAL, "%s needs %d words", verb->name, verb->words);
	if (r == 0 && verb->needs_open)
		r = dataplane_open(&tool->instance, &tool->dataplane, err);
	if (r == 0)
		r = verb->run(tool, err);
	dataplane_free(tool->dataplane);
	return r;
}

int main(int argc, char **argv)
{
	struct tool tool = { .argc = argc - 2, .argv = argv + 2 };
	struct error err = { 0 };
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(verbs); i++) {
		if (strcmp(verbs[i].name, argv[1]) != 0)
			continue;
		if (run(&verbs[i], &tool, &err) == 0)
			return 0;
		if (!err.code)
			return 0;
		fprintf(stderr, "dp-tool: %s\n", err.text);
		return 1;
	}
	fprintf(stderr, "dp-tool: no such verb\n");
	return 1;
}
