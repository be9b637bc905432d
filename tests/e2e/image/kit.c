/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kit.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "overlay.h"

#define OUTPUT_MAX (4u << 20)

int kit_begin(void)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		fprintf(stderr, "skipped: a mount namespace: %s (root is needed)\n",
			strerror(errno));
		return 77;
	}
	return 0;
}

void place_open(struct place *place)
{
	struct error err = { 0 };
	CHECK(instance_init(place->root, &place->instance, &err), err);
	CHECK(image_store_open(&place->instance, &place->store, &err), err);
}

void place_close(struct place *place)
{
	image_store_free(TAKE(place->store));
}

int place_set_up(void **state)
{
	struct place *place = test_calloc(1, sizeof *place);
	snprintf(place->path, sizeof place->path, "/tmp/wherry-image-XXXXXX");
	assert_non_null(mkdtemp(place->path));
	assert_int_equal(mount("tmpfs", place->path, "tmpfs", 0, "size=1g"), 0);
	snprintf(place->root, sizeof place->root, "%s/root", place->path);
	assert_int_equal(mkdir(place->root, 0755), 0);
	place_open(place);
	*state = place;
	return 0;
}

int place_tear_down(void **state)
{
	struct place *place = *state;
	place_close(place);
	assert_int_equal(umount2(place->path, MNT_DETACH), 0);
	assert_int_equal(rmdir(place->path), 0);
	test_free(place);
	return 0;
}

const char *kit_images(void)
{
	const char *path = getenv("WHERRY_TEST_IMAGES");
	if (!path || !*path) {
		print_message("skipped: WHERRY_TEST_IMAGES names no folder of images\n");
		skip();
	}
	return path;
}

static void list(const char *folder, size_t skip, struct words *out)
{
	auto_dir dir = opendir(folder);
	assert_non_null(dir);
	struct error err;
	for (struct dirent *entry; (entry = readdir(dir));) {
		struct stat st;
		auto_free char *path = NULL;
		if (text_equal(entry->d_name, ".") || text_equal(entry->d_name, ".."))
			continue;
		CHECK(text_format(&path, &err, "%s/%s", folder, entry->d_name), err);
		assert_int_equal(lstat(path, &st), 0);
		CHECK(words_append_format(out, &err, "%s %o %lld", path + skip, st.st_mode,
					  S_ISREG(st.st_mode) ? (long long)st.st_size : 0),
		      err);
		if (S_ISDIR(st.st_mode))
			list(path, skip, out);
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char *kit_list(const char *folder)
{
	auto_words lines = { 0 };
	auto_text text = { 0 };
	struct error err;
	char *result;
	list(folder, strlen(folder), &lines);
	if (lines.count)
		qsort(lines.items, lines.count, sizeof *lines.items, compare);
	for (size_t i = 0; i < lines.count; i++)
		text_append(&text, "%s\n", lines.items[i]);
	CHECK(text_take(&text, &result, &err), err);
	return result;
}

void kit_load(struct place *place, const char *path, char *ret_names, size_t size)
{
	auto_words names = { 0 };
	struct error err = { 0 };
	size_t used = 0;
	CHECK(image_load(place->store, path, NULL, &names, &err), err);
	*ret_names = 0;
	for (size_t i = 0; i < names.count && used < size; i++)
		used += (size_t)snprintf(ret_names + used, size - used, "%s%s", i ? " " : "",
					 names.items[i]);
}

int kit_mount(struct place *place, const char *reference)
{
	struct image image = { 0 };
	struct error err = { 0 };
	char upper[128], work[128];
	int fd = -1;
	assert_int_equal(image_find(place->store, reference, &image, &err), 1);
	snprintf(upper, sizeof upper, "%s/upper-XXXXXX", place->path);
	snprintf(work, sizeof work, "%s/work-XXXXXX", place->path);
	assert_non_null(mkdtemp(upper));
	assert_non_null(mkdtemp(work));
	CHECK(overlay_open(&image.layer_paths, upper, work, &fd, &err), err);
	image_release(&image);
	return fd;
}

char *kit_run(const char *const *argv)
{
	struct process_spec spec = { .path = argv[0],
				     .argv = (char *const *)(uintptr_t)argv,
				     .stdin_fd = -1,
				     .stdout_fd = -1,
				     .stderr_fd = STDERR_FILENO };
	char *output = NULL;
	size_t size;
	int status;
	struct error err = { 0 };
	CHECK(process_run(&spec, "", 0, OUTPUT_MAX, 60000, &output, &size, &status, &err), err);
	assert_int_equal(status, 0);
	return output;
}

void kit_write(const char *folder, const char *name, const char *text)
{
	struct error err = { 0 };
	char path[256];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	CHECK(file_replace(path, text, strlen(text), 0644, FILE_NO_SYNC, &err), err);
}

static void copy_blob(struct place *place, const char *digest, const char *folder)
{
	char from[256], to[256];
	auto_free char *data = NULL;
	size_t size;
	struct error err = { 0 };
	const char *hex = digest + strlen("sha256:");
	snprintf(from, sizeof from, "%s/var/lib/wherry/blobs/sha256/%s", place->root, hex);
	snprintf(to, sizeof to, "%s/blobs/sha256/%s", folder, hex);
	CHECK(file_read(from, 64u << 20, &data, &size, &err), err);
	CHECK(file_replace(to, data, size, 0644, FILE_NO_SYNC, &err), err);
}

void kit_export(struct place *place, const char *reference, const char *folder)
{
	struct image image = { 0 };
	struct error err = { 0 };
	struct stat st;
	char path[256], index[1024];
	assert_int_equal(image_find(place->store, reference, &image, &err), 1);
	snprintf(path, sizeof path, "%s/blobs/sha256", folder);
	CHECK(directory_make(path, 0755, &err), err);
	copy_blob(place, image.id, folder);
	copy_blob(place, image.manifest, folder);
	for (size_t i = 0; i < image.blobs.count; i++)
		copy_blob(place, image.blobs.items[i], folder);
	snprintf(path, sizeof path, "%s/blobs/sha256/%s", folder, image.manifest + 7);
	assert_int_equal(stat(path, &st), 0);
	snprintf(index, sizeof index,
		 "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":"
		 "\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"%s\",\"size\":%lld,"
		 "\"annotations\":{\"org.opencontainers.image.ref.name\":\"again\"}}]}",
		 image.manifest, (long long)st.st_size);
	kit_write(folder, "index.json", index);
	kit_write(folder, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
	image_release(&image);
}
