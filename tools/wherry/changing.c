/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs on containers that run and go on running: attach, pause, unpause, update, port. */
#include "changing.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "each.h"

struct attach_options {
	bool no_stdin, no_signals;
	const char *detach_keys;
};
#define ATTACH(member) offsetof(struct attach_options, member)
static const struct option_spec attach_rows[] = {
	{ "no-stdin", 0, OPTION_FLAG, ATTACH(no_stdin), NULL, "Keep our standard input" },
	{ "no-sig-proxy", 0, OPTION_FLAG, ATTACH(no_signals), NULL, "Keep signals to ourselves" },
	{ "detach-keys", 0, OPTION_TEXT, ATTACH(detach_keys), "KEYS", DETACH_KEYS_HELP },
};

static int run_attach(struct cli *cli, const void *data, const struct words *words,
		      struct error *err)
{
	const struct attach_options *options = data;
	struct engine *engine;
	int status = 0;
	bool detached = false;
	struct container_attach attach = { .output = true,
					   .input = !options->no_stdin,
					   .wait = true,
					   .signals = !options->no_signals,
					   .detach_keys = options->detach_keys };
	int r = cli_engine(cli, &engine, err);
	if (r == 0)
		r = container_join(engine, words->items[0], &attach, &status, &detached, err);
	if (r == 0 && detached)
		fprintf(stderr, "\r\nwherry: attach: detached; the container runs on\r\n");
	return r < 0 ? r : detached ? 0 : status;
}

static int pause_one(struct engine *engine, const char *reference, const void *data,
		     struct error *err)
{
	(void)data;
	return container_pause(engine, reference, err);
}

static int run_pause(struct cli *cli, const void *data, const struct words *words,
		     struct error *err)
{
	return do_each(cli, "pause", words, pause_one, data, err);
}

static int unpause_one(struct engine *engine, const char *reference, const void *data,
		       struct error *err)
{
	(void)data;
	return container_unpause(engine, reference, err);
}

static int run_unpause(struct cli *cli, const void *data, const struct words *words,
		       struct error *err)
{
	return do_each(cli, "unpause", words, unpause_one, data, err);
}

#define UPDATE(member) offsetof(struct container_options, member)
static const struct option_spec update_rows[] = {
	{ "memory", 'm', OPTION_SIZE, UPDATE(memory_bytes), "SIZE",
	  "Limit of memory, such as 64m" },
	{ "cpus", 0, OPTION_TEXT, UPDATE(cpus), "NUMBER", "Limit of CPU time, such as 1.5" },
	{ "pids-limit", 0, OPTION_NUMBER, UPDATE(pids_limit), "NUMBER", "Limit of processes" },
	{ "restart", 0, OPTION_TEXT, UPDATE(restart), "POLICY",
	  "no, on-failure[:MAX], always, unless-stopped" },
};
static const struct container_options update_defaults = CONTAINER_OPTIONS_NONE;

static int update_one(struct engine *engine, const char *reference, const void *data,
		      struct error *err)
{
	return container_update_limits(engine, reference, data, err);
}

static int run_update(struct cli *cli, const void *data, const struct words *words,
		      struct error *err)
{
	const struct container_options *options = data;
	if (!options->memory_bytes && !options->cpus && options->pids_limit < 0 &&
	    !options->restart)
		return error_set(err, EINVAL,
				 "nothing to change: --memory, --cpus, --pids-limit or --restart");
	return do_each(cli, "update", words, update_one, data, err);
}

/* --- port ------------------------------------------------------------------------ */

/* "80", "80/tcp" or NULL against the key "80/tcp" of inspect. */
static bool is_wanted(const char *wanted, const char *key)
{
	if (!wanted)
		return true;
	size_t size = strlen(wanted);
	return strchr(wanted, '/')
		       ? text_equal(wanted, key)
		       : strncmp(wanted, key, size) == 0 && text_equal(key + size, "/tcp");
}

static int print_bindings(const char *key, const struct json_at *list, bool bare, struct error *err)
{
	for (size_t i = 0; i < json_count(list); i++) {
		struct json_at row = json_element(list, i);
		const char *ip = NULL, *port = NULL;
		int r = json_get_string(&row, "HostIp", JSON_REQUIRED, &ip, err);
		if (r == 0)
			r = json_get_string(&row, "HostPort", JSON_REQUIRED, &port, err);
		if (r < 0)
			return r;
		bool v6 = strchr(ip, ':');
		if (!bare)
			printf("%s -> ", key);
		printf("%s%s%s:%s\n", v6 ? "[" : "", ip, v6 ? "]" : "", port);
	}
	return 0;
}

static int run_port(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	struct engine *engine;
	auto_json object = NULL;
	const char *wanted = words->count > 1 ? words->items[1] : NULL;
	struct json_at ports;
	size_t found = 0;
	(void)data;
	int r = cli_engine(cli, &engine, err);
	if (r == 0)
		r = container_inspect(engine, words->items[0], &object, err);
	if (r < 0)
		return r;
	struct json_at root = json_root(object, "inspect");
	struct json_at settings = json_member(&root, "NetworkSettings");
	ports = json_member(&settings, "Ports");
	for (size_t i = 0; r == 0 && i < json_count(&ports); i++) {
		struct json_at list = json_member_at(&ports, i);
		if (!is_wanted(wanted, list.key))
			continue;
		found++;
		r = print_bindings(list.key, &list, wanted != NULL, err);
	}
	if (r == 0 && wanted && !found)
		return error_set(err, ENOENT, "container %s publishes no port %s", words->items[0],
				 wanted);
	return r;
}

static const struct verb verbs[] = {
	{
		.spec = { .name = "attach",
			  .words = "CONTAINER",
			  .summary = "Stay with a container that runs: its output, our input",
			  .detail = "Exit status: that of the container's command, or 0 after the "
				    "detach keys.",
			  .options = attach_rows,
			  .option_count = ARRAY_SIZE(attach_rows),
			  .words_min = 1,
			  .words_max = 1 },
		.options_size = sizeof(struct attach_options),
		.run = run_attach,
	},
	{
		.spec = { .name = "pause",
			  .words = "CONTAINER…",
			  .summary = "Stop the processes of containers where they are",
			  .words_min = 1,
			  .words_max = -1 },
		.run = run_pause,
	},
	{
		.spec = { .name = "unpause",
			  .words = "CONTAINER…",
			  .summary = "Let the processes of paused containers go on",
			  .words_min = 1,
			  .words_max = -1 },
		.run = run_unpause,
	},
	{
		.spec = { .name = "update",
			  .words = "CONTAINER…",
			  .summary = "Change limits and restart policy of containers",
			  .options = update_rows,
			  .option_count = ARRAY_SIZE(update_rows),
			  .words_min = 1,
			  .words_max = -1 },
		.options_size = sizeof(struct container_options),
		.defaults = &update_defaults,
		.run = run_update,
	},
	{
		.spec = { .name = "port",
			  .words = "CONTAINER [PORT[/PROTOCOL]]",
			  .summary = "Show where a container's ports are published",
			  .words_min = 1,
			  .words_max = 2 },
		.run = run_port,
	},
};

const struct verb_group verb_group_changing = { "Containers that go on", verbs, ARRAY_SIZE(verbs) };
