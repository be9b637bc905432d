/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The monitor of one container: parent of its first process, holder of its
 * terminal or pipes, its log and its exit code. It outlives the verb that
 * started it. Verbs speak to it by runtime/frame.h.
 */
#include <stdbool.h>

#include "base/error.h"
#include "base/json.h"
#include "runtime/log_file.h"
#include "runtime/restart.h"

/* What the monitor needs to know besides the spec; DIR/config.json: {"spec", "monitor"}. */
struct monitor_settings {
	const char *id;
	const char *dir;     /* of the container: config.json, log */
	const char *run_dir; /* state.json, the socket */
	const char *program; /* wherry, for the hidden verbs */
	const char *root;    /* of the instance */
	bool interactive;    /* standard input is kept open */
	struct restart_policy restart;
	struct log_limits log;
	int64_t health_interval_ms; /* 0: no health check */
};

/** Adds what can be saved (interactive, restart, log) as key "monitor" of a config. */
void monitor_settings_save(const struct monitor_settings *settings, struct json_t *config);
/** Gate: reads the same. */
int monitor_settings_load(const struct json_at *config, struct monitor_settings *settings,
			  struct error *err);

/**
 * Runs the container to its last end. owner_fd: the socket of the verb that
 * started us. Ends by replacing the process with `wherry internal-cleanup`, or
 * returns 0 when the owner has cleared up.
 */
int monitor_run(struct monitor_settings *settings, int owner_fd, struct error *err);

#define MONITOR_CONFIG "config.json"
#define MONITOR_CONFIG_SIZE_MAX (4u << 20)
#define VERB_INTERNAL_ATTACH "internal-attach"   /* ID PID: gives a new life its network */
#define VERB_INTERNAL_HEALTH "internal-health"   /* ID: runs the health check once */
#define VERB_INTERNAL_CLEANUP "internal-cleanup" /* ID: clears up after the last life */
