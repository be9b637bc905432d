/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What this program, its instance and their disk are: info, version, system df. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "image_rows.h"
#include "output.h"
#include "runtime/engine.h"
#include "runtime/oci.h"
#include "template.h"
#include "verbs.h"

struct show_options {
	const char *format, *output;
	bool verbose;
};
#define SHOW(member) offsetof(struct show_options, member)
static const struct option_spec show_rows[] = {
	{ "format", 'f', OPTION_TEXT, SHOW(format), "TEMPLATE",
	  "Such as {{.ServerVersion}}; json" },
	{ "output", 'o', OPTION_TEXT, SHOW(output), "FORMAT", "text or json" },
};

/* --format and -o of one object; 1: neither was given. */
static int print_as_asked(const struct show_options *options, const struct json_t *object,
			  struct error *err)
{
	auto_text text = { 0 };
	const char *format = options->format;
	if (options->output && text_equal(options->output, "json"))
		format = "json";
	else if (options->output && !text_equal(options->output, "text"))
		return error_set(err, EINVAL, "-o %s: is neither text nor json", options->output);
	if (!format)
		return 1;
	int r = template_fill(text_equal(format, "json") ? "{{json .}}" : format, object, &text,
			      err);
	if (r == 0)
		printf("%s\n", text.data ? text.data : "");
	return r;
}

/* --- info ------------------------------------------------------------------------------- */

static void print_value(const struct json_at *object, const char *key, const char *title)
{
	struct json_at member = json_member(object, key);
	auto_text text = { 0 };
	auto_text list = { 0 };
	struct error ignored;
	text_append(&text, "{{.%s}}", key);
	for (size_t i = 0; !json_is_string(&member) && i < json_count(&member); i++) {
		struct json_at item = json_element(&member, i);
		const char *word = "";
		(void)json_as_string(&item, &word, &ignored);
		text_append(&list, "%s%s", i ? " " : "", word);
	}
	if (!list.size)
		(void)template_fill(text.data, object->value, &list, &ignored);
	printf("%s: %s\n", title, list.data ? list.data : "");
}

static void print_warnings(const struct json_at *object)
{
	struct json_at warnings = json_member(object, "Warnings");
	for (size_t i = 0; i < json_count(&warnings); i++) {
		struct json_at item = json_element(&warnings, i);
		const char *text = "";
		struct error ignored;
		(void)json_as_string(&item, &text, &ignored);
		fprintf(stderr, "wherry: info: no limit can be set for %s\n", text);
	}
}

static int run_info(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	static const struct {
		const char *key, *title;
	} rows[] = {
		{ "Containers", "Containers" },
		{ "ContainersRunning", " Running" },
		{ "ContainersPaused", " Paused" },
		{ "ContainersStopped", " Stopped" },
		{ "Images", "Images" },
		{ "ServerVersion", "Server Version" },
		{ "Driver", "Storage Driver" },
		{ "LoggingDriver", "Logging Driver" },
		{ "CgroupDriver", "Cgroup Driver" },
		{ "CgroupVersion", "Cgroup Version" },
		{ "DefaultRuntime", "Default Runtime" },
		{ "SecurityOptions", "Security Options" },
		{ "KernelVersion", "Kernel Version" },
		{ "OperatingSystem", "Operating System" },
		{ "OSType", "OSType" },
		{ "Architecture", "Architecture" },
		{ "NCPU", "CPUs" },
		{ "MemTotal", "Total Memory" },
		{ "Name", "Name" },
		{ "DockerRootDir", "Root Dir" },
		{ "RunDir", "Run Dir" },
	};
	const struct show_options *options = data;
	struct engine *engine;
	auto_json object = NULL;
	(void)words;
	int r = cli_engine(cli, &engine, err);
	if (r == 0)
		r = engine_info(engine, &object, err);
	if (r == 0)
		r = print_as_asked(options, object, err);
	if (r != 1)
		return r;
	struct json_at root = json_root(object, "info");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		print_value(&root, rows[i].key, rows[i].title);
	print_warnings(&root);
	return 0;
}

/* --- version ------------------------------------------------------------------------------ */

/* There is no server: both halves are this program. */
static struct json_t *version_half(const struct utsname *host)
{
	struct json_t *half = json_new_object();
	json_put_string(half, "Version", WHERRY_VERSION);
	json_put_string(half, "Os", "linux");
	json_put_string(half, "Arch",
			text_equal(host->machine, "x86_64")    ? "amd64"
			: text_equal(host->machine, "aarch64") ? "arm64"
							       : host->machine);
	json_put_string(half, "KernelVersion", host->release);
	json_put_string(half, "OCIVersion", OCI_VERSION);
	json_put_string(half, "SeccompVersion", oci_seccomp_version().text);
	return half;
}

static int run_version(struct cli *cli, const void *data, const struct words *words,
		       struct error *err)
{
	static const char text[] = " OS/Arch: {{.Client.Os}}/{{.Client.Arch}}\n"
				   " Kernel: {{.Client.KernelVersion}}\n"
				   " OCI runtime spec: {{.Client.OCIVersion}}\n"
				   " libseccomp: {{.Client.SeccompVersion}}\n";
	struct utsname host;
	auto_json object = json_new_object();
	auto_text lines = { 0 };
	(void)cli;
	(void)words;
	uname(&host);
	json_put(object, "Client", version_half(&host));
	json_put(object, "Server", version_half(&host));
	int r = print_as_asked(data, object, err);
	if (r != 1)
		return r;
	r = template_fill(text, object, &lines, err);
	if (r == 0)
		printf("wherry %s\n%s", WHERRY_VERSION, lines.data);
	return r;
}

/* --- system df ------------------------------------------------------------------------------ */

static const struct option_spec df_rows[] = {
	{ "verbose", 'v', OPTION_FLAG, SHOW(verbose), NULL, "Each image, container and volume" },
	{ "format", 0, OPTION_TEXT, SHOW(format), "TEMPLATE", "Such as {{.Type}} {{.Size}}; json" },
	{ "output", 'o', OPTION_TEXT, SHOW(output), "FORMAT", "table or json" },
};

/* A kind of thing on the disk. */
struct kind {
	const char *type;
	uint64_t total, active, bytes, reclaimable;
};

static void put_kind(const struct kind *kind, struct json_t *rows)
{
	struct json_t *row = json_new_object();
	char text[64], size[32];
	snprintf(text, sizeof text, "%llu", (unsigned long long)kind->total);
	json_put_string(row, "Type", kind->type);
	json_put_string(row, "TotalCount", text);
	snprintf(text, sizeof text, "%llu", (unsigned long long)kind->active);
	json_put_string(row, "Active", text);
	output_size(kind->bytes, size, sizeof size);
	json_put_string(row, "Size", size);
	output_size(kind->reclaimable, size, sizeof size);
	if (kind->bytes)
		snprintf(text, sizeof text, "%s (%llu%%)", size,
			 (unsigned long long)(kind->reclaimable * 100 / kind->bytes));
	json_put_string(row, "Reclaimable", kind->bytes ? text : size);
	json_put_integer(row, "SizeBytes", (int64_t)kind->bytes);
	json_put_integer(row, "ReclaimableBytes", (int64_t)kind->reclaimable);
	json_append(rows, row);
}

static const char *text_of(const struct json_at *row, const char *key)
{
	const char *text = "";
	struct error ignored;
	(void)json_get_string(row, key, JSON_OPTIONAL, &text, &ignored);
	return text;
}

/* Adds the column Size to each row of containers, and sums up. */
static int size_containers(struct engine *engine, struct kind *kind, struct json_t **ret_rows,
			   struct error *err)
{
	struct container_filter all = { .all = true };
	auto_json rows = NULL;
	auto_json sized = json_new_array();
	int r = containers_list(engine, &all, &rows, err);
	struct json_at root = json_root(rows, "containers");
	for (size_t i = 0; r == 0 && i < json_count(&root); i++) {
		struct json_at row = json_element(&root, i);
		uint64_t bytes = 0;
		char size[32];
		struct error ignored; /* it went just now */
		(void)container_disk_usage(engine, text_of(&row, "FullID"), &bytes, &ignored);
		bool active = !text_equal(text_of(&row, "State"), "exited") &&
			      !text_equal(text_of(&row, "State"), "created");
		struct json_t *copy = json_clone(row.value);
		output_size(bytes, size, sizeof size);
		json_put_string(copy, "Size", size);
		json_append(sized, copy);
		kind->total++;
		kind->active += active;
		kind->bytes += bytes;
		kind->reclaimable += active ? 0 : bytes;
	}
	if (r == 0)
		*ret_rows = TAKE(sized);
	return r;
}

static int size_volumes(struct engine *engine, struct kind *kind, struct json_t **ret_rows,
			struct error *err)
{
	auto_words none = { 0 };
	auto_json rows = NULL;
	auto_json sized = json_new_array();
	int r = volumes_list(engine, &none, &rows, err);
	struct json_at root = json_root(rows, "volumes");
	for (size_t i = 0; r == 0 && i < json_count(&root); i++) {
		struct json_at row = json_element(&root, i);
		const char *name = text_of(&row, "Name");
		char user[CONTAINER_NAME_MAX], size[32];
		uint64_t bytes = 0;
		struct error ignored;
		(void)volume_disk_usage(engine, name, &bytes, &ignored);
		int used = volume_find_user(engine, name, user, sizeof user, err);
		struct json_t *copy = json_clone(row.value);
		output_size(bytes, size, sizeof size);
		json_put_string(copy, "Links", used == 1 ? "1" : "0");
		json_put_string(copy, "Size", size);
		json_append(sized, copy);
		kind->total++;
		kind->active += used == 1;
		kind->bytes += bytes;
		kind->reclaimable += used == 1 ? 0 : bytes;
		r = used < 0 ? used : 0;
	}
	if (r == 0)
		*ret_rows = TAKE(sized);
	return r;
}

#define OUTPUT_OF(list)                                           \
	{                                                         \
		.columns = list, .column_count = ARRAY_SIZE(list) \
	}

static int print_part(const char *title, const struct output *output, const struct json_t *rows,
		      struct error *err)
{
	printf("%s:\n\n", title);
	int r = output_rows(output, rows, stdout, err);
	printf("\n");
	return r;
}

static int print_verbose(struct cli *cli, const struct json_t *containers,
			 const struct json_t *volumes, struct error *err)
{
	static const struct output_column image_columns[] = {
		{ "REPOSITORY", "Repository" }, { "TAG", "Tag" },   { "IMAGE ID", "ID" },
		{ "CREATED", "CreatedSince" },  { "SIZE", "Size" },
	};
	static const struct output_column container_columns[] = {
		{ "CONTAINER ID", "ID" }, { "IMAGE", "Image" },        { "COMMAND", "Command" },
		{ "SIZE", "Size" },       { "CREATED", "RunningFor" }, { "STATUS", "Status" },
		{ "NAMES", "Names" },
	};
	static const struct output_column volume_columns[] = { { "VOLUME NAME", "Name" },
							       { "LINKS", "Links" },
							       { "SIZE", "Size" } };
	struct output image_output = OUTPUT_OF(image_columns);
	struct output container_output = OUTPUT_OF(container_columns);
	struct output volume_output = OUTPUT_OF(volume_columns);
	auto_json images = NULL;
	int r = image_rows(cli, &images, err);
	if (r == 0)
		r = print_part("Images space usage", &image_output, images, err);
	if (r == 0)
		r = print_part("Containers space usage", &container_output, containers, err);
	return r < 0 ? r : print_part("Local Volumes space usage", &volume_output, volumes, err);
}

static int run_df(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	static const struct output_column columns[] = {
		{ "TYPE", "Type" }, { "TOTAL", "TotalCount" },        { "ACTIVE", "Active" },
		{ "SIZE", "Size" }, { "RECLAIMABLE", "Reclaimable" },
	};
	const struct show_options *options = data;
	struct output output = { .columns = columns,
				 .column_count = ARRAY_SIZE(columns),
				 .format = options->format,
				 .output = options->output };
	struct kind containers = { "Containers", 0, 0, 0, 0 };
	struct kind volumes = { "Local Volumes", 0, 0, 0, 0 };
	struct image_disk disk = { 0 };
	struct image_store *store;
	auto_json rows = json_new_array();
	auto_json container_list = NULL;
	auto_json volume_list = NULL;
	(void)words;
	int r = cli_images(cli, &store, err);
	if (r == 0)
		r = image_disk_usage(store, engine_image_in_use, cli->engine, &disk, err);
	if (r == 0)
		r = size_containers(cli->engine, &containers, &container_list, err);
	if (r == 0)
		r = size_volumes(cli->engine, &volumes, &volume_list, err);
	if (r < 0)
		return r;
	if (options->verbose)
		return print_verbose(cli, container_list, volume_list, err);
	put_kind(&(struct kind){ "Images", disk.images, disk.images_used, disk.bytes,
				 disk.bytes - disk.used_bytes },
		 rows);
	put_kind(&containers, rows);
	put_kind(&volumes, rows);
	put_kind(&(struct kind){ "Build Cache", disk.cached_layers, 0, disk.cache_bytes,
				 disk.cache_bytes },
		 rows);
	return output_rows(&output, rows, stdout, err);
}

static const struct verb verbs[] = {
	{
		.spec = { .name = "info",
			  .words = "",
			  .summary = "Show what this instance and its host are",
			  .options = show_rows,
			  .option_count = ARRAY_SIZE(show_rows) },
		.options_size = sizeof(struct show_options),
		.run = run_info,
	},
	{
		.spec = { .name = "version",
			  .words = "",
			  .summary = "Print the version, and those of what it stands on",
			  .options = show_rows,
			  .option_count = ARRAY_SIZE(show_rows) },
		.options_size = sizeof(struct show_options),
		.run = run_version,
	},
	{
		.spec = { .name = "system df",
			  .words = "",
			  .summary = "Show what images, containers and volumes take on the disk",
			  .options = df_rows,
			  .option_count = ARRAY_SIZE(df_rows) },
		.options_size = sizeof(struct show_options),
		.run = run_df,
	},
};

const struct verb_group verb_group_info = { "This instance", verbs, ARRAY_SIZE(verbs) };
