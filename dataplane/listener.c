/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Does a process of the host listen on a port? Asked by binding to it, which
 * costs the same whatever the number of sockets; for a range all listeners are
 * looked at once. Only a refusal looks through /proc for who it is.
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

static int refuse_listener(const struct listener *listener, void *context, struct error *err)
{
	const struct question *question = context;
	const struct publish_spec *publish = question->publish;
	char who[64];
	if (!meets(listener, question))
		return 0;
	find_process(listener->inode, who, sizeof who);
	return error_set(err, EADDRINUSE, "host port %u/%s is used by %s", listener->port,
			 publish_protocol_name(publish->protocol), who);
}

/* 1 if there was no way to look. */
static int check_range(const struct question *question, struct error *err)
{
	struct error why = { 0 };
	int r = listener_each(question->publish->protocol, refuse_listener,
			      (void *)(uintptr_t)question, &why);
	if (r == -EADDRINUSE)
		*err = why;
	return r < 0 && r != -EADDRINUSE ? 1 : r;
}

int listener_check(const struct publish_spec *publish, enum publish_family family,
		   struct error *err)
{
	const struct question question = { publish, publish_address(publish, family) };
	if (publish->host_port == 0)
		return 0;
	int r = check_port(&question, publish->host_port, err);
	if (r < 0 || publish->count == 1)
		return r;
	r = check_range(&question, err);
	if (r <= 0)
		return r;
	r = 0;
	for (uint32_t i = 1; r == 0 && i < publish->count; i++)
		r = check_port(&question, (uint16_t)(publish->host_port + i), err);
	return r;
}
