/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many locks in one file: each is one byte of it, locked by an open file
 * description lock, so that it ends with the descriptor or the process.
 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>

#define SLOT_MASK 0x7fffffffu
#define POLL_FIRST_NS 250000 /* then twice as long each time, to: */
#define POLL_LAST_NS 8000000

static int try_lock(int fd, uint32_t slot)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = slot & SLOT_MASK, .l_len = 1
	};
	if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EACCES ? -EAGAIN : -errno;
}

/* Waiting with a limit needs polling: a library has no signal to spare. */
static int wait_for_slot(int fd, uint32_t slot, int timeout_ms)
{
	int64_t left_ns = (int64_t)timeout_ms * 1000000, pause_ns = POLL_FIRST_NS;
	int r;

	while ((r = try_lock(fd, slot)) == -EAGAIN || r == -EINTR) {
		struct timespec pause = { .tv_nsec = (long)pause_ns };
		if (timeout_ms >= 0 && left_ns <= 0)
			return -EWOULDBLOCK;
		nanosleep(&pause, NULL);
		left_ns -= pause_ns;
		pause_ns = pause_ns * 2 > POLL_LAST_NS ? POLL_LAST_NS : pause_ns * 2;
	}
	return r;
}

int lock_take_slot(const char *path, uint32_t slot, int timeout_ms, int *ret_fd, struct error *err)
{
	auto_fd fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_set_errno(err, errno, "cannot open %s", path);
	int r = wait_for_slot(fd, slot, timeout_ms);
	if (r == -EWOULDBLOCK)
		return error_set(err, EWOULDBLOCK, "%s is locked by another process", path);
	if (r < 0)
		return error_set_errno(err, -r, "cannot lock %s", path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
