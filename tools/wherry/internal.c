/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs that wherry-monitor runs, so that it stays small. */
#include <errno.h>

#include "runtime/engine.h"
#include "runtime/monitor.h"
#include "runtime/oci.h"
#include "verbs.h"

#define PID_MAX_LIMIT (1u << 22)

static int run_attach(struct cli *cli, const void *options, const struct words *words,
		      struct error *err)
{
	struct engine *engine;
	uint64_t pid;
	(void)options;
	if (text_to_unsigned(words->items[1], 1, PID_MAX_LIMIT, &pid) < 0)
		return error_set(err, EINVAL, "%s: is no process", words->items[1]);
	int r = cli_engine(cli, &engine, err);
	return r < 0 ? r : container_attach_network(engine, words->items[0], (pid_t)pid, err);
}

static int run_cleanup(struct cli *cli, const void *options, const struct words *words,
		       struct error *err)
{
	struct engine *engine;
	(void)options;
	int r = cli_engine(cli, &engine, err);
	return r < 0 ? r : container_cleanup(engine, words->items[0], err);
}

static int run_health(struct cli *cli, const void *options, const struct words *words,
		      struct error *err)
{
	struct engine *engine = NULL;
	(void)options;
	/* It becomes the parent of what runs inside. */
	int r = oci_protect_self(cli->argv, err);
	if (r == 0)
		r = cli_engine(cli, &engine, err);
	return r < 0 ? r : container_check_health(engine, words->items[0], err);
}

static const struct verb verbs[] = {
	{
		.spec = { .name = VERB_INTERNAL_HEALTH,
			  .words = "ID",
			  .summary = "Check a container's health once",
			  .words_min = 1,
			  .words_max = 1 },
		.run = run_health,
		.visibility = VERB_HIDDEN,
	},
	{
		.spec = { .name = VERB_INTERNAL_ATTACH,
			  .words = "ID PID",
			  .summary = "Give a container's next life its network",
			  .words_min = 2,
			  .words_max = 2 },
		.run = run_attach,
		.visibility = VERB_HIDDEN,
	},
	{
		.spec = { .name = VERB_INTERNAL_CLEANUP,
			  .words = "ID",
			  .summary = "Clear up after a container's end",
			  .words_min = 1,
			  .words_max = 1 },
		.run = run_cleanup,
		.visibility = VERB_HIDDEN,
	},
};

const struct verb_group verb_group_internal = { NULL, verbs, ARRAY_SIZE(verbs) };
