/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as the archive that `cp` unpacks in a container's tree, which holds traps: links that
 * lead out, a file, a directory. What must hold: nothing appears outside. The first byte says what
 * the archive may do.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "fuzz.h"
#include "runtime/image.h"

#define INPUT_MAX (64u << 10)

static int make(int fd, const char *name)
{
	assert(mkdirat(fd, name, 0755) == 0);
	return openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void make_traps(int tree)
{
	assert(symlinkat("../outside", tree, "esc") == 0);
	assert(mkdirat(tree, "d", 0755) == 0);
	assert(symlinkat("../../outside", tree, "d/esc") == 0);
	close(openat(tree, "etc", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
}

static void unpack(const uint8_t *data, size_t size, int tree)
{
	struct error err = { 0 };
	const struct image_archive_place place = { .root_fd = tree,
						   .folder = data[0] & 1 ? "d" : ".",
						   .links = data[0] & 2,
						   .keep_owner = data[0] & 4,
						   .keep_special = data[0] & 8 };
	auto_fd archive = memfd_create("archive", MFD_CLOEXEC);
	assert(archive >= 0);
	assert(write(archive, data + 1, size - 1) == (ssize_t)(size - 1));
	assert(lseek(archive, 0, SEEK_SET) == 0);
	int r = image_archive_read(&place, archive, &err);
	assert(r <= 0 && (r == 0 || (err.code > 0 && *err.text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "/dev/shm/wherry-fuzz-XXXXXX";
	struct error err = { 0 };
	if (size < 1 || size > INPUT_MAX || !mkdtemp(path))
		return 0;
	auto_fd root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_fd outside = make(root, "outside"), tree = make(root, "tree");
	make_traps(tree);
	unpack(data, size, tree);
	assert(unlinkat(root, "outside", AT_REMOVEDIR) == 0); /* it is empty still */
	assert(unlinkat(root, "esc", 0) < 0);
	tree_remove(path, &err);
	return 0;
}
