/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Finding out what the host has. A controller is in exactly one hierarchy, so
 * a hybrid host needs no rule of its own: each is used where it is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cgroup.h"

#define MOUNTINFO_SIZE_MAX (4u << 20)

static const char *const controller_names[CGROUP_CONTROLLER_COUNT] = {
	"cpu", "cpuacct", "cpuset", "memory", "pids", "devices", "freezer", "blkio",
};

const char *cgroup_controller_name(enum cgroup_controller controller)
{
	return controller_names[controller];
}

/* Bits of a list of controllers; also of super block options, whose other words mean nothing here.
 */
static unsigned int parse_controllers(const char *list, const char *separators)
{
	unsigned int bits = 0;
	while (*list) {
		size_t length = strcspn(list, separators);
		for (unsigned int i = 0; i < CGROUP_CONTROLLER_COUNT; i++)
			if (strlen(controller_names[i]) == length &&
			    memcmp(list, controller_names[i], length) == 0)
				bits |= 1u << i;
		if (length == 2 && memcmp(list, "io", 2) == 0)
			bits |= 1u << CGROUP_BLKIO;
		list += length;
		list += strspn(list, separators);
	}
	return bits;
}

/* v2 has devices and freezer without a controller's name: as program and file of every group. */
static unsigned int unified_controllers(const char *mount)
{
	auto_free char *path = NULL, *text = NULL;
	size_t size;
	struct error ignored = { 0 };
	if (text_format(&path, &ignored, "%s/cgroup.controllers", mount) < 0 ||
	    file_read(path, 4096, &text, &size, &ignored) < 0)
		return 0;
	unsigned int bits = parse_controllers(text, " \n");
	const unsigned int useful = 1u << CGROUP_MEMORY | 1u << CGROUP_PIDS | 1u << CGROUP_CPU;
	if (!(bits & useful))
		return 0;
	return bits | 1u << CGROUP_DEVICES | 1u << CGROUP_FREEZER | 1u << CGROUP_CPUACCT;
}

/* The pieces of one line of mountinfo that matter; all point into the line. */
struct mount_line {
	char *mount, *type, *options;
};

static bool parse_line(char *line, struct mount_line *ret)
{
	char *dash = strstr(line, " - ");
	if (!dash)
		return false;
	*dash = '\0';
	char *save = NULL, *field = NULL, *rest = line;
	for (int i = 0; i < 5; i++, rest = NULL)
		field = strtok_r(rest, " ", &save);
	ret->mount = field;
	save = NULL;
	ret->type = strtok_r(dash + 3, " ", &save);
	(void)strtok_r(NULL, " ", &save);
	ret->options = strtok_r(NULL, " ", &save);
	return ret->mount && ret->type && ret->options;
}

static int add_line(struct cgroup_layout *layout, const struct mount_line *line, struct error *err)
{
	bool unified = text_equal(line->type, "cgroup2");
	if (!unified && !text_equal(line->type, "cgroup"))
		return 0;
	unsigned int controllers =
		unified ? unified_controllers(line->mount) : parse_controllers(line->options, ",");
	controllers &= ~layout->controllers; /* mounted a second time elsewhere */
	if (!controllers || layout->count == CGROUP_HIERARCHIES_MAX)
		return 0;
	struct cgroup_hierarchy *hierarchy = &layout->hierarchies[layout->count];
	int r = text_copy(line->mount, &hierarchy->mount, err);
	if (r < 0)
		return r;
	hierarchy->controllers = controllers;
	hierarchy->unified = unified;
	layout->controllers |= controllers;
	layout->count++;
	return 0;
}

int cgroup_layout_read(struct cgroup_layout *ret, struct error *err)
{
	auto_free char *text = NULL;
	size_t size;
	int r = file_read("/proc/self/mountinfo", MOUNTINFO_SIZE_MAX, &text, &size, err);
	if (r < 0)
		return r;
	auto_cgroup_layout layout = { 0 };
	char *save = NULL;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct mount_line fields;
		if (!strstr(line, " - cgroup") || !parse_line(line, &fields))
			continue;
		r = add_line(&layout, &fields, err);
		if (r < 0)
			return r;
	}
	*ret = layout;
	layout = (struct cgroup_layout){ 0 };
	return 0;
}

void cgroup_layout_release(struct cgroup_layout *layout)
{
	for (size_t i = 0; i < layout->count; i++)
		free(layout->hierarchies[i].mount);
	*layout = (struct cgroup_layout){ 0 };
}

const struct cgroup_hierarchy *cgroup_find(const struct cgroup_layout *layout,
					   enum cgroup_controller controller)
{
	for (size_t i = 0; i < layout->count; i++)
		if (layout->hierarchies[i].controllers & 1u << controller)
			return &layout->hierarchies[i];
	return NULL;
}

int cgroup_file(const struct cgroup_hierarchy *hierarchy, const char *path, const char *file,
		char **ret_path, struct error *err)
{
	return text_format(ret_path, err, "%s/%s%s%s", hierarchy->mount, path, *file ? "/" : "",
			   file);
}
