/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a layer's tar, unpacked on a lower layer that holds traps: links
 * that lead out, a file, a directory. What must hold: nothing appears outside.
 * The first byte says into how many blocks a read is cut.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "fuzz.h"
#include "tar.h"
#include "unpack.h"

#define INPUT_MAX (64u << 10)

struct input {
	const uint8_t *data;
	size_t size, step;
};

static int next(void *context, const uint8_t **ret_data, size_t *ret_size, struct error *err)
{
	struct input *input = context;
	(void)err;
	if (input->size == 0)
		return 0;
	size_t n = input->size < input->step ? input->size : input->step;
	*ret_data = input->data;
	*ret_size = n;
	input->data += n;
	input->size -= n;
	return 1;
}

static int make(int fd, const char *name)
{
	assert(mkdirat(fd, name, 0755) == 0);
	return openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void make_traps(int lower)
{
	assert(symlinkat("../outside", lower, "esc") == 0);
	assert(mkdirat(lower, "d", 0755) == 0);
	assert(symlinkat("/", lower, "d/root") == 0);
	close(openat(lower, "etc", O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
}

static void unpack(struct input *input, int upper, int lower)
{
	struct error err = { 0 };
	struct unpack_limits limits = { 1 << 20, 1 << 20 };
	struct tar_source source = { next, NULL, input };
	AUTO(tar) tar = NULL;
	AUTO(unpacker) unpacker = NULL;
	assert(tar_create(&source, &tar, &err) == 0);
	assert(unpacker_create(upper, &limits, &unpacker, &err) == 0);
	int r = unpacker_run(unpacker, tar, &err);
	if (r == 0)
		r = unpacker_finish(unpacker, &lower, 1, &err);
	assert(r <= 0 && (r == 0 || (err.code > 0 && *err.text)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "/dev/shm/wherry-fuzz-XXXXXX";
	struct error err = { 0 };
	if (size < 1 || size > INPUT_MAX || !mkdtemp(path))
		return 0;
	auto_fd root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_fd outside = make(root, "outside"), lower = make(root, "lower"),
		upper = make(root, "upper");
	make_traps(lower);
	struct input input = { data + 1, size - 1, (size_t)(1 + data[0] % 8) * TAR_BLOCK };
	unpack(&input, upper, lower);
	assert(unlinkat(root, "outside", AT_REMOVEDIR) == 0); /* it is empty still */
	tree_remove(path, &err);
	return 0;
}
