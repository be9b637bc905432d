/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "map_walk.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"

#define BATCH_FIRST 4096
#define BATCH_MAX (1u << 20)

struct batch {
	uint32_t key_size, value_size;
	uint32_t capacity;
	char *keys, *values;
};

static void batch_release(struct batch *batch)
{
	free(batch->keys);
	free(batch->values);
}

static int batch_grow(struct batch *batch, uint32_t capacity, struct error *err)
{
	batch_release(batch);
	batch->capacity = capacity;
	batch->keys = calloc(capacity, batch->key_size);
	batch->values = calloc(capacity, batch->value_size);
	return batch->keys && batch->values ? 0
					    : error_set(err, ENOMEM, "no memory to read a table");
}

static int visit_batch(const struct batch *batch, uint32_t count, map_visitor *visit, void *context,
		       struct error *err)
{
	int r = 0;
	for (uint32_t i = 0; r == 0 && i < count; i++)
		r = visit(batch->keys + (size_t)i * batch->key_size,
			  batch->values + (size_t)i * batch->value_size, context, err);
	return r;
}

int map_fd_walk(int fd, map_visitor *visit, void *context, struct error *err)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof info, token = 0, *from = NULL;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return error_set_errno(err, errno, "cannot ask about a table");
	struct batch batch
		__attribute__((cleanup(batch_release))) = { .key_size = info.key_size,
							    .value_size = info.value_size };
	int r = batch_grow(&batch, BATCH_FIRST, err);
	while (r == 0) {
		uint32_t next, count = batch.capacity;
		int failure = bpf_map_lookup_batch(fd, from, &next, batch.keys, batch.values,
						   &count, NULL) < 0
				      ? errno
				      : 0;
		/* One bucket holds more than fits: the same place again, with more room. */
		if (failure == ENOSPC && batch.capacity < BATCH_MAX) {
			r = batch_grow(&batch, batch.capacity * 2, err);
			continue;
		}
		if (failure && failure != ENOENT)
			return error_set_errno(err, failure, "cannot walk %.16s", info.name);
		r = visit_batch(&batch, count, visit, context, err);
		if (failure)
			break;
		token = next;
		from = &token;
	}
	return r;
}

int map_walk(struct maps *maps, enum map_id id, map_visitor *visit, void *context,
	     struct error *err)
{
	int fd, r = map_open(maps, id, &fd, err);
	return r < 0 ? r : map_fd_walk(fd, visit, context, err);
}
