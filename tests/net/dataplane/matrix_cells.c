/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "matrix.h"

const struct matrix_place matrix_places[] = {
	{ "outside", { "10.99.0.2", "fd99::2" } },    /* another host */
	{ "first", { "10.99.0.1", "fd99::1" } },      /* the node's address there */
	{ "second", { "10.99.0.7", "fd99::7" } },     /* and another of its own */
	{ "loopback", { "127.0.0.1", "::1" } },       /* of whoever asks */
	{ "gateway", { "10.1.0.1", "fd01::1" } },     /* the node in the container's network */
	{ "far gateway", { "10.2.0.1", "fd02::1" } }, /* and in the other one */
	{ "container", { "10.1.0.2", "fd01::2" } },   /* the server */
	{ "near", { "10.1.0.3", "fd01::3" } },        /* a container of its network */
	{ "far", { "10.2.0.3", "fd02::3" } },         /* a container of the other one */
};
const size_t matrix_place_count = ARRAY_SIZE(matrix_places);

const struct matrix_client matrix_clients[] = {
	{ "outside", "client", NULL },
	{ "node", "node", NULL },
	{ "node, bound to loopback", "node", "loopback" },
	{ "node, bound to first", "node", "first" },
	{ "near", "near", NULL },
	{ "far", "far", NULL },
	{ "container", "container", NULL },
};
const size_t matrix_client_count = ARRAY_SIZE(matrix_clients);

const char *const matrix_port_names[PORT_COUNT] = {
	[PORT_OWN] = "its own",
	[PORT_EVERY] = "published on all addresses",
	[PORT_SECOND] = "published on second",
	[PORT_LOOPBACK] = "published on loopback",
};

static const struct matrix_row usual[] = {
	{ "outside", "container", PORT_OWN, .tcp = "dropped: direct" },
	{ "outside", "container", PORT_EVERY, .tcp = "dropped: direct" },
	{ "outside", "first", PORT_EVERY, .tcp = "as outside" },
	{ "outside", "second", PORT_EVERY, .tcp = "as outside" },
	{ "outside", "gateway", PORT_EVERY, .tcp = "as outside" },
	{ "outside", "loopback", PORT_EVERY, .tcp = "lost" }, /* a forged frame */
	{ "outside", "first", PORT_SECOND, .tcp = "refused" },
	{ "outside", "second", PORT_SECOND, .tcp = "as outside" },
	{ "outside", "first", PORT_LOOPBACK, .tcp = "refused" },
	{ "outside", "loopback", PORT_LOOPBACK, .tcp = "lost" },

	{ "node", "container", PORT_OWN, .tcp = "as gateway" },
	{ "node", "loopback", PORT_EVERY, .tcp = "as gateway", .sctp = "refused",
	  .nft = "as gateway", .nft6 = "refused" },
	{ "node", "first", PORT_EVERY, .tcp = "as gateway", .sctp = "refused", .nft = "as first" },
	{ "node", "second", PORT_EVERY, .tcp = "as gateway", .sctp = "refused", .nft = "as first",
	  .nft6 = "as second" },
	{ "node", "gateway", PORT_EVERY, .tcp = "as gateway", .sctp = "refused",
	  .nft = "as gateway" },
	{ "node", "far gateway", PORT_EVERY, .tcp = "as gateway", .sctp = "refused",
	  .nft = "as far gateway" },
	{ "node", "loopback", PORT_SECOND, .tcp = "refused" },
	{ "node", "first", PORT_SECOND, .tcp = "refused" },
	{ "node", "second", PORT_SECOND, .tcp = "as gateway", .sctp = "refused", .nft = "as first",
	  .nft6 = "as second" },
	{ "node", "loopback", PORT_LOOPBACK, .tcp = "as gateway", .sctp = "refused",
	  .nft = "as gateway", .nft6 = "refused" },
	{ "node", "first", PORT_LOOPBACK, .tcp = "refused" },
	{ "node, bound to loopback", "loopback", PORT_EVERY, .tcp = "as gateway", .sctp = "refused",
	  .nft = "as gateway", .v6 = "refused" },
	{ "node, bound to loopback", "loopback", PORT_LOOPBACK, .tcp = "as gateway",
	  .sctp = "refused", .nft = "as gateway", .v6 = "refused" },
	{ "node, bound to loopback", "first", PORT_EVERY, .tcp = "as gateway", .sctp = "-",
	  .nft = "as gateway", .v6 = "-" },
	{ "node, bound to loopback", "first", PORT_LOOPBACK, .tcp = "refused", .sctp = "-",
	  .v6 = "-" },
	{ "node, bound to first", "first", PORT_EVERY, .tcp = "as first", .sctp = "refused",
	  .nft = "as first" },
	{ "node, bound to first", "loopback", PORT_EVERY, .tcp = "as first", .sctp = "-",
	  .nft = "as first", .nft6 = "refused" },

	{ "near", "container", PORT_OWN, .tcp = "as near" },
	{ "near", "first", PORT_EVERY, .tcp = "as gateway", .nft = "as near" },
	{ "near", "second", PORT_EVERY, .tcp = "as gateway", .nft = "as near" },
	{ "near", "gateway", PORT_EVERY, .tcp = "as gateway", .nft = "as near" },
	{ "near", "far gateway", PORT_EVERY, .tcp = "as gateway", .nft = "as near" },
	{ "near", "first", PORT_SECOND, .tcp = "refused" },
	{ "near", "second", PORT_SECOND, .tcp = "as gateway", .nft = "as near" },
	{ "near", "first", PORT_LOOPBACK, .tcp = "refused" },
	{ "near", "loopback", PORT_LOOPBACK, .tcp = "refused" }, /* its own loopback */

	{ "far", "container", PORT_OWN, .tcp = "dropped: isolated" },
	{ "far", "first", PORT_EVERY, .tcp = "as far" },
	{ "far", "second", PORT_EVERY, .tcp = "as far" },
	{ "far", "gateway", PORT_EVERY, .tcp = "as far" },
	{ "far", "far gateway", PORT_EVERY, .tcp = "as far" },
	{ "far", "first", PORT_SECOND, .tcp = "refused" },
	{ "far", "second", PORT_SECOND, .tcp = "as far" },
	{ "far", "first", PORT_LOOPBACK, .tcp = "refused" },

	{ "container", "container", PORT_OWN, .tcp = "as container" },
	{ "container", "loopback", PORT_OWN, .tcp = "as loopback" },
	{ "container", "first", PORT_EVERY, .tcp = "as gateway" },
	{ "container", "second", PORT_EVERY, .tcp = "as gateway" },
	{ "container", "gateway", PORT_EVERY, .tcp = "as gateway" },
	{ "container", "first", PORT_SECOND, .tcp = "refused" },
	{ "container", "second", PORT_SECOND, .tcp = "as gateway" },
	{ "container", "first", PORT_LOOPBACK, .tcp = "refused" },
	{ "container", "outside", PORT_OWN, .tcp = "as first", .v6 = "as second" },
};

static const struct matrix_row routed[] = {
	{ "outside", "container", PORT_OWN, .tcp = "as outside" },
	{ "outside", "first", PORT_EVERY, .tcp = "as outside" },
	{ "node", "loopback", PORT_EVERY, .tcp = "as gateway", .sctp = "refused",
	  .nft = "as gateway", .nft6 = "refused" },
	{ "near", "container", PORT_OWN, .tcp = "as near" },
	{ "far", "container", PORT_OWN, .tcp = "dropped: isolated" },
	{ "far", "first", PORT_EVERY, .tcp = "as far" },
	{ "container", "outside", PORT_OWN, .tcp = "as container" },
};

static const struct matrix_row internal[] = {
	{ "outside", "container", PORT_OWN, .tcp = "dropped: direct" },
	{ "outside", "first", PORT_EVERY, .tcp = "lost" },
	{ "node", "container", PORT_OWN, .tcp = "as gateway" },
	{ "node", "loopback", PORT_EVERY, .tcp = "as gateway", .sctp = "refused",
	  .nft = "as gateway", .nft6 = "refused" },
	{ "near", "container", PORT_OWN, .tcp = "as near" },
	{ "near", "gateway", PORT_EVERY, .tcp = "as gateway", .nft = "as near" },
	{ "far", "container", PORT_OWN, .tcp = "dropped: isolated" },
	{ "far", "first", PORT_EVERY, .tcp = "lost" },
	{ "container", "outside", PORT_OWN, .tcp = "no way", .sctp = "-" },
};

static const struct matrix_row strangers[] = {
	{ "outside", "first", PORT_EVERY, .tcp = "as outside" },
	{ "node", "container", PORT_OWN, .tcp = "as gateway" },
	{ "near", "container", PORT_OWN, .tcp = "dropped: no-icc" },
	{ "near", "first", PORT_EVERY, .tcp = "as gateway", .nft = "as near" },
	{ "far", "first", PORT_EVERY, .tcp = "as far" },
	{ "container", "first", PORT_EVERY, .tcp = "as gateway" },
	{ "container", "outside", PORT_OWN, .tcp = "as first", .v6 = "as second" },
};

static const struct matrix_row some[] = {
	{ "outside", "first", PORT_EVERY, .tcp = "dropped: publish-source" },
	{ "node", "loopback", PORT_EVERY, .tcp = "as gateway", .sctp = "refused",
	  .nft = "as gateway", .nft6 = "refused" },
	{ "node", "first", PORT_EVERY, .tcp = "as gateway", .sctp = "refused", .nft = "as first" },
	{ "near", "first", PORT_EVERY, .tcp = "as gateway", .nft = "as near" },
	{ "far", "first", PORT_EVERY, .tcp = "as far" },
	{ "container", "first", PORT_EVERY, .tcp = "as gateway" },
};

#define ROWS(table) .rows = (table), .count = ARRAY_SIZE(table)
const struct matrix matrices[] = {
	{ .title = "A network as it is by default",
	  .network = { .masquerade = true },
	  ROWS(usual) },
	{ .title = "A routed network, without masquerade",
	  .network = { .routed = true },
	  ROWS(routed) },
	{ .title = "An internal network", .network = { .internal = true }, ROWS(internal) },
	{ .title = "A network whose containers do not reach each other (icc=false)",
	  .network = { .masquerade = true, .no_icc = true },
	  ROWS(strangers) },
	{ .title = "A container whose ports are for the other network only (--publish-from)",
	  .network = { .masquerade = true },
	  .publish_from = { "10.2.0.0/24", "fd02::/64" },
	  ROWS(some) },
};
const size_t matrix_count = ARRAY_SIZE(matrices);
