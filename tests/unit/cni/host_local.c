/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The lease folder of host-local, taken over and kept in step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/file.h"
#include "cni/host_local.h"
#include "dataplane/dataplane.h"

#define NETWORK "net"

struct fixture {
	char root[64], folder[128];
	struct store *store;
};

static void put(const struct fixture *fixture, const char *name, const char *text)
{
	char path[256];
	struct error err;
	snprintf(path, sizeof path, "%s/%s", fixture->folder, name);
	if (file_replace(path, text, strlen(text), 0600, FILE_NO_SYNC, &err) < 0)
		fail_msg("%s", err.text);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	struct instance instance;
	struct error err;
	snprintf(fixture->root, sizeof fixture->root, "/tmp/wherry-leases-XXXXXX");
	assert_non_null(mkdtemp(fixture->root));
	snprintf(fixture->folder, sizeof fixture->folder, "%s/leases", fixture->root);
	assert_int_equal(directory_make(fixture->folder, 0755, &err), 0);
	assert_int_equal(instance_init(fixture->root, &instance, &err), 0);
	if (dataplane_open_store(&instance, &fixture->store, &err) < 0)
		fail_msg("%s", err.text);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	struct error err;
	store_free(fixture->store);
	int r = tree_remove(fixture->root, &err);
	free(fixture);
	return r;
}

static struct host_local_counts import(const struct fixture *fixture)
{
	struct host_local_counts counts;
	struct error err;
	if (host_local_import(fixture->store, NETWORK, fixture->folder, HOST_LOCAL_ANY_AGE, &counts,
			      &err) < 0)
		fail_msg("%s", err.text);
	return counts;
}

/* "id/interface" of who holds the address; "" if nobody does. */
static void holder(const struct fixture *fixture, const char *address, char *ret, size_t size)
{
	AUTO(store_txn) txn = NULL;
	char id[256], interface[16];
	struct ip ip;
	struct error err;
	assert_int_equal(ip_parse(address, &ip, &err), 0);
	assert_int_equal(store_begin(fixture->store, STORE_READ, &txn, &err), 0);
	int r = lease_find(txn, NETWORK, ip, id, sizeof id, interface, sizeof interface, &err);
	assert_true(r >= 0);
	snprintf(ret, size, "%s%s%s", r ? id : "", r ? "/" : "", r ? interface : "");
}

static void cni_069_leases_of_both_forms_and_families_are_taken_over(void **state)
{
	struct fixture *fixture = *state;
	static const struct {
		const char *name, *text, *holder;
	} rows[] = {
		{ "10.1.0.2", "c1\r\neth0", "c1/eth0" },
		{ "10.1.0.3", "c2\r\nnet1", "c2/net1" },
		{ "10.1.0.4", "c3", "c3/eth0" },
		{ "fd00::2", "c1\r\neth0", "c1/eth0" },
		{ "10.1.0.5", "", "" },
		{ "10.1.0.6", "../x\r\neth0", "" },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		put(fixture, rows[i].name, rows[i].text);
	put(fixture, "last_reserved_ip.0", "10.1.0.4");
	put(fixture, "lock", "");
	put(fixture, "notes.txt", "x");
	struct host_local_counts counts = import(fixture);
	assert_int_equal(counts.taken, 4);
	assert_int_equal(counts.strange, 3);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[300];
		holder(fixture, rows[i].name, text, sizeof text);
		assert_string_equal(text, rows[i].holder);
	}
	assert_int_equal(import(fixture).known, 4);
}

static void cni_069_the_next_address_follows_host_locals_last(void **state)
{
	struct fixture *fixture = *state;
	AUTO(store_txn) txn = NULL;
	struct ipam_config config = { .set_count = 1 };
	struct lease_owner owner = { "new", "eth0" };
	struct lease leases[IPAM_SETS_MAX];
	struct error err;
	put(fixture, "10.1.0.9", "c1\r\neth0");
	put(fixture, "last_reserved_ip.0", "10.1.0.9");
	import(fixture);
	config.sets[0].count = 1;
	assert_int_equal(prefix_parse("10.1.0.0/24", &config.sets[0].ranges[0].subnet, &err), 0);
	assert_int_equal(ipam_config_finish(&config, &err), 0);
	assert_int_equal(store_begin(fixture->store, STORE_WRITE, &txn, &err), 0);
	assert_int_equal(lease_take(txn, NETWORK, &config, &owner, NULL, 0, leases, &err), 0);
	assert_string_equal(ip_format(leases[0].ip).text, "10.1.0.10");
}

static void cni_130_leases_from_before_the_boot_are_left_out(void **state)
{
	struct fixture *fixture = *state;
	struct host_local_counts counts;
	struct error err;
	char path[256];
	put(fixture, "10.1.0.2", "old\r\neth0");
	snprintf(path, sizeof path, "%s/10.1.0.2", fixture->folder);
	const struct timespec long_ago[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	assert_int_equal(utimensat(-1, path, long_ago, 0), 0);
	put(fixture, "10.1.0.3", "new\r\neth0");
	assert_int_equal(host_local_import(fixture->store, NETWORK, fixture->folder,
					   HOST_LOCAL_OF_THIS_BOOT, &counts, &err),
			 0);
	assert_int_equal(counts.stale, 1);
	assert_int_equal(counts.taken, 1);
}

static void cni_070_a_container_that_goes_takes_its_files_along(void **state)
{
	struct fixture *fixture = *state;
	struct lease_owner owner = { "c1", "eth0" };
	struct error err;
	char path[256];
	put(fixture, "10.1.0.2", "c1\r\neth0");
	put(fixture, "fd00::2", "c1\r\neth0");
	put(fixture, "10.1.0.3", "c1\r\neth1");
	put(fixture, "10.1.0.4", "c2\r\neth0");
	assert_int_equal(host_local_forget(fixture->folder, &owner, &err), 2);
	snprintf(path, sizeof path, "%s/10.1.0.3", fixture->folder);
	assert_true(path_exists(path));
	snprintf(path, sizeof path, "%s/10.1.0.2", fixture->folder);
	assert_false(path_exists(path));
	assert_int_equal(host_local_forget("/nowhere/leases", &owner, &err), 0);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(cni_069_leases_of_both_forms_and_families_are_taken_over),
		CASE(cni_069_the_next_address_follows_host_locals_last),
		CASE(cni_130_leases_from_before_the_boot_are_left_out),
		CASE(cni_070_a_container_that_goes_takes_its_files_along),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
