/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One layer's way from a member of an archive to a blob and a directory:
 *
 *	member -> hash -> blob file
 *	            \-> inflate -> ring of buffers -> hash -> tar -> directory
 *	[        reading thread          ]   [     the caller's thread    ]
 */
#include "layer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/file.h"
#include "inflate.h"
#include "tar.h"

#define SLOT_COUNT 4
#define SLOT_SIZE (256u << 10) /* a multiple of TAR_BLOCK */

struct slot {
	size_t size; /* 0: the end */
	uint8_t data[SLOT_SIZE];
};
struct pipe {
	struct layer_work *work;
	struct member_reader reader;
	struct hash *blob_hash, *plain_hash;
	int blob_fd;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned filled, used; /* counts of slots since the begin */
	bool holding;          /* the caller's thread has a slot */
	bool stop;             /* the caller's thread gave up */
	struct error error;    /* of the reading thread */
	struct slot slots[SLOT_COUNT];
};

static void pipe_free(struct pipe *pipe)
{
	if (!pipe)
		return;
	hash_free(pipe->blob_hash);
	hash_free(pipe->plain_hash);
	cleanup_fd(&pipe->blob_fd);
	free(pipe);
}
DEFINE_FREEP(pipe)

/* Every byte of the blob passes here once. */
static ptrdiff_t read_blob(void *context, uint8_t *buffer, size_t size, struct error *err)
{
	struct pipe *pipe = context;
	ptrdiff_t n = member_read(&pipe->reader, buffer, size, err);
	if (n <= 0)
		return n;
	hash_update(pipe->blob_hash, buffer, (size_t)n);
	atomic_fetch_add(pipe->work->done_bytes, (unsigned long long)n);
	int r = fd_write_all(pipe->blob_fd, buffer, (size_t)n);
	return r < 0 ? error_set_errno(err, -r, "write a layer's blob") : n;
}

/* A slot to fill, or NULL when nobody wants more. */
static struct slot *slot_to_fill(struct pipe *pipe)
{
	pthread_mutex_lock(&pipe->lock);
	while (!pipe->stop && pipe->filled - pipe->used == SLOT_COUNT)
		pthread_cond_wait(&pipe->changed, &pipe->lock);
	bool stop = pipe->stop;
	pthread_mutex_unlock(&pipe->lock);
	return stop ? NULL : &pipe->slots[pipe->filled % SLOT_COUNT];
}

static void slot_filled(struct pipe *pipe)
{
	pthread_mutex_lock(&pipe->lock);
	pipe->filled++;
	pthread_cond_signal(&pipe->changed);
	pthread_mutex_unlock(&pipe->lock);
}

/* The reading thread: ends with an empty slot, which says "end" or, with an error, "failed". */
static void *read_all(void *context)
{
	struct pipe *pipe = context;
	AUTO(inflate) inflate = NULL;
	int r = inflate_create(pipe->work->compression, read_blob, pipe, &inflate, &pipe->error);
	struct slot *slot;
	while ((slot = slot_to_fill(pipe))) {
		ptrdiff_t n =
			r < 0 ? r : inflate_read(inflate, slot->data, SLOT_SIZE, &pipe->error);
		slot->size = n > 0 ? (size_t)n : 0;
		slot_filled(pipe);
		if (n <= 0)
			break;
	}
	return NULL;
}

/* The caller's thread gives back the slot it had and takes the next. */
static int next_slot(void *context, const uint8_t **ret_data, size_t *ret_size, struct error *err)
{
	struct pipe *pipe = context;
	pthread_mutex_lock(&pipe->lock);
	if (pipe->holding) {
		pipe->used++;
		pthread_cond_signal(&pipe->changed);
	}
	pipe->holding = false;
	while (pipe->filled == pipe->used)
		pthread_cond_wait(&pipe->changed, &pipe->lock);
	pthread_mutex_unlock(&pipe->lock);
	struct slot *slot = &pipe->slots[pipe->used % SLOT_COUNT];
	if (slot->size == 0) {
		/* Stays the next one: whoever asks again gets the same answer. */
		if (pipe->error.code)
			*err = pipe->error;
		return -pipe->error.code;
	}
	if (pipe->work->compression != COMPRESSION_NONE)
		hash_update(pipe->plain_hash, slot->data, slot->size);
	pipe->holding = true;
	*ret_data = slot->data;
	*ret_size = slot->size;
	return 1;
}

static int unpack_slots(struct pipe *pipe, struct error *err)
{
	struct tar_source source = { next_slot, NULL, pipe };
	AUTO(tar) tar = NULL;
	int r = tar_create(&source, &tar, err);
	return r < 0 ? r : unpacker_run(pipe->work->unpacker, tar, err);
}

/* Both threads from begin to end. */
static int run(struct pipe *pipe, struct error *err)
{
	pthread_t thread;
	pthread_mutex_init(&pipe->lock, NULL);
	pthread_cond_init(&pipe->changed, NULL);
	int r = pthread_create(&thread, NULL, read_all, pipe);
	if (r != 0)
		return error_set_errno(err, r, "start a thread");
	r = unpack_slots(pipe, err);
	pthread_mutex_lock(&pipe->lock);
	pipe->stop = true;
	pthread_cond_signal(&pipe->changed);
	pthread_mutex_unlock(&pipe->lock);
	pthread_join(thread, NULL);
	pthread_mutex_destroy(&pipe->lock);
	pthread_cond_destroy(&pipe->changed);
	return r;
}

static int choose_compression(struct layer_work *work, struct error *err)
{
	uint8_t head[4];
	struct member_reader reader = { .member = work->member };
	ptrdiff_t n = member_read(&reader, head, sizeof head, err);
	if (n < 0)
		return (int)n;
	work->compression = compression_sniff(head, (size_t)n);
	if (work->blob->declared && work->blob->compression != work->compression)
		return error_set(err, EINVAL, "is declared as %s but is %s",
				 compression_name(work->blob->compression),
				 compression_name(work->compression));
	if (work->blob->declared && work->blob->size != work->member.size)
		return error_set(err, EINVAL, "has %llu bytes, its descriptor says %llu",
				 (unsigned long long)work->member.size,
				 (unsigned long long)work->blob->size);
	return 0;
}

static int open_unpacker(struct layer_work *work, struct error *err)
{
	struct statvfs fs;
	if (mkdir(work->root_path, 0755) < 0)
		return error_set_errno(err, errno, "make %s", work->root_path);
	work->root_fd = open(work->root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (work->root_fd < 0 || fchmod(work->root_fd, 0755) < 0 ||
	    fstatvfs(work->root_fd, &fs) < 0)
		return error_set_errno(err, errno, "open %s", work->root_path);
	uint64_t ratio = LAYER_RATIO_FREE;
	if (work->compression == COMPRESSION_NONE)
		ratio = UINT64_MAX;
	else if (work->member.size * LAYER_RATIO_MAX > ratio)
		ratio = work->member.size * LAYER_RATIO_MAX;
	struct unpack_limits limits = { ratio, (uint64_t)fs.f_bavail * fs.f_frsize };
	return unpacker_create(work->root_fd, &limits, &work->unpacker, err);
}

static int open_pipe(struct layer_work *work, struct pipe **ret_pipe, struct error *err)
{
	AUTO(pipe) pipe = malloc(sizeof *pipe);
	if (!pipe)
		return error_set(err, ENOMEM, "no memory for a layer");
	memset(pipe, 0, offsetof(struct pipe, slots));
	pipe->work = work;
	pipe->reader.member = work->member;
	pipe->blob_fd = open(work->blob_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (pipe->blob_fd < 0)
		return error_set_errno(err, errno, "make %s", work->blob_path);
	int r = hash_create(&pipe->blob_hash, err);
	if (r == 0)
		r = hash_create(&pipe->plain_hash, err);
	if (r == 0)
		*ret_pipe = TAKE(pipe);
	return r;
}

static int check_digests(struct layer_work *work, struct pipe *pipe, struct error *err)
{
	work->digest = hash_finish(pipe->blob_hash);
	if (work->blob->declared && !digest_equal(&work->digest, &work->blob->digest))
		return error_set(err, EBADMSG, "its content has the digest %s", work->digest.text);
	struct digest plain = work->compression == COMPRESSION_NONE ? work->digest
								    : hash_finish(pipe->plain_hash);
	if (strcmp(plain.text, work->diff_id) != 0)
		return error_set(err, EBADMSG, "unpacked it has the digest %s, diff_ids say %s",
				 plain.text, work->diff_id);
	return 0;
}

void layer_work_init(struct layer_work *work)
{
	*work = (struct layer_work){ .root_fd = -1 };
}

void layer_work_release(struct layer_work *work)
{
	unpacker_free(work->unpacker);
	cleanup_fd(&work->root_fd);
	layer_work_init(work);
}

int layer_unpack(struct layer_work *work, struct error *err)
{
	AUTO(pipe) pipe = NULL;
	int r = choose_compression(work, err);
	if (r == 0)
		r = open_unpacker(work, err);
	if (r == 0)
		r = open_pipe(work, &pipe, err);
	if (r == 0)
		r = run(pipe, err);
	return r < 0 ? r : check_digests(work, pipe, err);
}
