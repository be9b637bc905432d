/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs on networks. */
#include <errno.h>
#include <stdio.h>

#include "each.h"
#include "filter.h"
#include "verbs.h"

struct create_options {
	struct engine_network_options network;
	bool ipv4;
};
#define CREATE(member) offsetof(struct create_options, network.member)
static const struct option_spec create_rows[] = {
	{ "subnet", 0, OPTION_LIST, CREATE(subnets), "PREFIX",
	  "Its addresses, such as 10.20.0.0/16; one of each family (default: a free one)" },
	{ "gateway", 0, OPTION_LIST, CREATE(gateways), "ADDRESS",
	  "The host's address in it (default: the first)" },
	{ "ip-range", 0, OPTION_LIST, CREATE(ip_ranges), "PREFIX",
	  "The part of it that is given out" },
	{ "aux-address", 0, OPTION_LIST, CREATE(aux_addresses), "NAME=ADDRESS",
	  "An address that is not given out" },
	{ "internal", 0, OPTION_FLAG, CREATE(internal), NULL, "No way out of it" },
	{ "ipv6", 0, OPTION_FLAG, CREATE(ipv6), NULL,
	  "IPv6 too; a --subnet of IPv6 says the same" },
	{ "ipv4", 0, OPTION_FLAG, offsetof(struct create_options, ipv4), NULL,
	  "--ipv4=false: IPv6 only" },
	{ "driver", 'd', OPTION_TEXT, CREATE(driver), "DRIVER", "bridge, the only one" },
	{ "opt", 'o', OPTION_LIST, CREATE(options), "KEY=VALUE",
	  "mtu, multicast, big-tcp, com.docker.network.driver.mtu, "
	  "com.docker.network.bridge.{name,enable_icc,"
	  "enable_ip_masquerade}" },
	{ "label", 0, OPTION_LIST, CREATE(labels), "KEY[=VALUE]", "Label it" },
};

static const struct create_options create_defaults = { .ipv4 = true };

static int run_create(struct cli *cli, const void *data, const struct words *words,
		      struct error *err)
{
	const struct create_options *options = data;
	struct engine_network_options network = options->network; /* lists are lent */
	struct engine *engine;
	char id[CONTAINER_ID_SIZE];
	network.no_ipv4 = !options->ipv4;
	int r = cli_engine(cli, &engine, err);
	if (r == 0)
		r = engine_network_create(engine, words->items[0], &network, id, err);
	if (r == 0)
		printf("%s\n", id);
	return r;
}

struct ls_options {
	struct words filters;
	const char *format, *output;
	bool quiet, whole;
};
static const struct option_spec ls_rows[] = {
	{ "quiet", 'q', OPTION_FLAG, offsetof(struct ls_options, quiet), NULL, "Only ids" },
	{ "no-trunc", 0, OPTION_FLAG, offsetof(struct ls_options, whole), NULL, "Whole ids" },
	{ "filter", 'f', OPTION_LIST, offsetof(struct ls_options, filters), "KEY=VALUE",
	  "Only those with name=, id=, driver=, scope=, label=" },
	{ "format", 0, OPTION_TEXT, offsetof(struct ls_options, format), "TEMPLATE",
	  "Such as {{.Name}} {{.Subnet}}; json" },
	{ "output", 'o', OPTION_TEXT, offsetof(struct ls_options, output), "FORMAT",
	  "table or json" },
};

static int list_networks(struct engine *engine, const void *data, struct json_t **ret_rows,
			 struct error *err)
{
	static const struct filter_key keys[] = {
		{ "name", FILTER_PART, "Name" },      { "id", FILTER_BEGIN, "FullID" },
		{ "driver", FILTER_EQUAL, "Driver" }, { "scope", FILTER_EQUAL, "Scope" },
		{ "label", FILTER_LABEL, "Labels" },
	};
	int r = engine_networks_list(engine, ret_rows, err);
	return r < 0 ? r : filter_rows(data, keys, ARRAY_SIZE(keys), ret_rows, err);
}

static int run_ls(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	static const struct output_column columns[] = {
		{ "NETWORK ID", "ID" }, { "NAME", "Name" },     { "DRIVER", "Driver" },
		{ "SCOPE", "Scope" },   { "SUBNET", "Subnet" },
	};
	const struct ls_options *options = data;
	struct output output = { columns,         ARRAY_SIZE(columns), options->format,
				 options->output, options->quiet,      options->whole };
	(void)words;
	return list_all(cli, list_networks, &options->filters, &output, err);
}

static int remove_one(struct engine *engine, const char *reference, const void *data,
		      struct error *err)
{
	(void)data;
	return engine_network_remove(engine, reference, err);
}

static int run_rm(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	return do_each(cli, "network rm", words, remove_one, data, err);
}

struct inspect_options {
	const char *format;
};
static const struct option_spec inspect_rows[] = {
	{ "format", 'f', OPTION_TEXT, offsetof(struct inspect_options, format), "TEMPLATE",
	  "Such as {{.Name}}" },
};

static int inspect_one(struct engine *engine, const char *reference, const void *data,
		       struct json_t **ret_object, struct error *err)
{
	(void)data;
	return engine_network_inspect(engine, reference, ret_object, err);
}

static int run_inspect(struct cli *cli, const void *data, const struct words *words,
		       struct error *err)
{
	const struct inspect_options *options = data;
	struct show show = { inspect_one, NULL, options->format };
	return show_each(cli, words, &show, err);
}

#define CONNECT(member) offsetof(struct network_connect_options, member)
static const struct option_spec connect_rows[] = {
	{ "ip", 0, OPTION_TEXT, CONNECT(ip), "ADDRESS", "Its IPv4 address there" },
	{ "ip6", 0, OPTION_TEXT, CONNECT(ip6), "ADDRESS", "Its IPv6 address there" },
	{ "mac-address", 0, OPTION_TEXT, CONNECT(mac_address), "MAC", "Its MAC address there" },
	{ "alias", 0, OPTION_LIST, CONNECT(aliases), "NAME", "A further name there" },
	{ "link", 0, OPTION_LIST, CONNECT(links), "CONTAINER[:ALIAS]",
	  "A name that only it knows" },
};

static int run_connect(struct cli *cli, const void *data, const struct words *words,
		       struct error *err)
{
	struct engine *engine;
	int r = cli_engine(cli, &engine, err);
	return r < 0 ? r
		     : engine_network_connect(engine, words->items[0], words->items[1], data, err);
}

struct disconnect_options {
	bool force;
};
static const struct option_spec disconnect_rows[] = {
	{ "force", 'f', OPTION_FLAG, offsetof(struct disconnect_options, force), NULL,
	  "For Docker's sake: it is never needed" },
};

static int run_disconnect(struct cli *cli, const void *data, const struct words *words,
			  struct error *err)
{
	struct engine *engine;
	int r = cli_engine(cli, &engine, err);
	(void)data;
	return r < 0 ? r : engine_network_disconnect(engine, words->items[0], words->items[1], err);
}

static const struct verb verbs[] = {
	{
		.spec = { .name = "network create",
			  .words = "NAME",
			  .summary = "Make a network",
			  .options = create_rows,
			  .option_count = ARRAY_SIZE(create_rows),
			  .words_min = 1,
			  .words_max = 1 },
		.options_size = sizeof(struct create_options),
		.defaults = &create_defaults,
		.run = run_create,
	},
	{
		.spec = { .name = "network ls",
			  .words = "",
			  .summary = "List networks",
			  .options = ls_rows,
			  .option_count = ARRAY_SIZE(ls_rows) },
		.options_size = sizeof(struct ls_options),
		.run = run_ls,
	},
	{
		.spec = { .name = "network rm",
			  .words = "NETWORK…",
			  .summary = "Remove networks that no container is in",
			  .words_min = 1,
			  .words_max = -1 },
		.run = run_rm,
	},
	{
		.spec = { .name = "network inspect",
			  .words = "NETWORK…",
			  .summary = "Show all of networks as JSON",
			  .options = inspect_rows,
			  .option_count = ARRAY_SIZE(inspect_rows),
			  .words_min = 1,
			  .words_max = -1 },
		.options_size = sizeof(struct inspect_options),
		.run = run_inspect,
	},
	{
		.spec = { .name = "network connect",
			  .words = "NETWORK CONTAINER",
			  .summary = "Put a container into a network",
			  .options = connect_rows,
			  .option_count = ARRAY_SIZE(connect_rows),
			  .words_min = 2,
			  .words_max = 2 },
		.options_size = sizeof(struct network_connect_options),
		.run = run_connect,
	},
	{
		.spec = { .name = "network disconnect",
			  .words = "NETWORK CONTAINER",
			  .summary = "Take a container out of a network",
			  .options = disconnect_rows,
			  .option_count = ARRAY_SIZE(disconnect_rows),
			  .words_min = 2,
			  .words_max = 2 },
		.options_size = sizeof(struct disconnect_options),
		.run = run_disconnect,
	},
};

const struct verb_group verb_group_networks = { "Networks", verbs, ARRAY_SIZE(verbs) };
