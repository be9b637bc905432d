/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does a process of the host listen on a port? Asked by binding to it, which
 * costs the same whatever the number of sockets; for more than a few ports all
 * listeners are looked at once. Only a refusal looks through /proc for who it is.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/process.h"
#include "link/listeners.h"
#include "publish.h"

/* 0 if it can be bound, else the errno. */
static int try_bind(struct ip host_ip, uint16_t port, uint8_t protocol)
{
	bool v4 = ip_is_v4(host_ip);
	struct sockaddr_in v4_address = { .sin_family = AF_INET,
					  .sin_port = htons(port),
					  .sin_addr = ip_to_v4(host_ip) };
	struct sockaddr_in6 v6_address = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	memcpy(&v6_address.sin6_addr, host_ip.bytes, sizeof host_ip.bytes);
	int type = protocol == PROTOCOL_UDP ? SOCK_DGRAM : SOCK_STREAM, on = 1;
	/* A kernel without SCTP, or without IPv6, has nobody who listens. */
	auto_fd fd = socket(v4 ? AF_INET : AF_INET6, type | SOCK_CLOEXEC,
			    protocol == PROTOCOL_SCTP ? IPPROTO_SCTP : 0);
	if (fd < 0)
		return 0;
	/* Else :: would stand for all of IPv4 as well. */
	if (!v4)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	/* Connections in TIME_WAIT do not count; a listener still does. */
	if (protocol == PROTOCOL_TCP)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	int r = v4 ? bind(fd, (struct sockaddr *)&v4_address, sizeof v4_address)
		   : bind(fd, (struct sockaddr *)&v6_address, sizeof v6_address);
	return r < 0 ? errno : 0;
}

bool listener_is_absent(struct ip host_ip, uint16_t port, uint8_t protocol)
{
	return try_bind(host_ip, port, protocol) == 0;
}

#define PROBES_MAX 8 /* more ports than these are looked for among all listeners */
#define TCP_STATE_LISTEN 0x0a
#define UDP_STATE_OPEN 0x07

/* The inode of a listener of a line of /proc/net/tcp, tcp6, udp, udp6; 0 if it is another's. */
static unsigned long match_line(const char *line, uint16_t port, uint8_t protocol)
{
	unsigned local_port, state;
	unsigned long inode;
	if (sscanf(line, "%*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*u %*u %lu",
		   &local_port, &state, &inode) != 3)
		return 0;
	unsigned wanted = protocol == PROTOCOL_UDP ? UDP_STATE_OPEN : TCP_STATE_LISTEN;
	return local_port == port && state == wanted ? inode : 0;
}

static unsigned long find_inode(const char *table, uint16_t port, uint8_t protocol)
{
	char path[64];
	auto_free char *line = NULL;
	size_t capacity = 0;
	unsigned long inode = 0;
	snprintf(path, sizeof path, "/proc/net/%s", table);
	auto_file file = fopen(path, "re");
	while (file && !inode && getline(&line, &capacity, file) > 0)
		inode = match_line(line, port, protocol);
	return inode;
}

static bool holds_socket(const char *pid, const char *wanted)
{
	char path[300], target[64];
	snprintf(path, sizeof path, "/proc/%s/fd", pid);
	auto_dir dir = opendir(path);
	if (!dir)
		return false;
	for (struct dirent *entry; (entry = readdir(dir));) {
		ssize_t size = readlinkat(dirfd(dir), entry->d_name, target, sizeof target - 1);
		if (size <= 0)
			continue;
		target[size] = '\0';
		if (strcmp(target, wanted) == 0)
			return true;
	}
	return false;
}

static void find_process(unsigned long inode, char *ret_text, size_t size)
{
	char wanted[64], name[32];
	snprintf(ret_text, size, "a process");
	snprintf(wanted, sizeof wanted, "socket:[%lu]", inode);
	auto_dir dir = opendir("/proc");
	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		uint64_t pid;
		if (text_to_unsigned(entry->d_name, 1, INT32_MAX, &pid) < 0 ||
		    !holds_socket(entry->d_name, wanted))
			continue;
		process_name((pid_t)pid, name, sizeof name);
		snprintf(ret_text, size, "%s (process %llu)", name, (unsigned long long)pid);
		return;
	}
}

/* What is asked: a publication in one family. */
struct question {
	const struct publish_spec *publish;
	struct ip address;
};

static int check_port(const struct question *question, uint16_t port, struct error *err)
{
	static const char *const tables[2][2] = { { "tcp", "tcp6" }, { "udp", "udp6" } };
	const struct publish_spec *publish = question->publish;
	int code = try_bind(question->address, port, publish->protocol);
	if (code == EADDRNOTAVAIL)
		return error_set(err, EADDRNOTAVAIL, "host port %u/%s: this host has no address %s",
				 port, publish_protocol_name(publish->protocol),
				 ip_format(publish->host_ip).text);
	if (code != EADDRINUSE)
		return 0;
	if (publish->protocol == PROTOCOL_SCTP)
		return error_set(err, EADDRINUSE, "host port %u/sctp is used by a process", port);
	unsigned long inode = 0;
	for (int i = 0; i < 2 && !inode; i++)
		inode = find_inode(tables[publish->protocol == PROTOCOL_UDP][i], port,
				   publish->protocol);
	/* A mere client of another port's server is no reason to refuse. */
	if (!inode)
		return 0;
	char who[64];
	find_process(inode, who, sizeof who);
	return error_set(err, EADDRINUSE, "host port %u/%s is used by %s", port,
			 publish_protocol_name(publish->protocol), who);
}

static bool meets(const struct listener *listener, const struct question *question)
{
	const struct publish_spec *publish = question->publish;
	if (listener->port < publish->host_port ||
	    listener->port >= publish->host_port + publish->count)
		return false;
	bool v4 = ip_is_v4(question->address);
	if (ip_is_v4(listener->address) != v4)
		return v4 && ip_is_unset(listener->address) && !listener->v6_only;
	return ip_is_unset(listener->address) || ip_is_unset(question->address) ||
	       ip_equal(listener->address, question->address);
}

/* All questions of one protocol, with the ports that they are about: most listeners are at others.
 */
struct survey {
	const struct endpoint_info *info;
	uint8_t protocol;
	uint8_t ports[65536 / 8];
};

/* Walks the questions of `protocol` (0: of all). */
static int each_question(const struct endpoint_info *info, uint8_t protocol,
			 int (*visit)(const struct question *question, void *context,
				      struct error *err),
			 void *context, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < 2 * info->publish_count; i++) {
		const struct publish_spec *publish = &info->publish[i / 2];
		enum publish_family family = publish_families[i % 2];
		if (publish->host_port == 0 || (protocol && publish->protocol != protocol) ||
		    !publish_has(info, publish, family))
			continue;
		const struct question question = { publish, publish_address(publish, family) };
		r = visit(&question, context, err);
	}
	return r;
}

static int note_ports(const struct question *question, void *context, struct error *err)
{
	struct survey *survey = context;
	(void)err;
	for (uint32_t i = 0; i < question->publish->count; i++) {
		uint32_t port = question->publish->host_port + i;
		survey->ports[port / 8] |= (uint8_t)(1u << port % 8);
	}
	return 0;
}

static int refuse_if_met(const struct question *question, void *context, struct error *err)
{
	const struct listener *listener = context;
	char who[64];
	if (!meets(listener, question))
		return 0;
	find_process(listener->inode, who, sizeof who);
	return error_set(err, EADDRINUSE, "host port %u/%s is used by %s", listener->port,
			 publish_protocol_name(question->publish->protocol), who);
}

static int refuse_listener(const struct listener *listener, void *context, struct error *err)
{
	const struct survey *survey = context;
	if (!(survey->ports[listener->port / 8] & 1u << listener->port % 8))
		return 0;
	return each_question(survey->info, survey->protocol, refuse_if_met,
			     (void *)(uintptr_t)listener, err);
}

/* One look at all listeners. 1 if there was no way to look. */
static int survey_protocol(const struct endpoint_info *info, uint8_t protocol, struct error *err)
{
	struct error why = { 0 };
	auto_free struct survey *survey = calloc(1, sizeof *survey);
	if (!survey)
		return error_set(err, ENOMEM, "no memory for ports");
	survey->info = info;
	survey->protocol = protocol;
	each_question(info, protocol, note_ports, survey, &why);
	int r = listener_each(protocol, refuse_listener, survey, &why);
	if (r == -EADDRINUSE)
		*err = why;
	return r < 0 && r != -EADDRINUSE ? 1 : r;
}

static int check_all_ports(const struct question *question, void *context, struct error *err)
{
	int r = 0;
	(void)context;
	for (uint32_t i = 0; r == 0 && i < question->publish->count; i++)
		r = check_port(question, (uint16_t)(question->publish->host_port + i), err);
	return r;
}

/* The first port at each address: it tells as well whether the address is there. */
static int check_address(const struct question *question, void *context, struct error *err)
{
	struct question *last = context;
	if (last->publish && ip_equal(last->address, question->address))
		return 0;
	*last = *question;
	return check_port(question, question->publish->host_port, err);
}

static int count_ports(const struct question *question, void *context, struct error *err)
{
	(void)err;
	*(uint32_t *)context += question->publish->count;
	return 0;
}

int listeners_check(const struct endpoint_info *info, struct error *err)
{
	static const uint8_t protocols[] = { PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP };
	struct question last = { .publish = NULL };
	uint32_t ports = 0;
	int r = each_question(info, 0, count_ports, &ports, err);
	if (ports <= PROBES_MAX)
		return r < 0 ? r : each_question(info, 0, check_all_ports, NULL, err);
	if (r == 0)
		r = each_question(info, 0, check_address, &last, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(protocols); i++) {
		uint32_t asked = 0;
		r = each_question(info, protocols[i], count_ports, &asked, err);
		if (r == 0 && asked)
			r = survey_protocol(info, protocols[i], err);
		if (r == 1)
			r = each_question(info, protocols[i], check_all_ports, NULL, err);
	}
	return r;
}
