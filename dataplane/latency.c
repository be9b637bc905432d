/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "latency.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

uint64_t latency_now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t *map_cells(struct dataplane *dataplane, int protection, struct error *err)
{
	int fd;
	if (map_open(&dataplane->maps, MAP_LATENCY, &fd, err) < 0)
		return NULL;
	void *cells = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), protection, MAP_SHARED, fd, 0);
	if (cells == MAP_FAILED) {
		error_set_errno(err, errno, "cannot map %s", map_name(MAP_LATENCY));
		return NULL;
	}
	return cells;
}

void latency_note(struct dataplane *dataplane, uint64_t us, bool failed)
{
	struct error ignored;
	uint64_t *cells = map_cells(dataplane, PROT_READ | PROT_WRITE, &ignored);
	uint64_t limit_us = LATENCY_FIRST_US;
	if (!cells)
		return;
	if (failed) {
		__atomic_fetch_add(&cells[LATENCY_FAILURES], 1, __ATOMIC_RELAXED);
	} else {
		for (int i = 0; i < LATENCY_BUCKETS; i++, limit_us *= 2)
			if (us <= limit_us || i == LATENCY_BUCKETS - 1)
				__atomic_fetch_add(&cells[i], 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&cells[LATENCY_COUNT], 1, __ATOMIC_RELAXED);
		__atomic_fetch_add(&cells[LATENCY_SUM_US], us, __ATOMIC_RELAXED);
	}
	munmap(cells, (size_t)sysconf(_SC_PAGESIZE));
}

int latency_read(struct dataplane *dataplane, uint64_t ret_cells[LATENCY_CELLS], struct error *err)
{
	uint64_t *cells = map_cells(dataplane, PROT_READ, err);
	if (!cells)
		return -err->code;
	memcpy(ret_cells, cells, LATENCY_CELLS * sizeof *cells);
	munmap(cells, (size_t)sysconf(_SC_PAGESIZE));
	return 0;
}
