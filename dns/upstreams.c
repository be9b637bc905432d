/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "upstreams.h"

#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/text.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define RESOLV_CONF_SIZE_MAX (64 * 1024)

struct dns_upstreams {
	struct dns_upstream_list list;
	char *path;       /* NULL: the list is fixed */
	struct stat seen; /* of the file that the list was read from */
	bool present;     /* the file was there */
};

static size_t word_size(const char *at)
{
	return strcspn(at, " \t\r\n");
}

static bool parse_server(const char *word, size_t size, struct dns_upstream *ret)
{
	char text[IP_TEXT_MAX + IF_NAMESIZE + 1];
	struct error ignored;
	if (size >= sizeof text)
		return false;
	memcpy(text, word, size);
	text[size] = '\0';
	char *zone = strchr(text, '%');
	if (zone)
		*zone++ = '\0';
	ret->scope = zone ? if_nametoindex(zone) : 0;
	return ip_parse(text, &ret->ip, &ignored) == 0 && !ip_is_unset(ret->ip);
}

static void parse_line(const char *line, struct dns_upstream_list *list)
{
	static const char keyword[] = "nameserver";
	line += strspn(line, " \t");
	if (strncmp(line, keyword, sizeof keyword - 1) != 0)
		return;
	line += sizeof keyword - 1;
	size_t blanks = strspn(line, " \t");
	struct dns_upstream server;
	if (blanks && list->count < DNS_UPSTREAMS_MAX &&
	    parse_server(line + blanks, word_size(line + blanks), &server))
		list->servers[list->count++] = server;
}

void dns_upstreams_parse(const char *text, struct dns_upstream_list *ret_list)
{
	*ret_list = (struct dns_upstream_list){ 0 };
	while (text) {
		parse_line(text, ret_list);
		text = strchr(text, '\n');
		if (text)
			text++;
	}
}

int dns_upstreams_create(const struct dns_settings *settings, struct dns_upstreams **ret_upstreams,
			 struct error *err)
{
	AUTO(dns_upstreams) upstreams = calloc(1, sizeof *upstreams);
	if (!upstreams)
		return error_set(err, ENOMEM, "no memory for the list of dns servers");
	for (size_t i = 0; i < settings->upstream_count && i < DNS_UPSTREAMS_MAX; i++)
		upstreams->list.servers[upstreams->list.count++].ip = settings->upstreams[i];
	const char *path = settings->resolv_conf ? settings->resolv_conf : RESOLV_CONF;
	int r = upstreams->list.count ? 0 : text_copy(path, &upstreams->path, err);
	if (r < 0)
		return r;
	*ret_upstreams = TAKE(upstreams);
	return 0;
}

void dns_upstreams_free(struct dns_upstreams *upstreams)
{
	if (!upstreams)
		return;
	free(upstreams->path);
	free(upstreams);
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void read_again(struct dns_upstreams *upstreams)
{
	auto_free char *text = NULL;
	size_t size;
	struct error ignored;
	/* No file, or one that cannot be read, names no server: the answer will say so. */
	upstreams->list.count = 0;
	if (file_read(upstreams->path, RESOLV_CONF_SIZE_MAX, &text, &size, &ignored) == 0)
		dns_upstreams_parse(text, &upstreams->list);
}

const struct dns_upstream_list *dns_upstreams_get(struct dns_upstreams *upstreams,
						  bool *ret_changed)
{
	struct stat now = { 0 };
	*ret_changed = false;
	if (!upstreams->path)
		return &upstreams->list;
	/* A stat follows links and renames, costs about 1 µs, and wakes nobody while idle. */
	bool present = stat(upstreams->path, &now) == 0;
	if (present == upstreams->present && is_same_file(&now, &upstreams->seen))
		return &upstreams->list;
	upstreams->present = present;
	upstreams->seen = now;
	read_again(upstreams);
	*ret_changed = true;
	return &upstreams->list;
}
