/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Health checks: a command that is run in the container again and again. The
 * record says which ("health", with Docker's keys, times in nanoseconds); what
 * came out lies in health.json of the run directory, and goes with the life.
 */
#include "record.h"

/**
 * What flags and image say together; NULL if there is no check. Errors name the flag. The caller
 * owns it.
 */
int health_settle(const struct container_options *options, const char *image_json,
		  struct json_t **ret_health, struct error *err);
/** Milliseconds between checks; 0: none. */
int64_t health_interval_ms(const struct json_t *health);
/** "starting", "healthy", "unhealthy", or NULL: the container has no check. */
const char *health_status(struct engine *engine, const struct container *container);
/** State.Health of inspect; NULL: the container has no check. The caller owns it. */
struct json_t *health_state(struct engine *engine, const struct container *container);
