/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `inspect`: all of a container, with Docker's keys; and its log. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/loop.h"
#include "cleanup.h"
#include "health.h"
#include "runtime/monitor.h"
#include "publish.h"
#include "show.h"

struct inspection {
	struct json_t *networks, *ports;
};

/* A port of the container may be published several times over. */
static void put_binding(struct json_t *ports, const struct publish_spec *spec, unsigned offset)
{
	char key[24], port[8];
	struct ip ips[2];
	size_t count = publish_hosts(spec, ips);
	snprintf(key, sizeof key, "%u/%s", spec->container_port + offset,
		 publish_protocol_name(spec->protocol));
	snprintf(port, sizeof port, "%u", spec->host_port + offset);
	struct json_at at = json_root(ports, "ports"), known = json_member(&at, key);
	struct json_t *list = known.value ? json_clone(known.value) : json_new_array();
	for (size_t i = 0; i < count; i++) {
		struct json_t *row = json_new_object();
		json_put_string(row, "HostIp", ip_format(ips[i]).text);
		json_put_string(row, "HostPort", port);
		json_append(list, row);
	}
	json_put(ports, key, list);
}

static void put_ip(struct json_t *row, const char *key, struct ip ip)
{
	json_put_string(row, key, ip_is_unset(ip) ? "" : ip_format(ip).text);
}

static void put_address(struct json_t *row, const struct endpoint_info *info)
{
	put_ip(row, "IPAddress", info->address.ip);
	json_put_integer(row, "IPPrefixLen", info->address.length);
	put_ip(row, "Gateway", info->gateway);
	put_ip(row, "GlobalIPv6Address", info->address6.ip);
	json_put_integer(row, "GlobalIPv6PrefixLen", info->address6.length);
	put_ip(row, "IPv6Gateway", info->gateway6);
}

static int add_endpoint(const struct endpoint_info *info, void *context, struct error *err)
{
	struct inspection *inspection = context;
	struct json_t *row = json_new_object(), *aliases = json_new_array();
	(void)err;
	put_address(row, info);
	json_put_string(row, "MacAddress", mac_format(info->mac).text);
	json_put_string(row, "Interface", info->interface);
	json_put_string(row, "HostDevice", info->host_device);
	for (size_t i = 0; i < info->names.count; i++)
		json_append(aliases, json_new_string(info->names.items[i]));
	json_put(row, "Aliases", aliases);
	json_put(inspection->networks, info->network, row);
	for (size_t i = 0; i < info->publish_count; i++)
		for (unsigned k = 0; k < info->publish[i].count; k++)
			put_binding(inspection->ports, &info->publish[i], k);
	return 0;
}

static int put_network(struct engine *engine, const struct container *container,
		       struct json_t *object, struct error *err)
{
	struct json_t *settings = json_new_object();
	struct inspection inspection = { json_new_object(), json_new_object() };
	struct store *store;
	int r = 0;
	if (text_equal(container->network_mode, "networks"))
		r = engine_state_store(engine, &store, err);
	if (r == 0 && text_equal(container->network_mode, "networks"))
		r = endpoint_each(store, container->id, NULL, add_endpoint, &inspection, err);
	json_put(settings, "Networks", inspection.networks);
	json_put(settings, "Ports", inspection.ports);
	json_put(object, "NetworkSettings", settings);
	return r;
}

static void put_time(struct json_t *object, const char *key, int64_t ns)
{
	char text[TIME_TEXT_MAX] = "0001-01-01T00:00:00Z";
	if (ns)
		time_format(ns, text);
	json_put_string(object, key, text);
}

static void put_state(const struct container_now *now, struct json_t *health, struct json_t *object)
{
	struct json_t *state = json_new_object();
	json_put_string(state, "Status", container_now_name(now));
	json_put_bool(state, "Running", container_is_running(now));
	json_put_bool(state, "Paused", now->paused);
	json_put_bool(state, "Restarting", now->status == CONTAINER_RESTARTING);
	json_put_integer(state, "Pid", now->state.process.pid);
	json_put_integer(state, "MonitorPid", now->state.monitor.pid);
	json_put_integer(state, "ExitCode", now->exit_code);
	put_time(state, "StartedAt", now->started_ns);
	put_time(state, "FinishedAt", now->finished_ns);
	if (health)
		json_put(state, "Health", health);
	json_put(object, "State", state);
	json_put_integer(object, "RestartCount", now->state.restarts);
}

static struct json_t *copy_of(const struct json_at *at, const char *key)
{
	struct json_at member = json_member(at, key);
	return member.value ? json_clone(member.value) : json_new_null();
}

static struct json_t *labels_object(const struct container *container)
{
	struct json_t *object = json_new_object();
	auto_words labels = { 0 };
	struct error ignored;
	(void)container_words(container, "labels", &labels, &ignored);
	for (size_t i = 0; i < labels.count; i++) {
		char *value = strchr(labels.items[i], '=');
		if (value)
			*value++ = 0;
		json_put_string(object, labels.items[i], value ? value : "");
	}
	return object;
}

static int put_config(const struct container *container, const struct json_at *spec,
		      struct json_t *object)
{
	struct json_t *config = json_new_object();
	struct json_at process = json_member(spec, "process");
	json_put_string(config, "Hostname", container->hostname);
	json_put_bool(config, "Tty", container->terminal);
	json_put_bool(config, "OpenStdin", container->interactive);
	json_put(config, "Env", copy_of(&process, "env"));
	json_put(config, "Cmd", copy_of(&process, "args"));
	json_put_string(config, "Image", container->image);
	json_put(config, "WorkingDir", copy_of(&process, "cwd"));
	json_put(config, "Labels", labels_object(container));
	if (container->stop_signal)
		json_put_string(config, "StopSignal", container->stop_signal);
	struct json_at root = container_root(container);
	if (json_member(&root, "health").value)
		json_put(config, "Healthcheck", copy_of(&root, "health"));
	json_put(object, "Config", config);
	return 0;
}

static void put_host_config(const struct container *container, struct json_t *object)
{
	struct json_at root = container_root(container);
	struct json_t *config = json_new_object(), *restart = json_new_object();
	json_put_string(config, "NetworkMode", container->network_mode);
	json_put(config, "PortBindings", copy_of(&root, "publish"));
	json_put_string(restart, "Name", container->restart ? container->restart : "no");
	json_put(config, "RestartPolicy", restart);
	json_put_bool(config, "AutoRemove", container->temporary);
	json_put(config, "Dns", copy_of(&root, "dns"));
	json_put(config, "ExtraHosts", copy_of(&root, "addHosts"));
	json_put(object, "HostConfig", config);
}

int container_inspect(struct engine *engine, const char *reference, struct json_t **ret_object,
		      struct error *err)
{
	AUTO(container) container = NULL;
	struct container_now now;
	auto_json document = NULL;
	auto_json object = json_new_object();
	int r = container_find_now(engine, reference, &container, &now, err);
	if (r < 0)
		return r;
	struct path dir = container_dir(engine, container->id);
	struct path config = path_in(dir, MONITOR_CONFIG), log = path_in(dir, "log");
	struct json_at root = container_root(container), saved, spec;
	r = json_read_file(config.text, MONITOR_CONFIG_SIZE_MAX, &document, err);
	if (r < 0)
		return r;
	saved = json_root(document, config.text);
	spec = json_member(&saved, "spec");
	json_put_string(object, "Id", container->id);
	put_time(object, "Created", container->created_ns);
	json_put_string(object, "Name", container->name);
	put_state(&now, now.status == CONTAINER_RUNNING ? health_state(engine, container) : NULL,
		  object);
	json_put_string(object, "Image", container->image_id);
	json_put_string(object, "LogPath", log.text);
	put_host_config(container, object);
	json_put(object, "Mounts", copy_of(&root, "mounts"));
	put_config(container, &spec, object);
	r = put_network(engine, container, object, err);
	if (r == 0)
		*ret_object = TAKE(object);
	return r;
}

int container_logs(struct engine *engine, const char *reference, const struct log_query *query,
		   struct log_reader **ret_reader, bool *ret_running, struct error *err)
{
	AUTO(container) container = NULL;
	struct container_now now;
	int r = container_find(engine, reference, &container, err);
	if (r == 0)
		r = container_look(engine, container, &now, err);
	if (r < 0)
		return r;
	*ret_running = container_is_running(&now) && !now.orphaned;
	return log_reader_open(container_dir(engine, container->id).text, query, ret_reader, err);
}
