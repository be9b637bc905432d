/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state, list, ps, spec, features.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>

#include "base/file.h"
#include "base/json.h"
#include "base/table.h"
#include "container.h"

static int print_json(const struct json_t *value, struct error *err)
{
	auto_free char *text = NULL;
	int r = json_format(value, JSON_INDENTED, &text, err);
	if (r == 0)
		puts(text);
	return r;
}

static int verb_state(struct cli *cli, void *target, const struct words *words, struct error *err)
{
	(void)target;
	auto_container container = { 0 };
	int r = container_load(cli, words->items[0], &container, err);
	if (r < 0)
		return r;
	auto_json state = container_json(&container);
	return print_json(state, err);
}

struct list_options {
	const char *format;
	bool quiet;
};

/* A container that goes away while we read is left out. */
static int list_all(const struct cli *cli,
		    int (*visit)(const struct container *container, void *context,
				 struct error *err),
		    void *context, struct error *err)
{
	auto_dir dir = opendir(cli->root);
	int r = 0;
	for (struct dirent *entry; r == 0 && dir && (entry = readdir(dir));) {
		auto_container container = { 0 };
		struct error ignored = { 0 };
		if (entry->d_name[0] == '.' ||
		    container_load(cli, entry->d_name, &container, &ignored) < 0)
			continue;
		r = visit(&container, context, err);
	}
	return r;
}

static int add_json(const struct container *container, void *context, struct error *err)
{
	(void)err;
	json_append(context, container_json(container));
	return 0;
}

static int print_id(const struct container *container, void *context, struct error *err)
{
	(void)context;
	(void)err;
	puts(container->spec.id);
	return 0;
}

static int add_row(const struct container *container, void *context, struct error *err)
{
	(void)err;
	const char *status = container_status(container);
	table_cell(context, "%s", container->spec.id);
	table_cell(context, "%d", text_equal(status, "stopped") ? 0 : (int)container->process.pid);
	table_cell(context, "%s", status);
	table_cell(context, "%s", container->spec.bundle ? container->spec.bundle : "");
	table_cell(context, "%s", container->created);
	table_cell(context, "%s", container->owner);
	return 0;
}

static int list_as_table(const struct cli *cli, struct error *err)
{
	static const char *const titles[] = { "ID",      "PID",   "STATUS", "BUNDLE",
					      "CREATED", "OWNER", NULL };
	AUTO(table) table = NULL;
	int r = table_create(titles, &table, err);
	if (r == 0)
		r = list_all(cli, add_row, table, err);
	return r < 0 ? r : table_print(table, stdout, err);
}

static int list_as_json(const struct cli *cli, struct error *err)
{
	auto_json list = json_new_array();
	int r = list_all(cli, add_json, list, err);
	if (r < 0)
		return r;
	struct json_at at = json_root(list, "list");
	if (json_count(&at) == 0) {
		puts("null"); /* what engines know from runc */
		return 0;
	}
	return print_json(list, err);
}

static int verb_list(struct cli *cli, void *target, const struct words *words, struct error *err)
{
	const struct list_options *options = target;
	(void)words;
	if (options->quiet)
		return list_all(cli, print_id, NULL, err);
	if (!options->format || text_equal(options->format, "table"))
		return list_as_table(cli, err);
	if (text_equal(options->format, "json"))
		return list_as_json(cli, err);
	return error_set(err, EINVAL, "--format %s: must be table or json", options->format);
}

static int verb_ps(struct cli *cli, void *target, const struct words *words, struct error *err)
{
	const struct list_options *options = target;
	auto_container container = { 0 };
	auto_free pid_t *pids = NULL;
	size_t count = 0;
	int r = container_load(cli, words->items[0], &container, err);
	if (r == 0)
		r = oci_pids(&container.spec, &pids, &count, err);
	if (r < 0)
		return r;
	if (!options->format || !text_equal(options->format, "json")) {
		for (size_t i = 0; i < count; i++)
			printf("%d\n", (int)pids[i]);
		return 0;
	}
	auto_json list = json_new_array();
	for (size_t i = 0; i < count; i++)
		json_append(list, json_new_integer(pids[i]));
	auto_free char *text = NULL;
	r = json_format(list, JSON_COMPACT, &text, err);
	if (r == 0)
		puts(text);
	return r;
}

struct spec_options {
	const char *bundle;
};

static int fill_example(struct oci_spec *spec, struct error *err)
{
	int r = words_append(&spec->process.args, "sh", err);
	if (r == 0)
		r = words_append(
			&spec->process.env,
			"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", err);
	if (r == 0)
		r = text_copy("wherry", &spec->hostname, err);
	free(spec->rootfs);
	spec->rootfs = NULL;
	free(spec->cgroup_path); /* each container its own */
	spec->cgroup_path = NULL;
	free(spec->id);
	spec->id = NULL;
	return r < 0 ? r : text_copy("rootfs", &spec->rootfs, err);
}

static int verb_spec(struct cli *cli, void *target, const struct words *words, struct error *err)
{
	const struct spec_options *options = target;
	(void)cli;
	(void)words;
	auto_oci_spec spec = { 0 };
	auto_json config = NULL;
	auto_free char *text = NULL, *path = NULL;
	int r = oci_spec_default("example", &spec, err);
	if (r == 0)
		r = fill_example(&spec, err);
	if (r == 0)
		r = oci_spec_save(&spec, &config, err);
	if (r == 0)
		r = json_format(config, JSON_INDENTED, &text, err);
	if (r == 0)
		r = text_format(&path, err, "%s/config.json",
				options->bundle ? options->bundle : ".");
	if (r < 0)
		return r;
	if (path_exists(path))
		return error_set(err, EEXIST, "%s is there already", path);
	return file_replace(path, text, strlen(text), 0644, FILE_NO_SYNC, err);
}

static struct json_t *strings(const char *blank_separated)
{
	struct json_t *list = json_new_array();
	auto_words words = { 0 };
	struct error ignored = { 0 };
	if (words_split(blank_separated, ' ', &words, &ignored) == 0)
		for (size_t i = 0; i < words.count; i++)
			json_append(list, json_new_string(words.items[i]));
	return list;
}

static int verb_features(struct cli *cli, void *target, const struct words *words,
			 struct error *err)
{
	(void)cli;
	(void)target;
	(void)words;
	auto_json features = json_new_object();
	struct json_t *linux_part = json_new_object(), *cgroup = json_new_object();
	struct json_t *seccomp = json_new_object();
	json_put_string(features, "ociVersionMin", "1.0.0");
	json_put_string(features, "ociVersionMax", OCI_VERSION);
	json_put(features, "hooks",
		 strings("prestart createRuntime createContainer "
			 "startContainer poststart poststop"));
	json_put(features, "mountOptions",
		 strings("bind rbind ro rw nosuid suid nodev dev noexec exec noatime relatime "
			 "strictatime nodiratime nosymfollow private rprivate slave rslave shared "
			 "rshared unbindable runbindable rro"));
	json_put(linux_part, "namespaces", strings("cgroup ipc mount network pid user uts"));
	json_put_bool(cgroup, "v1", true);
	json_put_bool(cgroup, "v2", true);
	json_put_bool(cgroup, "systemd", false);
	json_put(linux_part, "cgroup", cgroup);
	json_put_bool(seccomp, "enabled", true);
	json_put(linux_part, "seccomp", seccomp);
	json_put(features, "linux", linux_part);
	return print_json(features, err);
}

static const struct option_spec list_table[] = {
	TEXT("format", 'f', struct list_options, format, "FORMAT", "table or json"),
	FLAG("quiet", 'q', struct list_options, quiet, "only ids"),
};
static const struct option_spec spec_table[] = {
	TEXT("bundle", 'b', struct spec_options, bundle, "DIR", "where to write config.json"),
};

const struct verb verbs_show[] = {
	{ { "state", "ID", "Print the state of a container as JSON", NULL, NULL, 0,
	    OPTIONS_ANYWHERE, 1, 1 },
	  0,
	  verb_state },
	{ { "list", "", "List containers", NULL, list_table, ARRAY_SIZE(list_table),
	    OPTIONS_ANYWHERE, 0, 0 },
	  sizeof(struct list_options),
	  verb_list },
	{ { "ps", "ID", "Pids of a container's processes", NULL, list_table, 1, OPTIONS_ANYWHERE, 1,
	    1 },
	  sizeof(struct list_options),
	  verb_ps },
	{ { "spec", "", "Write an example of config.json", NULL, spec_table, ARRAY_SIZE(spec_table),
	    OPTIONS_ANYWHERE, 0, 0 },
	  sizeof(struct spec_options),
	  verb_spec },
	{ { "features", "", "Print what this runtime can, as JSON", NULL, NULL, 0, OPTIONS_ANYWHERE,
	    0, 0 },
	  0,
	  verb_features },
	{ .spec.name = NULL },
};
