/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reset.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"
#include "dataplane/dataplane.h"

#define COOKIES_MAX 65536
#define END_MS 10000 /* until a process that was killed must be gone */

/* The namespaces whose processes are ours to end. */
struct cookies {
	uint64_t *items;
	size_t count;
};

static int remember(const struct endpoint_info *info, void *context, struct error *err)
{
	struct cookies *cookies = context;
	if (!text_equal(info->owner, "engine") || cookies->count == COOKIES_MAX)
		return 0;
	uint64_t *items = realloc(cookies->items, (cookies->count + 1) * sizeof *items);
	if (!items)
		return error_set(err, ENOMEM, "no memory for the list of containers");
	cookies->items = items;
	cookies->items[cookies->count++] = info->netns_cookie;
	return 0;
}

static bool has_cookie(const struct cookies *cookies, uint64_t cookie)
{
	for (size_t i = 0; i < cookies->count; i++)
		if (cookies->items[i] == cookie)
			return true;
	return false;
}

/* Kills by a descriptor, which no later process of the same number can get. */
static bool end_process(pid_t pid, int signal)
{
	auto_fd pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd wait = { .fd = pidfd, .events = POLLIN };
	if (pidfd < 0 || syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0)
		return false;
	return poll(&wait, 1, END_MS) == 1;
}

static bool is_inside(pid_t pid, const struct cookies *cookies)
{
	char path[64];
	uint64_t cookie;
	struct error ignored;
	snprintf(path, sizeof path, "/proc/%ld/ns/net", (long)pid);
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && !netns_is_own(fd) && netns_cookie(fd, &cookie, &ignored) == 0 &&
	       has_cookie(cookies, cookie);
}

static size_t end_containers(const struct cookies *cookies)
{
	size_t ended = 0;
	auto_dir dir = opendir("/proc");
	if (!dir || !cookies->count)
		return 0;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		uint64_t pid;
		if (text_to_unsigned(entry->d_name, 1, INT32_MAX, &pid) == 0 &&
		    is_inside((pid_t)pid, cookies))
			ended += end_process((pid_t)pid, SIGKILL);
	}
	return ended;
}

/* True if wherryd ran. Its lock tells, since a pid file may be a dead one's. */
static bool end_wherryd(const struct instance *instance)
{
	char path[INSTANCE_PATH_MAX + 32];
	auto_free char *text = NULL;
	size_t size;
	uint64_t pid;
	struct error ignored;
	auto_fd lock_fd = -1;

	snprintf(path, sizeof path, "%s/wherryd.lock", instance->run);
	if (!path_exists(path) || lock_take(path, 0, &lock_fd, &ignored) == 0)
		return false;
	snprintf(path, sizeof path, "%s/wherryd.pid", instance->run);
	if (file_read(path, 64, &text, &size, &ignored) < 0)
		return false;
	if (size && text[size - 1] == '\n')
		text[size - 1] = '\0';
	return text_to_unsigned(text, 1, INT32_MAX, &pid) == 0 && end_process((pid_t)pid, SIGTERM);
}

static int list_containers(const struct instance *instance, struct cookies *cookies,
			   struct error *err)
{
	AUTO(store) store = NULL;
	int r = dataplane_open_store(instance, &store, err);
	return r < 0 ? r : endpoint_each(store, NULL, NULL, remember, cookies, err);
}

int reset_instance(const struct instance *instance, FILE *file, struct error *err)
{
	struct cookies cookies = { 0 };
	if (end_wherryd(instance))
		fprintf(file, "ended wherryd\n");
	int r = list_containers(instance, &cookies, err);
	size_t ended = r == 0 ? end_containers(&cookies) : 0;
	free(cookies.items);
	if (ended)
		fprintf(file, "ended %zu processes of containers\n", ended);
	if (r == 0)
		r = dataplane_reset(instance, err);
	if (r == 0)
		r = tree_remove(instance->run, err);
	if (r == 0)
		fprintf(file, "removed networks, programs and maps\n");
	return r;
}
