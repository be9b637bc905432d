/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Event-loop glue over libev: file descriptors, timers, signals and children
 * without ev's types in anyone's header. One loop a program, made in its main
 * file and passed. A handler takes what there is, hands it to a function that
 * knows no loop, and returns.
 */
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"

struct loop;
struct loop_source; /* one watcher; freed by its owner, which stops it */

int loop_create(struct loop **ret_loop, struct error *err);
void loop_free(struct loop *loop);
DEFINE_FREEP(loop)
/** Runs until loop_stop. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

enum loop_events { LOOP_READ = 1, LOOP_WRITE = 2 };
typedef void loop_fd_handler(struct loop *loop, int fd, unsigned events, void *context);
typedef void loop_timer_handler(struct loop *loop, void *context);
typedef void loop_signal_handler(struct loop *loop, int signal, void *context);
typedef void loop_child_handler(struct loop *loop, pid_t pid, int status, void *context);

/** Watches fd, which stays the caller's. */
int loop_add_fd(struct loop *loop, int fd, unsigned events, loop_fd_handler *handler, void *context,
		struct loop_source **ret_source, struct error *err);
/** Changes what an fd source waits for; 0 pauses it. */
void loop_fd_set_events(struct loop_source *source, unsigned events);
/** Fires once after delay_ms, and again each repeat_ms if that is not 0. */
int loop_add_timer(struct loop *loop, uint64_t delay_ms, uint64_t repeat_ms,
		   loop_timer_handler *handler, void *context, struct loop_source **ret_source,
		   struct error *err);
/** Starts a timer anew with this delay. */
void loop_timer_restart(struct loop_source *source, uint64_t delay_ms);
int loop_add_signal(struct loop *loop, int signal, loop_signal_handler *handler, void *context,
		    struct loop_source **ret_source, struct error *err);
/** status as of waitpid; pid 0 watches every child. */
int loop_add_child(struct loop *loop, pid_t pid, loop_child_handler *handler, void *context,
		   struct loop_source **ret_source, struct error *err);
/** Stops and frees; NULL is fine. */
void loop_source_free(struct loop_source *source);
DEFINE_FREEP(loop_source)

/** Monotonic milliseconds. */
uint64_t clock_monotonic_ms(void);
/** Wall clock, nanoseconds since 1970. */
int64_t clock_wall_ns(void);
#define TIME_TEXT_MAX 40
/** RFC 3339 in UTC with nanoseconds, as Docker prints it: 2026-01-02T03:04:05.123456789Z. */
void time_format(int64_t wall_ns, char ret_text[TIME_TEXT_MAX]);
/** "3 minutes ago" without "ago": Docker's words for an age. */
void time_format_age(int64_t age_ns, char ret_text[TIME_TEXT_MAX]);
