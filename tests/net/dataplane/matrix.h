/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The access matrix: who reaches what, and as whom. Each row is a client, the
 * address that it asks and the port, with what must happen by TCP, UDP and SCTP:
 *
 *	"as PLACE"         answered, and the server sees the client at that place
 *	"refused"          told at once that nobody is there
 *	"dropped: REASON"  no answer, and the data path counts why
 *	"lost"             no answer: the host's own kernel drops it
 *	"no way"           the client's own kernel does not let it go there
 *	"-"                not asked: SCTP's own rules of scopes come before ours
 *
 * Places are addresses by name (matrix_places); the tables of rows are also the
 * tables of docs/reach.md.
 */
#include <stddef.h>

#include "dataplane/dataplane.h"

enum matrix_port {
	PORT_OWN,      /* of the server itself, not published */
	PORT_EVERY,    /* published on all addresses */
	PORT_SECOND,   /* published on the node's second address */
	PORT_LOOPBACK, /* published on 127.0.0.1 or ::1 */
	PORT_COUNT
};
extern const char *const matrix_port_names[PORT_COUNT];

struct matrix_place {
	const char *name, *addresses[2]; /* of IPv4 and of IPv6 */
};
extern const struct matrix_place matrix_places[];
extern const size_t matrix_place_count;

struct matrix_client {
	const char *name, *host;
	const char *bound; /* the place whose address it binds before it connects; NULL: none */
};
extern const struct matrix_client matrix_clients[];
extern const size_t matrix_client_count;

struct matrix_row {
	const char *client, *asks;
	enum matrix_port port;
	const char *tcp, *udp, *sctp; /* udp, sctp: NULL: as by TCP */
	const char *nft;              /* where nf_tables carries the packets; NULL: the same */
	const char *v6, *nft6;        /* the same two by IPv6; NULL: as by IPv4 */
};
struct matrix {
	const char *title;
	struct network_spec network;
	const char *publish_from[2]; /* of each family; NULL: everybody */
	const struct matrix_row *rows;
	size_t count;
};
extern const struct matrix matrices[];
extern const size_t matrix_count;
