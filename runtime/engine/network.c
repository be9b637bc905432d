/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "network.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/loop.h"
#include "build_place.h"
#include "network_options.h"

#define NAMES_START_MS 5000

void engine_network_free(struct engine_network *network)
{
	if (!network)
		return;
	json_free(network->document);
	free(network);
}

/* --- the record ------------------------------------------------------------ */

static struct json_t *network_document(const struct engine_network *network, const char *id,
				       const struct words *labels)
{
	const struct network_spec *spec = &network->spec;
	struct json_t *document = json_new_object(), *aux = json_new_array(),
		      *label_list = json_new_array();
	json_put_string(document, "id", id);
	json_put_string(document, "name", spec->name);
	json_put_string(document, "subnet", prefix_format(spec->subnet).text);
	json_put_string(document, "gateway", ip_format(spec->gateway).text);
	json_put_string(document, "device", spec->device);
	json_put_integer(document, "mtu", spec->mtu);
	json_put_bool(document, "internal", spec->internal);
	json_put_bool(document, "masquerade", spec->masquerade);
	json_put_bool(document, "noIcc", spec->no_icc);
	json_put_bool(document, "multicast", spec->multicast);
	if (spec->big_tcp != BIG_TCP_AUTO)
		json_put_bool(document, "bigTcp", spec->big_tcp == BIG_TCP_ON);
	if (!prefix_is_unset(network->ip_range))
		json_put_string(document, "ipRange", prefix_format(network->ip_range).text);
	for (size_t i = 0; i < network->aux_count; i++)
		json_append(aux, json_new_string(ip_format(network->aux[i]).text));
	json_put(document, "aux", aux);
	for (size_t i = 0; labels && i < labels->count; i++)
		json_append(label_list, json_new_string(labels->items[i]));
	json_put(document, "labels", label_list);
	json_put_integer(document, "createdNs", clock_wall_ns());
	return document;
}

static int read_big_tcp(const struct json_at *at, struct network_spec *spec, struct error *err)
{
	struct json_at place = json_member(at, "bigTcp");
	bool big = false;
	int r = json_get_bool(at, "bigTcp", JSON_OPTIONAL, &big, err);
	if (r == 0 && json_is_present(&place))
		spec->big_tcp = big ? BIG_TCP_ON : BIG_TCP_OFF;
	return r;
}

static int read_spec(const struct json_at *at, struct network_spec *spec, struct error *err)
{
	const char *device = "", *name = NULL;
	int64_t mtu = 0;
	int r = json_get_string(at, "name", JSON_REQUIRED, &name, err);
	if (r == 0)
		r = json_get_prefix(at, "subnet", JSON_REQUIRED, &spec->subnet, err);
	if (r == 0)
		r = json_get_ip(at, "gateway", JSON_REQUIRED, &spec->gateway, err);
	if (r == 0)
		r = json_get_string(at, "device", JSON_OPTIONAL, &device, err);
	if (r == 0)
		r = json_get_integer(at, "mtu", JSON_OPTIONAL, 0, UINT32_MAX, &mtu, err);
	if (r == 0)
		r = json_get_bool(at, "internal", JSON_OPTIONAL, &spec->internal, err);
	if (r == 0)
		r = json_get_bool(at, "masquerade", JSON_OPTIONAL, &spec->masquerade, err);
	if (r == 0)
		r = json_get_bool(at, "noIcc", JSON_OPTIONAL, &spec->no_icc, err);
	if (r == 0)
		r = json_get_bool(at, "multicast", JSON_OPTIONAL, &spec->multicast, err);
	if (r == 0)
		r = read_big_tcp(at, spec, err);
	if (r < 0)
		return r;
	spec->mtu = (uint32_t)mtu;
	spec->dns = true;
	snprintf(spec->name, sizeof spec->name, "%s", name);
	snprintf(spec->device, sizeof spec->device, "%s", device);
	return 0;
}

static int read_aux(const struct json_at *at, struct engine_network *network, struct error *err)
{
	struct json_at list;
	int r = json_get_array(at, "aux", JSON_OPTIONAL, &list, err);
	for (size_t i = 0; r == 0 && i < json_count(&list) && i < IPAM_EXCLUDES_MAX; i++) {
		struct json_at element = json_element(&list, i);
		const char *text;
		r = json_as_string(&element, &text, err);
		if (r == 0)
			r = ip_parse(text, &network->aux[network->aux_count++], err);
	}
	return r;
}

int engine_network_read(struct bytes value, struct engine_network **ret_network, struct error *err)
{
	AUTO(engine_network) network = calloc(1, sizeof *network);
	if (!network)
		return error_set(err, ENOMEM, "no memory for a network");
	int r = json_parse("record of a network", value.data, value.size, &network->document, err);
	if (r < 0)
		return r;
	struct json_at at = json_root(network->document, "record of a network");
	r = json_get_string(&at, "id", JSON_REQUIRED, &network->id, err);
	if (r == 0)
		r = json_get_string(&at, "name", JSON_REQUIRED, &network->name, err);
	if (r == 0)
		r = json_get_prefix(&at, "ipRange", JSON_OPTIONAL, &network->ip_range, err);
	if (r == 0)
		r = json_get_integer(&at, "createdNs", JSON_OPTIONAL, 0, INT64_MAX,
				     &network->created_ns, err);
	if (r == 0)
		r = read_spec(&at, &network->spec, err);
	if (r == 0)
		r = read_aux(&at, network, err);
	if (r == 0)
		*ret_network = TAKE(network);
	return r;
}

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

static int check_subnet(const struct engine_network *other, const struct network_spec *spec,
			struct error *err)
{
	if (!prefix_overlaps(other->spec.subnet, spec->subnet))
		return 0;
	return error_set(err, EADDRINUSE, "subnet %s overlaps that of network %s, %s",
			 prefix_format(spec->subnet).text, other->name,
			 prefix_format(other->spec.subnet).text);
}

static int check_against(struct bytes key, struct bytes value, void *context, struct error *err)
{
	AUTO(engine_network) other = NULL;
	(void)key;
	int r = engine_network_read(value, &other, err);
	return r < 0 ? r : check_subnet(other, context, err);
}

static int put_network(struct engine *engine, struct engine_network *network, const char *id,
		       const struct words *labels, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	auto_free char *text = NULL;
	network->document = network_document(network, id, labels);
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

static int choose_subnet(struct engine *engine, struct network_spec *spec, struct error *err)
{
	struct dataplane *dataplane;
	int r = engine_dataplane(engine, &dataplane, err);
	if (r == 0 && prefix_is_unset(spec->subnet))
		r = network_choose_subnet(dataplane, &spec->subnet, err);
	if (r == 0 && ip_is_unset(spec->gateway))
		spec->gateway = ip_add(spec->subnet.ip, 1);
	return r;
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
		r = choose_subnet(engine, &network->spec, err);
	if (r == 0)
		r = container_id_make(ret_id, err);
	if (r == 0)
		r = put_network(engine, network, ret_id, &options->labels, err);
	if (r < 0)
		return r;
	engine_step(engine, NULL, "network %s: subnet %s, gateway %s, written to %s/engine.mdb",
		    name, prefix_format(network->spec.subnet).text,
		    ip_format(network->spec.gateway).text, engine->instance.lib);
	r = engine_network_ensure(engine, network, err);
	if (r < 0) {
		struct error ignored;
		AUTO(store_txn) txn = NULL;
		if (store_begin(engine->saved, STORE_WRITE, &txn, &ignored) == 0 &&
		    store_delete(txn, TABLE_NETWORKS, bytes_of_text(name), &ignored) == 1)
			(void)store_commit(&txn, &ignored);
		return r;
	}
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
	if (r == 1 && prefix_equal(info.spec.subnet, network->spec.subnet))
		return 0;
	if (r >= 0)
		r = network_ensure(dataplane, &network->spec, &info, err);
	if (r < 0)
		return r;
	snprintf(command, sizeof command, "ip address show dev %s", info.spec.device);
	engine_step(engine, command, "gateway device %s with %s, mtu %u; its programs attached",
		    info.spec.device, ip_format(info.spec.gateway).text, info.spec.mtu);
	engine_step(engine, "bpftool map list", "network %s is number %u in the data path's maps",
		    network->spec.name, info.id);
	engine_start_names(engine);
	return 0;
}

int engine_network_ipam(const struct engine_network *network, struct ipam_config **ret_config,
			struct error *err)
{
	auto_free struct ipam_config *config = calloc(1, sizeof *config);
	if (!config)
		return error_set(err, ENOMEM, "no memory for addresses");
	struct ipam_range *range = &config->sets[0].ranges[0];
	config->set_count = 1;
	config->sets[0].count = 1;
	range->subnet = network->spec.subnet;
	range->gateway = network->spec.gateway;
	if (!prefix_is_unset(network->ip_range)) {
		range->first = prefix_network(network->ip_range).ip;
		range->last = prefix_last(network->ip_range);
		/* The subnet's own first and last address are no one's. */
		if (ip_equal(range->first, network->spec.subnet.ip))
			range->first = ip_add(range->first, 1);
		if (ip_equal(range->last, prefix_last(network->spec.subnet)))
			range->last = (struct ip){ 0 };
	}
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
	return r < 0 ? r : store_commit(&txn, err);
}
