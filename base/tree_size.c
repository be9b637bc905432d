/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The room that a tree takes on its disk, as du counts it: links not followed, a hard link its
 * share. */
#include "base/file.h"

#include <errno.h>
#include <fts.h>
#include <sys/stat.h>

int tree_size(const char *path, uint64_t *ret_bytes, struct error *err)
{
	char *paths[] = { (char *)(uintptr_t)path, NULL };
	FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	uint64_t bytes = 0;
	if (!tree)
		return error_set_errno(err, errno, "%s", path);
	for (FTSENT *entry; (entry = fts_read(tree));) {
		/* What went away meanwhile takes no room; a directory is met twice. */
		if (entry->fts_info == FTS_DP || entry->fts_info == FTS_NS ||
		    entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR)
			continue;
		const struct stat *st = entry->fts_statp;
		if (S_ISDIR(st->st_mode) || st->st_nlink < 2)
			bytes += (uint64_t)st->st_blocks * 512;
		else
			bytes += (uint64_t)st->st_blocks * 512 / (uint64_t)st->st_nlink;
	}
	fts_close(tree);
	*ret_bytes = bytes;
	return 0;
}
