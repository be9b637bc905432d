/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Cleanup by attribute. Every resource is held by an AUTO(type) or auto_*
 * variable from the line where it is born; TAKE moves it on.
 *
 *	DEFINE_FREEP(range)             -- needs: void range_free(struct range *)
 *	AUTO(range) range = NULL;       -- range_free at the end of scope
 *	*ret_range = TAKE(range);       -- moved: range is NULL now
 */
#include <stdio.h>
#include <stdlib.h>
#include <dirent.h>
#include <unistd.h>

#define DEFINE_FREEP(type)                                    \
	static inline void type##_freep(struct type **object) \
	{                                                     \
		type##_free(*object);                         \
	}
#define AUTO(type) __attribute__((cleanup(type##_freep), unused)) struct type *

#define TAKE(pointer)                                   \
	({                                              \
		__typeof__(pointer) taken_ = (pointer); \
		(pointer) = NULL;                       \
		taken_;                                 \
	})

/** Moves a file descriptor on: the variable becomes -1. */
#define TAKE_FD(fd)                \
	({                         \
		int taken_ = (fd); \
		(fd) = -1;         \
		taken_;            \
	})

static inline void cleanup_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
static inline void cleanup_memory(void *pointer)
{
	free(*(void **)pointer);
}
static inline void cleanup_file(FILE **file)
{
	if (*file)
		fclose(*file);
}
static inline void cleanup_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

#define auto_fd __attribute__((cleanup(cleanup_fd), unused)) int
#define auto_free __attribute__((cleanup(cleanup_memory), unused))
#define auto_file __attribute__((cleanup(cleanup_file), unused)) FILE *
#define auto_dir __attribute__((cleanup(cleanup_dir), unused)) DIR *

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
