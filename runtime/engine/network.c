/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "network.h"

#include <errno.h>
#include <string.h>

#include "base/loop.h"
#include "build_place.h"
#include "events.h"
#include "network_options.h"

#define NAMES_START_MS 5000

/* --- finding ----------------------------------------------------------------- */

/* By name (exact) or by the beginning of the id. */
struct search {
	const char *reference;
	struct engine_network *found;
	int count;
};

static int match_network(struct bytes key, struct bytes value, void *context, struct error *err)
{
	struct search *search = context;
	AUTO(engine_network) network = NULL;
	(void)key;
	int r = engine_network_read(value, &network, err);
	if (r < 0)
		return r;
	bool exact = text_equal(network->name, search->reference);
	if (!exact && (!search->reference[0] || !text_starts_with(network->id, search->reference)))
		return 0;
	engine_network_free(search->found);
	search->found = TAKE(network);
	search->count++;
	return exact;
}

static int search_networks(struct engine *engine, struct search *search, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	int r = store_begin(engine->saved, STORE_READ, &txn, err);
	if (r == 0)
		r = store_each(txn, TABLE_NETWORKS, (struct bytes){ 0 }, match_network, search,
			       err);
	if (r == 1)
		search->count = 1;
	return r < 0 ? r : 0;
}

static void name_default_device(const struct engine *engine, struct network_spec *spec)
{
	if (engine->instance.tag[0])
		snprintf(spec->device, sizeof spec->device, "w0-%.12s", engine->instance.tag);
	else
		snprintf(spec->device, sizeof spec->device, "wherry0");
}

static int find_existing(struct engine *engine, const char *reference,
			 struct engine_network **ret_network, struct error *err)
{
	struct search search = { .reference = reference };
	int r = search_networks(engine, &search, err);
	AUTO(engine_network) found = search.found;
	if (r < 0)
		return r;
	if (search.count > 1)
		return error_set(err, EINVAL, "%s: several networks' ids begin so", reference);
	if (!found)
		return error_set(err, ENOENT, "no such network: %s", reference);
	*ret_network = TAKE(found);
	return 0;
}

int engine_network_find(struct engine *engine, const char *reference,
			struct engine_network **ret_network, struct error *err)
{
	int r = find_existing(engine, reference, ret_network, err);
	if (r != -ENOENT || !text_equal(reference, NETWORK_DEFAULT))
		return r;
	char id[CONTAINER_ID_SIZE];
	struct engine_network_options options = { 0 };
	r = engine_network_create(engine, NETWORK_DEFAULT, &options, id, err);
	if (r < 0 && r != -EEXIST)
		return r;
	return find_existing(engine, reference, ret_network, err);
}

/* --- making ------------------------------------------------------------------ */

static int check_subnet(const struct engine_network *other, struct prefix others, struct prefix own,
			struct error *err)
{
	if (prefix_is_unset(own) || prefix_is_unset(others) || !prefix_overlaps(others, own))
		return 0;
	return error_set(err, EADDRINUSE, "subnet %s overlaps that of network %s, %s",
			 prefix_format(own).text, other->name, prefix_format(others).text);
}

static int check_against(struct bytes key, struct bytes value, void *context, struct error *err)
{
	AUTO(engine_network) other = NULL;
	const struct network_spec *own = context;
	(void)key;
	int r = engine_network_read(value, &other, err);
	if (r == 0)
		r = check_subnet(other, other->spec.subnet, own->subnet, err);
	return r < 0 ? r : check_subnet(other, other->spec.subnet6, own->subnet6, err);
}

static int put_network(struct engine *engine, struct engine_network *network, const char *id,
		       const struct words *labels, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	auto_free char *text = NULL;
	network->document = engine_network_document(network, id, labels);
	int r = json_format(network->document, JSON_COMPACT, &text, err);
	if (r == 0)
		r = store_begin(engine->saved, STORE_WRITE, &txn, err);
	if (r == 0)
		r = store_each(txn, TABLE_NETWORKS, (struct bytes){ 0 }, check_against,
			       &network->spec, err);
	if (r == 0)
		r = store_add(txn, TABLE_NETWORKS, bytes_of_text(network->spec.name),
			      bytes_of_text(text), err);
	if (r == 0)
		return error_set(err, EEXIST, "network %s is there already", network->spec.name);
	return r < 0 ? r : store_commit(&txn, err);
}

/* Networks of an earlier boot are not in the data path yet, and what it calls free is theirs. */
static int ensure_saved(struct bytes key, struct bytes value, void *context, struct error *err)
{
	AUTO(engine_network) network = NULL;
	struct error ignored; /* what cannot be made is met again when the new one is saved */
	(void)key;
	int r = engine_network_read(value, &network, err);
	if (r == 0)
		(void)engine_network_ensure(context, network, &ignored);
	return r;
}

static int ensure_all_saved(struct engine *engine, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	int r = store_begin(engine->saved, STORE_READ, &txn, err);
	return r < 0 ? r
		     : store_each(txn, TABLE_NETWORKS, (struct bytes){ 0 }, ensure_saved, engine,
				  err);
}

static int choose_subnets(struct engine *engine, struct engine_network *network, struct error *err)
{
	struct network_spec *spec = &network->spec;
	bool choose_v4 = network->want_v4 && prefix_is_unset(spec->subnet);
	bool choose_v6 = network->want_v6 && prefix_is_unset(spec->subnet6);
	struct dataplane *dataplane;
	int r = engine_dataplane(engine, &dataplane, err);
	if (r == 0 && (choose_v4 || choose_v6))
		r = ensure_all_saved(engine, err);
	if (r == 0 && choose_v4)
		r = network_choose_subnet(dataplane, &spec->subnet, err);
	if (r == 0 && choose_v6)
		r = network_choose_subnet6(dataplane, &spec->subnet6, err);
	if (r == 0 && network->want_v4 && ip_is_unset(spec->gateway))
		spec->gateway = ip_add(spec->subnet.ip, 1);
	if (r == 0 && network->want_v6 && ip_is_unset(spec->gateway6))
		spec->gateway6 = ip_add(spec->subnet6.ip, 1);
	return r;
}

static struct network_text one_or_two(const char *v4, const char *v6)
{
	struct network_text text;
	snprintf(text.text, sizeof text.text, "%s%s%s", v4, v4[0] && v6[0] ? " and " : "", v6);
	return text;
}

struct network_text engine_network_subnets(const struct network_spec *spec)
{
	struct prefix_text v4 = { "" }, v6 = { "" };
	if (!prefix_is_unset(spec->subnet))
		v4 = prefix_format(spec->subnet);
	if (!prefix_is_unset(spec->subnet6))
		v6 = prefix_format(spec->subnet6);
	return one_or_two(v4.text, v6.text);
}

struct network_text engine_network_gateways(const struct network_spec *spec)
{
	struct ip_text v4 = { "" }, v6 = { "" };
	if (!prefix_is_unset(spec->subnet))
		v4 = ip_format(spec->gateway);
	if (!prefix_is_unset(spec->subnet6))
		v6 = ip_format(spec->gateway6);
	return one_or_two(v4.text, v6.text);
}

int engine_network_create(struct engine *engine, const char *name,
			  const struct engine_network_options *options,
			  char ret_id[CONTAINER_ID_SIZE], struct error *err)
{
	AUTO(engine_network) network = calloc(1, sizeof *network);
	if (!network)
		return error_set(err, ENOMEM, "no memory for a network");
	int r = network_options_check(name, options, network, err);
	if (r == 0 && text_equal(name, NETWORK_DEFAULT) && !network->spec.device[0])
		name_default_device(engine, &network->spec);
	if (r == 0)
		r = choose_subnets(engine, network, err);
	if (r == 0)
		r = container_id_make(ret_id, err);
	if (r == 0)
		r = put_network(engine, network, ret_id, &options->labels, err);
	if (r < 0)
		return r;
	engine_step(engine, NULL, "network %s: subnet %s, gateway %s, written to %s/engine.mdb",
		    name, engine_network_subnets(&network->spec).text,
		    engine_network_gateways(&network->spec).text, engine->instance.lib);
	r = engine_network_ensure(engine, network, err);
	if (r < 0) {
		struct error ignored;
		AUTO(store_txn) txn = NULL;
		if (store_begin(engine->saved, STORE_WRITE, &txn, &ignored) == 0 &&
		    store_delete(txn, TABLE_NETWORKS, bytes_of_text(name), &ignored) == 1)
			(void)store_commit(&txn, &ignored);
		return r;
	}
	event_network(engine, ret_id, name, "create", NULL);
	return 0;
}

int engine_network_ensure(struct engine *engine, const struct engine_network *network,
			  struct error *err)
{
	struct dataplane *dataplane;
	struct network_info info = { 0 };
	char command[128];
	int r = engine_dataplane(engine, &dataplane, err);
	if (r == 0)
		r = network_find(dataplane_store(dataplane), network->spec.name, &info, err);
	if (r == 1 && prefix_equal(info.spec.subnet, network->spec.subnet) &&
	    prefix_equal(info.spec.subnet6, network->spec.subnet6))
		return 0;
	if (r >= 0)
		r = network_ensure(dataplane, &network->spec, &info, err);
	if (r < 0)
		return r;
	snprintf(command, sizeof command, "ip address show dev %s", info.spec.device);
	engine_step(engine, command, "gateway device %s with %s, mtu %u; its programs attached",
		    info.spec.device, engine_network_gateways(&info.spec).text, info.spec.mtu);
	engine_step(engine, "bpftool map list", "network %s is number %u in the data path's maps",
		    network->spec.name, info.id);
	engine_start_names(engine);
	return 0;
}

static int check_ip(const struct engine_network *network, const char *flag, const char *text,
		    struct error *err)
{
	bool v4 = text_equal(flag, "--ip");
	struct prefix subnet = v4 ? network->spec.subnet : network->spec.subnet6;
	struct ip ip;
	if (!text)
		return 0;
	int r = ip_parse(text, &ip, err);
	if (r < 0)
		return error_wrap(err, "%s", flag);
	if (ip_is_v4(ip) != v4)
		return error_set(err, EINVAL, "%s %s: is no %s address", flag, text,
				 v4 ? "IPv4" : "IPv6");
	if (prefix_is_unset(subnet))
		return error_set(err, EINVAL, "%s %s: network %s has no %s", flag, text,
				 network->name, v4 ? "IPv4" : "IPv6: it was made without --ipv6");
	if (!prefix_contains(subnet, ip))
		return error_set(err, EINVAL, "%s %s: lies outside subnet %s of network %s", flag,
				 text, prefix_format(subnet).text, network->name);
	return 0;
}

int engine_network_check_ips(const struct engine_network *network, const char *ip, const char *ip6,
			     struct error *err)
{
	int r = check_ip(network, "--ip", ip, err);
	return r < 0 ? r : check_ip(network, "--ip6", ip6, err);
}

static void add_set(struct ipam_config *config, struct prefix subnet, struct ip gateway,
		    struct prefix ip_range)
{
	if (prefix_is_unset(subnet))
		return;
	struct ipam_set *set = &config->sets[config->set_count++];
	struct ipam_range *range = &set->ranges[0];
	set->count = 1;
	range->subnet = subnet;
	range->gateway = gateway;
	if (prefix_is_unset(ip_range))
		return;
	range->first = prefix_network(ip_range).ip;
	range->last = prefix_last(ip_range);
	/* The subnet's own first and, in IPv4, last address are no one's. */
	if (ip_equal(range->first, subnet.ip))
		range->first = ip_add(range->first, 1);
	if (ip_equal(range->last, prefix_last(subnet)))
		range->last = (struct ip){ 0 };
}

int engine_network_ipam(const struct engine_network *network, struct ipam_config **ret_config,
			struct error *err)
{
	const struct network_spec *spec = &network->spec;
	auto_free struct ipam_config *config = calloc(1, sizeof *config);
	if (!config)
		return error_set(err, ENOMEM, "no memory for addresses");
	add_set(config, spec->subnet, spec->gateway, network->ip_range);
	add_set(config, spec->subnet6, spec->gateway6, network->ip_range6);
	memcpy(config->excludes, network->aux, network->aux_count * sizeof network->aux[0]);
	config->exclude_count = network->aux_count;
	int r = ipam_config_finish(config, err);
	if (r < 0)
		return error_wrap(err, "network %s", network->spec.name);
	*ret_config = TAKE(config);
	return 0;
}

void engine_start_names(struct engine *engine)
{
	struct path program;
	struct error err = { 0 };
	auto_fd pidfd = -1;
	pid_t pid;
	int status = 0;
	int r = program_find("wherryd", &program, &err);
	char *argv[] = { program.text,
			 (char *)(uintptr_t) "--root",
			 engine->instance.root[0] ? engine->instance.root : (char *)(uintptr_t) "/",
			 (char *)(uintptr_t) "--if-needed",
			 (char *)(uintptr_t) "--background",
			 NULL };
	struct process_spec spec = {
		.path = program.text, .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1
	};
	if (r == 0)
		r = process_start(&spec, &pid, &pidfd, &err);
	if (r == 0)
		r = process_wait(pid, &status, &err);
	if (r < 0)
		engine_warn(engine, "names will not resolve: %s", err.text);
	else if (status != 0)
		engine_warn(engine, "names will not resolve: wherryd ended with status %d", status);
	else
		engine_step(engine, "ss -lunp sport = :53", "wherryd answers for names");
}

/* --- removing ---------------------------------------------------------- */

static int refuse_member(const struct endpoint_info *info, void *context, struct error *err)
{
	(void)context;
	return error_set(err, EBUSY, "container %s is in it: stop it or disconnect it first",
			 info->names.count ? info->names.items[0] : info->container_id);
}

int engine_network_remove(struct engine *engine, const char *reference, struct error *err)
{
	AUTO(engine_network) network = NULL;
	struct dataplane *dataplane;
	struct error ignored;
	int r = find_existing(engine, reference, &network, err);
	if (r == 0)
		r = engine_dataplane(engine, &dataplane, err);
	if (r < 0)
		return r;
	const char *name = network->name;
	builds_sweep(engine); /* what a killed build left would count as a member */
	r = endpoint_each(dataplane_store(dataplane), NULL, name, refuse_member, NULL, err);
	if (r < 0)
		return error_wrap(err, "network %s", name);
	r = network_delete(dataplane, name, err);
	if (r < 0 && r != -ENOENT)
		return r;
	AUTO(store_txn) leases = NULL;
	if (store_begin(dataplane_store(dataplane), STORE_WRITE, &leases, &ignored) == 0 &&
	    lease_forget_network(leases, name, &ignored) >= 0)
		(void)store_commit(&leases, &ignored);
	AUTO(store_txn) txn = NULL;
	r = store_begin(engine->saved, STORE_WRITE, &txn, err);
	if (r == 0)
		r = store_delete(txn, TABLE_NETWORKS, bytes_of_text(name), err);
	if (r >= 0)
		r = store_commit(&txn, err);
	if (r == 0)
		event_network(engine, network->id, name, "destroy", NULL);
	return r;
}
