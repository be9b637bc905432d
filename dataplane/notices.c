/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel's side tells the log: programs of the host that were refused a port. */
#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "handle.h"
#include "state.h"

struct notice_reader {
	struct dataplane *dataplane; /* lent */
	struct ring_buffer *ring;
	int (*visit)(const struct port_notice *notice, void *context, struct error *err);
	void *context;
	struct error error;
};

static int find_holder(struct dataplane *dataplane, uint32_t slot, struct port_notice *ret,
		       struct error *err)
{
	struct endpoint_info holder __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct key key = { .size = 0 };
	struct bytes value = { 0 };
	key_put_number(&key, slot, 4);
	AUTO(store_txn) txn = NULL;
	int r = store_begin(dataplane->store, STORE_READ, &txn, err);
	if (r == 0)
		r = store_get(txn, TABLE_SLOTS, key_bytes(&key), &value, err);
	if (r == 1)
		r = endpoint_load(txn, value, &holder, err);
	if (r <= 0)
		return r;
	memcpy(ret->container_id, holder.container_id, sizeof ret->container_id);
	snprintf(ret->container_name, sizeof ret->container_name, "%s",
		 holder.names.count ? holder.names.items[0] : "");
	return 0;
}

static int take_notice(void *context, void *data, size_t size)
{
	struct notice_reader *reader = context;
	const struct notice *notice = data;
	if (size < sizeof *notice)
		return 0;
	struct port_notice seen = { .address = ip_of_abi(notice->address),
				    .port = ntohs(notice->port),
				    .protocol = notice->protocol,
				    .pid = notice->pid };
	snprintf(seen.program, sizeof seen.program, "%.*s", (int)sizeof notice->program,
		 notice->program);
	int r = find_holder(reader->dataplane, notice->slot, &seen, &reader->error);
	return r < 0 ? r : reader->visit(&seen, reader->context, &reader->error);
}

int notices_open(struct dataplane *dataplane, struct notice_reader **ret_reader, int *ret_fd,
		 struct error *err)
{
	int fd;
	AUTO(notice_reader) reader = calloc(1, sizeof *reader);
	if (!reader)
		return error_set(err, ENOMEM, "no memory to read notices");
	reader->dataplane = dataplane;
	int r = map_open(&dataplane->maps, MAP_NOTICES, &fd, err);
	if (r < 0)
		return r;
	reader->ring = ring_buffer__new(fd, take_notice, reader, NULL);
	if (!reader->ring)
		return error_set_errno(err, errno, "cannot read %s", map_name(MAP_NOTICES));
	*ret_fd = ring_buffer__epoll_fd(reader->ring);
	*ret_reader = TAKE(reader);
	return 0;
}

int notices_read(struct notice_reader *reader,
		 int (*visit)(const struct port_notice *notice, void *context, struct error *err),
		 void *context, struct error *err)
{
	reader->visit = visit;
	reader->context = context;
	error_clear(&reader->error);
	int r = ring_buffer__consume(reader->ring);
	if (r >= 0)
		return 0;
	if (!reader->error.code)
		return error_set_errno(err, -r, "cannot read %s", map_name(MAP_NOTICES));
	*err = reader->error;
	return r;
}

void notice_reader_free(struct notice_reader *reader)
{
	if (!reader)
		return;
	ring_buffer__free(reader->ring);
	free(reader);
}
