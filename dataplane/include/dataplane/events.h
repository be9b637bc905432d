/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What happens to the host's links, addresses and routes, as a descriptor to wait
 * on. Only the kind of what happened is told: whoever acts on it looks at the
 * state as it is then, so that lost or late messages do no harm.
 */
#include "base/error.h"

enum dataplane_event {
	DATAPLANE_EVENT_LINK = 1, /* a link came or changed */
	DATAPLANE_EVENT_LINK_REMOVED = 2,
	DATAPLANE_EVENT_ADDRESS = 4,
	DATAPLANE_EVENT_ROUTE = 8,
	DATAPLANE_EVENT_FILTER_REMOVED = 16, /* a filter or queue, anybody's */
};

/**
 * Opens the stream of events of the calling thread's network namespace. *ret_fd
 * is non-blocking, becomes readable with each event, and is the caller's.
 */
int dataplane_events_open(int *ret_fd, struct error *err);
/** Takes all that has come, without waiting. Returns the kinds (0: nothing); all, if some were
 * lost. */
unsigned dataplane_events_read(int fd);
