/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a RUN step takes beside its layers: an address, an endpoint, the files
 * of names, a cgroup. It lies down as a record of a container that no verb
 * lists, under a lock that ends with the build: a build that was killed is
 * cleared up by the next.
 */
#include "build_place.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "etc.h"
#include "runtime/oci.h"

#define RECORD_SIZE_MAX 65536
#define LOCK_MS 1000

static struct path builds_dir(const struct engine *engine, const char *id)
{
	struct path path;
	snprintf(path.text, sizeof path.text, "%s/builds/%s", engine->instance.run, id);
	return path;
}

static struct json_t *make_document(const char *id, const char *network)
{
	char name[CONTAINER_NAME_MAX], hostname[CONTAINER_ID_SHORT + 1];
	struct json_t *document = json_new_object(), *networks = json_new_array();
	bool shared = text_equal(network, "none") || text_equal(network, "host");
	snprintf(name, sizeof name, "build-%.*s", CONTAINER_ID_SHORT, id);
	snprintf(hostname, sizeof hostname, "%.*s", CONTAINER_ID_SHORT, id);
	json_put_string(document, "id", id);
	json_put_string(document, "name", name);
	json_put_string(document, "image", "");
	json_put_string(document, "imageId", "");
	json_put_string(document, "hostname", hostname);
	json_put_string(document, "networkMode", shared ? network : "networks");
	if (!shared) {
		struct json_t *row = json_new_object();
		json_put_string(row, "network", network);
		json_put_string(row, "interface", "eth0");
		json_append(networks, row);
	}
	json_put(document, "networks", networks);
	return document;
}

/* Under the lock; what is not there is fine. */
static int clear(struct engine *engine, const struct container *container, struct error *err)
{
	struct oci_spec spec = { 0 };
	int r = text_format(&spec.cgroup_path, err, BUILD_CGROUP, container->id);
	if (r == 0)
		r = oci_cleanup(&spec, err);
	oci_spec_release(&spec);
	if (r == 0)
		r = attachments_remove(engine, container, ENDPOINT_LEAVE_LINK, err);
	if (r == 0)
		r = tree_remove(container_dir(engine, container->id).text, err);
	return r < 0 ? r : tree_remove(builds_dir(engine, container->id).text, err);
}

static int make(struct build_place *place, struct error *err)
{
	struct engine *engine = place->engine;
	struct path dir = builds_dir(engine, place->container->id);
	auto_free char *text = NULL;
	int r = directory_make(dir.text, 0700, err);
	if (r == 0)
		r = lock_take(path_in(dir, "lock").text, LOCK_MS, &place->lock_fd, err);
	if (r == 0)
		r = json_format(place->container->document, JSON_COMPACT, &text, err);
	if (r == 0)
		r = file_replace(path_in(dir, "record.json").text, text, strlen(text), 0600,
				 FILE_NO_SYNC, err);
	if (r == 0)
		r = directory_make(container_dir(engine, place->container->id).text, 0710, err);
	if (r == 0)
		r = attachments_lease(engine, place->container, &place->attachments, err);
	return r < 0 ? r : etc_write(engine, place->container, &place->attachments, err);
}

int build_place_make(struct engine *engine, const char *id, const char *network,
		     struct build_place *ret_place, struct error *err)
{
	struct build_place place = { .engine = engine, .lock_fd = -1 };
	struct error ignored;
	int r = container_from_document(make_document(id, network), &place.container, err);
	if (r == 0)
		r = make(&place, err);
	if (r < 0) {
		(void)build_place_clear(&place, &ignored);
		return r;
	}
	*ret_place = place;
	return 0;
}

int build_place_clear(struct build_place *place, struct error *err)
{
	int r = place->container ? clear(place->engine, place->container, err) : 0;
	attachments_release(&place->attachments);
	container_free(TAKE(place->container));
	cleanup_fd(&place->lock_fd);
	place->lock_fd = -1;
	return r;
}

/* A record that a killed build left. */
static int sweep_one(struct engine *engine, const char *id, struct error *err)
{
	struct path dir = builds_dir(engine, id);
	struct json_t *document = NULL;
	AUTO(container) container = NULL;
	auto_fd lock_fd = -1;
	int r = lock_take(path_in(dir, "lock").text, 0, &lock_fd, err);
	if (r < 0)
		return r;
	r = json_read_file(path_in(dir, "record.json").text, RECORD_SIZE_MAX, &document, err);
	if (r == -ENOENT) /* killed before it had anything else */
		return tree_remove(dir.text, err);
	if (r == 0)
		r = container_from_document(document, &container, err);
	return r < 0 ? r : clear(engine, container, err);
}

void builds_sweep(struct engine *engine)
{
	struct error err;
	struct path builds = builds_dir(engine, "");
	auto_dir dir = opendir(builds.text);
	for (struct dirent *entry; dir && (entry = readdir(dir));)
		if (entry->d_name[0] != '.')
			(void)sweep_one(engine, entry->d_name, &err);
}
