/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wherry drops --follow`: each dropped packet, one line, as it happens. */
#include <errno.h>
#include <signal.h>

#include "base/json.h"
#include "base/loop.h"
#include "observe.h"

struct following {
	struct loop *loop;
	struct drop_follower *follower;
	const struct drop_filter *filter;
	enum listing_format format;
	FILE *file;
	struct error *err;
	int result;
};

static void print_line(const struct following *following, const struct drop_sight *sight)
{
	fprintf(following->file, "%-18s %-14s %s:%u -> %s:%u protocol %u length %u %.12s\n",
		sight->reason, sight->hook, ip_format(sight->source).text, sight->source_port,
		ip_format(sight->destination).text, sight->destination_port, sight->protocol,
		sight->length, sight->container_id);
}

static int print_json(const struct following *following, const struct drop_sight *sight,
		      struct error *err)
{
	auto_json object = json_new_object();
	auto_free char *text = NULL;
	json_put_integer(object, "timeNs", (int64_t)sight->time_ns);
	json_put_string(object, "reason", sight->reason);
	json_put_string(object, "hook", sight->hook);
	json_put_string(object, "source", ip_format(sight->source).text);
	json_put_integer(object, "sourcePort", sight->source_port);
	json_put_string(object, "destination", ip_format(sight->destination).text);
	json_put_integer(object, "destinationPort", sight->destination_port);
	json_put_integer(object, "protocol", sight->protocol);
	json_put_integer(object, "length", sight->length);
	json_put_string(object, "containerId", sight->container_id);
	json_put_string(object, "network", sight->network);
	int r = json_format(object, JSON_COMPACT, &text, err);
	if (r == 0)
		fprintf(following->file, "%s\n", text);
	return r;
}

static int print_sight(const struct drop_sight *sight, void *context, struct error *err)
{
	const struct following *following = context;
	if (!drop_is_wanted(following->filter, sight->reason, sight->container_id, sight->network))
		return 0;
	if (following->format == LISTING_JSON)
		return print_json(following, sight, err);
	print_line(following, sight);
	return 0;
}

static void on_readable(struct loop *loop, int fd, unsigned events, void *context)
{
	struct following *following = context;
	(void)fd;
	(void)events;
	following->result =
		drops_follow_read(following->follower, print_sight, following, following->err);
	/* A reader that has gone away is the usual end of `| head`. */
	if (following->result < 0 || fflush(following->file) != 0)
		loop_stop(loop);
}

static void on_signal(struct loop *loop, int signal, void *context)
{
	(void)signal;
	(void)context;
	loop_stop(loop);
}

int observe_drops_follow(struct dataplane *dataplane, const struct drop_filter *filter,
			 enum listing_format format, FILE *file, struct error *err)
{
	AUTO(loop) loop = NULL;
	AUTO(drop_follower) follower = NULL;
	AUTO(loop_source) source = NULL;
	AUTO(loop_source) interrupt = NULL;
	AUTO(loop_source) terminate = NULL;
	struct following following = {
		.filter = filter, .format = format, .file = file, .err = err
	};
	signal(SIGPIPE, SIG_IGN);
	int r = drops_follow(dataplane, &follower, err);
	if (r == 0)
		r = loop_create(&loop, err);
	following.follower = follower;
	if (r == 0)
		r = loop_add_fd(loop, drops_follow_fd(follower), LOOP_READ, on_readable, &following,
				&source, err);
	if (r == 0)
		r = loop_add_signal(loop, SIGINT, on_signal, NULL, &interrupt, err);
	if (r == 0)
		r = loop_add_signal(loop, SIGTERM, on_signal, NULL, &terminate, err);
	if (r < 0)
		return r;
	loop_run(loop);
	return following.result;
}
