/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe_live.h"

#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/loop.h"

#define CLEAR_SCREEN "\033[H\033[J"

struct live {
	int (*show)(FILE *file, void *context, struct error *err);
	void *context;
	FILE *file;
	struct error *err;
	int result;
	bool interrupted;
};

static void on_signal(struct loop *loop, int signal, void *context)
{
	struct live *live = context;
	(void)signal;
	live->interrupted = true;
	loop_stop(loop);
}

static void on_timer(struct loop *loop, void *context)
{
	struct live *live = context;
	if (!live->show) {
		loop_stop(loop);
		return;
	}
	if (isatty(fileno(live->file)))
		fputs(CLEAR_SCREEN, live->file);
	live->result = live->show(live->file, live->context, live->err);
	if (live->result < 0 || fflush(live->file) != 0)
		loop_stop(loop);
}

static int run(struct live *live, unsigned delay_ms, unsigned repeat_ms, struct error *err)
{
	AUTO(loop) loop = NULL;
	AUTO(loop_source) timer = NULL;
	AUTO(loop_source) interrupt = NULL;
	AUTO(loop_source) terminate = NULL;
	int r = loop_create(&loop, err);
	if (r == 0)
		r = loop_add_timer(loop, delay_ms, repeat_ms, on_timer, live, &timer, err);
	if (r == 0)
		r = loop_add_signal(loop, SIGINT, on_signal, live, &interrupt, err);
	if (r == 0)
		r = loop_add_signal(loop, SIGTERM, on_signal, live, &terminate, err);
	if (r == 0)
		loop_run(loop);
	return r;
}

int observe_live(unsigned interval_ms, int (*show)(FILE *file, void *context, struct error *err),
		 void *context, FILE *file, struct error *err)
{
	struct live live = { .show = show, .context = context, .file = file, .err = err };
	int r = run(&live, 0, interval_ms, err);
	return r < 0 ? r : live.result;
}

int observe_pause(unsigned pause_ms, struct error *err)
{
	struct live live = { 0 };
	int r = run(&live, pause_ms, 0, err);
	return r < 0 ? r : live.interrupted;
}
