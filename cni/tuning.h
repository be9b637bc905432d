/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The keys of the reference plugin "tuning": sysctls of the container's
 * namespace and attributes of its interface, set after the interface is there
 * and compared by CHECK.
 */
#include <stdbool.h>

#include "base/ip.h"
#include "base/text.h"
#include "call.h"

#define TUNING_UNSET (-1)

struct tuning {
	struct words sysctls;  /* owned: path below /proc/sys and value, in turn */
	struct mac mac;        /* unset: as it is */
	int promisc, allmulti; /* 0, 1 or TUNING_UNSET */
	int mtu, txqlen;       /* TUNING_UNSET: as they are */
};

void tuning_release(struct tuning *tuning); /* frees what it owns; a value */
/**
 * Gate: reads the keys, and of "args.cni" the same ones, which count more.
 * Sysctls are below net only, each once, and matched by the allowlist if there
 * is one (/etc/cni/tuning/allowlist.conf, a regular expression a line).
 */
int tuning_read(struct cni_call *call, struct tuning *ret_tuning, struct error *err);
/** True if there is anything to set. */
bool tuning_is_wanted(const struct tuning *tuning);
/** Sets all in the namespace. What was set before a failure stays. */
int tuning_apply(const struct tuning *tuning, int netns_fd, const char *interface,
		 struct error *err);
/** -ENOENT with a text that names the first value that is another. Changes nothing. */
int tuning_check(const struct tuning *tuning, int netns_fd, const char *interface,
		 struct error *err);
