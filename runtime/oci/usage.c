/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a container has used up, from the files of its cgroups, v1 or v2. Where
 * a controller lacks, what its living processes say of themselves is summed up.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cgroup.h"

#define FILE_MAX (1u << 20)

/* The whole of one file of the container's group; NULL: not there. The caller frees. */
static char *read_group_file(const struct cgroup_hierarchy *hierarchy, const char *path,
			     const char *name)
{
	auto_free char *file = NULL;
	char *text = NULL;
	size_t size;
	struct error ignored;
	if (!hierarchy || cgroup_file(hierarchy, path, name, &file, &ignored) < 0 ||
	    file_read(file, FILE_MAX, &text, &size, &ignored) < 0)
		return NULL;
	return text;
}

/* A number alone in a file; -1 if it is not there, or "max". */
static int64_t read_number(const struct cgroup_hierarchy *hierarchy, const char *path,
			   const char *name)
{
	uint64_t number;
	auto_free char *text = read_group_file(hierarchy, path, name);
	if (text)
		text[strcspn(text, "\n")] = 0;
	return text && text_to_unsigned(text, 0, INT64_MAX, &number) == 0 ? (int64_t)number : -1;
}

/* The number behind "key " at a line's beginning; -1 if there is none. */
static int64_t find_number(const char *text, const char *key)
{
	size_t size = strlen(key);
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, size) == 0 && line[size] == ' ')
			return strtoll(line + size + 1, NULL, 10);
		if (!*line)
			break;
	}
	return -1;
}

static int64_t read_cpu(const struct cgroup_layout *layout, const char *path)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_find(layout, CGROUP_CPUACCT);
	if (!hierarchy || !hierarchy->unified)
		return read_number(hierarchy, path, "cpuacct.usage");
	auto_free char *text = read_group_file(hierarchy, path, "cpu.stat");
	int64_t us = text ? find_number(text, "usage_usec") : -1;
	return us < 0 ? -1 : us * 1000;
}

/* Without the part of the page cache that goes first: as Docker counts. */
static void read_memory(const struct cgroup_layout *layout, const char *path,
			struct oci_usage *usage)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_find(layout, CGROUP_MEMORY);
	bool unified = hierarchy && hierarchy->unified;
	int64_t used =
		read_number(hierarchy, path, unified ? "memory.current" : "memory.usage_in_bytes");
	auto_free char *text = read_group_file(hierarchy, path, "memory.stat");
	int64_t inactive =
		text ? find_number(text, unified ? "inactive_file" : "total_inactive_file") : 0;
	usage->memory_bytes = used > inactive && inactive > 0 ? used - inactive : used;
	usage->memory_limit_bytes =
		read_number(hierarchy, path, unified ? "memory.max" : "memory.limit_in_bytes");
}

/* v2: "8:0 rbytes=1 wbytes=2 …"; v1: "8:0 Read 1". */
static void read_blocks(const struct cgroup_layout *layout, const char *path,
			struct oci_usage *usage)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_find(layout, CGROUP_BLKIO);
	bool unified = hierarchy && hierarchy->unified;
	auto_free char *text = read_group_file(
		hierarchy, path, unified ? "io.stat" : "blkio.throttle.io_service_bytes");
	const char *keys[2] = { unified ? " rbytes=" : " Read ", unified ? " wbytes=" : " Write " };
	int64_t *sums[2] = { &usage->read_bytes, &usage->written_bytes };
	for (size_t i = 0; text && i < 2; i++) {
		*sums[i] = 0;
		for (const char *at = strstr(text, keys[i]); at; at = strstr(at + 1, keys[i]))
			*sums[i] += strtoll(at + strlen(keys[i]), NULL, 10);
	}
}

/* --- where controllers lack ------------------------------------------------------------ */

static char *read_proc(pid_t pid, const char *name)
{
	char path[64], *text = NULL;
	size_t size;
	struct error ignored;
	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	return file_read(path, FILE_MAX, &text, &size, &ignored) < 0 ? NULL : text;
}

/* utime, stime and those of children that were waited for: fields 14 to 17 of stat. */
static int64_t process_cpu_ns(pid_t pid)
{
	auto_free char *text = read_proc(pid, "stat");
	char *at = text ? strrchr(text, ')') : NULL;
	int64_t ticks = 0;
	for (int field = 3; at && (at = strchr(at + 1, ' ')); field++)
		if (field >= 14 && field <= 17)
			ticks += strtoll(at + 1, NULL, 10);
	return ticks * (1000000000 / sysconf(_SC_CLK_TCK));
}

static int64_t process_memory(pid_t pid)
{
	auto_free char *text = read_proc(pid, "statm");
	const char *resident = text ? strchr(text, ' ') : NULL;
	return resident ? strtoll(resident + 1, NULL, 10) * sysconf(_SC_PAGESIZE) : 0;
}

static void add_process(pid_t pid, struct oci_usage *sum)
{
	auto_free char *text = read_proc(pid, "io");
	int64_t read_bytes = text ? find_number(text, "read_bytes:") : 0;
	int64_t written = text ? find_number(text, "write_bytes:") : 0;
	sum->cpu_ns += process_cpu_ns(pid);
	sum->memory_bytes += process_memory(pid);
	sum->read_bytes += read_bytes > 0 ? read_bytes : 0;
	sum->written_bytes += written > 0 ? written : 0;
	sum->pids++;
}

static int fill_lacking(const struct cgroup_layout *layout, const char *path,
			struct oci_usage *usage, struct error *err)
{
	struct oci_usage sum = { 0 };
	auto_free pid_t *pids = NULL;
	size_t count = 0;
	usage->summed = (usage->cpu_ns < 0 ? OCI_USAGE_CPU : 0) |
			(usage->memory_bytes < 0 ? OCI_USAGE_MEMORY : 0) |
			(usage->pids < 0 ? OCI_USAGE_PIDS : 0) |
			(usage->read_bytes < 0 ? OCI_USAGE_BLOCKS : 0);
	if (!usage->summed)
		return 0;
	int r = cgroup_pids(layout, path, &pids, &count, err);
	for (size_t i = 0; r == 0 && i < count; i++)
		add_process(pids[i], &sum);
	if (usage->summed & OCI_USAGE_CPU)
		usage->cpu_ns = sum.cpu_ns;
	if (usage->summed & OCI_USAGE_MEMORY)
		usage->memory_bytes = sum.memory_bytes;
	if (usage->summed & OCI_USAGE_PIDS)
		usage->pids = sum.pids;
	if (usage->summed & OCI_USAGE_BLOCKS) {
		usage->read_bytes = sum.read_bytes;
		usage->written_bytes = sum.written_bytes;
	}
	return r;
}

int oci_usage(const struct oci_spec *spec, struct oci_usage *ret_usage, struct error *err)
{
	auto_cgroup_layout layout = { 0 };
	const char *path = spec->cgroup_path;
	int64_t machine = sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE);
	int r = cgroup_layout_read(&layout, err);
	if (r < 0)
		return r;
	*ret_usage = (struct oci_usage){ .read_bytes = -1, .written_bytes = -1 };
	ret_usage->cpu_ns = read_cpu(&layout, path);
	ret_usage->pids = read_number(cgroup_find(&layout, CGROUP_PIDS), path, "pids.current");
	read_memory(&layout, path, ret_usage);
	read_blocks(&layout, path, ret_usage);
	/* v1 has no word for "no limit" but a number that no machine has. */
	if (ret_usage->memory_limit_bytes < 0 || ret_usage->memory_limit_bytes > machine)
		ret_usage->memory_limit_bytes = machine;
	return fill_lacking(&layout, path, ret_usage, err);
}
