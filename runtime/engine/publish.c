/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "publish.h"

#include <errno.h>
#include <string.h>

/* The pieces of one -p, lent from its copy; "" where a piece is missing. */
struct pieces {
	char *host_ip, *host_ports, *container_ports, *protocol;
};
struct port_range {
	uint16_t first, last;
};

void publish_list_release(struct publish_list *list)
{
	free(list->items);
	*list = (struct publish_list){ 0 };
}

static int refuse(const char *text, const char *why, struct error *err)
{
	return error_set(err, EINVAL,
			 "publish %s: %s; the form is [[HOST_IP:]HOST_PORT:]PORT[/tcp|/udp]", text,
			 why);
}

/* Cuts at the last ':' that stands outside brackets. */
static char *cut_last(char *text)
{
	char *colon = strrchr(text, ':'), *bracket = strrchr(text, ']');
	if (!colon || (bracket && colon < bracket))
		return NULL;
	*colon = 0;
	return colon + 1;
}

static void split(char *text, struct pieces *ret)
{
	static char tcp[] = "tcp", nothing[] = "";
	*ret = (struct pieces){ nothing, nothing, text, tcp };
	char *slash = strchr(text, '/');
	if (slash) {
		*slash = 0;
		ret->protocol = slash + 1;
	}
	char *last = cut_last(text);
	if (!last)
		return;
	ret->container_ports = last;
	ret->host_ports = text;
	last = cut_last(text);
	if (!last)
		return;
	ret->host_ports = last;
	ret->host_ip = text;
}

static int parse_range(const char *text, struct port_range *ret)
{
	uint64_t first, last;
	auto_words ends = { 0 };
	struct error ignored;
	if (words_split(text, '-', &ends, &ignored) < 0 || ends.count > 2)
		return -EINVAL;
	if (text_to_unsigned(ends.items[0], 1, 65535, &first) < 0 ||
	    text_to_unsigned(ends.items[ends.count - 1], first, 65535, &last) < 0)
		return -EINVAL;
	*ret = (struct port_range){ (uint16_t)first, (uint16_t)last };
	return 0;
}

/* 0.0.0.0 is all of IPv4, [::] all of IPv6; no address: all of both. */
static int parse_host_ip(const char *text, char *ip_text, struct publish_spec *spec,
			 struct error *err)
{
	size_t size = strlen(ip_text);
	bool bracketed = size > 1 && ip_text[0] == '[' && ip_text[size - 1] == ']';
	struct ip ip;
	if (!size)
		return 0;
	if (!bracketed && strchr(ip_text, ':'))
		return refuse(text, "an IPv6 address stands in brackets", err);
	if (bracketed) {
		ip_text[size - 1] = 0;
		ip_text++;
	}
	if (ip_parse(ip_text, &ip, err) < 0)
		return refuse(text, "the host address is no IP address", err);
	spec->family = ip_is_v4(ip) ? PUBLISH_IPV4 : PUBLISH_IPV6;
	if (!ip_is_unset(ip))
		spec->host_ip = ip;
	return 0;
}

static int append(struct publish_list *list, const struct publish_spec *spec, struct error *err)
{
	if (list->count >= ENDPOINT_PORTS_MAX)
		return error_set(err, E2BIG, "over %d published ports", ENDPOINT_PORTS_MAX);
	void *items = realloc(list->items, (list->count + 1) * sizeof *list->items);
	if (!items)
		return error_set(err, ENOMEM, "no memory for published ports");
	list->items = items;
	list->items[list->count++] = *spec;
	return 0;
}

/* Without a host port each port of a range gets a free one of its own. */
static int append_free(struct publish_list *list, struct publish_spec spec, struct port_range range,
		       struct error *err)
{
	int r = 0;
	spec.count = 1;
	for (unsigned port = range.first; r == 0 && port <= range.last; port++) {
		spec.container_port = (uint16_t)port;
		r = append(list, &spec, err);
	}
	return r;
}

int publish_list_add(struct publish_list *list, const char *text, struct error *err)
{
	auto_free char *copy = NULL;
	struct pieces pieces;
	struct port_range container, host = { 0 };
	struct publish_spec spec = { .protocol = PROTOCOL_TCP };

	int r = text_copy(text, &copy, err);
	if (r < 0)
		return r;
	split(copy, &pieces);
	if (!publish_protocol_parse(pieces.protocol, &spec.protocol))
		return refuse(text, "the protocol is none of tcp, udp and sctp", err);
	r = parse_host_ip(text, pieces.host_ip, &spec, err);
	if (r < 0)
		return r;
	if (parse_range(pieces.container_ports, &container) < 0)
		return refuse(text, "the container's port is no port or range of 1 to 65535", err);
	/* As Docker has it, port 0 is any. */
	if (!pieces.host_ports[0] || text_equal(pieces.host_ports, "0"))
		return append_free(list, spec, container, err);
	if (parse_range(pieces.host_ports, &host) < 0)
		return refuse(text, "the host's port is no port or range of 1 to 65535", err);
	if (host.last - host.first != container.last - container.first)
		return refuse(text, "the two ranges differ in length", err);
	spec.host_port = host.first;
	spec.container_port = container.first;
	spec.count = (uint16_t)(container.last - container.first + 1);
	return append(list, &spec, err);
}

int publish_from_add(struct words *list, const char *text, struct error *err)
{
	auto_words parts = { 0 };
	struct prefix prefix;
	int r = words_split(text, ',', &parts, err);
	for (size_t i = 0; r == 0 && i < parts.count; i++) {
		r = publish_from_parse(parts.items[i], &prefix, err);
		if (r < 0)
			return error_wrap(err, "--publish-from");
		r = words_append(list, prefix_format(prefix).text, err);
	}
	if (r == 0 && list->count > PUBLISH_FROM_MAX)
		r = error_set(err, E2BIG, "--publish-from: at most %d prefixes", PUBLISH_FROM_MAX);
	return r;
}

static void format_range(unsigned first, unsigned count, struct text *ret_text)
{
	text_append(ret_text, "%u", first);
	if (count > 1)
		text_append(ret_text, "-%u", first + count - 1);
}

size_t publish_hosts(const struct publish_spec *spec, struct ip ret_ips[2])
{
	enum publish_family family = publish_family(spec);
	size_t count = 0;
	if (!ip_is_unset(spec->host_ip)) {
		ret_ips[0] = spec->host_ip;
		return 1;
	}
	if (family != PUBLISH_IPV6)
		ret_ips[count++] = ip_from_v4((struct in_addr){ 0 });
	if (family != PUBLISH_IPV4)
		ret_ips[count++] = (struct ip){ 0 };
	return count;
}

static void format_at(const struct publish_spec *spec, struct ip ip, struct text *ret_text)
{
	bool v4 = ip_is_v4(ip);
	text_append(ret_text, "%s%s%s:", v4 ? "" : "[", ip_format(ip).text, v4 ? "" : "]");
	format_range(spec->host_port, spec->count, ret_text);
	text_append(ret_text, "->");
	format_range(spec->container_port, spec->count, ret_text);
	text_append(ret_text, "/%s", publish_protocol_name(spec->protocol));
}

void publish_format(const struct publish_spec *spec, struct text *ret_text)
{
	struct ip ips[2];
	size_t count = publish_hosts(spec, ips);
	for (size_t i = 0; i < count; i++) {
		text_append(ret_text, "%s", i ? ", " : "");
		format_at(spec, ips[i], ret_text);
	}
}
