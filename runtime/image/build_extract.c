/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ADD: a local archive is unpacked first to a scratch folder, by the code that
 * unpacks layers and refuses what they may not hold, then copied.
 */
#include "build_extract.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/file.h"
#include "inflate.h"
#include "layer.h"
#include "source.h"
#include "tar.h"
#include "unpack.h"

#define CHUNK_SIZE (256u << 10)

struct feed {
	struct inflate *inflate;
	uint8_t *buffer;
};

static ptrdiff_t read_file(void *context, uint8_t *buffer, size_t size, struct error *err)
{
	return member_read(context, buffer, size, err);
}

static int next_chunk(void *context, const uint8_t **ret_data, size_t *ret_size, struct error *err)
{
	struct feed *feed = context;
	ptrdiff_t n = inflate_read(feed->inflate, feed->buffer, CHUNK_SIZE, err);
	if (n <= 0)
		return (int)n;
	*ret_data = feed->buffer;
	*ret_size = (size_t)n;
	return 1;
}

/* Is the first block a tar header? Docker too tells by content, not by name. */
static int is_archive(struct member_reader *reader, enum compression compression, struct error *err)
{
	AUTO(inflate) inflate = NULL;
	uint8_t block[TAR_BLOCK];
	struct error ignored;
	int r = inflate_create(compression, read_file, reader, &inflate, err);
	if (r < 0)
		return r;
	ptrdiff_t n = inflate_read(inflate, block, sizeof block, &ignored);
	reader->position = 0;
	return n == TAR_BLOCK && memcmp(block + 257, "ustar", 5) == 0;
}

static int unpack(struct member_reader *reader, enum compression compression, int folder_fd,
		  struct error *err)
{
	struct statvfs fs;
	struct feed feed = { 0 };
	auto_free uint8_t *buffer = malloc(CHUNK_SIZE);
	AUTO(inflate) inflate = NULL;
	AUTO(tar) tar = NULL;
	AUTO(unpacker) unpacker = NULL;
	if (!buffer || fstatvfs(folder_fd, &fs) < 0)
		return error_set(err, ENOMEM, "no memory to unpack");
	uint64_t ratio = reader->member.size * LAYER_RATIO_MAX;
	struct unpack_limits limits = { ratio > LAYER_RATIO_FREE ? ratio : LAYER_RATIO_FREE,
					(uint64_t)fs.f_bavail * fs.f_frsize };
	struct tar_source source = { next_chunk, NULL, &feed };
	int r = inflate_create(compression, read_file, reader, &inflate, err);
	feed = (struct feed){ inflate, buffer };
	if (r == 0)
		r = tar_create(&source, &tar, err);
	if (r == 0)
		r = unpacker_create(folder_fd, &limits, &unpacker, err);
	if (r == 0)
		r = unpacker_run(unpacker, tar, err);
	return r < 0 ? r : unpacker_finish(unpacker, NULL, 0, err);
}

int extract_if_archive(const struct copy_request *request, int fd, const char *path, uint64_t size,
		       int root_fd, struct error *err)
{
	static const char bzip2[] = "BZh", xz[] = "\xfd"
						  "7zXZ";
	struct member_reader reader = { .member = { fd, 0, size } };
	uint8_t head[8] = { 0 };
	ptrdiff_t n = member_read(&reader, head, sizeof head, err);
	if (n < 0)
		return (int)n;
	reader.position = 0;
	if (memcmp(head, bzip2, 3) == 0 || memcmp(head, xz, 5) == 0)
		return error_set(err, ENOTSUP,
				 "\"%.200s\": archives with bzip2 or xz are not supported (gzip, "
				 "zstd and plain tar are)",
				 path);
	enum compression compression = compression_sniff(head, (size_t)n);
	int r = is_archive(&reader, compression, err);
	if (r <= 0)
		return r;
	auto_fd folder = -1;
	if (mkdir(request->scratch, 0755) < 0 ||
	    (folder = open(request->scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		return error_set_errno(err, errno, "make %s", request->scratch);
	r = unpack(&reader, compression, folder, err);
	if (r < 0)
		return error_wrap(err, "\"%.200s\"", path);
	struct copy_request copy = *request;
	copy.ignore = NULL;
	copy.keep_owner = true;
	r = copy_tree(&copy, folder, "", root_fd, err);
	if (r == 0)
		r = tree_remove(request->scratch, err);
	return r < 0 ? r : 1;
}
