/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs for those who come from other CNI plugins: their lists, and their leases. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/json.h"
#include "cni/convert.h"
#include "cni/host_local.h"
#include "cni/labels.h"
#include "dataplane/dataplane.h"
#include "verbs.h"

#define CONFIGURATION_MAX (1u << 20)

static int run_convert(struct cli *cli, const void *data, const struct words *words,
		       struct error *err)
{
	auto_json source = NULL;
	auto_json list = NULL;
	auto_words notes = { 0 };
	auto_free char *text = NULL;
	(void)cli;
	(void)data;
	int r = json_read_file(words->items[0], CONFIGURATION_MAX, &source, err);
	if (r < 0)
		return r;
	struct json_at root = json_root(source, words->items[0]);
	r = cni_convert(&root, &list, &notes, err);
	if (r == 0)
		r = json_format(list, JSON_INDENTED, &text, err);
	if (r < 0)
		return r;
	printf("%s\n", text);
	for (size_t i = 0; i < notes.count; i++)
		fprintf(stderr, "wherry: %s: %s\n", words->items[0], notes.items[i]);
	return 0;
}

static int run_labels(struct cli *cli, const void *data, const struct words *words,
		      struct error *err)
{
	struct lease_owner owner = { words->items[0], words->count > 1 ? words->items[1] : "eth0" };
	AUTO(store) store = NULL;
	auto_json labels = NULL;
	auto_free char *text = NULL;
	(void)data;
	int r = dataplane_open_store(&cli->instance, &store, err);
	if (r == 0)
		r = cni_labels_read(store, &owner, &labels, err);
	if (r == 0)
		return error_set(err, ENOENT, "no labels are kept of container %s (%s)",
				 owner.container_id, owner.interface);
	if (r > 0)
		r = json_format(labels, JSON_INDENTED, &text, err);
	if (r < 0)
		return r;
	printf("%s\n", text);
	return 0;
}

struct import_options {
	const char *network;
	bool all;
};
static const struct option_spec import_rows[] = {
	{ "network", 0, OPTION_TEXT, offsetof(struct import_options, network), "NAME",
	  "Whose leases they are (default: the folder's name)" },
	{ "all", 'a', OPTION_FLAG, offsetof(struct import_options, all), NULL,
	  "Also those from before the last boot" },
};

/* The last part of a path, without slashes at its end. */
static void folder_name(const char *path, char *ret, size_t size)
{
	char copy[PATH_MAX];
	snprintf(copy, sizeof copy, "%s", path);
	for (size_t end = strlen(copy); end > 1 && copy[end - 1] == '/'; end--)
		copy[end - 1] = '\0';
	const char *slash = strrchr(copy, '/');
	snprintf(ret, size, "%s", slash ? slash + 1 : copy);
}

static int run_import(struct cli *cli, const void *data, const struct words *words,
		      struct error *err)
{
	const struct import_options *options = data;
	struct host_local_counts counts;
	AUTO(store) store = NULL;
	char name[NETWORK_NAME_MAX];
	folder_name(words->items[0], name, sizeof name);
	int r = dataplane_open_store(&cli->instance, &store, err);
	if (r == 0)
		r = host_local_import(
			store, options->network ? options->network : name, words->items[0],
			options->all ? HOST_LOCAL_ANY_AGE : HOST_LOCAL_OF_THIS_BOOT, &counts, err);
	if (r < 0)
		return r;
	printf("%d leases taken over, %d held already, %d from before the boot, %d files that are "
	       "no leases\n",
	       counts.taken, counts.known, counts.stale, counts.strange);
	return 0;
}

static const struct verb verbs[] = {
	{
		.spec = { .name = "cni convert",
			  .words = "FILE",
			  .summary = "Turn a list of the reference's CNI plugins into Wherry's",
			  .detail =
				  "The list goes to standard output; what is not carried over is\n"
				  "told on standard error.",
			  .words_min = 1,
			  .words_max = 1 },
		.run = run_convert,
	},
	{
		.spec = { .name = "cni labels",
			  .words = "CONTAINER [INTERFACE]",
			  .summary = "Show what a CNI runtime told about a container",
			  .words_min = 1,
			  .words_max = 2 },
		.run = run_labels,
	},
	{
		.spec = { .name = "ipam import",
			  .words = "FOLDER",
			  .summary = "Take over the leases of the CNI plugin host-local",
			  .options = import_rows,
			  .option_count = ARRAY_SIZE(import_rows),
			  .words_min = 1,
			  .words_max = 1 },
		.options_size = sizeof(struct import_options),
		.run = run_import,
	},
};

const struct verb_group verb_group_cni = { "Coming from other CNI plugins", verbs,
					   ARRAY_SIZE(verbs) };
