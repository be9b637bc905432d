/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of `ps`, with the keys and the words of Docker's. */
#include <errno.h>
#include <string.h>

#include "base/loop.h"
#include "cleanup.h"
#include "health.h"
#include "publish.h"
#include "show.h"

struct listing {
	struct engine *engine;
	const struct container_filter *filter;
	struct container_row *rows;
	size_t count, capacity;
};
struct container_row {
	int64_t created_ns;
	struct json_t *object;
};

static void listing_release(struct listing *listing)
{
	for (size_t i = 0; i < listing->count; i++)
		json_free(listing->rows[i].object);
	free(listing->rows);
}

void status_text(const struct container_now *now, char *ret_text, size_t size)
{
	char age[TIME_TEXT_MAX] = "";
	int64_t wall_ns = clock_wall_ns();
	switch (now->status) {
	case CONTAINER_RUNNING:
		time_format_age(wall_ns - now->started_ns, age);
		snprintf(ret_text, size, "Up %s%s", age, now->paused ? " (Paused)" : "");
		break;
	case CONTAINER_EXITED:
		time_format_age(wall_ns - now->finished_ns, age);
		snprintf(ret_text, size, "Exited (%d) %s ago", now->exit_code, age);
		break;
	case CONTAINER_RESTARTING:
		time_format_age(wall_ns - now->finished_ns, age);
		snprintf(ret_text, size, "Restarting (%d) %s ago", now->exit_code, age);
		break;
	default:
		snprintf(ret_text, size, "Created");
	}
}

/* Chosen ports of a running container, from the data path's store. */
static int append_ports(const struct endpoint_info *info, void *context, struct error *err)
{
	struct text *text = context;
	(void)err;
	for (size_t i = 0; i < info->publish_count; i++) {
		if (text->size)
			text_append(text, ", ");
		publish_format(&info->publish[i], text);
	}
	return 0;
}

static int ports_text(struct engine *engine, const struct container *container,
		      struct text *ret_text, struct error *err)
{
	struct store *store;
	if (!text_equal(container->network_mode, "networks"))
		return 0;
	int r = engine_state_store(engine, &store, err);
	return r < 0 ? r : endpoint_each(store, container->id, NULL, append_ports, ret_text, err);
}

static void join(const struct words *words, const char *between, struct text *ret_text)
{
	for (size_t i = 0; i < words->count; i++)
		text_append(ret_text, "%s%s", i ? between : "", words->items[i]);
}

int container_networks(const struct container *container, struct words *ret_names,
		       struct error *err)
{
	struct json_at list, root = container_root(container);
	if (!text_equal(container->network_mode, "networks"))
		return words_append(ret_names, container->network_mode, err);
	int r = json_get_array(&root, "networks", JSON_OPTIONAL, &list, err);
	for (size_t i = 0; r == 0 && i < json_count(&list); i++) {
		struct json_at row = json_element(&list, i);
		const char *name = NULL;
		r = json_get_string(&row, "network", JSON_REQUIRED, &name, err);
		if (r == 0)
			r = words_append(ret_names, name, err);
	}
	return r;
}

static void put_text(struct json_t *object, const char *key, const struct text *text)
{
	json_put_string(object, key, text->data ? text->data : "");
}

static int put_lists(const struct container *container, struct json_t *row, struct error *err)
{
	static const struct {
		const char *list, *key, *between;
	} rows[] = { { "command", "Command", " " }, { "labels", "Labels", "," } };
	auto_text networks_text = { 0 };
	auto_words networks = { 0 };
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(rows); i++) {
		auto_words words = { 0 };
		auto_text text = { 0 };
		r = container_words(container, rows[i].list, &words, err);
		join(&words, rows[i].between, &text);
		put_text(row, rows[i].key, &text);
	}
	if (r == 0)
		r = container_networks(container, &networks, err);
	join(&networks, ",", &networks_text);
	put_text(row, "Networks", &networks_text);
	return r;
}

/* "Up 3 minutes (healthy)". */
static void put_health(struct engine *engine, const struct container *container,
		       const struct container_now *now, char *status, size_t size,
		       struct json_t *row)
{
	const char *health =
		now->status == CONTAINER_RUNNING ? health_status(engine, container) : NULL;
	size_t used = strlen(status);
	if (health && !now->paused)
		snprintf(status + used, size - used, " (%s%s)",
			 text_equal(health, "starting") ? "health: " : "", health);
	json_put_string(row, "Health", health ? health : "none");
}

static int make_row(struct engine *engine, const struct container *container,
		    const struct container_now *now, struct json_t *row, struct error *err)
{
	char id[CONTAINER_ID_SHORT + 1], status[96], age[TIME_TEXT_MAX], created[TIME_TEXT_MAX];
	auto_text ports = { 0 };
	snprintf(id, sizeof id, "%.*s", CONTAINER_ID_SHORT, container->id);
	status_text(now, status, sizeof status);
	put_health(engine, container, now, status, sizeof status, row);
	time_format(container->created_ns, created);
	time_format_age(clock_wall_ns() - container->created_ns, age);
	json_put_string(row, "ID", id);
	json_put_string(row, "Image", container->image);
	int r = put_lists(container, row, err);
	json_put_string(row, "CreatedAt", created);
	auto_text running_for = { 0 };
	text_append(&running_for, "%s ago", age);
	put_text(row, "RunningFor", &running_for);
	json_put_string(row, "Status", status);
	json_put_string(row, "State", container_now_name(now));
	if (r == 0 && container_is_running(now))
		r = ports_text(engine, container, &ports, err);
	put_text(row, "Ports", &ports);
	json_put_string(row, "Names", container->name);
	json_put_string(row, "FullID", container->id);
	return r;
}

/* --- filters ------------------------------------------------------------------ */

static bool matches_label(const struct container *container, const char *wanted)
{
	auto_words labels = { 0 };
	struct error ignored;
	(void)container_words(container, "labels", &labels, &ignored);
	for (size_t i = 0; i < labels.count; i++) {
		size_t size = strcspn(labels.items[i], "=");
		if (text_equal(labels.items[i], wanted) ||
		    (strlen(wanted) == size && strncmp(labels.items[i], wanted, size) == 0))
			return true;
	}
	return false;
}

static bool matches_network(const struct container *container, const char *wanted)
{
	auto_words names = { 0 };
	struct error ignored;
	(void)container_networks(container, &names, &ignored);
	for (size_t i = 0; i < names.count; i++)
		if (text_equal(names.items[i], wanted))
			return true;
	return false;
}

static bool matches_volume(const struct container *container, const char *wanted)
{
	struct json_at list, root = container_root(container);
	struct error ignored;
	if (json_get_array(&root, "mounts", JSON_OPTIONAL, &list, &ignored) < 0)
		return false;
	for (size_t i = 0; i < json_count(&list); i++) {
		struct json_at row = json_element(&list, i);
		const char *name = NULL, *place = NULL;
		(void)json_get_string(&row, "Name", JSON_OPTIONAL, &name, &ignored);
		(void)json_get_string(&row, "Destination", JSON_OPTIONAL, &place, &ignored);
		if (text_equal(name, wanted) || text_equal(place, wanted))
			return true;
	}
	return false;
}

/* Of the image itself, by name or id. */
static bool matches_image(const struct container *container, const char *wanted)
{
	const char *hex = strchr(container->image_id, ':');
	return text_equal(container->image, wanted) ||
	       text_starts_with(container->image_id, wanted) ||
	       (hex && *wanted && text_starts_with(hex + 1, wanted)) ||
	       (text_starts_with(container->image, wanted) &&
		text_equal(container->image + strlen(wanted), ":latest")) ||
	       (text_starts_with(wanted, container->image) &&
		text_equal(wanted + strlen(container->image), ":latest"));
}

/* Made before or after another container. */
static int matches_order(struct engine *engine, const struct container *container,
			 const char *wanted, bool before, struct error *err)
{
	AUTO(container) other = NULL;
	int r = container_find(engine, wanted, &other, err);
	if (r < 0)
		return error_wrap(err, "--filter");
	return before ? container->created_ns < other->created_ns
		      : container->created_ns > other->created_ns;
}

static int matches_exit(const struct container_now *now, const char *wanted, struct error *err)
{
	int64_t code;
	if (text_to_signed(wanted, 0, 255, &code) < 0)
		return error_set(err, EINVAL, "--filter exited=%s: is no exit code", wanted);
	return now->status == CONTAINER_EXITED && now->exit_code == code;
}

struct candidate {
	struct engine *engine;
	const struct container *container;
	const struct container_now *now;
};

/* 1 if it matches, 0 if not. */
static int matches(const struct candidate *candidate, const char *filter, struct error *err)
{
	const struct container *container = candidate->container;
	const char *value = strchr(filter, '=');
	if (value && text_starts_with(filter, "name="))
		return strstr(container->name, value + 1) != NULL;
	if (value && text_starts_with(filter, "status="))
		return text_equal(container_now_name(candidate->now), value + 1);
	if (value && text_starts_with(filter, "id="))
		return text_starts_with(container->id, value + 1);
	if (value && text_starts_with(filter, "label="))
		return matches_label(container, value + 1);
	if (value && text_starts_with(filter, "network="))
		return matches_network(container, value + 1);
	if (value && text_starts_with(filter, "ancestor="))
		return matches_image(container, value + 1);
	if (value && text_starts_with(filter, "volume="))
		return matches_volume(container, value + 1);
	if (value && text_starts_with(filter, "health=")) {
		const char *health = health_status(candidate->engine, container);
		bool runs = candidate->now->status == CONTAINER_RUNNING;
		return text_equal(runs && health ? health : "none", value + 1);
	}
	if (value && text_starts_with(filter, "exited="))
		return matches_exit(candidate->now, value + 1, err);
	if (value && (text_starts_with(filter, "before=") || text_starts_with(filter, "since=")))
		return matches_order(candidate->engine, container, value + 1, filter[0] == 'b',
				     err);
	return error_set(err, EINVAL,
			 "--filter %s: known are name=, status=, id=, label=, network=, ancestor=, "
			 "volume=, exited=, health=, before=, since=",
			 filter);
}

static bool same_key(const char *a, const char *b)
{
	size_t size = strcspn(a, "=");
	return strncmp(a, b, size) == 0 && b[size] == '=';
}

/* Values of one key are alternatives, but labels, which must all be there; all keys must fit. */
static int passes(const struct candidate *candidate, const struct words *filters, struct error *err)
{
	for (size_t i = 0; filters && i < filters->count; i++) {
		bool label = text_starts_with(filters->items[i], "label=");
		int fit = matches(candidate, filters->items[i], err);
		for (size_t k = 0; fit == 0 && !label && k < filters->count; k++)
			if (same_key(filters->items[i], filters->items[k]))
				fit = matches(candidate, filters->items[k], err);
		if (fit <= 0)
			return fit;
	}
	return 1;
}

/* A filter that names an end wants those that do not run too. */
static bool wants_ended(const struct words *filters)
{
	for (size_t i = 0; filters && i < filters->count; i++)
		if (text_starts_with(filters->items[i], "status=") ||
		    text_starts_with(filters->items[i], "exited="))
			return true;
	return false;
}

static int append_container(struct container *container, void *context, struct error *err)
{
	struct listing *listing = context;
	struct container_now now;
	int r = container_settle(listing->engine, container, &now, err);
	if (r == 0 && now.removed)
		return 0;
	struct candidate candidate = { listing->engine, container, &now };
	if (r == 0)
		r = passes(&candidate, listing->filter->filters, err);
	if (r <= 0)
		return r;
	if (!listing->filter->all && !container_is_running(&now) &&
	    !wants_ended(listing->filter->filters))
		return 0;
	if (listing->count == listing->capacity) {
		size_t capacity = listing->capacity * 2 + 16;
		void *rows = realloc(listing->rows, capacity * sizeof *listing->rows);
		if (!rows)
			return error_set(err, ENOMEM, "no memory for containers");
		listing->rows = rows;
		listing->capacity = capacity;
	}
	struct json_t *object = json_new_object();
	listing->rows[listing->count++] = (struct container_row){ container->created_ns, object };
	return make_row(listing->engine, container, &now, object, err);
}

static int newest_first(const void *a, const void *b)
{
	const struct container_row *left = a, *right = b;
	return (left->created_ns < right->created_ns) - (left->created_ns > right->created_ns);
}

int containers_list(struct engine *engine, const struct container_filter *filter,
		    struct json_t **ret_rows, struct error *err)
{
	__attribute__((cleanup(listing_release))) struct listing listing = { .engine = engine,
									     .filter = filter };
	int r = containers_each(engine, append_container, &listing, err);
	if (r < 0)
		return r;
	if (listing.count)
		qsort(listing.rows, listing.count, sizeof *listing.rows, newest_first);
	struct json_t *rows = json_new_array();
	for (size_t i = 0; i < listing.count; i++)
		json_append(rows, TAKE(listing.rows[i].object));
	*ret_rows = rows;
	return 0;
}

struct image_use {
	const char *image_id;
	char *name;
	size_t size;
};

static int match_image(struct container *container, void *context, struct error *err)
{
	struct image_use *use = context;
	(void)err;
	if (!text_equal(container->image_id, use->image_id))
		return 0;
	snprintf(use->name, use->size, "%s", container->name);
	return 1;
}

int engine_image_in_use(const char *image_id, char *ret_name, size_t size, void *context)
{
	struct image_use use = { image_id, ret_name, size };
	struct error err;
	return containers_each(context, match_image, &use, &err);
}
