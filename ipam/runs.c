/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runs.h"

#include <errno.h>

#include "key.h"

struct run {
	struct ip first, last;
};

/* ip - 1: base counts upwards only. */
static struct ip ip_before(struct ip ip)
{
	for (size_t i = sizeof ip.bytes; i-- > 0;)
		if (ip.bytes[i]-- != 0)
			break;
	return ip;
}

/* The run that begins at or before ip, if there is one: 1, else 0. */
static int run_at_or_before(struct store_txn *txn, const char *network, struct ip ip,
			    struct run *ret_run, struct error *err)
{
	struct key start = key_of_network(network);
	struct key bound = key_of_address(network, ip);
	struct bytes key, value;

	key_add(&bound, "", 1); /* just behind the key of ip itself */
	int r = store_seek_before(txn, TABLE_RUNS, key_bytes(&bound), &key, &value, err);
	if (r <= 0 || !key_begins(&start, key))
		return r < 0 ? r : 0;
	*ret_run = (struct run){ .first = key_last_ip(key), .last = key_last_ip(value) };
	return 1;
}

static int run_put(struct store_txn *txn, const char *network, struct run run, struct error *err)
{
	struct key key = key_of_address(network, run.first);
	return store_put(txn, TABLE_RUNS, key_bytes(&key),
			 bytes_of(run.last.bytes, sizeof run.last.bytes), err);
}

static int run_delete(struct store_txn *txn, const char *network, struct ip first,
		      struct error *err)
{
	struct key key = key_of_address(network, first);
	return store_delete(txn, TABLE_RUNS, key_bytes(&key), err);
}

int runs_next_free(struct store_txn *txn, const char *network, struct ip from, struct ip *ret_ip,
		   struct error *err)
{
	struct run run;
	int r = run_at_or_before(txn, network, from, &run, err);
	if (r < 0)
		return r;
	*ret_ip = r == 1 && ip_compare(run.last, from) >= 0 ? ip_add(run.last, 1) : from;
	return 0;
}

int runs_add(struct store_txn *txn, const char *network, struct ip ip, struct error *err)
{
	struct run whole = { .first = ip, .last = ip }, left, right;
	int r = run_at_or_before(txn, network, ip, &left, err);
	if (r < 0)
		return r;
	if (r == 1 && ip_equal(ip_add(left.last, 1), ip))
		whole.first = left.first;
	r = run_at_or_before(txn, network, ip_add(ip, 1), &right, err);
	if (r < 0)
		return r;
	if (r == 1 && ip_equal(right.first, ip_add(ip, 1))) {
		whole.last = right.last;
		r = run_delete(txn, network, right.first, err);
	}
	return r < 0 ? r : run_put(txn, network, whole, err);
}

int runs_remove(struct store_txn *txn, const char *network, struct ip ip, struct error *err)
{
	struct run run;
	int r = run_at_or_before(txn, network, ip, &run, err);
	if (r < 0)
		return r;
	if (r == 0 || ip_compare(run.last, ip) < 0)
		return error_set(err, EUCLEAN, "network %s: address %s is leased in no run",
				 network, ip_format(ip).text);
	if (ip_equal(run.first, ip))
		r = run_delete(txn, network, ip, err);
	else
		r = run_put(txn, network, (struct run){ run.first, ip_before(ip) }, err);
	if (r >= 0 && !ip_equal(run.last, ip))
		r = run_put(txn, network, (struct run){ ip_add(ip, 1), run.last }, err);
	return r < 0 ? r : 0;
}
