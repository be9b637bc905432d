/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `create`: everything that can be checked is checked, then the directory is
 * made, then the record is added. A failure undoes what was done before it.
 */
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/loop.h"
#include "draft.h"
#include "events.h"
#include "health.h"
#include "names.h"
#include "publish.h"
#include "spec.h"

static void draft_release(struct draft *draft)
{
	image_release(&draft->image);
	saved_release(&draft->saved);
	free(draft->volumes);
	json_free(draft->networks);
	json_free(draft->publish);
	json_free(draft->health);
	words_free(&draft->publish_from);
	words_free(&draft->env);
}

static int take_image(struct draft *draft, const char *reference, struct error *err)
{
	struct image_store *store;
	int r = engine_images(draft->engine, &store, err);
	if (r == 0)
		r = image_find(store, reference, &draft->image, err);
	if (r == 0)
		return error_set(err, ENOENT,
				 "no such image: %s (`wherry images` lists those that are there, "
				 "`wherry load -i FILE` brings more)",
				 reference);
	return r < 0 ? r : 0;
}

static int take_names(struct draft *draft, struct error *err)
{
	const struct container_options *options = draft->options;
	int r = container_id_make(draft->id, err);
	if (r == 0 && !options->name)
		r = container_name_make(draft->name, sizeof draft->name, err);
	if (r < 0)
		return r;
	if (options->name && !text_is_name(options->name, CONTAINER_NAME_MAX - 1))
		return error_set(err, EINVAL, "--name %s: is not of [a-zA-Z0-9][a-zA-Z0-9_.-]*",
				 options->name);
	if (options->name)
		snprintf(draft->name, sizeof draft->name, "%s", options->name);
	if (options->hostname && (!options->hostname[0] || strchr(options->hostname, '/') ||
				  strlen(options->hostname) >= HOSTNAME_SIZE_MAX))
		return error_set(err, EINVAL, "--hostname %s: has 1 to %d characters",
				 options->hostname, HOSTNAME_SIZE_MAX - 1);
	snprintf(draft->hostname, sizeof draft->hostname, "%.*s",
		 options->hostname ? HOSTNAME_SIZE_MAX - 1 : CONTAINER_ID_SHORT,
		 options->hostname ? options->hostname : draft->id);
	draft->dir = container_dir(draft->engine, draft->id);
	return 0;
}

static int take_ports(struct draft *draft, struct error *err)
{
	auto_publish_list list = { 0 };
	const struct container_options *options = draft->options;
	int r = 0;
	for (size_t i = 0; r == 0 && i < options->publish.count; i++)
		r = publish_list_add(&list, options->publish.items[i], err);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < options->publish_from.count; i++)
		r = publish_from_add(&draft->publish_from, options->publish_from.items[i], err);
	if (r < 0)
		return r;
	enum host_firewall ignored;
	if (options->host_firewall &&
	    host_firewall_parse(options->host_firewall, &ignored, err) < 0)
		return error_wrap(err, "--host-firewall");
	for (size_t i = 0; r == 0 && i < options->expose.count; i++) {
		auto_publish_list exposed = { 0 };
		if (strchr(options->expose.items[i], ':') ||
		    publish_list_add(&exposed, options->expose.items[i], err) < 0)
			return error_set(err, EINVAL,
					 "--expose %s: the form is PORT[-PORT][/tcp|udp|sctp]",
					 options->expose.items[i]);
	}
	draft->publish = draft_words_json(&options->publish);
	for (size_t i = 0; options->publish_all && i < options->expose.count; i++)
		json_append(draft->publish, json_new_string(options->expose.items[i]));
	if (options->publish_all)
		for (size_t i = 0; i < draft->image.config.exposed_ports.count; i++)
			json_append(draft->publish,
				    json_new_string(draft->image.config.exposed_ports.items[i]));
	return 0;
}

/* --- spec --------------------------------------------------------------------- */

static int take_process(struct draft *draft, const struct words *command, struct error *err)
{
	const struct container_options *options = draft->options;
	auto_words env = { 0 };
	int r = 0;
	for (size_t i = 0; r == 0 && i < options->env_files.count; i++)
		r = env_read_file(options->env_files.items[i], &env, err);
	for (size_t i = 0; r == 0 && i < options->env.count; i++)
		r = words_append(&env, options->env.items[i], err);
	for (size_t i = 0; r == 0 && i < env.count; i++)
		r = env_take(&draft->env, env.items[i], err);
	struct process_request request = {
		.config = &draft->image.config,
		.layer_paths = &draft->image.layer_paths,
		.entrypoint = options->entrypoint,
		.command = command,
		.env = &env,
		.user = options->user,
		.working_dir = options->working_dir,
		.hostname = draft->hostname,
		.terminal = options->terminal,
	};
	return r < 0 ? r : spec_set_process(&draft->saved.spec.process, &request, err);
}

static int take_root(struct draft *draft, struct error *err)
{
	struct oci_spec *spec = &draft->saved.spec;
	struct path upper = path_in(draft->dir, "upper"), work = path_in(draft->dir, "work");
	int r = words_copy(&draft->image.layer_paths, &spec->overlay_lower, err);
	if (r == 0)
		r = text_copy(upper.text, &spec->overlay_upper, err);
	if (r == 0)
		r = text_copy(work.text, &spec->overlay_work, err);
	free(spec->hostname);
	spec->hostname = NULL;
	if (r == 0)
		r = text_copy(draft->hostname, &spec->hostname, err);
	if (r == 0 && !spec->cgroup_path)
		r = text_format(&spec->cgroup_path, err, "wherry/%s", draft->id);
	if (text_equal(draft->network_mode, "host")) {
		oci_spec_share_network(spec);
	}
	return r;
}

/* The files that the engine writes at each start. */
static int take_files(struct draft *draft, struct error *err)
{
	static const char *const names[] = { "hosts", "hostname", "resolv.conf" };
	char destination[64];
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(names); i++) {
		struct path source = path_in(draft->dir, names[i]);
		snprintf(destination, sizeof destination, "/etc/%s", names[i]);
		if (!draft_has_volume_at(draft, destination))
			r = oci_spec_add_mount(&draft->saved.spec, "bind", source.text, destination,
					       "rbind,rprivate", err);
	}
	return r;
}

static int take_log_options(struct draft *draft, struct error *err)
{
	struct log_limits *log = &draft->saved.settings.log;
	*log = (struct log_limits){ LOG_SIZE_DEFAULT, LOG_FILES_DEFAULT };
	for (size_t i = 0; i < draft->options->log_options.count; i++) {
		const char *text = draft->options->log_options.items[i];
		uint64_t number;
		if (text_starts_with(text, "max-size=") &&
		    text_to_size_bytes(text + strlen("max-size="), &number) == 0 &&
		    number >= LOG_LINE_MAX)
			log->file_size_bytes = number;
		else if (text_starts_with(text, "max-file=") &&
			 text_to_unsigned(text + strlen("max-file="), 1, LOG_FILES_MAX, &number) ==
				 0)
			log->files = (unsigned)number;
		else
			return error_set(err, EINVAL,
					 "--log-opt %s: known are max-size=SIZE (16k and more) and "
					 "max-file=NUMBER (1 to %d)",
					 text, LOG_FILES_MAX);
	}
	return 0;
}

static int take_policies(struct draft *draft, struct error *err)
{
	const struct container_options *options = draft->options;
	const char *stop_signal =
		options->stop_signal ? options->stop_signal : draft->image.config.stop_signal;
	int signal;
	draft->saved.settings.interactive = options->interactive;
	struct ip server;
	if (options->dns.count > ENDPOINT_SERVERS_MAX)
		return error_set(err, E2BIG, "--dns: at most %d", ENDPOINT_SERVERS_MAX);
	for (size_t i = 0; i < options->dns.count; i++)
		if (ip_parse(options->dns.items[i], &server, err) < 0)
			return error_wrap(err, "--dns");
	if (options->log_driver && !text_equal(options->log_driver, "json-file"))
		return error_set(err, EINVAL, "--log-driver %s: only json-file is there",
				 options->log_driver);
	int r = restart_policy_parse(options->restart, &draft->saved.settings.restart, err);
	if (r == 0 && options->remove && draft->saved.settings.restart.kind != RESTART_NO)
		return error_set(err, EINVAL, "--rm and --restart: only one of them");
	if (r == 0 && stop_signal && signal_parse(stop_signal, &signal, err) < 0)
		return error_wrap(err, "--stop-signal");
	if (r == 0)
		r = health_settle(options, draft->image.config.healthcheck_json, &draft->health,
				  err);
	draft->saved.settings.health_interval_ms = health_interval_ms(draft->health);
	return r < 0 ? r : take_log_options(draft, err);
}

/* --- making --------------------------------------------------------------------- */

static struct json_t *mounts_json(const struct draft *draft)
{
	static const char *const kinds[] = { "bind", "volume", "anonymous" };
	struct json_t *array = json_new_array();
	for (size_t i = 0; i < draft->volume_count; i++) {
		const struct volume *volume = &draft->volumes[i];
		struct json_t *row = json_new_object();
		json_put_string(row, "Type", kinds[volume->kind]);
		if (volume->name[0])
			json_put_string(row, "Name", volume->name);
		json_put_string(row, "Source", volume->source);
		json_put_string(row, "Destination", volume->destination);
		json_put_bool(row, "RW", !volume->read_only);
		json_append(array, row);
	}
	return array;
}

static struct json_t *labels_json(const struct draft *draft)
{
	struct json_t *array = draft_words_json(&draft->image.config.labels);
	for (size_t i = 0; i < draft->options->labels.count; i++)
		json_append(array, json_new_string(draft->options->labels.items[i]));
	return array;
}

/* What the flags said otherwise than the image: `commit` needs it. */
static void put_told(const struct draft *draft, const struct words *command,
		     struct json_t *document)
{
	const struct container_options *options = draft->options;
	if (options->entrypoint) {
		struct json_t *entrypoint = json_new_array();
		if (options->entrypoint[0])
			json_append(entrypoint, json_new_string(options->entrypoint));
		json_put(document, "entrypoint", entrypoint);
	}
	if (options->entrypoint || command->count)
		json_put(document, "arguments", draft_words_json(command));
	json_put(document, "env", draft_words_json(&draft->env));
	if (options->user)
		json_put_string(document, "user", options->user);
	if (options->working_dir)
		json_put_string(document, "workingDir", options->working_dir);
}

static struct json_t *record_document(struct draft *draft, const char *image,
				      const struct words *command)
{
	const struct container_options *options = draft->options;
	struct json_t *document = json_new_object();
	json_put_string(document, "id", draft->id);
	json_put_string(document, "name", draft->name);
	json_put_string(document, "image", image);
	json_put_string(document, "imageId", draft->image.id);
	json_put_string(document, "hostname", draft->hostname);
	json_put_string(document, "networkMode", draft->network_mode);
	json_put_integer(document, "createdNs", clock_wall_ns());
	json_put_bool(document, "temporary", options->remove);
	json_put_bool(document, "terminal", options->terminal);
	json_put_bool(document, "interactive", options->interactive);
	json_put_integer(document, "stopTimeout", options->stop_timeout_s);
	const char *stop_signal =
		options->stop_signal ? options->stop_signal : draft->image.config.stop_signal;
	if (stop_signal)
		json_put_string(document, "stopSignal", stop_signal);
	if (options->restart)
		json_put_string(document, "restart", options->restart);
	json_put(document, "command", draft_words_json(&draft->saved.spec.process.args));
	put_told(draft, command, document);
	json_put(document, "labels", labels_json(draft));
	json_put(document, "mounts", mounts_json(draft));
	json_put(document, "networks", TAKE(draft->networks));
	json_put(document, "publish", TAKE(draft->publish));
	json_put(document, "publishFrom", draft_words_json(&draft->publish_from));
	if (draft->health)
		json_put(document, "health", TAKE(draft->health));
	if (options->host_firewall)
		json_put_string(document, "hostFirewall", options->host_firewall);
	json_put(document, "dns", draft_words_json(&options->dns));
	json_put(document, "addHosts", draft_words_json(&options->add_hosts));
	return document;
}

static int make_directories(struct draft *draft, struct error *err)
{
	int r = directory_make(draft->dir.text, 0710, err);
	if (r == 0)
		r = directory_make(path_in(draft->dir, "upper").text, 0755, err);
	if (r == 0)
		r = directory_make(path_in(draft->dir, "work").text, 0700, err);
	for (size_t i = 0; r == 0 && i < draft->volume_count; i++) {
		const struct volume *volume = &draft->volumes[i];
		bool is_new = volume->kind != VOLUME_BIND && !path_exists(volume->source);
		r = volume_make(volume, err);
		if (r == 0 && is_new)
			event_volume(draft->engine, volume->name, "create");
		if (r == 0 && volume->kind != VOLUME_BIND && !volume->no_copy)
			r = volume_fill(&draft->engine->instance, volume, &draft->image.layer_paths,
					path_in(draft->dir, "filling").text, err);
	}
	return r;
}

static void unmake(struct draft *draft)
{
	struct error ignored;
	(void)tree_remove(draft->dir.text, &ignored);
	for (size_t i = 0; i < draft->volume_count; i++)
		if (draft->volumes[i].kind == VOLUME_ANONYMOUS)
			(void)volume_remove(&draft->engine->instance, draft->volumes[i].name,
					    &ignored);
}

static int make(struct draft *draft, const char *image, const struct words *command,
		struct error *err)
{
	AUTO(container) container = NULL;
	int r = make_directories(draft, err);
	if (r == 0)
		r = saved_write(draft->engine, draft->id, &draft->saved, err);
	if (r == 0)
		r = container_from_document(record_document(draft, image, command), &container,
					    err);
	if (r == 0)
		r = container_add(draft->engine, container, err);
	if (r < 0)
		unmake(draft);
	else
		event_container(draft->engine, container, "create", NULL, NULL);
	return r;
}

static void tell(struct draft *draft, const char *image)
{
	struct engine *engine = draft->engine;
	char command[ENGINE_PATH_MAX + 32];
	engine_step(engine, NULL, "image %s is %.19s: %zu layers, unpacked once for all", image,
		    draft->image.id, draft->image.layer_paths.count);
	for (size_t i = 0; i < draft->image.layer_paths.count; i++) {
		snprintf(command, sizeof command, "ls %s", draft->image.layer_paths.items[i]);
		engine_step(engine, command, "layer %zu lies in a directory, read-only", i + 1);
	}
	snprintf(command, sizeof command, "ls %s", draft->dir.text);
	engine_step(engine, command, "container %.12s is named %s; its own changes go to upper",
		    draft->id, draft->name);
}

int container_create(struct engine *engine, const struct container_options *options,
		     const char *image, const struct words *command, char ret_id[CONTAINER_ID_SIZE],
		     struct error *err)
{
	__attribute__((cleanup(draft_release))) struct draft draft = { .engine = engine,
								       .options = options };
	int r = take_image(&draft, image, err);
	if (r == 0)
		r = take_names(&draft, err);
	if (r == 0)
		r = take_ports(&draft, err);
	if (r == 0)
		r = take_policies(&draft, err);
	if (r == 0)
		r = oci_spec_default(draft.id, &draft.saved.spec, err);
	if (r == 0)
		r = take_process(&draft, command, err);
	if (r == 0)
		r = spec_set_isolation(engine, &draft.saved.spec, options, err);
	if (r == 0)
		r = draft_take_volumes(&draft, err);
	if (r == 0)
		r = take_files(&draft, err);
	if (r == 0)
		r = draft_take_network(&draft, err);
	if (r == 0)
		r = take_root(&draft, err);
	if (r == 0)
		r = make(&draft, image, command, err);
	if (r < 0)
		return r;
	tell(&draft, image);
	snprintf(ret_id, CONTAINER_ID_SIZE, "%s", draft.id);
	return 0;
}
