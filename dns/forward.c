/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "forward.h"

#include <errno.h>
#include <string.h>

#include "attempt.h"

/* Milliseconds between one attempt and the next, if no answer comes. */
static const unsigned delays_ms[] = { DNS_RETRY_MS, 750, 1000 };
#define ATTEMPTS_BY_TIME_MAX ((int)ARRAY_SIZE(delays_ms) + 1)

/* One query in flight. */
struct exchange {
	struct exchange *next, **link; /* in the forwarder's list */
	struct dns_forwarder *forwarder;
	struct dns_origin origin;
	struct dns_message query;         /* of `bytes` */
	struct dns_upstream_list servers; /* as of the start, the preferred one first */
	struct dns_attempt *attempts[DNS_ATTEMPTS_MAX];
	size_t attempt_count;
	size_t live_count;  /* attempts that may still answer */
	size_t asked_count; /* attempts that went to the next server in turn */
	bool first_failed;  /* servers[0] has not answered in time, or badly */
	struct loop_source *timer;
	uint64_t deadline_ms;
	uint8_t *fallback; /* a server's own error, told if no other does better */
	size_t fallback_size;
	char cause[160]; /* of the last failure */
	uint8_t bytes[];
};

struct dns_forwarder {
	struct loop *loop;
	struct dns_forward_settings settings;
	struct exchange *exchanges;
	size_t count;
	struct ip preferred; /* the server that answered when the first did not */
	uint64_t preferred_until_ms;
};

static void exchange_free(struct exchange *exchange)
{
	*exchange->link = exchange->next;
	if (exchange->next)
		exchange->next->link = exchange->link;
	exchange->forwarder->count--;
	for (size_t i = 0; i < exchange->attempt_count; i++)
		dns_attempt_free(exchange->attempts[i]);
	loop_source_free(exchange->timer);
	free(exchange->fallback);
	free(exchange);
}

static size_t reply_limit(const struct dns_message *query, const struct dns_origin *origin)
{
	return origin->transport == DNS_TCP ? DNS_MESSAGE_SIZE_MAX : dns_udp_size(query);
}

static void reply_failure(const struct dns_forwarder *forwarder, const struct dns_message *query,
			  const struct dns_origin *origin, const struct dns_verdict *verdict)
{
	uint8_t message[DNS_UDP_SIZE_EDNS];
	size_t size = dns_write_verdict(message, DNS_UDP_SIZE_PLAIN, query, DNS_PARSE_OK, verdict);
	forwarder->settings.reply(forwarder->settings.context, origin, message, size);
}

/* Gives an upstream's message to the client: its id, its spelling, its size. */
static void reply_message(const struct exchange *exchange, uint8_t *message, size_t size)
{
	const struct dns_forwarder *forwarder = exchange->forwarder;
	const struct dns_message *query = &exchange->query;

	dns_set16(message, query->id);
	memcpy(message + DNS_HEADER_SIZE, query->data + DNS_HEADER_SIZE, query->name.size);
	if (size <= reply_limit(query, &exchange->origin)) {
		forwarder->settings.reply(forwarder->settings.context, &exchange->origin, message,
					  size);
		return;
	}
	uint8_t cut[DNS_UDP_SIZE_EDNS];
	uint16_t flags = dns_get16(message + 2);
	struct dns_verdict verdict = { .rcode = flags & DNS_MASK_RCODE,
				       .flags = DNS_FLAG_TRUNCATED,
				       .cause = DNS_CAUSE_NONE };
	size_t cut_size = dns_write_verdict(cut, DNS_UDP_SIZE_PLAIN, query, DNS_PARSE_OK, &verdict);
	forwarder->settings.reply(forwarder->settings.context, &exchange->origin, cut, cut_size);
}

static void end(struct exchange *exchange)
{
	if (exchange->fallback) {
		reply_message(exchange, exchange->fallback, exchange->fallback_size);
	} else {
		struct dns_verdict verdict = { .rcode = DNS_RCODE_SERVER_FAILURE,
					       .cause = DNS_CAUSE_NO_REACHABLE_AUTHORITY,
					       .text = exchange->cause };
		reply_failure(exchange->forwarder, &exchange->query, &exchange->origin, &verdict);
	}
	exchange_free(exchange);
}

static dns_attempt_handler on_attempt;

static bool start_attempt(struct exchange *exchange, size_t server, enum dns_transport transport)
{
	struct error err;
	struct dns_attempt_spec spec = { .upstream = exchange->servers.servers[server],
					 .upstream_index = server,
					 .transport = transport,
					 .query = &exchange->query,
					 .handler = on_attempt,
					 .context = exchange };
	if (exchange->attempt_count == DNS_ATTEMPTS_MAX)
		return false;
	struct dns_attempt *attempt;
	if (dns_attempt_start(exchange->forwarder->loop, &spec, &attempt, &err) < 0) {
		snprintf(exchange->cause, sizeof exchange->cause, "%.*s",
			 (int)sizeof exchange->cause - 1, err.text);
		return false;
	}
	exchange->attempts[exchange->attempt_count++] = attempt;
	exchange->live_count++;
	return true;
}

/* Asks the next server in turn; those that cannot even be asked are passed over. */
static void ask_next(struct exchange *exchange)
{
	size_t turns = exchange->servers.count > (size_t)ATTEMPTS_BY_TIME_MAX
			       ? exchange->servers.count
			       : (size_t)ATTEMPTS_BY_TIME_MAX;
	while (exchange->asked_count < turns) {
		size_t server = exchange->asked_count++ % exchange->servers.count;
		if (start_attempt(exchange, server, DNS_UDP))
			return;
		if (server == 0)
			exchange->first_failed = true;
	}
}

/* When to act next: at the next attempt's time, or at the end. */
static uint64_t next_delay_ms(const struct exchange *exchange)
{
	uint64_t now_ms = clock_monotonic_ms();
	uint64_t left_ms = exchange->deadline_ms > now_ms ? exchange->deadline_ms - now_ms : 0;
	size_t asked = exchange->asked_count;
	if (asked == 0 || asked > ARRAY_SIZE(delays_ms) || delays_ms[asked - 1] > left_ms)
		return left_ms;
	return delays_ms[asked - 1];
}

static void on_timer(struct loop *loop, void *context)
{
	struct exchange *exchange = context;
	(void)loop;
	if (clock_monotonic_ms() >= exchange->deadline_ms) {
		end(exchange);
		return;
	}
	exchange->first_failed = true;
	ask_next(exchange);
	loop_timer_restart(exchange->timer, next_delay_ms(exchange));
}

/* An attempt came to nothing: the next at once, and the end if there is none. */
static void go_on(struct exchange *exchange, size_t failed_server)
{
	if (failed_server == 0)
		exchange->first_failed = true;
	ask_next(exchange);
	if (exchange->live_count == 0)
		end(exchange);
	else
		loop_timer_restart(exchange->timer, next_delay_ms(exchange));
}

static void prefer(struct exchange *exchange, size_t server)
{
	struct dns_forwarder *forwarder = exchange->forwarder;
	if (server == 0 || !exchange->first_failed)
		return;
	forwarder->preferred = exchange->servers.servers[server].ip;
	forwarder->preferred_until_ms = clock_monotonic_ms() + DNS_PREFER_MS;
}

static bool is_bad(const struct dns_message *reply)
{
	unsigned rcode = reply->flags & DNS_MASK_RCODE;
	return rcode == DNS_RCODE_SERVER_FAILURE || rcode == DNS_RCODE_REFUSED ||
	       rcode == DNS_RCODE_NOT_IMPLEMENTED;
}

static void keep_fallback(struct exchange *exchange, const struct dns_message *reply)
{
	if (exchange->fallback)
		return;
	exchange->fallback = malloc(reply->size);
	if (!exchange->fallback)
		return;
	memcpy(exchange->fallback, reply->data, reply->size);
	exchange->fallback_size = reply->size;
}

static void on_attempt(void *context, struct dns_attempt *attempt, const struct dns_message *reply)
{
	struct exchange *exchange = context;
	size_t server = dns_attempt_upstream(attempt);
	bool whole_wanted =
		exchange->origin.transport == DNS_TCP && dns_attempt_transport(attempt) == DNS_UDP;

	exchange->live_count--;
	if (!reply) {
		snprintf(exchange->cause, sizeof exchange->cause, "dns server %s refused or closed",
			 ip_format(exchange->servers.servers[server].ip).text);
		go_on(exchange, server);
		return;
	}
	if (is_bad(reply)) {
		keep_fallback(exchange, reply);
		if (exchange->asked_count < exchange->servers.count)
			go_on(exchange, server);
		else if (exchange->live_count == 0)
			end(exchange);
		return;
	}
	if (whole_wanted && reply->flags & DNS_FLAG_TRUNCATED) {
		if (!start_attempt(exchange, server, DNS_TCP))
			go_on(exchange, server);
		return;
	}
	prefer(exchange, server);
	/* The reply lies in memory that nobody reads again. */
	reply_message(exchange, (uint8_t *)(uintptr_t)reply->data, reply->size);
	exchange_free(exchange);
}

/* The upstreams without ourselves, the preferred one first. */
static void choose_servers(struct dns_forwarder *forwarder, const struct dns_upstream_list *own,
			   struct dns_upstream_list *ret)
{
	bool changed;
	const struct dns_upstream_list *all =
		dns_upstreams_get(forwarder->settings.upstreams, &changed);
	if (own && own->count)
		all = own;
	if (changed || clock_monotonic_ms() >= forwarder->preferred_until_ms)
		forwarder->preferred = (struct ip){ 0 };
	*ret = (struct dns_upstream_list){ 0 };
	for (size_t i = 0; i < all->count; i++) {
		struct dns_upstream server = all->servers[i];
		if (forwarder->settings.is_ours(forwarder->settings.context, server.ip))
			continue;
		ret->servers[ret->count++] = server;
		if (!ip_equal(server.ip, forwarder->preferred))
			continue;
		for (size_t to = ret->count - 1; to > 0; to--)
			ret->servers[to] = ret->servers[to - 1];
		ret->servers[0] = server;
	}
}

static bool has_room(const struct dns_forwarder *forwarder, const struct dns_origin *origin)
{
	struct ip client = dns_address_ip(&origin->peer);
	size_t of_client = 0;
	if (forwarder->count >= DNS_IN_FLIGHT_MAX)
		return false;
	for (const struct exchange *at = forwarder->exchanges; at; at = at->next)
		of_client += ip_equal(dns_address_ip(&at->origin.peer), client);
	return of_client < DNS_IN_FLIGHT_CLIENT_MAX;
}

static struct exchange *exchange_create(struct dns_forwarder *forwarder,
					const struct dns_message *query,
					const struct dns_origin *origin)
{
	struct error err;
	struct exchange *exchange = calloc(1, sizeof *exchange + query->size);
	if (!exchange)
		return NULL;
	exchange->forwarder = forwarder;
	exchange->origin = *origin;
	exchange->query = *query;
	exchange->query.data = memcpy(exchange->bytes, query->data, query->size);
	exchange->deadline_ms = clock_monotonic_ms() + DNS_GIVE_UP_MS;
	snprintf(exchange->cause, sizeof exchange->cause, "no dns server answered in %d ms",
		 DNS_GIVE_UP_MS);
	exchange->next = forwarder->exchanges;
	exchange->link = &forwarder->exchanges;
	if (exchange->next)
		exchange->next->link = &exchange->next;
	forwarder->exchanges = exchange;
	forwarder->count++;
	if (loop_add_timer(forwarder->loop, DNS_RETRY_MS, 0, on_timer, exchange, &exchange->timer,
			   &err) < 0) {
		exchange_free(exchange);
		return NULL;
	}
	return exchange;
}

int dns_forwarder_create(struct loop *loop, const struct dns_forward_settings *settings,
			 struct dns_forwarder **ret_forwarder, struct error *err)
{
	AUTO(dns_forwarder) forwarder = calloc(1, sizeof *forwarder);
	if (!forwarder)
		return error_set(err, ENOMEM, "no memory for the dns forwarder");
	forwarder->loop = loop;
	forwarder->settings = *settings;
	*ret_forwarder = TAKE(forwarder);
	return 0;
}

void dns_forwarder_free(struct dns_forwarder *forwarder)
{
	if (!forwarder)
		return;
	while (forwarder->exchanges)
		exchange_free(forwarder->exchanges);
	free(forwarder);
}

void dns_forward(struct dns_forwarder *forwarder, const struct dns_message *query,
		 const struct dns_origin *origin, const struct dns_upstream_list *own)
{
	struct dns_verdict verdict = { .rcode = DNS_RCODE_SERVER_FAILURE,
				       .cause = DNS_CAUSE_OTHER,
				       .text = "too many queries in flight" };
	struct dns_upstream_list servers;

	if (!has_room(forwarder, origin)) {
		reply_failure(forwarder, query, origin, &verdict);
		return;
	}
	choose_servers(forwarder, own, &servers);
	if (servers.count == 0) {
		verdict.cause = DNS_CAUSE_NOT_READY;
		verdict.text = "the host names no dns server";
		reply_failure(forwarder, query, origin, &verdict);
		return;
	}
	struct exchange *exchange = exchange_create(forwarder, query, origin);
	if (!exchange) {
		verdict.text = "out of memory";
		reply_failure(forwarder, query, origin, &verdict);
		return;
	}
	exchange->servers = servers;
	ask_next(exchange);
	if (exchange->live_count == 0)
		end(exchange);
	else
		loop_timer_restart(exchange->timer, next_delay_ms(exchange));
}
