/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What containers and volumes take on the disk. */
#include <errno.h>

#include "base/file.h"
#include "record.h"
#include "saved.h"
#include "volume.h"

int container_disk_usage(struct engine *engine, const char *reference, uint64_t *ret_bytes,
			 struct error *err)
{
	AUTO(container) container = NULL;
	auto_saved saved = { 0 };
	int r = container_find(engine, reference, &container, err);
	if (r == 0)
		r = saved_load(engine, container->id, &saved, err);
	return r < 0 ? r : tree_size(saved.spec.overlay_upper, ret_bytes, err);
}

int volume_disk_usage(struct engine *engine, const char *name, uint64_t *ret_bytes,
		      struct error *err)
{
	struct path path;
	snprintf(path.text, sizeof path.text, "%s/volumes/%s/_data", engine->instance.lib, name);
	return tree_size(path.text, ret_bytes, err);
}
