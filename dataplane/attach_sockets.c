/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The socket programs, at the root of the cgroup tree. */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "attach.h"
#include "base/file.h"

#define LINK_PATH_MAX (INSTANCE_PATH_MAX + 300) /* with any file name */

/* The mount point of a line of mountinfo if its file system is cgroup2. */
static bool read_mount(char *line, char *ret_path, size_t size)
{
	char *rest = strstr(line, " - cgroup2 ");
	if (!rest)
		return false;
	*rest = '\0';
	char *save = NULL, *field = strtok_r(line, " ", &save);
	for (int i = 0; field && i < 4; i++)
		field = strtok_r(NULL, " ", &save);
	if (!field)
		return false;
	snprintf(ret_path, size, "%s", field);
	return true;
}

int attach_cgroup_root(char *ret_path, size_t size, struct error *err)
{
	auto_file file = fopen("/proc/self/mountinfo", "re");
	auto_free char *line = NULL;
	size_t capacity = 0;

	if (!file)
		return error_set_errno(err, errno, "cannot read /proc/self/mountinfo");
	while (getline(&line, &capacity, file) > 0)
		if (read_mount(line, ret_path, size))
			return 0;
	return error_set(err, ENOENT,
			 "no cgroup2 file system is mounted: mount -t cgroup2 none /sys/fs/cgroup");
}

static bool socket_link_is_alive(const char *path)
{
	struct bpf_link_info info = { 0 };
	uint32_t size = sizeof info;
	auto_fd link = bpf_obj_get(path);
	if (link < 0 || bpf_obj_get_info_by_fd(link, &info, &size) < 0)
		return false;
	/* 0 once the cgroup went or somebody detached it. */
	return info.cgroup.cgroup_id != 0;
}

bool attach_socket_check(const struct instance *instance, const char *program)
{
	char path[LINK_PATH_MAX];
	snprintf(path, sizeof path, "%s/links/%s", instance->bpf, program);
	return socket_link_is_alive(path);
}

static bool is_socket_program(const char *path)
{
	struct bpf_prog_info info = { 0 };
	uint32_t size = sizeof info;
	auto_fd fd = bpf_obj_get(path);
	return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 &&
	       info.type == BPF_PROG_TYPE_CGROUP_SOCK_ADDR;
}

int attach_sockets_each(const struct instance *instance,
			int (*visit)(const char *program, void *context, struct error *err),
			void *context, struct error *err)
{
	char directory[INSTANCE_PATH_MAX + 16], path[LINK_PATH_MAX];
	int r = 0;
	snprintf(directory, sizeof directory, "%s/programs", instance->bpf);
	auto_dir dir = opendir(directory);
	if (!dir)
		return error_set_errno(err, errno, "cannot open %s", directory);
	for (struct dirent *entry; r == 0 && (entry = readdir(dir));) {
		snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
		if (entry->d_name[0] != '.' && is_socket_program(path))
			r = visit(entry->d_name, context, err);
	}
	return r;
}

int attach_socket_program(const struct instance *instance, const char *program, int program_fd,
			  int attach_type, struct error *err)
{
	char root[256], path[LINK_PATH_MAX];
	snprintf(path, sizeof path, "%s/links/%s", instance->bpf, program);
	if (socket_link_is_alive(path))
		return 0;
	unlink(path);
	int r = attach_cgroup_root(root, sizeof root, err);
	if (r < 0)
		return r;
	auto_fd cgroup = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (cgroup < 0)
		return error_set_errno(err, errno, "cannot open %s", root);
	auto_fd link = bpf_link_create(program_fd, cgroup, (enum bpf_attach_type)attach_type, NULL);
	if (link < 0)
		return error_set_errno(err, errno, "cannot attach %s to %s", program, root);
	if (bpf_obj_pin(link, path) < 0 && errno != EEXIST)
		return error_set_errno(err, errno, "cannot pin %s", path);
	return 0;
}
