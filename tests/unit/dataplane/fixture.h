/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A store in a folder of its own, for one test; and endpoints made of a few words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "state.h"

struct fixture {
	char folder[64];
	struct store *store;
};

static inline int fixture_set_up(void **state)
{
	char path[96];
	struct error err = { 0 };
	struct fixture *fixture = calloc(1, sizeof *fixture);
	snprintf(fixture->folder, sizeof fixture->folder, "/tmp/wherry-unit-XXXXXX");
	assert_non_null(mkdtemp(fixture->folder));
	snprintf(path, sizeof path, "%s/state.mdb", fixture->folder);
	assert_int_equal(store_open(path, STORE_NO_SYNC, 1 << 26, &fixture->store, &err), 0);
	*state = fixture;
	return 0;
}

static inline int fixture_tear_down(void **state)
{
	struct fixture *fixture = *state;
	struct error err = { 0 };
	store_free(fixture->store);
	assert_int_equal(tree_remove(fixture->folder, &err), 0);
	free(fixture);
	return 0;
}

static inline struct ip ip_of(const char *text)
{
	struct ip ip = { 0 };
	struct error err = { 0 };
	assert_int_equal(ip_parse(text, &ip, &err), 0);
	return ip;
}

/* Release it. */
static inline struct endpoint_info endpoint_named(const char *id, const char *address)
{
	struct endpoint_info info = { .state = ENDPOINT_READY, .network_id = 1 };
	snprintf(info.container_id, sizeof info.container_id, "%s", id);
	snprintf(info.interface, sizeof info.interface, "eth0");
	snprintf(info.network, sizeof info.network, "web");
	info.address = (struct prefix){ ip_of(address), 24 };
	return info;
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)
