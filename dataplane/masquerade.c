/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "masquerade.h"

#include <errno.h>
#include <string.h>

#include "config.h"
#include "state.h"

/* "masqueradeExcept" of the config, read as if it were the option's value. */
static int read_default(const struct instance *instance, struct masquerade_options *options,
			struct error *err)
{
	auto_config config = { 0 };
	struct json_at list;
	int r = config_read(instance, &config, err);
	if (r <= 0)
		return r;
	struct json_at root = config_root(&config);
	r = json_get_array(&root, "masqueradeExcept", JSON_OPTIONAL, &list, err);
	for (size_t i = 0; r == 0 && i < json_count(&list); i++) {
		struct json_at element = json_element(&list, i);
		struct error why = { 0 };
		const char *text;
		r = json_as_string(&element, &text, err);
		if (r == 0 && masquerade_options_take("except", text, options, &why) < 0)
			r = json_error(&element, err, EINVAL, "%s", why.text);
	}
	return r;
}

int masquerade_settle(struct dataplane *dataplane, struct network_spec *spec, struct error *err)
{
	struct masquerade_options *options = &spec->masquerade_options;
	int r = 0;
	if (spec->masquerade && options->except_count == 0)
		r = read_default(&dataplane->instance, options, err);
	if (r < 0 || !masquerade_options_are_set(options))
		return r;
	if (!spec->masquerade)
		return error_set(
			err, EINVAL,
			"network %s: it is not masqueraded, so masquerading has no options",
			spec->name);
	if (options->open && !options->endpoint_independent)
		return error_set(err, EINVAL,
				 "network %s: endpoint-independent filtering needs "
				 "endpoint-independent mapping beside it",
				 spec->name);
	if (dataplane->maps.mirror)
		return error_set(err, EOPNOTSUPP,
				 "network %s: masquerading has no options with the nft back end",
				 spec->name);
	return 0;
}

static int check_address(struct dataplane *dataplane, const char *name, struct ip address,
			 struct error *err)
{
	struct abi_addr key = abi_addr_of(address);
	uint32_t value;
	if (ip_is_unset(address))
		return 0;
	int r = map_get(&dataplane->maps, MAP_LOCALS, &key, &value, err);
	if (r == 0)
		return error_set(err, EADDRNOTAVAIL,
				 "network %s: masquerade source %s is no address of this host",
				 name, ip_format(address).text);
	return r < 0 ? r : 0;
}

int masquerade_check_source(struct dataplane *dataplane, const struct network_spec *spec,
			    struct error *err)
{
	int r = check_address(dataplane, spec->name, spec->masquerade_options.source, err);
	return r < 0 ? r
		     : check_address(dataplane, spec->name, spec->masquerade_options.source6, err);
}

static struct except_key except_key(uint16_t network_id, struct prefix prefix)
{
	uint32_t family = ip_is_v4(prefix.ip) ? 96 : 0;
	return (struct except_key){ .prefix_length = 32 + family + prefix.length,
				    .network = network_id,
				    .address = abi_addr_of(prefix.ip) };
}

static bool is_wanted(const struct masquerade_options *options, uint16_t network_id,
		      const struct except_key *key)
{
	for (size_t i = 0; options && i < options->except_count; i++) {
		struct except_key wanted = except_key(network_id, options->except[i]);
		if (memcmp(&wanted, key, sizeof wanted) == 0)
			return true;
	}
	return false;
}

/* A trie is walked from its beginning when the key that the walk stands on is gone. */
static int drop_excepts(struct dataplane *dataplane, const struct masquerade_options *options,
			uint16_t network_id, struct error *err)
{
	struct except_key key, next;
	int more = map_next(&dataplane->maps, MAP_EXCEPTS, NULL, &key, err);
	while (more == 1) {
		more = map_next(&dataplane->maps, MAP_EXCEPTS, &key, &next, err);
		if (more >= 0 && key.network == network_id &&
		    !is_wanted(options, network_id, &key)) {
			int r = map_delete(&dataplane->maps, MAP_EXCEPTS, &key, err);
			if (r < 0)
				return r;
		}
		key = next;
	}
	return more;
}

static struct masquerade_choice choice_of(const struct masquerade_options *options)
{
	return (struct masquerade_choice){
		.source = abi_addr_of(options->source),
		.source6 = abi_addr_of(options->source6),
		.flags = (options->endpoint_independent ? MASQUERADE_ENDPOINT_INDEPENDENT : 0u) |
			 (options->open ? MASQUERADE_OPEN : 0u),
	};
}

int masquerade_put(struct dataplane *dataplane, const struct network_info *info, struct error *err)
{
	const struct masquerade_options *options = &info->spec.masquerade_options;
	struct masquerade_choice choice = choice_of(options);
	uint32_t id = info->id;
	int r = 0;
	if (dataplane->maps.mirror)
		return 0;
	for (size_t i = 0; r == 0 && i < options->except_count; i++) {
		struct except_key key = except_key(info->id, options->except[i]);
		r = map_put(&dataplane->maps, MAP_EXCEPTS, &key, &id, err);
	}
	if (r == 0)
		r = drop_excepts(dataplane, options, info->id, err);
	if (r == 0 && masquerade_options_are_set(options))
		return map_put(&dataplane->maps, MAP_MASQUERADE, &id, &choice, err);
	if (r == 0)
		r = map_delete(&dataplane->maps, MAP_MASQUERADE, &id, err);
	return r < 0 ? r : 0;
}

int masquerade_delete(struct dataplane *dataplane, uint16_t network_id, struct error *err)
{
	uint32_t id = network_id;
	if (dataplane->maps.mirror)
		return 0;
	int r = map_delete(&dataplane->maps, MAP_MASQUERADE, &id, err);
	return r < 0 ? r : drop_excepts(dataplane, NULL, network_id, err);
}

int masquerade_check(struct dataplane *dataplane, const struct network_info *info,
		     struct error *err)
{
	const struct masquerade_options *options = &info->spec.masquerade_options;
	struct masquerade_choice wanted = choice_of(options), found;
	uint32_t id = info->id, value;
	if (!masquerade_options_are_set(options))
		return 0;
	int r = map_get(&dataplane->maps, MAP_MASQUERADE, &id, &found, err);
	if (r == 0 || (r == 1 && memcmp(&found, &wanted, sizeof wanted) != 0))
		return error_set(err, ENOENT, "network %s: its options of masquerading are missing",
				 info->spec.name);
	for (size_t i = 0; r == 1 && i < options->except_count; i++) {
		struct except_key key = except_key(info->id, options->except[i]);
		r = map_get(&dataplane->maps, MAP_EXCEPTS, &key, &value, err);
		if (r == 0)
			return error_set(err, ENOENT, "network %s: the exception of %s is missing",
					 info->spec.name, prefix_format(options->except[i]).text);
	}
	return r < 0 ? r : 0;
}
