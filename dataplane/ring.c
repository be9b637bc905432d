/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ring.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define RECORD_MAX 4096 /* larger ones are skipped */
#define HEADER 8
/* Who reads first takes the kernel's signal from the others: they look by themselves. */
#define LOOK_NS 100000000

struct ring {
	int epoll_fd, timer_fd;
	size_t page, size;
	unsigned long *consumer;       /* of all readers */
	const unsigned long *producer; /* the data lies a page behind it, twice in a row */
	unsigned long at;              /* of this reader */
	uint64_t lost;
};

static int map_ring(struct ring *ring, int map_fd, struct error *err)
{
	void *consumer = mmap(NULL, ring->page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (consumer == MAP_FAILED)
		return error_set_errno(err, errno, "cannot map a ring");
	ring->consumer = consumer;
	void *producer = mmap(NULL, ring->page + 2 * ring->size, PROT_READ, MAP_SHARED, map_fd,
			      (off_t)ring->page);
	if (producer == MAP_FAILED)
		return error_set_errno(err, errno, "cannot map a ring");
	ring->producer = producer;
	return 0;
}

static int watch(struct ring *ring, int map_fd, struct error *err)
{
	struct itimerspec every = { { 0, LOOK_NS }, { 0, LOOK_NS } };
	struct epoll_event event = { .events = EPOLLIN };
	ring->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	ring->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (ring->epoll_fd < 0 || ring->timer_fd < 0 ||
	    timerfd_settime(ring->timer_fd, 0, &every, NULL) < 0 ||
	    epoll_ctl(ring->epoll_fd, EPOLL_CTL_ADD, map_fd, &event) < 0 ||
	    epoll_ctl(ring->epoll_fd, EPOLL_CTL_ADD, ring->timer_fd, &event) < 0)
		return error_set_errno(err, errno, "cannot wait for a ring");
	return 0;
}

int ring_open(int map_fd, struct ring **ret_ring, struct error *err)
{
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof info;
	AUTO(ring) ring = calloc(1, sizeof *ring);
	if (!ring)
		return error_set(err, ENOMEM, "no memory for a ring's reader");
	ring->epoll_fd = ring->timer_fd = -1;
	if (bpf_obj_get_info_by_fd(map_fd, &info, &size) < 0 || info.type != BPF_MAP_TYPE_RINGBUF)
		return error_set(err, EINVAL, "cannot follow what is no ring");
	ring->page = (size_t)sysconf(_SC_PAGESIZE);
	ring->size = info.max_entries;
	int r = map_ring(ring, map_fd, err);
	if (r == 0)
		r = watch(ring, map_fd, err);
	if (r < 0)
		return r;
	ring->at = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
	*ret_ring = TAKE(ring);
	return 0;
}

void ring_free(struct ring *ring)
{
	if (!ring)
		return;
	if (ring->consumer)
		munmap(ring->consumer, ring->page);
	if (ring->producer)
		munmap((void *)ring->producer, ring->page + 2 * ring->size);
	cleanup_fd(&ring->epoll_fd);
	cleanup_fd(&ring->timer_fd);
	free(ring);
}

int ring_fd(const struct ring *ring)
{
	return ring->epoll_fd;
}

uint64_t ring_lost(const struct ring *ring)
{
	return ring->lost;
}

/* Moves the kernel's place on; another reader may have moved it further. */
static void release(struct ring *ring)
{
	unsigned long old = __atomic_load_n(ring->consumer, __ATOMIC_ACQUIRE);
	while ((long)(ring->at - old) > 0 &&
	       !__atomic_compare_exchange_n(ring->consumer, &old, ring->at, 0, __ATOMIC_ACQ_REL,
					    __ATOMIC_ACQUIRE))
		;
}

/* What was copied is whole unless the kernel has meanwhile gone over it. */
static int was_overtaken(struct ring *ring)
{
	unsigned long produced = __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE);
	if (produced - ring->at <= ring->size)
		return 0;
	ring->lost += produced - ring->at;
	ring->at = produced;
	return 1;
}

/* 1 and the record's size (0: nothing to hand on); 0 if it is not finished. */
static int take_record(struct ring *ring, uint8_t record[RECORD_MAX], size_t *ret_size)
{
	const uint8_t *data = (const uint8_t *)ring->producer + ring->page;
	const uint8_t *header = data + (ring->at & (ring->size - 1));
	uint32_t length = __atomic_load_n((const uint32_t *)(const void *)header, __ATOMIC_ACQUIRE);
	*ret_size = 0;
	if (length & BPF_RINGBUF_BUSY_BIT)
		return was_overtaken(ring);
	size_t size = length & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
	if (size <= RECORD_MAX && !(length & BPF_RINGBUF_DISCARD_BIT))
		memcpy(record, header + HEADER, size);
	if (was_overtaken(ring))
		return 1;
	ring->at += (size + HEADER + 7) & ~7ul;
	if (size <= RECORD_MAX && !(length & BPF_RINGBUF_DISCARD_BIT))
		*ret_size = size;
	return 1;
}

int ring_read(struct ring *ring,
	      int (*visit)(const void *record, size_t size, void *context, struct error *err),
	      void *context, struct error *err)
{
	_Alignas(8) uint8_t record[RECORD_MAX];
	uint64_t ticks;
	int r = 0;
	(void)!read(ring->timer_fd, &ticks, sizeof ticks);
	while (r == 0) {
		size_t size;
		if (__atomic_load_n(ring->producer, __ATOMIC_ACQUIRE) == ring->at ||
		    take_record(ring, record, &size) == 0)
			break;
		if (size)
			r = visit(record, size, context, err);
	}
	release(ring);
	return r;
}
