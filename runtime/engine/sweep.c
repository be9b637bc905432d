/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sweep.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/loop.h"
#include "record.h"

/* Seconds since 1970 at which this boot began. */
static time_t boot_time(void)
{
	struct timespec since_boot;
	if (clock_gettime(CLOCK_BOOTTIME, &since_boot) < 0)
		return 0;
	return (time_t)(clock_wall_ns() / 1000000000) - since_boot.tv_sec;
}

static bool is_id(const char *name)
{
	return strlen(name) == CONTAINER_ID_SIZE - 1 &&
	       strspn(name, "0123456789abcdef") == CONTAINER_ID_SIZE - 1;
}

void containers_sweep(struct engine *engine)
{
	struct error err;
	struct stat status;
	struct path containers = container_dir(engine, "");
	auto_dir dir = opendir(containers.text);
	time_t boot = boot_time();
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		AUTO(container) container = NULL;
		if (!is_id(entry->d_name))
			continue;
		struct path path = container_dir(engine, entry->d_name);
		/* What is younger may be one that another verb makes just now. */
		if (stat(path.text, &status) == 0 && status.st_mtime < boot &&
		    container_find(engine, entry->d_name, &container, &err) == -ENOENT)
			(void)tree_remove(path.text, &err);
	}
}
