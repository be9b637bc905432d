/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stands in for libFuzzer where the compiler has none: runs the target on every
 * file of the corpus folder, so that what was found once stays found.
 */
#include <stdio.h>

#include "base/file.h"
#include "fuzz.h"

#define INPUT_SIZE_MAX (16 << 20)

static int replay_one(const char *folder, const char *name)
{
	char path[4096];
	auto_free char *data = NULL;
	size_t size;
	struct error err;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	if (file_read(path, INPUT_SIZE_MAX, &data, &size, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		return -1;
	}
	/* Of its exact size, so that the sanitizer sees a read behind the end. */
	auto_free uint8_t *exact = malloc(size ? size : 1);
	memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
		return 2;
	}
	auto_dir dir = opendir(argv[1]);
	if (!dir) {
		perror(argv[1]);
		return 2;
	}
	size_t count = 0;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL; count++)
		if (entry->d_name[0] != '.' && replay_one(argv[1], entry->d_name) < 0)
			return 1;
	printf("%zu inputs\n", count);
	return 0;
}
