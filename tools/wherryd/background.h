/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Going to the background with an answer: the process that was started ends only
 * when the daemon that it left behind is ready, or tells why it is not.
 */
#include "base/error.h"

/**
 * Forks. In the daemon: returns 0, a session of its own, *ret_ready_fd to be used
 * with background_ready or background_end. In the parent: returns 1 when the
 * daemon is ready, or -errno with the daemon's own words.
 */
int background_start(int *ret_ready_fd, struct error *err);
/** Tells the parent, lets go of its terminal, and sends what is logged to log_path. */
int background_ready(int *ready_fd, const char *log_path, struct error *err);
/** Tells the parent that there will be no daemon: why not, or that none is needed (err NULL). */
void background_end(int *ready_fd, const struct error *err);
