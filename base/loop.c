/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libev, spoken to here only. One kind of watcher a source, its handler behind it. */
#include "base/loop.h"

#include <errno.h>
#include <ev.h>
#include <stdbool.h>

struct loop {
	struct ev_loop *ev;
};

struct loop_source {
	struct loop *loop;
	void *context;
	enum { SOURCE_FD, SOURCE_TIMER, SOURCE_SIGNAL, SOURCE_CHILD } kind;
	union {
		ev_io io;
		ev_timer timer;
		ev_signal signal;
		ev_child child;
	} watcher;
	union {
		loop_fd_handler *fd;
		loop_timer_handler *timer;
		loop_signal_handler *signal;
		loop_child_handler *child;
	} handler;
};

int loop_create(struct loop **ret_loop, struct error *err)
{
	AUTO(loop) loop = calloc(1, sizeof *loop);
	if (loop)
		/* The default loop is the one that may watch children. */
		loop->ev = ev_default_loop(EVFLAG_AUTO);
	if (!loop || !loop->ev)
		return error_set(err, ENOMEM, "no event loop");
	*ret_loop = TAKE(loop);
	return 0;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	if (loop->ev)
		ev_loop_destroy(loop->ev);
	free(loop);
}

void loop_run(struct loop *loop)
{
	ev_run(loop->ev, 0);
}

void loop_stop(struct loop *loop)
{
	ev_break(loop->ev, EVBREAK_ALL);
}

static void on_fd(struct ev_loop *ev, ev_io *watcher, int events)
{
	struct loop_source *source = watcher->data;
	unsigned seen = (events & EV_READ ? LOOP_READ : 0) | (events & EV_WRITE ? LOOP_WRITE : 0);
	(void)ev;
	source->handler.fd(source->loop, watcher->fd, seen, source->context);
}

static void on_timer(struct ev_loop *ev, ev_timer *watcher, int events)
{
	struct loop_source *source = watcher->data;
	(void)ev;
	(void)events;
	source->handler.timer(source->loop, source->context);
}

static void on_signal(struct ev_loop *ev, ev_signal *watcher, int events)
{
	struct loop_source *source = watcher->data;
	(void)ev;
	(void)events;
	source->handler.signal(source->loop, watcher->signum, source->context);
}

static void on_child(struct ev_loop *ev, ev_child *watcher, int events)
{
	struct loop_source *source = watcher->data;
	(void)ev;
	(void)events;
	source->handler.child(source->loop, watcher->rpid, watcher->rstatus, source->context);
}

static struct loop_source *new_source(struct loop *loop, void *context, struct error *err)
{
	struct loop_source *source = calloc(1, sizeof *source);
	if (!source) {
		error_set(err, ENOMEM, "no memory for an event source");
		return NULL;
	}
	source->loop = loop;
	source->context = context;
	return source;
}

static int ev_events(unsigned events)
{
	return (events & LOOP_READ ? EV_READ : 0) | (events & LOOP_WRITE ? EV_WRITE : 0);
}

int loop_add_fd(struct loop *loop, int fd, unsigned events, loop_fd_handler *handler, void *context,
		struct loop_source **ret_source, struct error *err)
{
	struct loop_source *source = new_source(loop, context, err);
	if (!source)
		return -err->code;
	source->kind = SOURCE_FD;
	source->handler.fd = handler;
	ev_io_init(&source->watcher.io, on_fd, fd, ev_events(events));
	source->watcher.io.data = source;
	if (events)
		ev_io_start(loop->ev, &source->watcher.io);
	*ret_source = source;
	return 0;
}

void loop_fd_set_events(struct loop_source *source, unsigned events)
{
	ev_io *io = &source->watcher.io;
	ev_io_stop(source->loop->ev, io);
	ev_io_set(io, io->fd, ev_events(events));
	if (events)
		ev_io_start(source->loop->ev, io);
}

int loop_add_timer(struct loop *loop, uint64_t delay_ms, uint64_t repeat_ms,
		   loop_timer_handler *handler, void *context, struct loop_source **ret_source,
		   struct error *err)
{
	struct loop_source *source = new_source(loop, context, err);
	if (!source)
		return -err->code;
	source->kind = SOURCE_TIMER;
	source->handler.timer = handler;
	ev_now_update(loop->ev);
	ev_timer_init(&source->watcher.timer, on_timer, (double)delay_ms / 1e3,
		      (double)repeat_ms / 1e3);
	source->watcher.timer.data = source;
	ev_timer_start(loop->ev, &source->watcher.timer);
	*ret_source = source;
	return 0;
}

void loop_timer_restart(struct loop_source *source, uint64_t delay_ms)
{
	ev_timer *timer = &source->watcher.timer;
	ev_timer_stop(source->loop->ev, timer);
	ev_now_update(source->loop->ev);
	ev_timer_set(timer, (double)delay_ms / 1e3, timer->repeat);
	ev_timer_start(source->loop->ev, timer);
}

int loop_add_signal(struct loop *loop, int signal, loop_signal_handler *handler, void *context,
		    struct loop_source **ret_source, struct error *err)
{
	struct loop_source *source = new_source(loop, context, err);
	if (!source)
		return -err->code;
	source->kind = SOURCE_SIGNAL;
	source->handler.signal = handler;
	ev_signal_init(&source->watcher.signal, on_signal, signal);
	source->watcher.signal.data = source;
	ev_signal_start(loop->ev, &source->watcher.signal);
	*ret_source = source;
	return 0;
}

int loop_add_child(struct loop *loop, pid_t pid, loop_child_handler *handler, void *context,
		   struct loop_source **ret_source, struct error *err)
{
	struct loop_source *source = new_source(loop, context, err);
	if (!source)
		return -err->code;
	source->kind = SOURCE_CHILD;
	source->handler.child = handler;
	ev_child_init(&source->watcher.child, on_child, pid, 0);
	source->watcher.child.data = source;
	ev_child_start(loop->ev, &source->watcher.child);
	*ret_source = source;
	return 0;
}

void loop_source_free(struct loop_source *source)
{
	if (!source)
		return;
	struct ev_loop *ev = source->loop->ev;
	switch (source->kind) {
	case SOURCE_FD:
		ev_io_stop(ev, &source->watcher.io);
		break;
	case SOURCE_TIMER:
		ev_timer_stop(ev, &source->watcher.timer);
		break;
	case SOURCE_SIGNAL:
		ev_signal_stop(ev, &source->watcher.signal);
		break;
	case SOURCE_CHILD:
		ev_child_stop(ev, &source->watcher.child);
		break;
	}
	free(source);
}
