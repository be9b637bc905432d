/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tuning.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/file.h"
#include "base/process.h"

#define SYSCTL_VALUE_MAX 4096

void tuning_release(struct tuning *tuning)
{
	words_free(&tuning->sysctls);
}

bool tuning_is_wanted(const struct tuning *tuning)
{
	return tuning->sysctls.count || !mac_is_unset(tuning->mac) ||
	       tuning->promisc != TUNING_UNSET || tuning->allmulti != TUNING_UNSET ||
	       tuning->mtu != TUNING_UNSET || tuning->txqlen != TUNING_UNSET;
}

struct work {
	const struct tuning *tuning;
	const char *interface;
	int socket_fd;
};

/* --- sysctls --------------------------------------------------------------------- */

/* What the kernel shows may have other blanks than what was written. */
static bool same_value(const char *shown, const char *wanted)
{
	for (;; shown++, wanted++) {
		shown += strspn(shown, " \t\n");
		wanted += strspn(wanted, " \t\n");
		if (*shown != *wanted || !*shown)
			return *shown == *wanted;
	}
}

static int sysctl_set(const char *path, const char *value, struct error *err)
{
	char file[512];
	snprintf(file, sizeof file, "/proc/sys/%s", path);
	int r = file_write_existing(file, value, err);
	return r < 0 ? error_wrap(err, "sysctl %s", path) : 0;
}

static int sysctl_compare(const char *path, const char *value, struct error *err)
{
	char file[512];
	auto_free char *text = NULL;
	size_t size;
	snprintf(file, sizeof file, "/proc/sys/%s", path);
	int r = file_read(file, SYSCTL_VALUE_MAX, &text, &size, err);
	if (r < 0)
		return error_wrap(err, "sysctl %s", path);
	if (same_value(text, value))
		return 0;
	return error_set(err, ENOENT, "sysctl %s is %.*s, not %s", path, (int)strcspn(text, "\n"),
			 text, value);
}

/* The interface's name stands for IFNAME; its own dots stay. */
static void sysctl_path(const char *path, const char *interface, char *ret, size_t size)
{
	const char *word = strstr(path, "/IFNAME");
	if (word && (word[7] == '/' || word[7] == '\0'))
		snprintf(ret, size, "%.*s/%s%s", (int)(word - path), path, interface, word + 7);
	else
		snprintf(ret, size, "%s", path);
}

static int each_sysctl(const struct work *work,
		       int (*visit)(const char *path, const char *value, struct error *err),
		       struct error *err)
{
	const struct words *sysctls = &work->tuning->sysctls;
	int r = 0;
	for (size_t i = 0; r == 0 && i + 1 < sysctls->count; i += 2) {
		char path[400];
		sysctl_path(sysctls->items[i], work->interface, path, sizeof path);
		r = visit(path, sysctls->items[i + 1], err);
	}
	return r;
}

/* --- attributes of the link: by ioctl, which takes a name and asks in its namespace --- */

static struct ifreq request_for(const struct work *work)
{
	struct ifreq request = { 0 };
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", work->interface);
	return request;
}

static int link_ask(const struct work *work, unsigned long what, struct ifreq *request,
		    const char *key, struct error *err)
{
	if (ioctl(work->socket_fd, what, request) < 0)
		return error_set_errno(err, errno, "%s of interface %s", key, work->interface);
	return 0;
}

static int set_flags(const struct work *work, struct error *err)
{
	const struct tuning *tuning = work->tuning;
	struct ifreq request = request_for(work);
	if (tuning->promisc == TUNING_UNSET && tuning->allmulti == TUNING_UNSET)
		return 0;
	int r = link_ask(work, SIOCGIFFLAGS, &request, "flags", err);
	if (r < 0)
		return r;
	int flags = request.ifr_flags;
	if (tuning->promisc != TUNING_UNSET)
		flags = tuning->promisc ? flags | IFF_PROMISC : flags & ~IFF_PROMISC;
	if (tuning->allmulti != TUNING_UNSET)
		flags = tuning->allmulti ? flags | IFF_ALLMULTI : flags & ~IFF_ALLMULTI;
	request.ifr_flags = (short)flags;
	return link_ask(work, SIOCSIFFLAGS, &request, "promisc and allmulti", err);
}

static int set_mac(const struct work *work, struct error *err)
{
	struct ifreq request = request_for(work);
	if (mac_is_unset(work->tuning->mac))
		return 0;
	request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(request.ifr_hwaddr.sa_data, work->tuning->mac.bytes, MAC_SIZE);
	return link_ask(work, SIOCSIFHWADDR, &request, "mac", err);
}

static int set_numbers(const struct work *work, struct error *err)
{
	struct ifreq mtu = request_for(work), txqlen = request_for(work);
	int r = 0;
	mtu.ifr_mtu = work->tuning->mtu;
	txqlen.ifr_qlen = work->tuning->txqlen;
	if (mtu.ifr_mtu != TUNING_UNSET)
		r = link_ask(work, SIOCSIFMTU, &mtu, "mtu", err);
	if (r == 0 && txqlen.ifr_qlen != TUNING_UNSET)
		r = link_ask(work, SIOCSIFTXQLEN, &txqlen, "txQLen", err);
	return r;
}

static int work_apply(void *context, struct error *err)
{
	const struct work *work = context;
	int r = each_sysctl(work, sysctl_set, err);
	if (r == 0)
		r = set_mac(work, err);
	if (r == 0)
		r = set_numbers(work, err);
	return r < 0 ? r : set_flags(work, err);
}

static int differs(const struct work *work, const char *key, struct error *err)
{
	return error_set(err, ENOENT, "%s of interface %s is not what was set", key,
			 work->interface);
}

static int check_flags(const struct work *work, struct error *err)
{
	const struct tuning *tuning = work->tuning;
	struct ifreq request = request_for(work);
	int r = link_ask(work, SIOCGIFFLAGS, &request, "flags", err);
	if (r < 0)
		return r;
	/* Others may ask for more than was asked for here: a capture makes it promiscuous. */
	if (tuning->promisc == 1 && !(request.ifr_flags & IFF_PROMISC))
		return differs(work, "promisc", err);
	if (tuning->allmulti == 1 && !(request.ifr_flags & IFF_ALLMULTI))
		return differs(work, "allmulti", err);
	return 0;
}

static int check_numbers(const struct work *work, struct error *err)
{
	const struct tuning *tuning = work->tuning;
	struct ifreq mtu = request_for(work), txqlen = request_for(work);
	int r = link_ask(work, SIOCGIFMTU, &mtu, "mtu", err);
	if (r == 0 && tuning->mtu != TUNING_UNSET && mtu.ifr_mtu != tuning->mtu)
		return differs(work, "mtu", err);
	if (r == 0)
		r = link_ask(work, SIOCGIFTXQLEN, &txqlen, "txQLen", err);
	if (r == 0 && tuning->txqlen != TUNING_UNSET && txqlen.ifr_qlen != tuning->txqlen)
		return differs(work, "txQLen", err);
	return r;
}

static int check_mac(const struct work *work, struct error *err)
{
	struct ifreq request = request_for(work);
	if (mac_is_unset(work->tuning->mac))
		return 0;
	int r = link_ask(work, SIOCGIFHWADDR, &request, "mac", err);
	if (r == 0 && memcmp(request.ifr_hwaddr.sa_data, work->tuning->mac.bytes, MAC_SIZE) != 0)
		return differs(work, "mac", err);
	return r;
}

static int work_check(void *context, struct error *err)
{
	const struct work *work = context;
	int r = each_sysctl(work, sysctl_compare, err);
	if (r == 0)
		r = check_mac(work, err);
	if (r == 0)
		r = check_numbers(work, err);
	return r < 0 ? r : check_flags(work, err);
}

static int run_inside(const struct tuning *tuning, int netns_fd, const char *interface,
		      int (*run)(void *context, struct error *err), struct error *err)
{
	auto_fd socket_fd = -1;
	if (!tuning_is_wanted(tuning))
		return 0;
	int r = netns_socket(netns_fd, AF_INET, SOCK_DGRAM, 0, &socket_fd, err);
	struct work work = { tuning, interface, socket_fd };
	return r < 0 ? r : netns_run(netns_fd, run, &work, err);
}

int tuning_apply(const struct tuning *tuning, int netns_fd, const char *interface,
		 struct error *err)
{
	return run_inside(tuning, netns_fd, interface, work_apply, err);
}

int tuning_check(const struct tuning *tuning, int netns_fd, const char *interface,
		 struct error *err)
{
	return run_inside(tuning, netns_fd, interface, work_check, err);
}
