/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs that watch traffic: connections, endpoints, drops. Nothing here changes anything. */
#include <errno.h>

#include "dataplane/metrics.h"
#include "observe.h"
#include "observe_live.h"
#include "observe_names.h"
#include "observe_traffic.h"
#include "observing_traffic.h"
#include "verbs.h"

#define LIVE_MS 1000

struct flows_options {
	const char *output, *container, *network, *address, *protocol, *state;
	int64_t port;
	bool follow;
};
#define FLOWS(member) offsetof(struct flows_options, member)
static const struct option_spec flows_rows[] = {
	{ "output", 'o', OPTION_TEXT, FLOWS(output), "FORMAT",
	  "Print as table or json (default: table)" },
	{ "container", 'c', OPTION_TEXT, FLOWS(container), "CONTAINER", "Only of this container" },
	{ "network", 'n', OPTION_TEXT, FLOWS(network), "NETWORK", "Only of this network" },
	{ "address", 'a', OPTION_TEXT, FLOWS(address), "ADDRESS", "Only with this address" },
	{ "port", 'p', OPTION_NUMBER, FLOWS(port), "PORT", "Only with this port" },
	{ "protocol", 0, OPTION_TEXT, FLOWS(protocol), "PROTOCOL", "Only tcp, udp, icmp or sctp" },
	{ "state", 's', OPTION_TEXT, FLOWS(state), "STATE",
	  "Only opening, established, closing, closed, reset or host-firewall" },
	{ "follow", 'f', OPTION_FLAG, FLOWS(follow), NULL,
	  "Show the list anew each second, until interrupted" },
};

struct plain_options {
	const char *output;
};
static const struct option_spec plain_rows[] = {
	{ "output", 'o', OPTION_TEXT, offsetof(struct plain_options, output), "FORMAT",
	  "Print as table or json (default: table)" },
};

const struct option_spec top_option_rows[TOP_OPTION_COUNT] = {
	{ "output", 'o', OPTION_TEXT, offsetof(struct top_options, output), "FORMAT",
	  "Print rates as table or json (default: table)" },
	{ "follow", 'f', OPTION_FLAG, offsetof(struct top_options, follow), NULL,
	  "Show rates anew each second, until interrupted" },
};

struct showing {
	struct dataplane *dataplane;
	enum listing_format format;
	struct connection_filter filter;
	struct rates *rates;
};

static int fill_filter(const struct flows_options *options, struct connection_filter *ret,
		       struct error *err)
{
	*ret = (struct connection_filter){ .container = options->container,
					   .network = options->network,
					   .port = (uint16_t)options->port,
					   .has_state = options->state != NULL };
	int r = 0;
	if (options->port > UINT16_MAX)
		return error_set(err, EINVAL, "--port %lld: is over 65535",
				 (long long)options->port);
	if (options->address && ip_parse(options->address, &ret->address, err) < 0)
		return error_wrap(err, "--address");
	if (options->protocol && protocol_parse(options->protocol, &ret->protocol, err) < 0)
		return error_wrap(err, "--protocol");
	if (options->state)
		r = connection_state_parse(options->state, &ret->state, err);
	return r < 0 ? error_wrap(err, "--state") : 0;
}

static int show_connections(FILE *file, void *context, struct error *err)
{
	const struct showing *showing = context;
	return observe_connections(showing->dataplane, &showing->filter, showing->format, file,
				   err);
}

static int run_flows(struct cli *cli, const void *data, const struct words *words,
		     struct error *err)
{
	const struct flows_options *options = data;
	AUTO(dataplane) dataplane = NULL;
	struct showing showing = { 0 };
	(void)words;
	int r = listing_format_parse(options->output, &showing.format, err);
	if (r == 0)
		r = fill_filter(options, &showing.filter, err);
	if (r == 0)
		r = dataplane_open(&cli->instance, &dataplane, err);
	showing.dataplane = dataplane;
	if (r < 0)
		return r;
	return options->follow ? observe_live(LIVE_MS, show_connections, &showing, stdout, err)
			       : show_connections(stdout, &showing, err);
}

static int run_list(struct cli *cli, const char *output,
		    int (*list)(struct dataplane *dataplane, enum listing_format format, FILE *file,
				struct error *err),
		    struct error *err)
{
	AUTO(dataplane) dataplane = NULL;
	enum listing_format format;
	int r = listing_format_parse(output, &format, err);
	if (r == 0)
		r = dataplane_open(&cli->instance, &dataplane, err);
	return r < 0 ? r : list(dataplane, format, stdout, err);
}

static int run_ct(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	const struct plain_options *options = data;
	(void)words;
	return run_list(cli, options->output, observe_entries, err);
}

static int run_endpoints(struct cli *cli, const void *data, const struct words *words,
			 struct error *err)
{
	const struct plain_options *options = data;
	(void)words;
	return run_list(cli, options->output, observe_endpoints, err);
}

static int show_rates(FILE *file, void *context, struct error *err)
{
	const struct showing *showing = context;
	return observe_rates(showing->rates, showing->format, file, err);
}

int top_rates(struct cli *cli, const struct top_options *options, struct error *err)
{
	AUTO(dataplane) dataplane = NULL;
	AUTO(rates) rates = NULL;
	struct showing showing = { 0 };
	int r = listing_format_parse(options->output, &showing.format, err);
	if (r == 0)
		r = dataplane_open(&cli->instance, &dataplane, err);
	if (r == 0)
		r = rates_create(dataplane, &rates, err);
	if (r == 0)
		r = observe_pause(LIVE_MS, err);
	showing.rates = rates;
	if (r != 0)
		return r < 0 ? r : 0;
	return options->follow ? observe_live(LIVE_MS, show_rates, &showing, stdout, err)
			       : show_rates(stdout, &showing, err);
}

static int run_metrics(struct cli *cli, const void *data, const struct words *words,
		       struct error *err)
{
	AUTO(dataplane) dataplane = NULL;
	auto_free char *text = NULL;
	(void)data;
	(void)words;
	int r = dataplane_open(&cli->instance, &dataplane, err);
	if (r == 0)
		r = metrics_format(dataplane, &text, err);
	if (r == 0)
		fputs(text, stdout);
	return r;
}

static const struct verb verbs[] = {
	{
		.spec = { .name = "flows",
			  .words = "",
			  .summary = "List the connections that cross the data path",
			  .options = flows_rows,
			  .option_count = ARRAY_SIZE(flows_rows) },
		.options_size = sizeof(struct flows_options),
		.run = run_flows,
	},
	{
		.spec = { .name = "ct",
			  .words = "",
			  .summary = "List the flow table as it is, both directions of each flow",
			  .options = plain_rows,
			  .option_count = ARRAY_SIZE(plain_rows) },
		.options_size = sizeof(struct plain_options),
		.run = run_ct,
	},
	{
		.spec = { .name = "endpoints",
			  .words = "",
			  .summary = "List who is attached to the data path",
			  .options = plain_rows,
			  .option_count = ARRAY_SIZE(plain_rows) },
		.options_size = sizeof(struct plain_options),
		.run = run_endpoints,
	},
	{
		.spec = { .name = "metrics",
			  .words = "",
			  .summary = "Print the counters as Prometheus reads them" },
		.run = run_metrics,
	},
};

const struct verb_group verb_group_traffic = { "Watching traffic", verbs, ARRAY_SIZE(verbs) };
