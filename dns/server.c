/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The server: a listener for each network and family, each a UDP and a TCP socket on
 * the gateway's address. The listener tells which network a client is of; the plan
 * tells what to answer; the forwarder asks others.
 */
#include <errno.h>

#include "base/text.h"
#include "dns/dns.h"
#include "forward.h"
#include "tcp.h"
#include "udp.h"

struct listener {
	struct listener *next;
	struct dns_server *server;
	uint64_t number;
	char *network;
	struct ip address;
	struct prefix clients;
	bool forwards;
	struct dns_udp *udp;
	struct dns_tcp *tcp;
};

struct dns_server {
	struct loop *loop;
	const struct dns_source *source;
	struct dns_upstreams *upstreams;
	struct dns_forwarder *forwarder;
	struct listener *listeners;
	uint64_t next_number;
	unsigned rotation;
	uint8_t reply[DNS_MESSAGE_SIZE_MAX]; /* of the query at hand */
};

static void listener_free(struct listener *listener)
{
	if (!listener)
		return;
	dns_udp_free(listener->udp);
	dns_tcp_free(listener->tcp);
	free(listener->network);
	free(listener);
}
DEFINE_FREEP(listener)

static void deliver(struct listener *listener, const struct dns_origin *origin,
		    const uint8_t *message, size_t size)
{
	if (origin->transport == DNS_TCP)
		dns_tcp_send(listener->tcp, origin->connection, message, size);
	else
		dns_udp_send(listener->udp, &origin->peer, message, size);
}

static void on_forwarded(void *context, const struct dns_origin *origin, const uint8_t *message,
			 size_t size)
{
	struct dns_server *server = context;
	for (struct listener *at = server->listeners; at; at = at->next)
		if (at->number == origin->listener) {
			deliver(at, origin, message, size);
			return;
		}
}

static bool is_ours(void *context, struct ip address)
{
	const struct dns_server *server = context;
	for (const struct listener *at = server->listeners; at; at = at->next)
		if (ip_equal(at->address, address))
			return true;
	return false;
}

/* A host answers on all its addresses at every device: others may reach the gateway's too. */
static bool may_ask(const struct listener *listener, struct ip client)
{
	return prefix_contains(listener->clients, client) || ip_is_loopback(client) ||
	       is_ours(listener->server, client);
}

/* None, and none that can be read: the host's servers are asked. */
static void find_own_servers(const struct dns_server *server, const struct dns_asker *asker,
			     struct dns_upstream_list *ret)
{
	struct ip ips[DNS_UPSTREAMS_MAX];
	struct error ignored;
	const struct dns_source *source = server->source;
	int count = source->servers ? source->servers(source->context, asker->network, asker->ip,
						      ips, DNS_UPSTREAMS_MAX, &ignored)
				    : 0;
	*ret = (struct dns_upstream_list){ 0 };
	for (int i = 0; i < count; i++)
		ret->servers[ret->count++].ip = ips[i];
}

static void on_query(void *context, const struct dns_origin *from, const uint8_t *data, size_t size)
{
	struct listener *listener = context;
	struct dns_server *server = listener->server;
	struct dns_origin origin = *from;
	struct dns_message query;
	struct dns_upstream_list own;
	struct dns_asker asker = { .network = listener->network,
				   .ip = dns_address_ip(&origin.peer),
				   .transport = origin.transport,
				   .forwards = listener->forwards,
				   .rotation = server->rotation++ };
	size_t reply_size;

	if (!may_ask(listener, asker.ip))
		return;
	origin.listener = listener->number;
	switch (dns_plan(data, size, &asker, server->source, &query, server->reply, &reply_size)) {
	case DNS_FATE_DROP:
		break;
	case DNS_FATE_REPLY:
		deliver(listener, &origin, server->reply, reply_size);
		break;
	case DNS_FATE_FORWARD:
		find_own_servers(server, &asker, &own);
		dns_forward(server->forwarder, &query, &origin, &own);
		break;
	}
}

static int listener_create(struct dns_server *server, const struct dns_listen *listen,
			   struct listener **ret_listener, struct error *err)
{
	AUTO(listener) listener = calloc(1, sizeof *listener);
	if (!listener)
		return error_set(err, ENOMEM, "no memory for a dns listener");
	listener->server = server;
	listener->number = ++server->next_number;
	listener->address = listen->address;
	listener->clients = listen->clients;
	listener->forwards = listen->forwards;
	int r = text_copy(listen->network, &listener->network, err);
	if (r == 0)
		r = dns_udp_create(server->loop, listen->address, on_query, listener,
				   &listener->udp, err);
	if (r == 0)
		r = dns_tcp_create(server->loop, listen->address, on_query, listener,
				   &listener->tcp, err);
	if (r < 0)
		return r;
	*ret_listener = TAKE(listener);
	return 0;
}

static struct listener **find(struct dns_server *server, const char *network, struct ip address)
{
	struct listener **at = &server->listeners;
	while (*at && !(text_equal((*at)->network, network) &&
			ip_is_v4((*at)->address) == ip_is_v4(address)))
		at = &(*at)->next;
	return at;
}

int dns_server_create(struct loop *loop, const struct dns_settings *settings,
		      struct dns_server **ret_server, struct error *err)
{
	AUTO(dns_server) server = calloc(1, sizeof *server);
	if (!server)
		return error_set(err, ENOMEM, "no memory for the dns server");
	server->loop = loop;
	server->source = settings->source;
	int r = dns_upstreams_create(settings, &server->upstreams, err);
	if (r < 0)
		return r;
	struct dns_forward_settings forward = { .upstreams = server->upstreams,
						.is_ours = is_ours,
						.reply = on_forwarded,
						.context = server };
	r = dns_forwarder_create(loop, &forward, &server->forwarder, err);
	if (r < 0)
		return r;
	*ret_server = TAKE(server);
	return 0;
}

void dns_server_free(struct dns_server *server)
{
	if (!server)
		return;
	dns_forwarder_free(server->forwarder);
	while (server->listeners) {
		struct listener *listener = server->listeners;
		server->listeners = listener->next;
		listener_free(listener);
	}
	dns_upstreams_free(server->upstreams);
	free(server);
}

int dns_server_listen(struct dns_server *server, const struct dns_listen *listen, struct error *err)
{
	struct listener *known = *find(server, listen->network, listen->address);
	if (known && ip_equal(known->address, listen->address)) {
		known->clients = listen->clients;
		known->forwards = listen->forwards;
		return 0;
	}
	dns_server_stop_listening(server, listen->network, listen->address);
	struct listener *listener = NULL;
	int r = listener_create(server, listen, &listener, err);
	if (r < 0)
		return error_wrap(err, "network %s", listen->network);
	listener->next = server->listeners;
	server->listeners = listener;
	return 0;
}

void dns_server_stop_listening(struct dns_server *server, const char *network, struct ip address)
{
	struct listener **at = find(server, network, address);
	struct listener *listener = *at;
	if (!listener)
		return;
	*at = listener->next;
	listener_free(listener);
}

void dns_server_each(struct dns_server *server,
		     void (*visit)(struct dns_server *server, const char *network,
				   struct ip address, void *context),
		     void *context)
{
	struct listener *at = server->listeners;
	while (at) {
		struct listener *next = at->next;
		visit(server, at->network, at->address, context);
		at = next;
	}
}
