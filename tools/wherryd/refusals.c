/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "refusals.h"

#include <errno.h>

struct refusals {
	const struct log *log; /* lent */
	struct notice_reader *reader;
	struct loop_source *source;
};

static int say(const struct port_notice *notice, void *context, struct error *err)
{
	const struct refusals *refusals = context;
	const char *name =
		notice->container_name[0] ? notice->container_name : notice->container_id;
	(void)err;
	log_write(refusals->log, LOG_LEVEL_WARNING,
		  "%s (process %u) may not bind %s port %u/%s: container %s publishes it",
		  notice->program, notice->pid, ip_format(notice->address).text, notice->port,
		  publish_protocol_name(notice->protocol), name[0] ? name : "(gone)");
	return 0;
}

static void on_notices(struct loop *loop, int fd, unsigned ready, void *context)
{
	struct refusals *refusals = context;
	struct error err = { 0 };
	(void)loop;
	(void)fd;
	(void)ready;
	if (notices_read(refusals->reader, say, refusals, &err) < 0)
		log_write(refusals->log, LOG_LEVEL_WARNING, "%s", err.text);
}

int refusals_watch(struct loop *loop, struct dataplane *dataplane, const struct log *log,
		   struct refusals **ret_refusals, struct error *err)
{
	int fd;
	struct refusals *refusals = calloc(1, sizeof *refusals);
	if (!refusals)
		return error_set(err, ENOMEM, "no memory to watch for refusals");
	refusals->log = log;
	int r = notices_open(dataplane, &refusals->reader, &fd, err);
	if (r == 0)
		r = loop_add_fd(loop, fd, LOOP_READ, on_notices, refusals, &refusals->source, err);
	if (r < 0) {
		refusals_free(refusals);
		return r;
	}
	*ret_refusals = refusals;
	return 0;
}

void refusals_free(struct refusals *refusals)
{
	if (!refusals)
		return;
	loop_source_free(refusals->source);
	notice_reader_free(refusals->reader);
	free(refusals);
}
