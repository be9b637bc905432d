/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "daemon.h"

#include <errno.h>
#include <signal.h>

#include "base/loop.h"
#include "base/text.h"
#include "control.h"
#include "judgement.h"
#include "dataplane/dataplane.h"
#include "dataplane/events.h"
#include "dataplane/verify.h"
#include "names.h"
#include "refusals.h"
#include "scrape.h"

/*
 * Events come in bursts. The first is acted on at once, the rest of its burst
 * together; the last look comes when whoever caused them has surely written down
 * what it did.
 */
#define BURST_MS 50
#define SETTLE_MS 1000

struct daemon {
	struct daemon_settings settings;
	struct loop *loop;
	struct dataplane *dataplane; /* NULL without privileges: names are served all the same */
	struct store *own_store;     /* without a data path */
	struct store *store;
	struct dns_source source;
	struct dns_server *server;
	struct control *control;
	struct scrape *scrape;       /* with a data path */
	struct refusals *refusals;   /* NULL without a data path */
	struct judgement *judgement; /* the same */
	int events_fd;
	struct loop_source *events, *terminate, *interrupt;
	struct loop_source *timer; /* while events are followed up */
	unsigned pending;          /* events since the last look */
	bool settled;
	unsigned since_verify;             /* events since all was compared */
	char last_trouble[ERROR_TEXT_MAX]; /* said once, not at each look */
	struct text unmended;              /* what a reconcile did not change, a line each */
};

static void say_trouble(struct daemon *daemon, const struct error *err)
{
	if (text_equal(daemon->last_trouble, err->text))
		return;
	snprintf(daemon->last_trouble, sizeof daemon->last_trouble, "%s", err->text);
	log_write(&daemon->settings.log, LOG_LEVEL_WARNING, "%s", err->text);
}

struct look {
	struct daemon *daemon;
	struct words served; /* a name and an address each */
};

static int serve_family(struct look *look, const struct dns_listen *listen, struct error *err)
{
	struct error trouble;
	if (ip_is_unset(listen->address))
		return 0;
	/* One network whose address is taken must not stop the others. */
	if (dns_server_listen(look->daemon->server, listen, &trouble) < 0)
		say_trouble(look->daemon, &trouble);
	return words_append_format(&look->served, err, "%s %s", listen->network,
				   ip_format(listen->address).text);
}

static int serve_network(const struct network_info *info, void *context, struct error *err)
{
	struct dns_listen v4 = { .network = info->spec.name,
				 .address = info->spec.gateway,
				 .clients = info->spec.subnet,
				 .forwards = !info->spec.internal },
			  v6 = v4;
	v6.address = info->spec.gateway6;
	v6.clients = info->spec.subnet6;
	if (!info->spec.dns)
		return 0;
	int r = serve_family(context, &v4, err);
	return r < 0 ? r : serve_family(context, &v6, err);
}

static void stop_if_gone(struct dns_server *server, const char *network, struct ip address,
			 void *context)
{
	const struct look *look = context;
	char served[NETWORK_NAME_MAX + IP_TEXT_MAX + 1];
	snprintf(served, sizeof served, "%s %s", network, ip_format(address).text);
	for (size_t i = 0; i < look->served.count; i++)
		if (text_equal(look->served.items[i], served))
			return;
	dns_server_stop_listening(server, network, address);
}

/* Makes the listeners those of the networks that are there. */
static int look_at_networks(struct daemon *daemon, struct error *err)
{
	struct look look = { .daemon = daemon };
	int r = network_each(daemon->store, serve_network, &look, err);
	if (r == 0)
		dns_server_each(daemon->server, stop_if_gone, &look);
	words_free(&look.served);
	return r;
}

static int keep_finding(const char *finding, void *context, struct error *err)
{
	(void)err;
	text_append(context, "%s\n", finding);
	return 0;
}

static void say_findings(struct daemon *daemon, const char *lines)
{
	for (const char *line = lines; *line;) {
		int length = (int)strcspn(line, "\n");
		log_write(&daemon->settings.log, LOG_LEVEL_WARNING, "found: %.*s", length, line);
		line += length + 1;
	}
}

/*
 * Compares wanted with done, and mends. What stays as it was is said once. All of
 * an instance takes some 50 us an endpoint, a reconcile a second for the programs.
 */
static void mend(struct daemon *daemon, enum verify_depth depth)
{
	struct error err;
	auto_text findings = { 0 };
	int found = dataplane_verify(daemon->dataplane, depth, keep_finding, &findings, &err);
	if (found < 0)
		say_trouble(daemon, &err);
	if (found == 0 && depth == VERIFY_ALL)
		text_free(&daemon->unmended);
	if (found <= 0 || text_equal(findings.data, daemon->unmended.data))
		return;
	say_findings(daemon, findings.data);
	if (dataplane_reconcile(daemon->dataplane, &err) < 0)
		say_trouble(daemon, &err);
	else
		log_write(&daemon->settings.log, LOG_LEVEL_INFO, "mended count=%d", found);
	text_free(&daemon->unmended);
	daemon->unmended = findings;
	findings = (struct text){ 0 };
}

#define EVENTS_OF_LOSS \
	(DATAPLANE_EVENT_LINK | DATAPLANE_EVENT_LINK_REMOVED | DATAPLANE_EVENT_FILTER_REMOVED)

static void collect(struct daemon *daemon)
{
	struct error err;
	int collected = dataplane_collect(daemon->dataplane, &err);
	if (collected < 0)
		say_trouble(daemon, &err);
	else if (collected > 0)
		log_write(&daemon->settings.log, LOG_LEVEL_INFO,
			  "removed endpoints whose namespace is gone count=%d", collected);
}

static void act(struct daemon *daemon, unsigned events)
{
	struct error err;
	if (look_at_networks(daemon, &err) < 0)
		say_trouble(daemon, &err);
	if (!daemon->dataplane)
		return;
	if (uplinks_refresh(daemon->dataplane, &err) < 0)
		say_trouble(daemon, &err);
	daemon->since_verify |= events & EVENTS_OF_LOSS;
	if (events & DATAPLANE_EVENT_LINK_REMOVED)
		collect(daemon);
	if (events & EVENTS_OF_LOSS)
		mend(daemon, VERIFY_DEVICES);
}

/* The last look after a burst: by now whoever caused it has written down what it did. */
static void act_at_rest(struct daemon *daemon)
{
	act(daemon, 0);
	if (daemon->dataplane && daemon->since_verify)
		mend(daemon, VERIFY_ALL);
	daemon->since_verify = 0;
}

static void on_timer(struct loop *loop, void *context)
{
	struct daemon *daemon = context;
	unsigned events = daemon->pending;
	(void)loop;
	daemon->pending = 0;
	if (!events && daemon->settled)
		act_at_rest(daemon);
	else
		act(daemon, events);
	if (events) {
		daemon->settled = false;
		loop_timer_restart(daemon->timer, BURST_MS);
	} else if (!daemon->settled) {
		daemon->settled = true;
		loop_timer_restart(daemon->timer, SETTLE_MS);
	} else {
		loop_source_free(TAKE(daemon->timer));
	}
}

static void on_events(struct loop *loop, int fd, unsigned ready, void *context)
{
	struct daemon *daemon = context;
	struct error err;
	(void)ready;
	unsigned events = dataplane_events_read(fd);
	if (!events)
		return;
	if (daemon->timer) {
		daemon->pending |= events;
		return;
	}
	act(daemon, events);
	daemon->settled = false;
	daemon->pending = events & DATAPLANE_EVENT_LINK_REMOVED;
	if (loop_add_timer(loop, BURST_MS, 0, on_timer, daemon, &daemon->timer, &err) < 0)
		say_trouble(daemon, &err);
}

static void on_signal(struct loop *loop, int signal, void *context)
{
	(void)signal;
	(void)context;
	loop_stop(loop);
}

static void refresh(void *context)
{
	struct daemon *daemon = context;
	struct error err;
	if (look_at_networks(daemon, &err) < 0)
		say_trouble(daemon, &err);
}

/* The data path where there are the privileges for it, else the names alone. */
static int open_state(struct daemon *daemon, struct error *err)
{
	struct error trouble;
	const struct instance *instance = &daemon->settings.instance;
	if (dataplane_open(instance, &daemon->dataplane, &trouble) == 0) {
		daemon->store = dataplane_store(daemon->dataplane);
		if (dataplane_reconcile(daemon->dataplane, &trouble) < 0)
			say_trouble(daemon, &trouble);
		if (refusals_watch(daemon->loop, daemon->dataplane, &daemon->settings.log,
				   &daemon->refusals, &trouble) < 0)
			say_trouble(daemon, &trouble);
		if (judgement_watch(daemon->loop, daemon->dataplane, &daemon->settings.log,
				    &daemon->judgement, &trouble) < 0)
			say_trouble(daemon, &trouble);
		return scrape_create(daemon->loop, daemon->dataplane, instance,
				     &daemon->settings.log, &daemon->scrape, err);
	}
	log_write(&daemon->settings.log, LOG_LEVEL_WARNING, "serves names only: %s", trouble.text);
	int r = dataplane_open_store(instance, &daemon->own_store, err);
	daemon->store = daemon->own_store;
	return r;
}

static int start_dns(struct daemon *daemon, struct error *err)
{
	struct dns_settings dns = { .source = &daemon->source,
				    .upstream_count = daemon->settings.upstream_count,
				    .resolv_conf = daemon->settings.resolv_conf };
	memcpy(dns.upstreams, daemon->settings.upstreams, sizeof dns.upstreams);
	daemon->source = names_source(daemon->store);
	int r = dns_server_create(daemon->loop, &dns, &daemon->server, err);
	return r < 0 ? r : look_at_networks(daemon, err);
}

static int start_watching(struct daemon *daemon, struct error *err)
{
	int r = dataplane_events_open(&daemon->events_fd, err);
	if (r == 0)
		r = loop_add_fd(daemon->loop, daemon->events_fd, LOOP_READ, on_events, daemon,
				&daemon->events, err);
	if (r == 0)
		r = loop_add_signal(daemon->loop, SIGTERM, on_signal, NULL, &daemon->terminate,
				    err);
	if (r == 0)
		r = loop_add_signal(daemon->loop, SIGINT, on_signal, NULL, &daemon->interrupt, err);
	return r;
}

int daemon_create(const struct daemon_settings *settings, struct daemon **ret_daemon,
		  struct error *err)
{
	AUTO(daemon) daemon = calloc(1, sizeof *daemon);
	if (!daemon)
		return error_set(err, ENOMEM, "no memory for the daemon");
	daemon->settings = *settings;
	daemon->events_fd = -1;
	int r = loop_create(&daemon->loop, err);
	/* Before the first look, so that nothing happens unseen after it. */
	if (r == 0)
		r = start_watching(daemon, err);
	if (r == 0)
		r = open_state(daemon, err);
	if (r == 0)
		r = start_dns(daemon, err);
	if (r == 0)
		r = control_create(daemon->loop, &settings->instance, refresh, daemon,
				   &daemon->control, err);
	if (r < 0)
		return r;
	*ret_daemon = TAKE(daemon);
	return 0;
}

void daemon_run(struct daemon *daemon)
{
	loop_run(daemon->loop);
}

void daemon_free(struct daemon *daemon)
{
	if (!daemon)
		return;
	control_free(daemon->control);
	scrape_free(daemon->scrape);
	judgement_free(daemon->judgement);
	refusals_free(daemon->refusals);
	dns_server_free(daemon->server);
	loop_source_free(daemon->timer);
	loop_source_free(daemon->events);
	loop_source_free(daemon->terminate);
	loop_source_free(daemon->interrupt);
	cleanup_fd(&daemon->events_fd);
	store_free(daemon->own_store);
	dataplane_free(daemon->dataplane);
	text_free(&daemon->unmended);
	loop_free(daemon->loop);
	free(daemon);
}
