/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "entry_text.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "attach.h"

struct writing {
	const struct directory *directory;
	const struct trace_event *event;
	char *text;
	size_t size;
};

static const char *name_of(const struct writing *writing, uint32_t slot)
{
	const struct directory_entry *entry = directory_by_slot(writing->directory, slot, 0);
	return entry ? entry->name : slot ? "a container that is gone" : "nobody";
}

static struct ip_text address_text(struct abi_addr address)
{
	return ip_format(ip_of_abi(address));
}

static const char *protocol_word(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "icmp";
	default:
		return "other";
	}
}

static const char *device_text(uint32_t ifindex, char ret_name[IF_NAMESIZE])
{
	if (!if_indextoname(ifindex, ret_name))
		snprintf(ret_name, IF_NAMESIZE, "device %u", ifindex % 100000);
	return ret_name;
}

/* The keys and values are copies in the event, at any alignment. */
#define KEY(writing, type)                                         \
	({                                                         \
		type key_;                                         \
		memcpy(&key_, (writing)->event->key, sizeof key_); \
		key_;                                              \
	})
#define VALUE(writing, type)                                                               \
	({                                                                                 \
		type value_;                                                               \
		_Static_assert(sizeof value_ <= TRACE_VALUE_MAX, "a value fits an event"); \
		memcpy(&value_, (writing)->event->value, sizeof value_);                   \
		value_;                                                                    \
	})

static void write_source(struct writing *w)
{
	char device[IF_NAMESIZE];
	device_text(KEY(w, uint32_t), device);
	if (!w->event->has_value)
		snprintf(w->text, w->size, "%s", device);
	else
		snprintf(w->text, w->size, "%s -> %s", device,
			 name_of(w, VALUE(w, struct source).slot));
}

static void write_endpoint(struct writing *w)
{
	struct endpoint_key key = KEY(w, struct endpoint_key);
	int at = snprintf(w->text, w->size, "%s in network %u", address_text(key.address).text,
			  key.network);
	if (w->event->has_value)
		snprintf(w->text + at, w->size - (size_t)at, " -> %s",
			 name_of(w, VALUE(w, struct endpoint).slot));
}

static void write_slot(struct writing *w)
{
	uint32_t slot = KEY(w, uint32_t);
	snprintf(w->text, w->size, "%u -> %s, generation %u", slot, name_of(w, slot),
		 VALUE(w, struct slot).generation);
}

static void write_network(struct writing *w)
{
	struct network network = VALUE(w, struct network);
	snprintf(w->text, w->size, "%u -> %s/%u", KEY(w, uint32_t),
		 address_text(network.subnet).text,
		 network.prefix_length >= 96 && ip_is_v4(ip_of_abi(network.subnet))
			 ? network.prefix_length - 96
			 : network.prefix_length);
}

static void write_subnet(struct writing *w)
{
	int at = snprintf(w->text, w->size, "%s",
			  address_text(KEY(w, struct subnet_key).address).text);
	if (w->event->has_value)
		snprintf(w->text + at, w->size - (size_t)at, " -> network %u", VALUE(w, uint32_t));
}

static void write_device(struct writing *w)
{
	char device[IF_NAMESIZE];
	snprintf(w->text, w->size, "%s", device_text(KEY(w, uint32_t), device));
}

static void write_port(struct writing *w)
{
	struct port_key key = KEY(w, struct port_key);
	struct ip address = ip_of_abi(key.address);
	int at = snprintf(w->text, w->size, "%s:%u/%s",
			  ip_is_unset(address) ? "*" : ip_format(address).text, ntohs(key.port),
			  protocol_word(key.protocol));
	if (!w->event->has_value)
		return;
	struct publication publication = VALUE(w, struct publication);
	snprintf(w->text + at, w->size - (size_t)at, " -> %s:%u of %s",
		 address_text(publication.address).text, ntohs(publication.port),
		 name_of(w, publication.slot));
}

static void write_flow(struct writing *w)
{
	struct flow_key key = KEY(w, struct flow_key);
	int at =
		snprintf(w->text, w->size, "%s %s:%u -> %s:%u zone %u", protocol_word(key.protocol),
			 address_text(key.source).text, ntohs(key.source_port),
			 address_text(key.destination).text, ntohs(key.destination_port), key.zone);
	if (!w->event->has_value)
		return;
	struct flow flow = VALUE(w, struct flow);
	snprintf(w->text + at, w->size - (size_t)at, " becomes %s:%u -> %s:%u",
		 address_text(flow.new_source).text, ntohs(flow.new_source_port),
		 address_text(flow.new_destination).text, ntohs(flow.new_destination_port));
}

static void write_local(struct writing *w)
{
	snprintf(w->text, w->size, "%s", address_text(KEY(w, struct abi_addr)).text);
}

static const struct {
	const char *map;
	void (*write)(struct writing *writing);
} writers[] = {
	{ "sources", write_source },   { "endpoints", write_endpoint }, { "slots", write_slot },
	{ "networks", write_network }, { "gateways", write_device },    { "subnets", write_subnet },
	{ "uplinks", write_device },   { "locals", write_local },       { "ports", write_port },
	{ "flows", write_flow },
};

bool entry_is_of(const struct trace_event *event, const char *map)
{
	return strncmp(event->map, map, sizeof event->map) == 0;
}

bool entry_decides(const struct trace_event *event)
{
	static const char *const aside[] = { "slot_stats", "drops", "switches", "scratch",
					     "events" };
	for (size_t i = 0; i < ARRAY_SIZE(aside); i++)
		if (entry_is_of(event, aside[i]))
			return false;
	return true;
}

static void describe_route(const struct trace_event *event, char *ret_text, size_t size)
{
	struct bpf_fib_lookup fib;
	char device[IF_NAMESIZE];
	memcpy(&fib, event->value, sizeof fib);
	if (event->result == BPF_FIB_LKUP_RET_NOT_FWDED)
		snprintf(ret_text, size, "the host's routes: an address of the host");
	else if (event->result == BPF_FIB_LKUP_RET_SUCCESS ||
		 event->result == BPF_FIB_LKUP_RET_NO_NEIGH ||
		 event->result == BPF_FIB_LKUP_RET_FRAG_NEEDED)
		snprintf(ret_text, size, "the host's routes: by %s",
			 device_text(fib.ifindex, device));
	else
		snprintf(ret_text, size, "the host's routes: none (%d)", event->result);
}

void entry_describe(const struct directory *directory, const struct trace_event *event,
		    char *ret_text, size_t size)
{
	char key[160] = "";
	const char *name = NULL;
	struct writing writing = { directory, event, key, sizeof key };
	if (event->kind == TRACE_ROUTE) {
		describe_route(event, ret_text, size);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(writers); i++) {
		if (!entry_is_of(event, writers[i].map))
			continue;
		name = writers[i].map;
		writers[i].write(&writing);
	}
	snprintf(ret_text, size, ABI_MAP("%.*s") " %s%s", name ? 16 : (int)sizeof event->map,
		 name ? name : event->map, key,
		 event->kind == TRACE_LOOKUP && !event->has_value ? ": none" : "");
}
