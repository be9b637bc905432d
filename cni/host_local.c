/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cni/host_local.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "base/text.h"

#define LEASE_FILE_MAX 1024
#define CONTAINER_BYTES 255
#define LOCK_TIMEOUT_MS 10000
#define OLD_FORM_INTERFACE "eth0" /* older files name none */
#define LAST_FILE "last_reserved_ip.0"

/* One file of the folder. */
struct entry {
	struct ip ip;
	char container_id[CONTAINER_BYTES + 1];
	char interface[16];
	time_t modified;
};

static int take_lock(const char *folder, int *ret_fd, struct error *err)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/lock", folder);
	int r = lock_take(path, LOCK_TIMEOUT_MS, ret_fd, err);
	if (r == -EWOULDBLOCK)
		return error_set(err, ETIMEDOUT, "%s is held by another program", path);
	return r;
}

/* Gate: 1 for a lease, 0 for another file, -errno. */
static int read_entry(const char *folder, const char *name, struct entry *ret, struct error *err)
{
	char path[PATH_MAX];
	auto_free char *text = NULL;
	size_t size;
	struct stat status;
	struct error ignored = { 0 };

	if (ip_parse(name, &ret->ip, &ignored) < 0)
		return 0;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	if (stat(path, &status) < 0 || !S_ISREG(status.st_mode))
		return 0;
	int r = file_read(path, LEASE_FILE_MAX, &text, &size, err);
	if (r < 0)
		return r == -EFBIG ? 0 : r;
	size_t id = strcspn(text, "\r\n");
	const char *interface = text + id + strspn(text + id, "\r\n");
	snprintf(ret->container_id, sizeof ret->container_id, "%.*s", (int)id, text);
	snprintf(ret->interface, sizeof ret->interface, "%.*s", (int)strcspn(interface, "\r\n"),
		 interface);
	if (!ret->interface[0])
		snprintf(ret->interface, sizeof ret->interface, OLD_FORM_INTERFACE);
	ret->modified = status.st_mtime;
	return id <= CONTAINER_BYTES && text_is_name(ret->container_id, CONTAINER_BYTES);
}

static time_t boot_time(void)
{
	struct timespec now, up;
	clock_gettime(CLOCK_REALTIME, &now);
	clock_gettime(CLOCK_BOOTTIME, &up);
	return now.tv_sec - up.tv_sec;
}

/* A range of one address, so that a lease is taken whatever the network's ranges are. */
static struct ipam_config only(struct ip ip)
{
	struct ipam_config config = { .set_count = 1 };
	config.sets[0].count = 1;
	config.sets[0].ranges[0] = (struct ipam_range){ .subnet = { ip, ip_is_v4(ip) ? 32 : 128 },
							.first = ip,
							.last = ip };
	return config;
}

/* The search for a free address goes on where host-local's was. */
static int take_last(struct store_txn *txn, const char *network, const char *folder,
		     struct error *err)
{
	struct lease_owner nobody = { "host-local", "last" };
	struct lease leases[IPAM_SETS_MAX];
	char path[PATH_MAX];
	auto_free char *text = NULL;
	size_t size;
	struct ip ip;
	struct error ignored = { 0 };

	snprintf(path, sizeof path, "%s/" LAST_FILE, folder);
	if (file_read(path, IP_TEXT_MAX, &text, &size, &ignored) < 0)
		return 0;
	text[strcspn(text, "\r\n")] = '\0';
	if (ip_parse(text, &ip, &ignored) < 0)
		return 0;
	struct ipam_config config = only(ip);
	/* Held already: then the search goes past it anyway. */
	if (lease_take(txn, network, &config, &nobody, NULL, 0, leases, &ignored) < 0)
		return 0;
	int r = lease_release(txn, network, &nobody, err);
	return r < 0 ? r : 0;
}

static int import_entry(struct store_txn *txn, const char *network, const char *folder,
			const char *name, time_t since, struct host_local_counts *counts,
			struct error *err)
{
	struct entry entry;
	if (name[0] == '.' || text_equal(name, "lock") ||
	    text_starts_with(name, "last_reserved_ip"))
		return 0;
	int r = read_entry(folder, name, &entry, err);
	if (r == 0)
		counts->strange++;
	if (r != 1)
		return r;
	if (entry.modified < since) {
		counts->stale++;
		return 0;
	}
	struct lease_owner owner = { entry.container_id, entry.interface };
	r = lease_import(txn, network, &owner, entry.ip, err);
	counts->taken += r == 1;
	counts->known += r == 0;
	return r < 0 ? r : 0;
}

int host_local_import(struct store *store, const char *network, const char *folder,
		      enum host_local_age age, struct host_local_counts *ret_counts,
		      struct error *err)
{
	struct host_local_counts counts = { 0 };
	AUTO(store_txn) txn = NULL;
	auto_fd lock_fd = -1;
	auto_dir dir = opendir(folder);
	const struct dirent *item;
	time_t since = age == HOST_LOCAL_ANY_AGE ? 0 : boot_time();

	if (!dir)
		return error_set_errno(err, errno, "lease folder %s", folder);
	int r = take_lock(folder, &lock_fd, err);
	if (r == 0)
		r = store_begin(store, STORE_WRITE, &txn, err);
	if (r == 0)
		r = take_last(txn, network, folder, err);
	while (r == 0 && (item = readdir(dir)))
		r = import_entry(txn, network, folder, item->d_name, since, &counts, err);
	if (r == 0)
		r = store_commit(&txn, err);
	if (r == 0)
		*ret_counts = counts;
	return r;
}

static int forget_entry(const char *folder, const char *name, const struct lease_owner *owner,
			struct error *err)
{
	struct entry entry;
	char path[PATH_MAX];
	int r = read_entry(folder, name, &entry, err);

	if (r != 1 || !text_equal(entry.container_id, owner->container_id) ||
	    !text_equal(entry.interface, owner->interface))
		return r < 0 ? r : 0;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	if (unlink(path) < 0 && errno != ENOENT)
		return error_set_errno(err, errno, "%s", path);
	return 1;
}

int host_local_forget(const char *folder, const struct lease_owner *owner, struct error *err)
{
	auto_fd lock_fd = -1;
	auto_dir dir = opendir(folder);
	const struct dirent *item;
	int count = 0;

	if (!dir)
		return 0;
	int r = take_lock(folder, &lock_fd, err);
	while (r >= 0 && (item = readdir(dir))) {
		r = forget_entry(folder, item->d_name, owner, err);
		count += r > 0;
	}
	return r < 0 ? r : count;
}
