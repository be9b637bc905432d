/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "result.h"

#include <errno.h>

#include "base/text.h"

void cni_result_release(struct cni_result *result)
{
	json_free(result->routes);
	result->routes = NULL;
}

/* Fields of a route: those behind the second came with 1.1.0. */
static struct json_t *format_route(const struct json_at *route, enum cni_version version)
{
	static const char *const fields[] = { "dst",      "gw",    "mtu",  "advmss",
					      "priority", "table", "scope" };
	size_t count = version >= CNI_1_1_0 ? ARRAY_SIZE(fields) : 2;
	struct json_t *object = json_new_object();

	for (size_t i = 0; i < count; i++) {
		struct json_at field = json_member(route, fields[i]);
		if (json_is_present(&field))
			json_put(object, fields[i], json_clone(field.value));
	}
	return object;
}

/* True for a route of IPv4; what is no route at all was refused before. */
static bool route_is_v4(const struct json_at *route)
{
	struct prefix destination = { 0 };
	struct error ignored = { 0 };

	return json_get_prefix(route, "dst", JSON_REQUIRED, &destination, &ignored) == 0 &&
	       ip_is_v4(destination.ip);
}

static void put_routes(struct json_t *document, const struct cni_result *result,
		       enum cni_version version)
{
	struct json_at routes = json_root(result->routes, "");

	if (json_count(&routes) == 0)
		return;
	struct json_t *list = json_new_array();
	for (size_t i = 0; i < json_count(&routes); i++) {
		struct json_at route = json_element(&routes, i);
		json_append(list, format_route(&route, version));
	}
	json_put(document, "routes", list);
}

static struct json_t *format_interface(const struct cni_interface *interface,
				       enum cni_version version)
{
	struct json_t *object = json_new_object();

	json_put_string(object, "name", interface->name);
	if (!mac_is_unset(interface->mac))
		json_put_string(object, "mac", mac_format(interface->mac).text);
	if (version >= CNI_1_1_0 && interface->mtu)
		json_put_integer(object, "mtu", interface->mtu);
	if (interface->sandbox)
		json_put_string(object, "sandbox", interface->sandbox);
	return object;
}

static struct json_t *format_address(const struct cni_address *address, enum cni_version version)
{
	struct json_t *object = json_new_object();

	if (version < CNI_1_0_0)
		json_put_string(object, "version", ip_is_v4(address->address.ip) ? "4" : "6");
	if (address->interface >= 0)
		json_put_integer(object, "interface", address->interface);
	json_put_string(object, "address", prefix_format(address->address).text);
	if (!ip_is_unset(address->gateway))
		json_put_string(object, "gateway", ip_format(address->gateway).text);
	return object;
}

/* 0.3.0 and later: lists. */
static void put_lists(struct json_t *document, const struct cni_result *result,
		      enum cni_version version)
{
	struct json_t *interfaces = json_new_array(), *ips = json_new_array();

	for (size_t i = 0; i < result->interface_count; i++)
		json_append(interfaces, format_interface(&result->interfaces[i], version));
	for (size_t i = 0; i < result->address_count; i++)
		json_append(ips, format_address(&result->addresses[i], version));
	if (result->interface_count)
		json_put(document, "interfaces", interfaces);
	else
		json_free(interfaces);
	if (result->address_count)
		json_put(document, "ips", ips);
	else
		json_free(ips);
	put_routes(document, result, version);
}

/* 0.1.0 and 0.2.0: the first address of each family, with its routes in it. */
static void put_family(struct json_t *document, const struct cni_result *result, bool v4)
{
	struct json_at routes = json_root(result->routes, "");
	const struct cni_address *address = NULL;

	for (size_t i = result->address_count; i-- > 0;)
		if (ip_is_v4(result->addresses[i].address.ip) == v4)
			address = &result->addresses[i];
	if (!address)
		return;
	struct json_t *object = json_new_object(), *list = json_new_array();
	json_put_string(object, "ip", prefix_format(address->address).text);
	if (!ip_is_unset(address->gateway))
		json_put_string(object, "gateway", ip_format(address->gateway).text);
	for (size_t i = 0; i < json_count(&routes); i++) {
		struct json_at route = json_element(&routes, i);
		if (route_is_v4(&route) == v4)
			json_append(list, format_route(&route, CNI_0_2_0));
	}
	struct json_at kept = json_root(list, "");
	if (json_count(&kept))
		json_put(object, "routes", list);
	else
		json_free(list);
	json_put(document, v4 ? "ip4" : "ip6", object);
}

int cni_result_format(const struct cni_result *result, enum cni_version version,
		      struct json_t **ret_document, struct error *err)
{
	if (version < CNI_0_3_0 && result->address_count == 0)
		return error_set(err, EINVAL,
				 "a result without an address cannot be told in cniVersion %s: "
				 "0.3.0 or above would be right",
				 cni_version_text(version));
	struct json_t *document = json_new_object();

	json_put_string(document, "cniVersion", cni_version_text(version));
	if (version >= CNI_0_3_0)
		put_lists(document, result, version);
	if (version < CNI_0_3_0) {
		put_family(document, result, true);
		put_family(document, result, false);
	}
	if (result->dns)
		json_put(document, "dns", json_clone(result->dns));
	else if (version < CNI_1_0_0)
		json_put(document, "dns", json_new_object());
	*ret_document = document;
	return 0;
}

/* --- reading ------------------------------------------------------------------ */

static int read_address(const struct json_at *at, const char *key, struct cni_result *result,
			struct error *err)
{
	struct cni_address address = { .interface = -1 };

	if (!json_is_object(at))
		return json_error(at, err, EINVAL, "must be an object with \"%s\"", key);
	if (result->address_count == CNI_RESULT_ADDRESSES_MAX)
		return json_error(at, err, EINVAL, "is one address too many: at most %d",
				  CNI_RESULT_ADDRESSES_MAX);
	int r = json_get_prefix(at, key, JSON_REQUIRED, &address.address, err);
	if (r == 0)
		r = json_get_ip(at, "gateway", JSON_OPTIONAL, &address.gateway, err);
	if (r == 0)
		result->addresses[result->address_count++] = address;
	return r;
}

static int read_routes(const struct json_at *at, struct cni_result *result, struct error *err)
{
	struct json_at routes;
	int r = json_get_array(at, "routes", JSON_OPTIONAL, &routes, err);

	for (size_t i = 0; r == 0 && i < json_count(&routes); i++) {
		struct json_at route = json_element(&routes, i);
		struct prefix destination;
		r = json_get_prefix(&route, "dst", JSON_REQUIRED, &destination, err);
		if (r < 0)
			return r;
		if (!result->routes)
			result->routes = json_new_array();
		json_append(result->routes, json_clone(route.value));
	}
	return r;
}

static int read_family(const struct json_at *at, const char *key, struct cni_result *result,
		       struct error *err)
{
	struct json_at family;
	int r = json_get_object(at, key, JSON_OPTIONAL, &family, err);
	if (r < 0 || !family.value)
		return r;
	r = read_address(&family, "ip", result, err);
	return r < 0 ? r : read_routes(&family, result, err);
}

static int read_ips(const struct json_at *at, struct cni_result *result, struct error *err)
{
	struct json_at ips;
	int r = json_get_array(at, "ips", JSON_OPTIONAL, &ips, err);

	for (size_t i = 0; r == 0 && i < json_count(&ips); i++) {
		struct json_at item = json_element(&ips, i);
		r = read_address(&item, "address", result, err);
	}
	return r;
}

int cni_result_read(const struct json_at *at, enum cni_version version,
		    struct cni_result *ret_result, struct error *err)
{
	auto_cni_result result = { 0 };
	const char *text = NULL;
	struct json_at dns;

	if (!json_is_object(at))
		return json_error(at, err, EINVAL, "is no result: it must be an object");
	int r = json_get_string(at, "cniVersion", JSON_OPTIONAL, &text, err);
	if (r == 0 && text && *text)
		r = cni_version_parse(text, &version, err);
	if (r == 0 && version < CNI_0_3_0) {
		r = read_family(at, "ip4", &result, err);
		if (r == 0)
			r = read_family(at, "ip6", &result, err);
	} else if (r == 0) {
		r = read_ips(at, &result, err);
		if (r == 0)
			r = read_routes(at, &result, err);
	}
	if (r == 0)
		r = json_get_object(at, "dns", JSON_OPTIONAL, &dns, err);
	if (r < 0)
		return r;
	result.dns = json_count(&dns) ? dns.value : NULL;
	*ret_result = result;
	result.routes = NULL;
	return 0;
}
