/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The daemon's control socket, RUN/wherryd.sock. Whoever connects is told
 * "ready PID" once the daemon has looked at all networks anew: so a second start
 * knows who runs, and a caller that has just made a network knows that its names
 * are served.
 */
#include <sys/types.h>

#include "base/instance.h"
#include "base/loop.h"

struct control;
/**
 * Listens. The instance's lock must be held: what lies at the path is replaced.
 * `refresh` is called before each answer.
 */
int control_create(struct loop *loop, const struct instance *instance,
		   void (*refresh)(void *context), void *context, struct control **ret_control,
		   struct error *err);
void control_free(struct control *control);
DEFINE_FREEP(control)
/**
 * Asks the running daemon, and waits for its answer for at most timeout_ms; one
 * that is about to start is waited for. Returns 0 and its process, or -ETIMEDOUT.
 */
int control_ask(const struct instance *instance, int timeout_ms, pid_t *ret_pid, struct error *err);
