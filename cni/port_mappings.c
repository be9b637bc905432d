/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runtimeConfig.portMappings: hostPort, containerPort, protocol and hostIP of
 * each entry become publications. An entry given twice counts once.
 */
#include "config.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define PORT_MAX 65535

static int read_protocol(const struct json_at *entry, uint8_t *ret_protocol, struct error *err)
{
	const char *text = NULL;
	int r = json_get_string(entry, "protocol", JSON_REQUIRED, &text, err);
	if (r < 0)
		return r;
	struct json_at place = json_member(entry, "protocol");
	static const struct {
		const char *name;
		uint8_t protocol;
	} known[] = { { "tcp", PROTOCOL_TCP }, { "udp", PROTOCOL_UDP }, { "sctp", PROTOCOL_SCTP } };
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strcasecmp(text, known[i].name) != 0)
			continue;
		*ret_protocol = known[i].protocol;
		return 0;
	}
	return json_error(&place, err, EINVAL, "\"%.32s\" is none of tcp, udp and sctp", text);
}

/* Empty means all addresses, 0.0.0.0 those of IPv4, :: those of IPv6. */
static int read_host_ip(const struct json_at *entry, struct publish_spec *publish,
			struct error *err)
{
	const char *text = NULL;
	struct ip ip;
	int r = json_get_string(entry, "hostIP", JSON_OPTIONAL, &text, err);
	if (r < 0 || !text || !*text)
		return r;
	r = json_get_ip(entry, "hostIP", JSON_OPTIONAL, &ip, err);
	if (r < 0)
		return r;
	publish->family = ip_is_v4(ip) ? PUBLISH_IPV4 : PUBLISH_IPV6;
	if (!ip_is_unset(ip))
		publish->host_ip = ip;
	return 0;
}

static int read_entry(const struct json_at *entry, struct publish_spec *ret_publish,
		      struct error *err)
{
	int64_t host_port, container_port;
	struct publish_spec publish = { .count = 1 };

	if (!json_is_object(entry))
		return json_error(entry, err, EINVAL,
				  "must be an object with hostPort, containerPort and protocol");
	int r = json_get_integer(entry, "hostPort", JSON_REQUIRED, 1, PORT_MAX, &host_port, err);
	if (r == 0)
		r = json_get_integer(entry, "containerPort", JSON_REQUIRED, 1, PORT_MAX,
				     &container_port, err);
	if (r == 0)
		r = read_protocol(entry, &publish.protocol, err);
	if (r == 0)
		r = read_host_ip(entry, &publish, err);
	if (r < 0)
		return r;
	publish.host_port = (uint16_t)host_port;
	publish.container_port = (uint16_t)container_port;
	*ret_publish = publish;
	return 0;
}

static bool same_publish(const struct publish_spec *a, const struct publish_spec *b)
{
	return ip_equal(a->host_ip, b->host_ip) && a->family == b->family &&
	       a->host_port == b->host_port && a->container_port == b->container_port &&
	       a->protocol == b->protocol;
}

/*
 * Runs of ports that rise together are one range: podman sends a range of a
 * thousand ports as a thousand entries.
 */
static void add_publish(struct cni_config *config, const struct publish_spec *publish)
{
	struct publish_spec *last =
		config->publish_count ? &config->publish[config->publish_count - 1] : NULL;

	for (size_t i = 0; i < config->publish_count; i++) {
		struct publish_spec *known = &config->publish[i];
		int offset = publish->host_port - known->host_port;
		struct publish_spec at = *known;
		at.host_port = (uint16_t)(known->host_port + offset);
		at.container_port = (uint16_t)(known->container_port + offset);
		if (offset >= 0 && offset < known->count && same_publish(&at, publish))
			return;
	}
	struct publish_spec next = last ? *last : (struct publish_spec){ 0 };
	next.host_port = (uint16_t)(next.host_port + next.count);
	next.container_port = (uint16_t)(next.container_port + next.count);
	if (last && last->host_port + last->count == publish->host_port &&
	    same_publish(&next, publish))
		last->count++;
	else
		config->publish[config->publish_count++] = *publish;
}

int cni_config_read_ports(const struct json_at *runtime, struct cni_config *config,
			  struct error *err)
{
	struct json_at mappings;
	int r = json_get_array(runtime, "portMappings", JSON_OPTIONAL, &mappings, err);
	size_t count = json_count(&mappings);

	if (r < 0 || count == 0)
		return r;
	if (count > ENDPOINT_PORTS_MAX)
		return json_error(&mappings, err, EINVAL, "has %zu entries: at most %d", count,
				  ENDPOINT_PORTS_MAX);
	config->publish = calloc(count, sizeof *config->publish);
	if (!config->publish)
		return error_set(err, ENOMEM, "no memory for %zu port mappings", count);
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct json_at entry = json_element(&mappings, i);
		struct publish_spec publish;
		r = read_entry(&entry, &publish, err);
		if (r == 0)
			add_publish(config, &publish);
	}
	return r;
}
