/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the tests of ipam share: addresses from text, a store in a folder of
 * its own, and leases taken in a transaction of their own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "ipam/ipam.h"

struct kit {
	char folder[64];
	struct store *store;
};

static inline struct ip kit_ip(const char *text)
{
	struct error err = { 0 };
	struct ip ip = { { 0 } };
	if (ip_parse(text, &ip, &err) < 0)
		fail_msg("%s", err.text);
	return ip;
}

static inline struct prefix kit_prefix(const char *text)
{
	struct error err = { 0 };
	struct prefix prefix = { 0 };
	if (prefix_parse(text, &prefix, &err) < 0)
		fail_msg("%s", err.text);
	return prefix;
}

static inline void kit_open(struct kit *kit)
{
	struct error err = { 0 };
	char path[128];

	snprintf(path, sizeof path, "%s/state.mdb", kit->folder);
	if (store_open(path, STORE_NO_SYNC, 512u << 20, &kit->store, &err) < 0)
		fail_msg("%s", err.text);
}

static inline int kit_setup(void **state)
{
	struct kit *kit = calloc(1, sizeof *kit);

	snprintf(kit->folder, sizeof kit->folder, "/tmp/wherry-ipam-XXXXXX");
	if (!mkdtemp(kit->folder))
		return -1;
	kit_open(kit);
	*state = kit;
	return 0;
}

static inline int kit_teardown(void **state)
{
	struct kit *kit = *state;
	struct error err = { 0 };

	store_free(kit->store);
	int r = tree_remove(kit->folder, &err);
	free(kit);
	return r;
}

/* One set of one range. */
static inline struct ipam_config kit_config(const char *subnet)
{
	struct ipam_config config = { 0 };
	struct error err = { 0 };

	config.sets[0].ranges[0].subnet = kit_prefix(subnet);
	config.sets[0].count = config.set_count = 1;
	if (ipam_config_finish(&config, &err) < 0)
		fail_msg("%s", err.text);
	return config;
}

/* Takes in a transaction of its own; *ret_leases and err as lease_take's. */
static inline int kit_take(struct kit *kit, const struct ipam_config *config, const char *id,
			   const char *wanted, struct lease *ret_leases, struct error *err)
{
	struct lease_owner owner = { id, "eth0" };
	struct ip ip = wanted ? kit_ip(wanted) : (struct ip){ { 0 } };
	AUTO(store_txn) txn = NULL;
	int r = store_begin(kit->store, STORE_WRITE, &txn, err);

	if (r == 0)
		r = lease_take(txn, "net", config, &owner, &ip, wanted ? 1 : 0, ret_leases, err);
	return r < 0 ? r : store_commit(&txn, err);
}

/* Takes, and gives the address as text; "" with the error's text on failure. */
static inline const char *kit_address(struct kit *kit, const struct ipam_config *config,
				      const char *id)
{
	static _Thread_local char text[IP_TEXT_MAX];
	struct lease leases[IPAM_SETS_MAX];
	struct error err = { 0 };

	if (kit_take(kit, config, id, NULL, leases, &err) < 0)
		fail_msg("%s", err.text);
	snprintf(text, sizeof text, "%s", ip_format(leases[0].ip).text);
	return text;
}

static inline int kit_release(struct kit *kit, const char *id)
{
	struct lease_owner owner = { id, "eth0" };
	struct error err = { 0 };
	AUTO(store_txn) txn = NULL;
	int count = store_begin(kit->store, STORE_WRITE, &txn, &err);

	if (count == 0)
		count = lease_release(txn, "net", &owner, &err);
	int r = count < 0 ? count : store_commit(&txn, &err);
	if (r < 0)
		fail_msg("%s", err.text);
	return count;
}
