/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns at LMDB's mutexes. They are robust: who dies with one does not keep it. But who dies in the
 * moment after it was woken, while a third has already taken the mutex and sees nobody wait, takes
 * the wake-up of all others along, and they sleep for ever. So processes wait for a lock of the
 * kernel's instead, which nobody's death leaves: one byte of the data file for each mutex, by open
 * file description. LMDB's own locks are on its lock file, by process.
 */
#include "store_private.h"

#include <errno.h>
#include <fcntl.h>

static int set_lock(struct store *store, enum store_turn turn, short kind)
{
	struct flock lock = {
		.l_type = kind, .l_whence = SEEK_SET, .l_start = (off_t)turn, .l_len = 1
	};
	mdb_filehandle_t fd;
	int r = mdb_env_get_fd(store->env, &fd);
	while (r == 0 && fcntl(fd, F_OFD_SETLKW, &lock) < 0)
		if (errno != EINTR)
			r = errno;
	return r;
}

int store_turn_take(struct store *store, enum store_turn turn)
{
	return set_lock(store, turn, F_WRLCK);
}

void store_turn_give(struct store *store, enum store_turn turn)
{
	(void)set_lock(store, turn, F_UNLCK);
}
