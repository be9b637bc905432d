/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"

static const char table_containers[] = "containers";
static const char table_names[] = "names";
static const char names_lock[] = "names.lock";

#define LOCK_MS 30000

void container_free(struct container *container)
{
	if (!container)
		return;
	json_free(container->document);
	free(container);
}

struct json_at container_root(const struct container *container)
{
	return json_root(container->document, "record of a container");
}

static int read_texts(const struct json_at *at, struct container *container, struct error *err)
{
	const struct {
		const char *key;
		const char **text;
		enum json_need need;
	} rows[] = {
		{ "id", &container->id, JSON_REQUIRED },
		{ "name", &container->name, JSON_REQUIRED },
		{ "image", &container->image, JSON_REQUIRED },
		{ "imageId", &container->image_id, JSON_REQUIRED },
		{ "hostname", &container->hostname, JSON_OPTIONAL },
		{ "networkMode", &container->network_mode, JSON_REQUIRED },
		{ "stopSignal", &container->stop_signal, JSON_OPTIONAL },
		{ "restart", &container->restart, JSON_OPTIONAL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r = json_get_string(at, rows[i].key, rows[i].need, rows[i].text, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_numbers(const struct json_at *at, struct container *container, struct error *err)
{
	const struct {
		const char *key;
		int64_t *number;
	} rows[] = {
		{ "createdNs", &container->created_ns },
		{ "startedNs", &container->started_ns },
		{ "finishedNs", &container->finished_ns },
		{ "exitCode", &container->exit_code },
		{ "stopTimeout", &container->stop_timeout_s },
	};
	const struct {
		const char *key;
		bool *flag;
	} flags[] = {
		{ "temporary", &container->temporary },
		{ "terminal", &container->terminal },
		{ "interactive", &container->interactive },
	};
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(rows); i++)
		r = json_get_integer(at, rows[i].key, JSON_OPTIONAL, -1, INT64_MAX, rows[i].number,
				     err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(flags); i++)
		r = json_get_bool(at, flags[i].key, JSON_OPTIONAL, flags[i].flag, err);
	return r;
}

int container_from_document(struct json_t *document, struct container **ret_container,
			    struct error *err)
{
	AUTO(container) container = calloc(1, sizeof *container);
	if (!container) {
		json_free(document);
		return error_set(err, ENOMEM, "no memory for a container");
	}
	container->document = document;
	container->stop_timeout_s = -1;
	struct json_at at = container_root(container);
	int r = read_texts(&at, container, err);
	if (r == 0)
		r = read_numbers(&at, container, err);
	if (r < 0)
		return r;
	container->started_once = container->started_ns > 0;
	*ret_container = TAKE(container);
	return 0;
}

static struct store *store_of(struct engine *engine, bool temporary)
{
	return temporary ? engine->boot : engine->saved;
}

static int parse_record(struct bytes value, struct container **ret_container, struct error *err)
{
	struct json_t *document = NULL;
	int r = json_parse("record of a container", value.data, value.size, &document, err);
	return r < 0 ? r : container_from_document(document, ret_container, err);
}

/* 1 if there is one of this id in the store. */
static int get_by_id(struct store *store, const char *id, struct container **ret_container,
		     struct error *err)
{
	AUTO(store_txn) txn = NULL;
	struct bytes value;
	int r = store_begin(store, STORE_READ, &txn, err);
	if (r == 0)
		r = store_get(txn, table_containers, bytes_of_text(id), &value, err);
	if (r != 1)
		return r;
	r = parse_record(value, ret_container, err);
	return r < 0 ? r : 1;
}

/* 1 and the id that a name has in the store. */
static int get_id_of_name(struct store *store, const char *name, char id[CONTAINER_ID_SIZE],
			  struct error *err)
{
	AUTO(store_txn) txn = NULL;
	struct bytes value;
	int r = store_begin(store, STORE_READ, &txn, err);
	if (r == 0)
		r = store_get(txn, table_names, bytes_of_text(name), &value, err);
	if (r == 1)
		snprintf(id, CONTAINER_ID_SIZE, "%.*s", (int)value.size, (const char *)value.data);
	return r;
}

/* How many ids in the store begin so (0, 1, or 2 for more); the first is written. */
static int count_beginning(struct store *store, const char *start, char id[CONTAINER_ID_SIZE],
			   struct error *err)
{
	AUTO(store_txn) txn = NULL;
	struct bytes key, value;
	char next[CONTAINER_ID_SIZE + 1];
	int count = 0, r = store_begin(store, STORE_READ, &txn, err);
	snprintf(next, sizeof next, "%s", start);
	while (r == 0 && count < 2) {
		r = store_seek(txn, table_containers, bytes_of_text(next), &key, &value, err);
		if (r != 1 || key.size < strlen(start) ||
		    memcmp(key.data, start, strlen(start)) != 0)
			break;
		if (count++ == 0)
			snprintf(id, CONTAINER_ID_SIZE, "%.*s", (int)key.size,
				 (const char *)key.data);
		snprintf(next, sizeof next, "%.*s!", (int)key.size, (const char *)key.data);
		r = 0;
	}
	return r < 0 ? r : count;
}

static int find_id(struct engine *engine, const char *reference, char id[CONTAINER_ID_SIZE],
		   struct error *err)
{
	int r = get_id_of_name(engine->saved, reference, id, err);
	if (r == 0)
		r = get_id_of_name(engine->boot, reference, id, err);
	if (r != 0)
		return r < 0 ? r : 0;
	int count = 0;
	struct store *stores[] = { engine->saved, engine->boot };
	bool plausible = reference[0] && strlen(reference) < CONTAINER_ID_SIZE &&
			 strspn(reference, "0123456789abcdef") == strlen(reference);
	for (int i = 0; plausible && i < 2; i++) {
		char found[CONTAINER_ID_SIZE];
		r = count_beginning(stores[i], reference, found, err);
		if (r < 0)
			return r;
		if (r > 0)
			snprintf(id, CONTAINER_ID_SIZE, "%s", found);
		count += r;
	}
	if (count == 1)
		return 0;
	if (count == 0)
		return error_set(err, ENOENT, "no such container: %s", reference);
	return error_set(err, EINVAL, "%s: several containers' ids begin so", reference);
}

int container_find(struct engine *engine, const char *reference, struct container **ret_container,
		   struct error *err)
{
	char id[CONTAINER_ID_SIZE];
	int r = find_id(engine, reference, id, err);
	if (r < 0)
		return r;
	r = get_by_id(engine->saved, id, ret_container, err);
	if (r == 0)
		r = get_by_id(engine->boot, id, ret_container, err);
	if (r == 0)
		return error_set(err, ENOENT, "no such container: %s", reference);
	return r < 0 ? r : 0;
}

static int put_record(struct store_txn *txn, const struct container *container, struct error *err)
{
	auto_free char *text = NULL;
	int r = json_format(container->document, JSON_COMPACT, &text, err);
	return r < 0 ? r
		     : store_put(txn, table_containers, bytes_of_text(container->id),
				 bytes_of_text(text), err);
}

/* Taken around each change of names: they are unique over two stores. */
static int take_names_lock(struct engine *engine, int *ret_fd, struct error *err)
{
	char path[ENGINE_PATH_MAX];
	snprintf(path, sizeof path, "%s/%s", engine->instance.run, names_lock);
	return lock_take(path, LOCK_MS, ret_fd, err);
}

static int check_name_is_free(struct engine *engine, const char *name, struct error *err)
{
	char id[CONTAINER_ID_SIZE];
	int r = get_id_of_name(engine->saved, name, id, err);
	if (r == 0)
		r = get_id_of_name(engine->boot, name, id, err);
	if (r == 1)
		return error_set(err, EEXIST,
				 "the name %s is held by container %.12s: remove or rename that, "
				 "or choose another",
				 name, id);
	return r;
}

static int put_with_name(struct engine *engine, const struct container *container,
			 const char *old_name, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store_of(engine, container->temporary), STORE_WRITE, &txn, err);
	if (r == 0 && old_name)
		r = store_delete(txn, table_names, bytes_of_text(old_name), err);
	if (r >= 0)
		r = put_record(txn, container, err);
	if (r == 0)
		r = store_put(txn, table_names, bytes_of_text(container->name),
			      bytes_of_text(container->id), err);
	return r < 0 ? r : store_commit(&txn, err);
}

int container_add(struct engine *engine, const struct container *container, struct error *err)
{
	auto_fd lock_fd = -1;
	int r = take_names_lock(engine, &lock_fd, err);
	if (r == 0)
		r = check_name_is_free(engine, container->name, err);
	return r < 0 ? r : put_with_name(engine, container, NULL, err);
}

int container_update(struct engine *engine, const struct container *container, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store_of(engine, container->temporary), STORE_WRITE, &txn, err);
	if (r == 0)
		r = put_record(txn, container, err);
	return r < 0 ? r : store_commit(&txn, err);
}

int container_set_name(struct engine *engine, struct container *container, const char *name,
		       struct error *err)
{
	auto_fd lock_fd = -1;
	auto_free char *old_name = NULL;
	int r = text_copy(container->name, &old_name, err);
	if (r == 0)
		r = take_names_lock(engine, &lock_fd, err);
	if (r == 0)
		r = check_name_is_free(engine, name, err);
	if (r < 0)
		return r;
	json_put_string(container->document, "name", name);
	struct json_at at = container_root(container);
	r = json_get_string(&at, "name", JSON_REQUIRED, &container->name, err);
	return r < 0 ? r : put_with_name(engine, container, old_name, err);
}

int container_delete(struct engine *engine, const struct container *container, struct error *err)
{
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store_of(engine, container->temporary), STORE_WRITE, &txn, err);
	if (r == 0)
		r = store_delete(txn, table_containers, bytes_of_text(container->id), err);
	if (r >= 0)
		r = store_delete(txn, table_names, bytes_of_text(container->name), err);
	return r < 0 ? r : store_commit(&txn, err);
}

/* Records are copied out, so that a visitor may write. */
struct collection {
	struct container **items;
	size_t count, capacity;
};

static void collection_release(struct collection *collection)
{
	for (size_t i = 0; i < collection->count; i++)
		container_free(collection->items[i]);
	free(collection->items);
}

static int collect(struct bytes key, struct bytes value, void *context, struct error *err)
{
	struct collection *collection = context;
	(void)key;
	if (collection->count == collection->capacity) {
		size_t capacity = collection->capacity * 2 + 16;
		void *items = realloc(collection->items, capacity * sizeof *collection->items);
		if (!items)
			return error_set(err, ENOMEM, "no memory for containers");
		collection->items = items;
		collection->capacity = capacity;
	}
	int r = parse_record(value, &collection->items[collection->count], err);
	if (r == 0)
		collection->count++;
	return r;
}

int containers_each(struct engine *engine,
		    int (*visit)(struct container *container, void *context, struct error *err),
		    void *context, struct error *err)
{
	__attribute__((cleanup(collection_release))) struct collection collection = { 0 };
	struct store *stores[] = { engine->saved, engine->boot };
	int r = 0;
	for (int i = 0; r == 0 && i < 2; i++) {
		AUTO(store_txn) txn = NULL;
		r = store_begin(stores[i], STORE_READ, &txn, err);
		if (r == 0)
			r = store_each(txn, table_containers, (struct bytes){ 0 }, collect,
				       &collection, err);
	}
	for (size_t i = 0; r == 0 && i < collection.count; i++)
		r = visit(collection.items[i], context, err);
	return r;
}

int container_words(const struct container *container, const char *key, struct words *ret_words,
		    struct error *err)
{
	struct json_at list, at = container_root(container);
	int r = json_get_array(&at, key, JSON_OPTIONAL, &list, err);
	for (size_t i = 0; r == 0 && i < json_count(&list); i++) {
		struct json_at element = json_element(&list, i);
		const char *text = NULL;
		r = json_as_string(&element, &text, err);
		if (r == 0)
			r = words_append(ret_words, text, err);
	}
	return r;
}

const char *container_now_name(const struct container_now *now)
{
	return now->paused ? "paused" : container_status_name(now->status);
}

int container_look(struct engine *engine, const struct container *container,
		   struct container_now *ret_now, struct error *err)
{
	struct path run_dir = container_run_dir(engine, container->id);
	struct container_now now = {
		.status = container->started_once ? CONTAINER_EXITED : CONTAINER_CREATED,
		.started_ns = container->started_ns,
		.finished_ns = container->finished_ns,
		.exit_code = (int)container->exit_code,
	};
	int r = container_state_read(run_dir.text, &now.state, err);
	if (r < 0)
		return r;
	if (r == 1) {
		now.status = now.state.status;
		now.started_ns = now.state.started_ns;
		now.finished_ns = now.state.finished_ns;
		now.exit_code = now.state.exit_code;
		now.orphaned = !process_is_alive(now.state.monitor);
		now.paused = now.status == CONTAINER_RUNNING &&
			     path_exists(path_in(run_dir, PAUSED_MARK).text);
	}
	*ret_now = now;
	return 0;
}
