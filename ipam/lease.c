/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The life of a lease: taken from a set (the free address that follows the one
 * given last, or the one that was asked for), found by address or by owner,
 * released. Three tables change together in the caller's transaction: who
 * holds an address, what an owner holds, and the runs of leased addresses.
 */
#include "ipam/ipam.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "key.h"
#include "pick.h"
#include "runs.h"

#define NETWORK_MAX_BYTES 127
#define ID_MAX_BYTES 255
#define INTERFACE_MAX_BYTES 15
#define LEASES_OF_OWNER_MAX 64

/* Value of a lease: int64_t of the wall clock in ns, container id, NUL, interface, NUL. */
struct holder {
	int64_t taken_at_ns;
	char container_id[ID_MAX_BYTES + 1];
	char interface[INTERFACE_MAX_BYTES + 1];
};

static int check_name(const char *what, const char *name, size_t max, struct error *err)
{
	size_t length = strlen(name);
	if (length == 0 || length > max)
		return error_set(err, EINVAL, "%s \"%.40s\" must have 1 to %zu bytes", what, name,
				 max);
	return 0;
}

static int check_names(const char *network, const struct lease_owner *owner, struct error *err)
{
	int r = check_name("network name", network, NETWORK_MAX_BYTES, err);
	if (r == 0 && owner)
		r = check_name("container id", owner->container_id, ID_MAX_BYTES, err);
	if (r == 0 && owner)
		r = check_name("interface name", owner->interface, INTERFACE_MAX_BYTES, err);
	return r;
}

static struct key key_of_owner(const char *network, const struct lease_owner *owner)
{
	struct key key = key_of_network(network);
	key_add_text(&key, owner->container_id);
	key_add_text(&key, owner->interface);
	return key;
}

static int64_t now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static int holder_read(struct bytes value, struct holder *ret, struct error *err)
{
	const char *text = (const char *)value.data + sizeof ret->taken_at_ns;
	size_t size =
		value.size < sizeof ret->taken_at_ns ? 0 : value.size - sizeof ret->taken_at_ns;
	size_t id = strnlen(text, size);

	if (size < 2 || text[size - 1] != '\0' || id >= size - 1 || id > ID_MAX_BYTES ||
	    size - id - 2 > INTERFACE_MAX_BYTES)
		return error_set(err, EUCLEAN, "a lease in the store is damaged");
	memcpy(&ret->taken_at_ns, value.data, sizeof ret->taken_at_ns);
	memcpy(ret->container_id, text, id + 1);
	memcpy(ret->interface, text + id + 1, size - id - 1);
	return 0;
}

static int lease_write(struct store_txn *txn, const char *network, const struct lease_owner *owner,
		       struct ip ip, struct error *err)
{
	struct key lease = key_of_address(network, ip), owned = key_of_owner(network, owner);
	struct key value = { .size = 0 };
	int64_t now = now_ns();

	key_add(&owned, ip.bytes, sizeof ip.bytes);
	key_add(&value, &now, sizeof now);
	key_add_text(&value, owner->container_id);
	key_add_text(&value, owner->interface);
	int r = store_put(txn, TABLE_LEASES, key_bytes(&lease), key_bytes(&value), err);
	if (r == 0)
		r = store_put(txn, TABLE_OWNERS, key_bytes(&owned), bytes_of("", 0), err);
	if (r == 0)
		r = runs_add(txn, network, ip, err);
	return r;
}

static int lease_erase(struct store_txn *txn, const char *network, const struct lease_owner *owner,
		       struct ip ip, struct error *err)
{
	struct key lease = key_of_address(network, ip), owned = key_of_owner(network, owner);

	key_add(&owned, ip.bytes, sizeof ip.bytes);
	int r = store_delete(txn, TABLE_LEASES, key_bytes(&lease), err);
	if (r >= 0)
		r = store_delete(txn, TABLE_OWNERS, key_bytes(&owned), err);
	if (r >= 0)
		r = runs_remove(txn, network, ip, err);
	return r < 0 ? r : 0;
}

/* 1 and the holder of ip, or 0. */
static int holder_find(struct store_txn *txn, const char *network, struct ip ip,
		       struct holder *ret_holder, struct error *err)
{
	struct key key = key_of_address(network, ip);
	struct bytes value;
	int r = store_get(txn, TABLE_LEASES, key_bytes(&key), &value, err);
	if (r != 1)
		return r;
	r = holder_read(value, ret_holder, err);
	return r < 0 ? r : 1;
}

static int check_free(struct store_txn *txn, const char *network, struct ip ip, struct error *err)
{
	struct holder holder;
	int r = holder_find(txn, network, ip, &holder, err);
	if (r == 1)
		return error_set(
			err, EADDRINUSE, "address %s of network %s is held by container %s (%s)",
			ip_format(ip).text, network, holder.container_id, holder.interface);
	return r;
}

/* Sorts the requests: wanted_of[s] is the one for set s, or NULL. */
static int assign_wanted(const struct ipam_config *config, const struct ip *wanted, size_t count,
			 const struct ip **wanted_of, struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		size_t set;
		int r = pick_set_of(config, wanted[i], &set, err);
		if (r < 0)
			return r;
		if (wanted_of[set])
			return error_set(
				err, ERANGE,
				"addresses %s and %s are both asked from one set of ranges",
				ip_format(*wanted_of[set]).text, ip_format(wanted[i]).text);
		wanted_of[set] = &wanted[i];
	}
	return 0;
}

static int take_one(struct store_txn *txn, const char *network, const struct ipam_config *config,
		    size_t set, const struct ip *wanted, struct ip *ret_ip, struct error *err)
{
	if (!wanted)
		return pick_next(txn, network, config, set, ret_ip, err);
	int r = check_free(txn, network, *wanted, err);
	if (r == 0)
		*ret_ip = *wanted;
	return r;
}

static struct lease lease_of(const struct ipam_set *set, struct ip ip)
{
	struct lease lease = { .ip = ip };
	for (size_t i = 0; i < set->count; i++)
		if (prefix_contains(set->ranges[i].subnet, ip)) {
			lease.address = (struct prefix){ ip, set->ranges[i].subnet.length };
			lease.gateway = set->ranges[i].gateway;
		}
	return lease;
}

static int check_new_owner(struct store_txn *txn, const char *network,
			   const struct lease_owner *owner, struct error *err)
{
	struct ip ip;
	int r = lease_of_owner(txn, network, owner, &ip, 1, err);
	if (r > 0)
		return error_set(
			err, EEXIST, "container %s (%s) holds address %s of network %s already",
			owner->container_id, owner->interface, ip_format(ip).text, network);
	return r;
}

int lease_take(struct store_txn *txn, const char *network, const struct ipam_config *config,
	       const struct lease_owner *owner, const struct ip *wanted, size_t wanted_count,
	       struct lease *ret_leases, struct error *err)
{
	const struct ip *wanted_of[IPAM_SETS_MAX] = { NULL };
	int r = check_names(network, owner, err);
	if (r == 0)
		r = check_new_owner(txn, network, owner, err);
	if (r == 0)
		r = assign_wanted(config, wanted, wanted_count, wanted_of, err);
	for (size_t s = 0; r == 0 && s < config->set_count; s++) {
		struct ip ip;
		r = take_one(txn, network, config, s, wanted_of[s], &ip, err);
		if (r == 0)
			r = lease_write(txn, network, owner, ip, err);
		if (r == 0)
			ret_leases[s] = lease_of(&config->sets[s], ip);
	}
	return r;
}

int lease_import(struct store_txn *txn, const char *network, const struct lease_owner *owner,
		 struct ip ip, struct error *err)
{
	struct holder holder;
	int r = check_names(network, owner, err);
	if (r == 0)
		r = holder_find(txn, network, ip, &holder, err);
	if (r != 0)
		return r < 0 ? r : 0;
	r = lease_write(txn, network, owner, ip, err);
	return r < 0 ? r : 1;
}

int lease_release(struct store_txn *txn, const char *network, const struct lease_owner *owner,
		  struct error *err)
{
	struct ip ips[LEASES_OF_OWNER_MAX];
	int count = lease_of_owner(txn, network, owner, ips, LEASES_OF_OWNER_MAX, err);
	for (int i = 0; i < count; i++) {
		int r = lease_erase(txn, network, owner, ips[i], err);
		if (r < 0)
			return r;
	}
	return count;
}

int lease_find(struct store_txn *txn, const char *network, struct ip ip, char *ret_container_id,
	       size_t size, char *ret_interface, size_t interface_size, struct error *err)
{
	struct holder holder;
	int r = check_names(network, NULL, err);
	if (r == 0)
		r = holder_find(txn, network, ip, &holder, err);
	if (r == 1) {
		snprintf(ret_container_id, size, "%s", holder.container_id);
		snprintf(ret_interface, interface_size, "%s", holder.interface);
	}
	return r;
}

int lease_of_owner(struct store_txn *txn, const char *network, const struct lease_owner *owner,
		   struct ip *ret_ips, size_t max, struct error *err)
{
	int r = check_names(network, owner, err);
	if (r < 0)
		return r;
	struct key start = key_of_owner(network, owner), from = start;
	struct bytes key, value;
	size_t count = 0;

	while (count < max) {
		r = store_seek(txn, TABLE_OWNERS, key_bytes(&from), &key, &value, err);
		if (r < 0)
			return r;
		if (r == 0 || !key_begins(&start, key))
			break;
		ret_ips[count] = key_last_ip(key);
		from = start;
		key_add(&from, ret_ips[count].bytes, sizeof ret_ips[count].bytes);
		key_add(&from, "", 1); /* just behind the one found */
		count++;
	}
	return (int)count;
}

/* Deletes every entry of a table whose key begins with network. */
static int forget_table(struct store_txn *txn, const char *table, const char *network,
			struct error *err)
{
	struct key start = key_of_network(network);
	struct bytes key, value;
	int r;

	while ((r = store_seek(txn, table, key_bytes(&start), &key, &value, err)) == 1 &&
	       key_begins(&start, key)) {
		struct key found = { .size = 0 };
		key_add(&found, key.data, key.size);
		r = store_delete(txn, table, key_bytes(&found), err);
		if (r < 0)
			return r;
	}
	return r < 0 ? r : 0;
}

int lease_forget_network(struct store_txn *txn, const char *network, struct error *err)
{
	static const char *const tables[] = { TABLE_LEASES, TABLE_OWNERS, TABLE_RUNS, TABLE_LAST };
	int r = check_names(network, NULL, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(tables); i++)
		r = forget_table(txn, tables[i], network, err);
	return r;
}

struct each {
	int (*visit)(struct ip ip, const char *container_id, const char *interface,
		     int64_t taken_at_ns, void *context, struct error *err);
	void *context;
};

static int each_lease(struct bytes key, struct bytes value, void *context, struct error *err)
{
	const struct each *each = context;
	struct holder holder;
	int r = holder_read(value, &holder, err);
	if (r < 0)
		return r;
	return each->visit(key_last_ip(key), holder.container_id, holder.interface,
			   holder.taken_at_ns, each->context, err);
}

int lease_each(struct store_txn *txn, const char *network,
	       int (*visit)(struct ip ip, const char *container_id, const char *interface,
			    int64_t taken_at_ns, void *context, struct error *err),
	       void *context, struct error *err)
{
	struct each each = { .visit = visit, .context = context };
	int r = check_names(network, NULL, err);
	if (r < 0)
		return r;
	struct key start = key_of_network(network);
	return store_each(txn, TABLE_LEASES, key_bytes(&start), each_lease, &each, err);
}
