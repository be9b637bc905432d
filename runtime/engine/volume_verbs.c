/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Volumes as things of their own: made, listed, shown, removed. A volume is a
 * directory, and beside it volume.json with its labels; whether it is in use
 * the records of the containers tell.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/loop.h"
#include "record.h"
#include "events.h"
#include "volume.h"

#define ABOUT_FILE "volume.json"
#define ABOUT_SIZE_MAX 65536
#define NAME_MADE_SIZE 64 /* hex digits of a volume without a name of its own */

static struct path volumes_dir(const struct engine *engine)
{
	struct path path;
	snprintf(path.text, sizeof path.text, "%s/volumes", engine->instance.lib);
	return path;
}

static struct path volume_dir(const struct engine *engine, const char *name)
{
	return path_in(volumes_dir(engine), name);
}

static int check_name(const char *name, struct error *err)
{
	return text_is_name(name, VOLUME_NAME_MAX - 1)
		       ? 0
		       : error_set(err, EINVAL,
				   "volume name %s: is not of [a-zA-Z0-9][a-zA-Z0-9_.-]*", name);
}

bool volume_is_anonymous(const char *name)
{
	return strlen(name) == NAME_MADE_SIZE && strspn(name, "0123456789abcdef") == NAME_MADE_SIZE;
}

static int find_volume(struct engine *engine, const char *name, struct error *err)
{
	int r = check_name(name, err);
	if (r == 0 && !path_exists(path_in(volume_dir(engine, name), "_data").text))
		r = error_set(err, ENOENT, "no such volume: %s", name);
	return r;
}

/* --- who has it --------------------------------------------------------------- */

struct user {
	const char *volume;
	char *name;
	size_t size;
};

static int match_user(struct container *container, void *context, struct error *err)
{
	struct user *user = context;
	struct json_at list, root = container_root(container);
	int r = json_get_array(&root, "mounts", JSON_OPTIONAL, &list, err);
	for (size_t i = 0; r == 0 && i < json_count(&list); i++) {
		struct json_at row = json_element(&list, i);
		const char *name = NULL;
		r = json_get_string(&row, "Name", JSON_OPTIONAL, &name, err);
		if (r == 0 && name && text_equal(name, user->volume)) {
			snprintf(user->name, user->size, "%s", container->name);
			return 1;
		}
	}
	return r;
}

int volume_find_user(struct engine *engine, const char *volume, char *ret_name, size_t size,
		     struct error *err)
{
	struct user user = { volume, ret_name, size };
	return containers_each(engine, match_user, &user, err);
}

/* --- what is told of it ------------------------------------------------------- */

static struct json_t *labels_json(const struct words *labels)
{
	struct json_t *object = json_new_object();
	for (size_t i = 0; i < labels->count; i++) {
		char key[256];
		const char *text = labels->items[i], *value = strchr(text, '=');
		snprintf(key, sizeof key, "%.*s",
			 (int)(value ? (size_t)(value - text) : strlen(text)), text);
		json_put_string(object, key, value ? value + 1 : "");
	}
	return object;
}

static int make_object(struct engine *engine, const char *name, struct json_t **ret_object,
		       struct error *err)
{
	struct path dir = volume_dir(engine, name);
	auto_json about = NULL;
	char created[TIME_TEXT_MAX];
	struct stat info;
	int64_t created_ns = 0;
	int r = json_read_file(path_in(dir, ABOUT_FILE).text, ABOUT_SIZE_MAX, &about, err);
	if (r < 0 && r != -ENOENT)
		return r;
	struct json_at root = json_root(about, ABOUT_FILE), labels = { 0 };
	if (about) {
		labels = json_member(&root, "Labels");
		r = json_get_integer(&root, "createdNs", JSON_REQUIRED, 0, INT64_MAX, &created_ns,
				     err);
		if (r < 0)
			return r;
	} else if (stat(dir.text, &info) == 0) {
		created_ns = (int64_t)info.st_mtim.tv_sec * 1000000000;
	}
	time_format(created_ns, created);
	struct json_t *object = json_new_object();
	json_put_string(object, "CreatedAt", created);
	json_put_string(object, "Driver", "local");
	json_put(object, "Labels", labels.value ? json_clone(labels.value) : json_new_object());
	json_put_string(object, "Mountpoint", path_in(dir, "_data").text);
	json_put_string(object, "Name", name);
	json_put(object, "Options", json_new_null());
	json_put_string(object, "Scope", "local");
	*ret_object = object;
	return 0;
}

/* --- the verbs ------------------------------------------------------------------ */

int volume_create(struct engine *engine, const char *name, const struct volume_options *options,
		  char *ret_name, size_t size, struct error *err)
{
	char made[CONTAINER_ID_SIZE];
	auto_free char *text = NULL;
	if (options->driver && !text_equal(options->driver, "local"))
		return error_set(err, EINVAL, "--driver %s: only local is there", options->driver);
	int r = name ? check_name(name, err) : container_id_make(made, err);
	if (r < 0)
		return r;
	snprintf(ret_name, size, "%s", name ? name : made);
	struct path dir = volume_dir(engine, ret_name);
	if (path_exists(path_in(dir, "_data").text))
		return 0;
	auto_json about = json_new_object();
	json_put(about, "Labels", labels_json(&options->labels));
	json_put_integer(about, "createdNs", clock_wall_ns());
	r = json_format(about, JSON_COMPACT, &text, err);
	if (r == 0)
		r = directory_make(dir.text, 0711, err);
	/* The data's directory last: with it the volume is there. */
	if (r == 0)
		r = file_replace(path_in(dir, ABOUT_FILE).text, text, strlen(text), 0600, FILE_SYNC,
				 err);
	if (r == 0)
		r = directory_make(path_in(dir, "_data").text, 0755, err);
	if (r == 0)
		event_volume(engine, ret_name, "create");
	return r;
}

int volume_inspect(struct engine *engine, const char *name, struct json_t **ret_object,
		   struct error *err)
{
	int r = find_volume(engine, name, err);
	return r < 0 ? r : make_object(engine, name, ret_object, err);
}

int volume_delete(struct engine *engine, const char *name, struct error *err)
{
	char user[CONTAINER_NAME_MAX];
	int r = find_volume(engine, name, err);
	if (r == 0)
		r = volume_find_user(engine, name, user, sizeof user, err);
	if (r == 1)
		return error_set(err, EBUSY, "volume %s: container %s has it: remove that first",
				 name, user);
	if (r == 0)
		r = volume_remove(&engine->instance, name, err);
	if (r == 0)
		event_volume(engine, name, "destroy");
	return r;
}

static bool has_label(const struct json_t *object, const char *wanted)
{
	struct json_at root = json_root(object, "volume"), labels = json_member(&root, "Labels");
	size_t size = strcspn(wanted, "=");
	for (size_t i = 0; i < json_count(&labels); i++) {
		struct json_at label = json_member_at(&labels, i);
		const char *value = "";
		struct error ignored;
		(void)json_as_string(&label, &value, &ignored);
		if (strlen(label.key) == size && strncmp(label.key, wanted, size) == 0 &&
		    (!wanted[size] || text_equal(wanted + size + 1, value)))
			return true;
	}
	return false;
}

/* 1 if it matches, 0 if not. */
static int matches(struct engine *engine, const char *name, const struct json_t *object,
		   const char *filter, struct error *err)
{
	char user[CONTAINER_NAME_MAX];
	const char *value = strchr(filter, '=');
	if (value && text_starts_with(filter, "name="))
		return strstr(name, value + 1) != NULL;
	if (value && text_starts_with(filter, "label="))
		return has_label(object, value + 1);
	if (text_equal(filter, "dangling=true") || text_equal(filter, "dangling=false")) {
		int r = volume_find_user(engine, name, user, sizeof user, err);
		return r < 0 ? r : (r == 0) == text_equal(value, "=true");
	}
	return error_set(err, EINVAL,
			 "--filter %s: known are name=, label=, dangling=true and dangling=false",
			 filter);
}

static int list_one(struct engine *engine, const char *name, const struct words *filters,
		    struct json_t *rows, struct error *err)
{
	auto_json object = NULL;
	int r = make_object(engine, name, &object, err);
	for (size_t i = 0; r == 0 && i < filters->count; i++) {
		r = matches(engine, name, object, filters->items[i], err);
		if (r == 0)
			return 0;
		r = r < 0 ? r : 0;
	}
	if (r == 0)
		json_append(rows, TAKE(object));
	return r;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int all_names(struct engine *engine, struct words *ret_names, struct error *err)
{
	struct path volumes = volumes_dir(engine);
	auto_dir dir = opendir(volumes.text);
	int r = 0;
	for (struct dirent *entry; r == 0 && dir && (entry = readdir(dir));)
		if (entry->d_name[0] != '.' &&
		    path_exists(path_in(volume_dir(engine, entry->d_name), "_data").text))
			r = words_append(ret_names, entry->d_name, err);
	if (ret_names->count > 1)
		qsort(ret_names->items, ret_names->count, sizeof *ret_names->items, compare_names);
	return r;
}

int volumes_list(struct engine *engine, const struct words *filters, struct json_t **ret_rows,
		 struct error *err)
{
	auto_words names = { 0 };
	auto_json rows = json_new_array();
	int r = all_names(engine, &names, err);
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = list_one(engine, names.items[i], filters, rows, err);
	if (r == 0)
		*ret_rows = TAKE(rows);
	return r;
}
