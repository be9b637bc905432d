/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine as sorted lines of text, and what two of them differ in. "Clean"
 * in the checklist means: no line came, and none went.
 */
#include "conformance.h"

#include <dirent.h>
#include <errno.h>
#include <linux/bpf.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"

#define OUTPUT_MAX (1u << 22)
#define ENTRIES_MAX 100000
#define SETTLE_MS 1000

static void list_tree(const char *folder, const char *shown, struct words *lines)
{
	static const char *const ours[] = { "/run/witness", "/run/netns", NULL };
	auto_dir dir = opendir(folder);
	const struct dirent *entry;
	struct error err;
	while (dir && (entry = readdir(dir))) {
		char path[PATH_MAX_BYTES + 256], name[PATH_MAX_BYTES + 256];
		bool skipped = text_equal(entry->d_name, ".") || text_equal(entry->d_name, "..");
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		snprintf(name, sizeof name, "%s/%s", shown, entry->d_name);
		for (size_t i = 0; ours[i]; i++)
			skipped |= text_equal(path, ours[i]);
		if (skipped)
			continue;
		words_append_format(lines, &err, "file %s", name);
		if (entry->d_type == DT_DIR)
			list_tree(path, name, lines);
	}
}

static long bpf_call(int command, union bpf_attr *attribute)
{
	return syscall(SYS_bpf, command, attribute, sizeof *attribute);
}

/* Entries of a pinned map that can be walked and whose entries come and go; -1: no such map. */
static int64_t count_entries(const char *path)
{
	union bpf_attr attribute = { .pathname = (uintptr_t)path };
	auto_fd fd = (int)bpf_call(BPF_OBJ_GET, &attribute);
	struct bpf_map_info info = { 0 };
	attribute = (union bpf_attr){ .info = { .bpf_fd = (uint32_t)fd,
						.info_len = sizeof info,
						.info = (uintptr_t)&info } };
	/* A program or link answers with facts that are longer: not a map then. */
	if (fd < 0 || bpf_call(BPF_OBJ_GET_INFO_BY_FD, &attribute) < 0 || info.key_size == 0 ||
	    (info.type != BPF_MAP_TYPE_HASH && info.type != BPF_MAP_TYPE_LPM_TRIE))
		return -1;
	auto_free uint8_t *key = calloc(1, info.key_size), *next = calloc(1, info.key_size);
	int64_t count = 0;
	attribute = (union bpf_attr){ .map_fd = (uint32_t)fd, .next_key = (uintptr_t)next };
	while (count < ENTRIES_MAX && bpf_call(BPF_MAP_GET_NEXT_KEY, &attribute) == 0) {
		memcpy(key, next, info.key_size);
		attribute.key = (uintptr_t)key;
		count++;
	}
	return count;
}

static void list_pinned(const char *folder, struct words *lines)
{
	auto_dir dir = opendir(folder);
	const struct dirent *entry;
	struct error err;
	while (dir && (entry = readdir(dir))) {
		char path[PATH_MAX_BYTES + 256];
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (entry->d_type == DT_DIR) {
			list_pinned(path, lines);
			continue;
		}
		int64_t entries = strstr(path, "/maps/") ? count_entries(path) : -1;
		if (entries < 0)
			words_append_format(lines, &err, "pinned %s", path);
		else
			words_append_format(lines, &err, "pinned %s with %d entries", path,
					    (int)entries);
	}
}

/* Rules of the host's firewall, by the programs that a person would ask. */
static void list_rules(struct words *lines)
{
	static const char *const programs[][4] = {
		{ "/usr/sbin/nft", "-s", "list", "ruleset" },
		{ "/usr/sbin/iptables-legacy-save", NULL },
		{ "/usr/sbin/ip6tables-legacy-save", NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		char *argv[5] = { NULL };
		auto_free char *output = NULL;
		size_t size;
		int status;
		struct error err;
		char *rest, *line;
		for (size_t k = 0; k < 4 && programs[i][k]; k++)
			argv[k] = (char *)programs[i][k];
		struct process_spec spec = { argv[0], argv, NULL, -1, -1, -1 };
		if (access(argv[0], X_OK) < 0 ||
		    process_run(&spec, "", 0, OUTPUT_MAX, 10000, &output, &size, &status, &err) < 0)
			continue;
		for (rest = output; (line = strsep(&rest, "\n"));)
			if (line[0] && line[0] != '#' && line[0] != ':')
				words_append_format(lines, &err, "rule %s", line);
	}
}

static void list_processes(struct words *lines)
{
	/* Whose parent has ended is our child: the first process buries it. */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	auto_dir dir = opendir("/proc");
	const struct dirent *entry;
	uint64_t pid;
	struct error err;
	char name[32];
	while (dir && (entry = readdir(dir))) {
		if (text_to_unsigned(entry->d_name, 1, INT32_MAX, &pid) < 0 ||
		    (pid_t)pid == getpid())
			continue;
		process_name((pid_t)pid, name, sizeof name);
		if (!text_starts_with(name, "cni-conform"))
			words_append_format(lines, &err, "process %s", name);
	}
}

static void list_mounts(struct words *lines)
{
	auto_free char *text = NULL;
	size_t size;
	struct error err;
	char *rest, *line;
	if (file_read("/proc/self/mounts", OUTPUT_MAX, &text, &size, &err) < 0)
		return;
	for (rest = text; (line = strsep(&rest, "\n"));) {
		char kind[64], place[PATH_MAX_BYTES];
		if (sscanf(line, "%*s %511s %63s", place, kind) == 2 &&
		    !text_starts_with(place, "/run/netns"))
			words_append_format(lines, &err, "mount %s at %s", kind, place);
	}
}

/* Links of all namespaces: each line says whose. */
static void list_nets(struct words *lines)
{
	auto_dir dir = opendir("/run/netns");
	const struct dirent *entry;
	struct error err;
	net_list(NULL, lines);
	while (dir && (entry = readdir(dir))) {
		auto_words inner = { 0 };
		if (entry->d_name[0] == '.')
			continue;
		net_list(entry->d_name, &inner);
		for (size_t i = 0; i < inner.count; i++)
			words_append_format(lines, &err, "in %s: %s", entry->d_name,
					    inner.items[i]);
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void snapshot_take(struct words *ret)
{
	list_nets(ret);
	list_tree("/run", "/run", ret);
	list_tree("/run/witness/cover", "", ret);
	list_pinned("/sys/fs/bpf", ret);
	list_rules(ret);
	list_processes(ret);
	list_mounts(ret);
	if (ret->count)
		qsort(ret->items, ret->count, sizeof *ret->items, compare_lines);
}

/*
 * "+ line" for what came, "- line" for what went; but a process that has ended since is what an
 * earlier call had left to end by itself.
 */
static void compare(const struct words *before, const struct words *after, struct text *ret)
{
	size_t i = 0, k = 0;
	while (i < before->count || k < after->count) {
		int order = i == before->count  ? 1
			    : k == after->count ? -1
						: strcmp(before->items[i], after->items[k]);
		if (order < 0 && !text_starts_with(before->items[i], "process "))
			text_append(ret, " - %s;", before->items[i]);
		if (order > 0)
			text_append(ret, " + %s;", after->items[k]);
		i += order <= 0;
		k += order >= 0;
	}
}

/* The kernel takes its time to end a namespace with what is in it. */
void claim_clean(struct world *world, const char *what)
{
	auto_text difference = { 0 };
	int64_t end = now_ms() + SETTLE_MS;
	do {
		auto_words after = { 0 };
		text_free(&difference);
		difference = (struct text){ 0 };
		snapshot_take(&after);
		compare(&world->before, &after, &difference);
	} while (difference.size && now_ms() < end && poll(NULL, 0, 20) == 0);
	if (difference.size)
		show(world, "%s", difference.data);
	claim(world, difference.size == 0, "%s: the machine is as before", what);
}

void world_remember(struct world *world)
{
	words_free(&world->before);
	world->before = (struct words){ 0 };
	snapshot_take(&world->before);
}

bool world_warm(struct world *world, const struct json_t *list)
{
	auto_attachment warm = { .id = "warm", .ifname = "eth0", .netns = "/run/netns/warm" };
	netns_make(world, "warm");
	bool done = chain_do(world, list, "ADD", &warm);
	claim(world, done, "a first ADD succeeds");
	if (done)
		claim(world, chain_do(world, list, "DEL", &warm), "a first DEL succeeds");
	netns_drop(world, "warm");
	world_remember(world);
	return done;
}
