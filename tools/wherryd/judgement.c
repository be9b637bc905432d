/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judgement.h"

#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "dataplane/firewall.h"

struct judgement {
	struct dataplane *dataplane; /* lent */
	const struct log *log;       /* lent */
	struct loop_source *source;
	int fd;
};
DEFINE_FREEP(judgement)

static void judge(struct judgement *judgement)
{
	struct error err;
	if (firewall_judge_again(judgement->dataplane, &err) < 0)
		log_write(judgement->log, LOG_LEVEL_WARNING, "%s", err.text);
}

static void on_change(struct loop *loop, int fd, unsigned ready, void *context)
{
	(void)loop;
	(void)ready;
	if (firewall_events_read(fd))
		judge(context);
}

int judgement_watch(struct loop *loop, struct dataplane *dataplane, const struct log *log,
		    struct judgement **ret_judgement, struct error *err)
{
	AUTO(judgement) judgement = calloc(1, sizeof *judgement);
	if (!judgement)
		return error_set(err, ENOMEM, "no memory to watch the firewall");
	*judgement = (struct judgement){ .dataplane = dataplane, .log = log, .fd = -1 };
	int r = firewall_events_open(&judgement->fd, err);
	if (r == -EOPNOTSUPP)
		r = 0; /* a kernel without nftables: there is nothing to watch */
	else if (r == 0)
		r = loop_add_fd(loop, judgement->fd, LOOP_READ, on_change, judgement,
				&judgement->source, err);
	if (r < 0)
		return r;
	judge(judgement);
	*ret_judgement = TAKE(judgement);
	return 0;
}

void judgement_free(struct judgement *judgement)
{
	if (!judgement)
		return;
	loop_source_free(judgement->source);
	cleanup_fd(&judgement->fd);
	free(judgement);
}
