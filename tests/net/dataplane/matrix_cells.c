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

static const struct matrix_row usual[] = {
	{ "outside", "container", PORT_OWN, "dropped: direct", NULL, NULL, NULL },
	{ "outside", "container", PORT_EVERY, "dropped: direct", NULL, NULL, NULL },
	{ "outside", "first", PORT_EVERY, "as outside", NULL, NULL, NULL },
	{ "outside", "second", PORT_EVERY, "as outside", NULL, NULL, NULL },
	{ "outside", "gateway", PORT_EVERY, "as outside", NULL, NULL, NULL },
	{ "outside", "loopback", PORT_EVERY, "lost", NULL, NULL, NULL }, /* a forged frame */
	{ "outside", "first", PORT_SECOND, "refused", NULL, NULL, NULL },
	{ "outside", "second", PORT_SECOND, "as outside", NULL, NULL, NULL },
	{ "outside", "first", PORT_LOOPBACK, "refused", NULL, NULL, NULL },
	{ "outside", "loopback", PORT_LOOPBACK, "lost", NULL, NULL, NULL },

	{ "node", "container", PORT_OWN, "as gateway", NULL, NULL, NULL },
	{ "node", "loopback", PORT_EVERY, "as gateway", NULL, "refused", "as gateway" },
	{ "node", "first", PORT_EVERY, "as gateway", NULL, "refused", "as first" },
	{ "node", "second", PORT_EVERY, "as gateway", NULL, "refused", "as first" },
	{ "node", "gateway", PORT_EVERY, "as gateway", NULL, "refused", "as gateway" },
	{ "node", "far gateway", PORT_EVERY, "as gateway", NULL, "refused", "as far gateway" },
	{ "node", "loopback", PORT_SECOND, "refused", NULL, NULL, NULL },
	{ "node", "first", PORT_SECOND, "refused", NULL, NULL, NULL },
	{ "node", "second", PORT_SECOND, "as gateway", NULL, "refused", "as first" },
	{ "node", "loopback", PORT_LOOPBACK, "as gateway", NULL, "refused", "as gateway" },
	{ "node", "first", PORT_LOOPBACK, "refused", NULL, NULL, NULL },
	{ "node, bound to loopback", "loopback", PORT_EVERY, "no way", NULL, "refused",
	  "as gateway" },
	{ "node, bound to loopback", "loopback", PORT_LOOPBACK, "no way", NULL, "refused",
	  "as gateway" },
	{ "node, bound to loopback", "first", PORT_EVERY, "no way", NULL, "-", "as gateway" },
	{ "node, bound to loopback", "first", PORT_LOOPBACK, "refused", NULL, "-", NULL },
	{ "node, bound to first", "first", PORT_EVERY, "as first", NULL, "refused", "as first" },
	{ "node, bound to first", "loopback", PORT_EVERY, "as first", NULL, "refused", "as first" },

	{ "near", "container", PORT_OWN, "as near", NULL, NULL, NULL },
	{ "near", "first", PORT_EVERY, "as gateway", NULL, NULL, "as near" },
	{ "near", "second", PORT_EVERY, "as gateway", NULL, NULL, "as near" },
	{ "near", "gateway", PORT_EVERY, "as gateway", NULL, NULL, "as near" },
	{ "near", "far gateway", PORT_EVERY, "as gateway", NULL, NULL, "as near" },
	{ "near", "first", PORT_SECOND, "refused", NULL, NULL, NULL },
	{ "near", "second", PORT_SECOND, "as gateway", NULL, NULL, "as near" },
	{ "near", "first", PORT_LOOPBACK, "refused", NULL, NULL, NULL },
	{ "near", "loopback", PORT_LOOPBACK, "refused", NULL, NULL, NULL }, /* its own loopback */

	{ "far", "container", PORT_OWN, "dropped: isolated", NULL, NULL, NULL },
	{ "far", "first", PORT_EVERY, "as far", NULL, NULL, NULL },
	{ "far", "second", PORT_EVERY, "as far", NULL, NULL, NULL },
	{ "far", "gateway", PORT_EVERY, "as far", NULL, NULL, NULL },
	{ "far", "far gateway", PORT_EVERY, "as far", NULL, NULL, NULL },
	{ "far", "first", PORT_SECOND, "refused", NULL, NULL, NULL },
	{ "far", "second", PORT_SECOND, "as far", NULL, NULL, NULL },
	{ "far", "first", PORT_LOOPBACK, "refused", NULL, NULL, NULL },

	{ "container", "container", PORT_OWN, "as container", NULL, NULL, NULL },
	{ "container", "loopback", PORT_OWN, "as loopback", NULL, NULL, NULL },
	{ "container", "first", PORT_EVERY, "as gateway", NULL, NULL, NULL },
	{ "container", "second", PORT_EVERY, "as gateway", NULL, NULL, NULL },
	{ "container", "gateway", PORT_EVERY, "as gateway", NULL, NULL, NULL },
	{ "container", "first", PORT_SECOND, "refused", NULL, NULL, NULL },
	{ "container", "second", PORT_SECOND, "as gateway", NULL, NULL, NULL },
	{ "container", "first", PORT_LOOPBACK, "refused", NULL, NULL, NULL },
	{ "container", "outside", PORT_OWN, "as first", NULL, NULL, NULL },
};

static const struct matrix_row routed[] = {
	{ "outside", "container", PORT_OWN, "as outside", NULL, NULL, NULL },
	{ "outside", "first", PORT_EVERY, "as outside", NULL, NULL, NULL },
	{ "node", "loopback", PORT_EVERY, "as gateway", NULL, "refused", "as gateway" },
	{ "near", "container", PORT_OWN, "as near", NULL, NULL, NULL },
	{ "far", "container", PORT_OWN, "dropped: isolated", NULL, NULL, NULL },
	{ "far", "first", PORT_EVERY, "as far", NULL, NULL, NULL },
	{ "container", "outside", PORT_OWN, "as container", NULL, NULL, NULL },
};

static const struct matrix_row internal[] = {
	{ "outside", "container", PORT_OWN, "dropped: direct", NULL, NULL, NULL },
	{ "outside", "first", PORT_EVERY, "lost", NULL, NULL, NULL },
	{ "node", "container", PORT_OWN, "as gateway", NULL, NULL, NULL },
	{ "node", "loopback", PORT_EVERY, "as gateway", NULL, "refused", "as gateway" },
	{ "near", "container", PORT_OWN, "as near", NULL, NULL, NULL },
	{ "near", "gateway", PORT_EVERY, "as gateway", NULL, NULL, "as near" },
	{ "far", "container", PORT_OWN, "dropped: isolated", NULL, NULL, NULL },
	{ "far", "first", PORT_EVERY, "lost", NULL, NULL, NULL },
	{ "container", "outside", PORT_OWN, "no way", NULL, "-", NULL },
};

static const struct matrix_row strangers[] = {
	{ "outside", "first", PORT_EVERY, "as outside", NULL, NULL, NULL },
	{ "node", "container", PORT_OWN, "as gateway", NULL, NULL, NULL },
	{ "near", "container", PORT_OWN, "dropped: no-icc", NULL, NULL, NULL },
	{ "near", "first", PORT_EVERY, "as gateway", NULL, NULL, "as near" },
	{ "far", "first", PORT_EVERY, "as far", NULL, NULL, NULL },
	{ "container", "first", PORT_EVERY, "as gateway", NULL, NULL, NULL },
	{ "container", "outside", PORT_OWN, "as first", NULL, NULL, NULL },
};

static const struct matrix_row some[] = {
	{ "outside", "first", PORT_EVERY, "dropped: publish-source", NULL, NULL, NULL },
	{ "node", "loopback", PORT_EVERY, "as gateway", NULL, "refused", "as gateway" },
	{ "node", "first", PORT_EVERY, "as gateway", NULL, "refused", "as first" },
	{ "near", "first", PORT_EVERY, "as gateway", NULL, NULL, "as near" },
	{ "far", "first", PORT_EVERY, "as far", NULL, NULL, NULL },
	{ "container", "first", PORT_EVERY, "as gateway", NULL, NULL, NULL },
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
	  .publish_from = "10.2.0.0/24",
	  ROWS(some) },
};
const size_t matrix_count = ARRAY_SIZE(matrices);
