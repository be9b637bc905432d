/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * How a network's masquerading may differ from the usual, in words
 * (`network create -o masquerade.KEY=VALUE`), in JSON (the CNI key "masquerade"), and
 * as a value.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/ip.h"
#include "base/json.h"

#define MASQUERADE_EXCEPTS_MAX 32

struct masquerade_options {
	struct ip source, source6; /* addresses of the host; unset: the uplink's */
	/* Destinations that see the containers' own addresses; none: those of the config. */
	struct prefix except[MASQUERADE_EXCEPTS_MAX];
	size_t except_count;
	bool endpoint_independent; /* one port outside for all destinations (RFC 4787, REQ-1) */
	bool open;                 /* anybody may send there, not only who was sent to */
};

/** Whether there are any. */
bool masquerade_options_are_set(const struct masquerade_options *options);
bool masquerade_options_equal(const struct masquerade_options *a,
			      const struct masquerade_options *b);
/**
 * Gate: one option of `network create`: "except" (prefixes with commas between), "source" (an
 * address of each family at most), "endpoint-independent" (true, false), "filtering"
 * (address-and-port, endpoint-independent). Errors do not name the key. -ENOENT: there is
 * none such.
 */
int masquerade_options_take(const char *key, const char *value, struct masquerade_options *options,
			    struct error *err);
/** Gate: the object {"except": […], "source": […], "endpointIndependent": …, "filtering": …}. */
int masquerade_options_read(const struct json_at *object, struct masquerade_options *ret_options,
			    struct error *err);
/** The same object; the caller owns it. */
struct json_t *masquerade_options_json(const struct masquerade_options *options);
