/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Restart policies in Docker's words: no, on-failure[:MAX], always,
 * unless-stopped. Waits double from 100 ms to 60 s; ten seconds of life make
 * them short again.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum restart_kind { RESTART_NO, RESTART_ON_FAILURE, RESTART_ALWAYS, RESTART_UNLESS_STOPPED };

struct restart_policy {
	enum restart_kind kind;
	unsigned max; /* of on-failure; 0: no limit */
};

/** Gate: "on-failure:3". NULL or "" is "no". */
int restart_policy_parse(const char *text, struct restart_policy *ret_policy, struct error *err);
/** Tells whether a life that ended with exit_code is followed by another. */
bool restart_policy_wants(struct restart_policy policy, int exit_code, unsigned restarts);
/** How long to wait before the next life. */
uint64_t restart_wait_ms(uint64_t previous_wait_ms, uint64_t life_ms);
