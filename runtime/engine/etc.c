/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "etc.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"

#define HOST_FILE_MAX (1u << 20)

static int write_file(struct engine *engine, const struct container *container, const char *name,
		      struct text *text, struct error *err)
{
	auto_free char *data = NULL;
	struct path path = path_in(container_dir(engine, container->id), name);
	int r = text_take(text, &data, err);
	/* Written in place: a running container has it mounted. */
	return r < 0 ? r : file_replace(path.text, data, strlen(data), 0644, FILE_NO_SYNC, err);
}

static int append_host_file(const char *path, struct text *text)
{
	auto_free char *data = NULL;
	size_t size;
	struct error ignored;
	if (file_read(path, HOST_FILE_MAX, &data, &size, &ignored) == 0)
		text_append_bytes(text, data, size);
	return 0;
}

/* --add-host NAME:IP. */
static int append_added_hosts(const struct container *container, struct text *text,
			      struct error *err)
{
	auto_words added = { 0 };
	int r = container_words(container, "addHosts", &added, err);
	for (size_t i = 0; r == 0 && i < added.count; i++) {
		const char *colon = strchr(added.items[i], ':');
		struct ip ip;
		if (!colon || ip_parse(colon + 1, &ip, err) < 0)
			return error_set(err, EINVAL, "--add-host %s: the form is NAME:IP",
					 added.items[i]);
		text_append(text, "%s\t%.*s\n", ip_format(ip).text, (int)(colon - added.items[i]),
			    added.items[i]);
	}
	return r;
}

static void append_own(const struct attachment *attachment, const char *hostname, struct text *text)
{
	const struct ip ips[] = { attachment->lease.ip, attachment->lease6.ip };
	for (size_t i = 0; i < ARRAY_SIZE(ips); i++)
		if (!ip_is_unset(ips[i]))
			text_append(text, "%s\t%s\n", ip_format(ips[i]).text, hostname);
}

static int write_hosts(struct engine *engine, const struct container *container,
		       const struct attachments *attachments, struct error *err)
{
	auto_text text = { 0 };
	if (text_equal(container->network_mode, "host"))
		append_host_file("/etc/hosts", &text);
	else
		text_append(&text, "127.0.0.1\tlocalhost\n"
				   "::1\tlocalhost ip6-localhost ip6-loopback\n"
				   "fe00::0\tip6-localnet\nff00::0\tip6-mcastprefix\n"
				   "ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n");
	int r = append_added_hosts(container, &text, err);
	for (size_t i = 0; i < attachments->count; i++)
		append_own(&attachments->items[i], container->hostname, &text);
	return r < 0 ? r : write_file(engine, container, "hosts", &text, err);
}

/* The host's search list and options, without its servers. */
static void append_search(struct text *text)
{
	auto_free char *data = NULL;
	auto_words lines = { 0 };
	size_t size;
	struct error ignored;
	if (file_read("/etc/resolv.conf", HOST_FILE_MAX, &data, &size, &ignored) < 0 ||
	    words_split(data, '\n', &lines, &ignored) < 0)
		return;
	for (size_t i = 0; i < lines.count; i++)
		if (text_starts_with(lines.items[i], "search "))
			text_append(text, "%s\n", lines.items[i]);
}

static int find_resolver(struct engine *engine, const struct attachments *attachments,
			 struct ip *ret_resolver, struct error *err)
{
	struct dataplane *dataplane;
	int r = engine_dataplane(engine, &dataplane, err);
	if (r < 0)
		return r;
	/* 127.0.0.11 leads to an address of its own family. */
	for (size_t i = 0; i < attachments->count; i++) {
		const struct network_spec *spec = &attachments->items[i].network->spec;
		if (!prefix_is_unset(spec->subnet)) {
			*ret_resolver = dataplane_resolver(dataplane, spec->gateway);
			return 0;
		}
	}
	*ret_resolver = attachments->items[0].network->spec.gateway6;
	return 0;
}

static int write_resolv_conf(struct engine *engine, const struct container *container,
			     const struct attachments *attachments, struct error *err)
{
	auto_text text = { 0 };
	auto_words servers = { 0 };
	int r = container_words(container, "dns", &servers, err);
	if (r < 0)
		return r;
	struct ip resolver = { 0 };
	if (attachments->count)
		r = find_resolver(engine, attachments, &resolver, err);
	if (r < 0)
		return r;
	/* In a network our resolver answers, and asks the servers of --dns for what is not ours. */
	if (attachments->count) {
		append_search(&text);
		text_append(&text, "nameserver %s\noptions ndots:0\n", ip_format(resolver).text);
	} else if (servers.count) {
		for (size_t i = 0; i < servers.count; i++)
			text_append(&text, "nameserver %s\n", servers.items[i]);
	} else if (!text_equal(container->network_mode, "none")) {
		append_host_file("/etc/resolv.conf", &text);
	}
	return write_file(engine, container, "resolv.conf", &text, err);
}

int etc_write(struct engine *engine, const struct container *container,
	      const struct attachments *attachments, struct error *err)
{
	auto_text hostname = { 0 };
	text_append(&hostname, "%s\n", container->hostname);
	int r = write_file(engine, container, "hostname", &hostname, err);
	if (r == 0)
		r = write_hosts(engine, container, attachments, err);
	if (r == 0)
		r = write_resolv_conf(engine, container, attachments, err);
	return r;
}
