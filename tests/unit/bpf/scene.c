/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "scene.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>

#include "base/error.h"
#include "base/file.h"
#include "base/process.h"
#include "bpf/sctp.h"

#include <cmocka.h>

static const char links[] = "link set lo up\n"
			    "link add gw1 address 02:00:00:00:00:01 type bridge\n"
			    "link add gw2 address 02:00:00:00:00:02 type bridge\n"
			    "addr add 10.88.0.1/16 dev gw1\n"
			    "addr add 10.89.0.1/16 dev gw2\n"
			    "link set gw1 up\n"
			    "link set gw2 up\n"
			    "link add web type veth peer name web0\n"
			    "link add client type veth peer name client0\n"
			    "link add other type veth peer name other0\n"
			    "link add up0 address 02:00:00:00:00:a0 type veth peer name far\n"
			    "addr add 192.0.2.1/24 dev up0\n"
			    "link set up0 up\n"
			    "link set far up\n"
			    "route add default via 192.0.2.254\n"
			    "route add unreachable 198.18.0.0/15\n"
			    "neigh add 192.0.2.254 lladdr 02:00:00:00:00:fe dev up0\n";

static const char *find_ip(void)
{
	static const char *const places[] = { "/sbin/ip", "/usr/sbin/ip", "/bin/ip" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (access(places[i], X_OK) == 0)
			return places[i];
	return NULL;
}

static void make_links(void)
{
	struct error err = { 0 };
	char name[] = "ip", batch[] = "-batch", input[] = "-";
	char *argv[] = { name, batch, input, NULL };
	struct process_spec spec = { .path = find_ip(), .argv = argv, .stderr_fd = 2 };
	auto_free char *output = NULL;
	size_t size = 0;
	int status = -1;

	assert_non_null(spec.path);
	if (process_run(&spec, links, sizeof links - 1, 4096, 20000, &output, &size, &status,
			&err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(status, 0);
	auto_fd forward = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(forward, "1", 1), 1);
}

struct abi_addr scene_address(const char *text)
{
	struct abi_addr address = { .words = { 0, 0, htonl(0xffff), 0 } };

	assert_int_equal(inet_pton(AF_INET, text, &address.words[3]), 1);
	return address;
}

static void put(struct bpf_map *map, const void *key, const void *value)
{
	assert_int_equal(bpf_map_update_elem(bpf_map__fd(map), key, value, BPF_ANY), 0);
}

static void put_network(struct scene *scene, uint32_t id, const char *subnet, const char *gateway,
			uint32_t ifindex)
{
	struct network network = {
		.subnet = scene_address(subnet),
		.gateway = scene_address(gateway),
		.prefix_length = 96 + 16,
		.gateway_ifindex = ifindex,
		.generation = 1,
		.flags = NETWORK_MASQUERADE | NETWORK_IPV4,
		.gateway_mac = { 2, 0, 0, 0, 0, (uint8_t)id },
	};
	struct subnet_key key = { .prefix_length = 96 + 16, .address = network.subnet };

	put(scene->bpf->maps.wh1_networks, &id, &network);
	put(scene->bpf->maps.wh1_gateways, &ifindex, &id);
	put(scene->bpf->maps.wh1_subnets, &key, &id);
}

static void put_endpoint(struct scene *scene, uint32_t id, uint32_t slot, const char *address,
			 uint32_t ifindex)
{
	struct network network;
	struct slot entry = { .generation = 1, .ifindex = ifindex, .network = (uint16_t)id };
	struct endpoint_key key = { .address = scene_address(address), .network = (uint16_t)id };
	struct endpoint endpoint = { .ifindex = ifindex, .slot = slot, .generation = 1 };

	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(scene->bpf->maps.wh1_networks), &id, &network), 0);
	struct source source = {
		.v4 = { .address = key.address,
			.subnet = network.subnet,
			.gateway = network.gateway },
		.slot = slot,
		.generation = 1,
		.gateway_ifindex = network.gateway_ifindex,
		.network = (uint16_t)id,
		.flags = network.flags,
	};
	memset(&source.v4.subnet_mask, 0xff, 14);
	memcpy(source.gateway_mac, network.gateway_mac, sizeof source.gateway_mac);
	frame_mac(address, source.mac);
	frame_mac(address, endpoint.mac);
	put(scene->bpf->maps.wh1_sources, &ifindex, &source);
	put(scene->bpf->maps.wh1_endpoints, &key, &endpoint);
	put(scene->bpf->maps.wh1_slots, &slot, &entry);
}

static void put_all(struct scene *scene)
{
	struct uplink uplink = { .masquerade = scene_address(HOST),
				 .mac = { 2, 0, 0, 0, 0, 0xa0 },
				 .mtu = 1500 };

	put_network(scene, 1, "10.88.0.0", GATEWAY, scene->gateway);
	put_network(scene, 2, "10.89.0.0", GATEWAY2, scene->gateway2);
	put_endpoint(scene, 1, SLOT_WEB, WEB, scene->web);
	put_endpoint(scene, 1, SLOT_CLIENT, CLIENT, scene->client);
	put_endpoint(scene, 2, SLOT_OTHER, OTHER, scene->other);
	put(scene->bpf->maps.wh1_uplinks, &scene->uplink, &uplink);
}

bool scene_knows_summed(void)
{
	struct btf *btf = btf__load_vmlinux_btf();
	bool known = btf && btf__find_by_name_kind(btf, "bpf_cast_to_kern_ctx", BTF_KIND_FUNC) > 0;

	btf__free(btf);
	return known;
}

/* Three entries, none of which ever makes room. */
static void make_small(struct bpf_map *map)
{
	assert_int_equal(bpf_map__set_type(map, BPF_MAP_TYPE_HASH), 0);
	/* What is made in advance are some more for each processor. */
	assert_int_equal(bpf_map__set_map_flags(map, BPF_F_NO_PREALLOC), 0);
	assert_int_equal(bpf_map__set_max_entries(map, 3), 0);
}

static int set_up(void **state, uint32_t know_ip_summed, bool small)
{
	if (unshare(CLONE_NEWNET) < 0) {
		print_message("SKIP: a network namespace cannot be made: %s\n", strerror(errno));
		exit(77);
	}
	make_links();
	struct scene *scene = test_calloc(1, sizeof *scene);
	scene->bpf = wherry_datapath__open();
	assert_non_null(scene->bpf);
	scene->bpf->rodata->know_ip_summed = know_ip_summed;
	scene->bpf->rodata->masquerade_count = 1000;
	scene->bpf->rodata->flow_quota = SCENE_QUOTA;
	sctp_powers_fill(scene->bpf->rodata->sctp_powers);
	if (small)
		make_small(scene->bpf->maps.wh1_opening);
	assert_int_equal(wherry_datapath__load(scene->bpf), 0);
	scene->web = if_nametoindex("web");
	scene->client = if_nametoindex("client");
	scene->other = if_nametoindex("other");
	scene->gateway = if_nametoindex("gw1");
	scene->gateway2 = if_nametoindex("gw2");
	scene->uplink = if_nametoindex("up0");
	*state = scene;
	return 0;
}

int scene_setup(void **state)
{
	return set_up(state, 0, false);
}

int scene_setup_summed(void **state)
{
	return set_up(state, 1, false);
}

int scene_setup_small(void **state)
{
	return set_up(state, 0, true);
}

int scene_teardown(void **state)
{
	struct scene *scene = *state;

	wherry_datapath__destroy(scene->bpf);
	test_free(scene);
	return 0;
}

static void empty(struct bpf_map *map)
{
	uint8_t key[64];

	while (bpf_map_get_next_key(bpf_map__fd(map), NULL, key) == 0)
		assert_int_equal(bpf_map_delete_elem(bpf_map__fd(map), key), 0);
}

int scene_clear(void **state)
{
	struct scene *scene = *state;

	empty(scene->bpf->maps.wh1_flows);
	empty(scene->bpf->maps.wh1_opening);
	empty(scene->bpf->maps.wh1_fragments);
	empty(scene->bpf->maps.wh1_ports);
	empty(scene->bpf->maps.wh1_drops);
	for (uint32_t slot = 1; slot <= SLOT_OTHER; slot++)
		put(scene->bpf->maps.wh1_flow_use, &slot, &(uint64_t){ 0 });
	put_all(scene);
	return 0;
}

static int run(const struct bpf_program *program, uint32_t ifindex, uint32_t forwarded_by,
	       struct frame *frame)
{
	struct __sk_buff context = { .ifindex = ifindex, .ingress_ifindex = forwarded_by };
	struct frame out = { 0 };
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->bytes,
		    .data_size_in = (uint32_t)frame->size, .data_out = out.bytes,
		    .data_size_out = sizeof out.bytes, .ctx_in = &context,
		    .ctx_size_in = sizeof context);

	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(program), &options), 0);
	out.size = options.data_size_out;
	*frame = out;
	return (int)options.retval;
}

int scene_run(const struct bpf_program *program, uint32_t ifindex, struct frame *frame)
{
	return run(program, ifindex, 0, frame);
}

int scene_to_forwarded(struct scene *scene, uint32_t gateway, uint32_t from, struct frame *frame)
{
	return run(scene->bpf->progs.to_container, gateway, from, frame);
}

int scene_onto(struct scene *scene, uint32_t ifindex, uint32_t from, struct frame *frame)
{
	return run(scene->bpf->progs.onto_link, ifindex, from, frame);
}

void scene_serve(struct scene *scene, uint16_t first, uint16_t more)
{
	struct source source;
	assert_int_equal(bpf_map_lookup_elem(bpf_map__fd(scene->bpf->maps.wh1_sources),
					     &scene->client, &source),
			 0);
	source.served[0] = (struct served_ports){ 80, 0 };
	source.served[SERVED_MAX - 1] = (struct served_ports){ first, more };
	put(scene->bpf->maps.wh1_sources, &scene->client, &source);
}

int scene_from(struct scene *scene, uint32_t ifindex, struct frame *frame)
{
	return scene_run(scene->bpf->progs.from_container, ifindex, frame);
}

int scene_in(struct scene *scene, struct frame *frame)
{
	/* Addressed to this host's link, which the kernel compares. */
	memcpy(frame->bytes, (uint8_t[]){ 2, 0, 0, 0, 0, 0xa0 }, ETH_ALEN);
	return scene_run(scene->bpf->progs.from_uplink, scene->uplink, frame);
}

int scene_to(struct scene *scene, uint32_t gateway, struct frame *frame)
{
	return scene_run(scene->bpf->progs.to_container, gateway, frame);
}

void scene_publish(struct scene *scene, const char *address, uint16_t port, uint16_t web_port)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		struct port_key key = { .address = scene_address(address),
					.port = htons(port),
					.protocol = protocols[i] };
		struct publication publication = { .address = scene_address(WEB),
						   .slot = SLOT_WEB,
						   .generation = 1,
						   .ifindex = scene->web,
						   .network = 1,
						   .port = htons(web_port) };

		put(scene->bpf->maps.wh1_ports, &key, &publication);
	}
}

void scene_set_flags(struct scene *scene, uint16_t flags)
{
	int fd = bpf_map__fd(scene->bpf->maps.wh1_sources);
	struct source source;
	struct network network;
	uint32_t id = 1;

	for (int i = 0; i < 2; i++) {
		uint32_t ifindex = i ? scene->web : scene->client;

		assert_int_equal(bpf_map_lookup_elem(fd, &ifindex, &source), 0);
		source.flags = flags | NETWORK_IPV4;
		put(scene->bpf->maps.wh1_sources, &ifindex, &source);
	}
	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(scene->bpf->maps.wh1_networks), &id, &network), 0);
	network.flags = flags;
	put(scene->bpf->maps.wh1_networks, &id, &network);
}

void scene_set_generation(struct scene *scene, uint32_t slot, uint32_t generation)
{
	struct slot entry;

	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(scene->bpf->maps.wh1_slots), &slot, &entry), 0);
	entry.generation = generation;
	put(scene->bpf->maps.wh1_slots, &slot, &entry);
}

void scene_set_source_generation(struct scene *scene, uint32_t ifindex, uint32_t generation)
{
	struct source source;

	assert_int_equal(
		bpf_map_lookup_elem(bpf_map__fd(scene->bpf->maps.wh1_sources), &ifindex, &source),
		0);
	source.generation = generation;
	put(scene->bpf->maps.wh1_sources, &ifindex, &source);
}

uint64_t scene_drops(struct scene *scene, enum drop_reason reason, uint32_t slot)
{
	struct drop_key key = { .reason = reason, .slot = slot };
	int cpus = libbpf_num_possible_cpus();
	auto_free struct drop_count *counts = calloc((size_t)cpus, sizeof *counts);
	uint64_t packets = 0;

	if (bpf_map_lookup_elem(bpf_map__fd(scene->bpf->maps.wh1_drops), &key, counts) < 0)
		return 0;
	for (int i = 0; i < cpus; i++)
		packets += counts[i].packets;
	return packets;
}

static struct flow_key key_of(struct packet_words words, uint16_t zone)
{
	return (struct flow_key){
		.source = scene_address(words.from),
		.destination = scene_address(words.to),
		.source_port = htons(words.from_port),
		.destination_port = htons(words.to_port),
		.zone = zone,
		.protocol = words.protocol,
	};
}

bool scene_flow(struct scene *scene, struct packet_words words, uint16_t zone, struct flow *flow)
{
	struct flow_key key = key_of(words, zone);

	return bpf_map_lookup_elem(bpf_map__fd(scene->bpf->maps.wh1_flows), &key, flow) == 0 ||
	       bpf_map_lookup_elem(bpf_map__fd(scene->bpf->maps.wh1_opening), &key, flow) == 0;
}

void scene_put_flow(struct scene *scene, struct packet_words words, uint16_t zone,
		    const struct flow *flow)
{
	struct flow_key key = key_of(words, zone);

	put(flow->state & FLOW_OPENING ? scene->bpf->maps.wh1_opening : scene->bpf->maps.wh1_flows,
	    &key, flow);
}
