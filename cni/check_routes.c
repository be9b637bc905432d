/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CHECK of routes: those of prevResult must be in a table of the container's,
 * whatever others are there too.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/process.h"
#include "chain.h"

#define TABLE_MAX (1u << 22)

/* The text of the kernel's tables, as the namespace shows them. */
struct tables {
	char *v4, *v6; /* owned */
};

static int work_read(void *context, struct error *err)
{
	struct tables *tables = context;
	struct error ignored = { 0 };
	size_t size;
	int r = file_read("/proc/thread-self/net/fib_trie", TABLE_MAX, &tables->v4, &size, err);

	/* A kernel without IPv6 has no such table. */
	if (r == 0)
		file_read("/proc/thread-self/net/ipv6_route", TABLE_MAX, &tables->v6, &size,
			  &ignored);
	return r;
}

/*
 * The trie of all tables, since others may move routes to one of their own:
 *	|-- 10.88.0.0
 *	   /16 universe UNICAST
 */
static bool has_v4(const char *text, struct prefix wanted)
{
	char address[IP_TEXT_MAX] = "", length[8], scope[16], kind[16];
	const char *line = text;
	while (line && *line) {
		const char *begin = line + strspn(line, " ");
		if (text_starts_with(begin, "|-- "))
			sscanf(begin + 4, "%45s", address);
		else if (sscanf(begin, "/%7s %15s %15s", length, scope, kind) == 3 &&
			 text_equal(kind, "UNICAST") &&
			 text_equal(address, ip_format(wanted.ip).text) &&
			 strtoul(length, NULL, 10) == wanted.length)
			return true;
		line = strchr(line, '\n');
		line += line ? 1 : 0;
	}
	return false;
}

/* Columns: destination of 32 hex digits, length in hex, … */
static bool line_is_v6(const char *line, struct prefix wanted)
{
	char digits[33], hex[33];
	unsigned length;
	text_from_hex_bytes(wanted.ip.bytes, sizeof wanted.ip.bytes, hex);
	return sscanf(line, "%32s %x", digits, &length) == 2 && length == wanted.length &&
	       strcasecmp(digits, hex) == 0;
}

static bool has_v6(const char *text, struct prefix wanted)
{
	const char *line = text;
	while (line && *line) {
		if (line_is_v6(line, wanted))
			return true;
		line = strchr(line, '\n');
		line += line ? 1 : 0;
	}
	return false;
}

/* Routes of a family that the result has no address of were never set. */
static bool has_family(const struct json_at *previous, bool v4)
{
	struct json_at ips = json_member(previous, "ips");
	for (size_t i = 0; i < json_count(&ips); i++) {
		struct json_at item = json_element(&ips, i);
		struct prefix address;
		struct error ignored = { 0 };
		if (json_get_prefix(&item, "address", JSON_REQUIRED, &address, &ignored) == 0 &&
		    ip_is_v4(address.ip) == v4)
			return true;
	}
	return false;
}

static int check_route(const struct json_at *previous, const struct json_at *route,
		       const struct tables *tables, struct error *err)
{
	struct json_at table = json_member(route, "table");
	struct prefix wanted;
	int r = json_get_prefix(route, "dst", JSON_REQUIRED, &wanted, err);
	if (r < 0 || json_is_present(&table) || !has_family(previous, ip_is_v4(wanted.ip)))
		return r;
	wanted = prefix_network(wanted);
	if (ip_is_v4(wanted.ip) ? has_v4(tables->v4, wanted) : has_v6(tables->v6, wanted))
		return 0;
	return error_set(err, ENOENT, "the container has no route to %s",
			 prefix_format(wanted).text);
}

int chain_check_routes(const struct cni_config *config, int netns_fd, struct error *err)
{
	struct json_at routes = json_member(&config->previous, "routes");
	struct tables tables = { 0 };
	int r = json_count(&routes) ? netns_run(netns_fd, work_read, &tables, err) : 0;

	for (size_t i = 0; r == 0 && i < json_count(&routes); i++) {
		struct json_at route = json_element(&routes, i);
		r = check_route(&config->previous, &route, &tables, err);
	}
	free(tables.v4);
	free(tables.v6);
	return r;
}
