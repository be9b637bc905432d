/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/file.h"
#include "internal.h"
#include "runtime/oci.h"
#include "sweep.h"

#define SAVED_SIZE_MAX (256u << 20)
#define BOOT_SIZE_MAX (64u << 20)

static int open_stores(struct engine *engine, struct error *err)
{
	char path[ENGINE_PATH_MAX];
	int r = directory_make(engine->instance.run, 0755, err);
	if (r == 0)
		r = directory_make(engine->instance.lib, 0755, err);
	if (r < 0)
		return r;
	snprintf(path, sizeof path, "%s/engine.mdb", engine->instance.lib);
	r = store_open(path, STORE_SYNC, SAVED_SIZE_MAX, &engine->saved, err);
	if (r < 0)
		return r;
	snprintf(path, sizeof path, "%s/containers.mdb", engine->instance.run);
	bool first = !path_exists(path);
	r = store_open(path, STORE_NO_SYNC, BOOT_SIZE_MAX, &engine->boot, err);
	if (r == 0 && first)
		containers_sweep(engine);
	return r;
}

int engine_open(const struct instance *instance, struct engine **ret_engine, struct error *err)
{
	if (geteuid() != 0)
		return error_set(err, EPERM,
				 "needs root: namespaces, mounts and BPF maps are made");
	AUTO(engine) engine = calloc(1, sizeof *engine);
	if (!engine)
		return error_set(err, ENOMEM, "no memory for the engine");
	engine->instance = *instance;
	int r = open_stores(engine, err);
	if (r < 0)
		return r;
	*ret_engine = TAKE(engine);
	return 0;
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	dataplane_free(engine->dataplane);
	image_store_free(engine->images);
	store_free(engine->boot);
	store_free(engine->saved);
	free(engine);
}

int engine_images(struct engine *engine, struct image_store **ret_store, struct error *err)
{
	int r = engine->images ? 0 : image_store_open(&engine->instance, &engine->images, err);
	*ret_store = engine->images;
	return r;
}

int engine_dataplane(struct engine *engine, struct dataplane **ret_dataplane, struct error *err)
{
	int r = engine->dataplane ? 0 : dataplane_open(&engine->instance, &engine->dataplane, err);
	*ret_dataplane = engine->dataplane;
	return r;
}

int engine_state_store(struct engine *engine, struct store **ret_store, struct error *err)
{
	struct dataplane *dataplane;
	int r = engine_dataplane(engine, &dataplane, err);
	if (r == 0)
		*ret_store = dataplane_store(dataplane);
	return r;
}

void engine_set_steps(struct engine *engine, const struct engine_steps *steps)
{
	engine->steps = *steps;
}

void engine_set_warnings(struct engine *engine, void (*warn)(const char *text, void *context),
			 void *context)
{
	engine->warn = warn;
	engine->warn_context = context;
}

void engine_step(struct engine *engine, const char *shown_by, const char *format, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list arguments;
	if (!engine->steps.step)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	engine->steps.step(engine->steps.context, text, shown_by);
}

void engine_warn(struct engine *engine, const char *format, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list arguments;
	if (!engine->warn)
		return;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	engine->warn(text, engine->warn_context);
}

struct path container_dir(const struct engine *engine, const char *id)
{
	struct path path;
	snprintf(path.text, sizeof path.text, "%s/containers/%s", engine->instance.lib, id);
	return path;
}

struct path container_run_dir(const struct engine *engine, const char *id)
{
	struct path path;
	snprintf(path.text, sizeof path.text, "%s/containers/%s", engine->instance.run, id);
	return path;
}

struct path path_in(struct path dir, const char *name)
{
	size_t size = strlen(dir.text);
	snprintf(dir.text + size, sizeof dir.text - size, "/%s", name);
	return dir;
}

int program_find(const char *name, struct path *ret_path, struct error *err)
{
	static const char *const places[] = { "/usr/bin", "/usr/sbin", "/usr/local/bin",
					      "/usr/local/sbin" };
	auto_free char *own = NULL;
	struct error ignored;
	if (oci_program_path(&own, &ignored) == 0) {
		char *slash = strrchr(own, '/');
		if (slash)
			*slash = 0;
		snprintf(ret_path->text, sizeof ret_path->text, "%.900s/%s", own, name);
		if (path_exists(ret_path->text))
			return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		snprintf(ret_path->text, sizeof ret_path->text, "%s/%s", places[i], name);
		if (path_exists(ret_path->text))
			return 0;
	}
	return error_set(err, ENOENT, "%s: not beside this program, nor in /usr/bin", name);
}

int container_id_make(char ret_id[CONTAINER_ID_SIZE], struct error *err)
{
	uint8_t bytes[(CONTAINER_ID_SIZE - 1) / 2];
	if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
		return error_set_errno(err, errno, "random bytes for an id");
	text_from_hex_bytes(bytes, sizeof bytes, ret_id);
	return 0;
}
