/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A scene is a small world for one test: hosts and containers as network
 * namespaces, cables between them, a bpffs, a cgroup2 tree, and a root folder
 * for one instance of Wherry. The test's own process is the host "node" while
 * the scene lasts, so that libraries can be called in-process as well as
 * programs can be run. Nothing of the machine is touched, and scenes run in
 * parallel.
 *
 *	static void a_published_port_is_reached_from_outside(void **state)
 *	{
 *		struct scene *scene = *state;
 *		scene_host(scene, "client");
 *		scene_link(scene, "client", "eth0", "10.99.0.2/24", "node", "up0", "10.99.0.1/24");
 *		scene_container(scene, "c1");
 *		scene_tcp_server(scene, "c1", 80);
 *		... wherry-cni or the library puts c1 into a network ...
 *		scene_assert_tcp(scene, "client", "10.99.0.1", 8080, "c1", "10.99.0.2");
 *	}
 *	... cmocka_unit_test_setup_teardown(a_published_port…, scene_set_up, scene_tear_down)
 *
 * Whatever goes wrong with the scene itself fails the test at once, with a
 * text. The end of a scene resets the instance and fails if something is left.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/instance.h"
#include "base/ip.h"

#define SCENE_NAME_MAX 32
#define SCENE_WAIT_MS 5000 /* what should happen has happened by then */
#define SCENE_QUIET_MS 500 /* what should not happen would have by then */

struct scene;

/** Setup and teardown for cmocka; *state is the scene. */
int scene_set_up(void **state);
int scene_tear_down(void **state);

/** Makes a scene; exits with 77 (skipped) and the reason where the machine cannot. */
struct scene *scene_create(void);
/**
 * Ends it: stops programs and servers, runs `wherry system reset` if the
 * instance has state, and returns 0, or -1 with each leftover printed on a line.
 */
int scene_free(struct scene *scene);

/** Another host: a network namespace with lo up and forwarding as a host has it. "node" is there.
 */
void scene_host(struct scene *scene, const char *name);
/** A container's network namespace, with lo up, as a runtime hands it to a plugin. */
void scene_container(struct scene *scene, const char *name);
/** Takes the namespace away behind everybody's back, and with it its links. */
void scene_remove(struct scene *scene, const char *name);
/** A veth pair between two hosts, both ends up, with these addresses (NULL: none). */
void scene_link(struct scene *scene, const char *host_a, const char *device_a,
		const char *address_a, const char *host_b, const char *device_b,
		const char *address_b);
/** One more address ("10.99.0.7/24") on a device. */
void scene_address(struct scene *scene, const char *host, const char *device, const char *address);
/** A route of a host: "10.1.0.0/16" or "0.0.0.0/0" via a gateway. */
void scene_route(struct scene *scene, const char *host, const char *prefix, const char *via);
/** Whether the host or container has a device of this name. */
bool scene_has_device(struct scene *scene, const char *host, const char *device);

/** The namespace of a host or container; lent. */
int scene_netns_fd(struct scene *scene, const char *name);
/** Its path, as in CNI_NETNS; lent. */
const char *scene_netns_path(struct scene *scene, const char *name);
/** The instance's paths: WHERRY_ROOT is set to its root while the scene lasts. */
const struct instance *scene_instance(const struct scene *scene);
/** A folder of the scene's own for any files of the test; gone with it. */
const char *scene_folder(const struct scene *scene);

/*
 * Programs. The first word is a path, or a name that is looked for in
 * WHERRY_BIN and then in PATH. The argument list ends with NULL.
 */
struct scene_command {
	const char *host;               /* NULL: "node" */
	const char *const *argv;        /* ends with NULL */
	const char *const *environment; /* more "NAME=VALUE", ends with NULL; or NULL */
	const char *input;              /* stdin; NULL: nothing */
	int timeout_ms;                 /* 0: 60 s; over it the test fails */
};
/** Runs it to its end and returns the exit code (128 + signal). */
int scene_execute(struct scene *scene, const struct scene_command *command);
int scene_run(struct scene *scene, const char *host, const char *program, ...)
	__attribute__((sentinel));
/** What the last program run wrote to stdout and to stderr; lent until the next. */
const char *scene_output(const struct scene *scene);
const char *scene_errors(const struct scene *scene);
/** Starts a program that goes on; it is ended with the scene. Its output goes to ours. */
pid_t scene_start(struct scene *scene, const char *host, const char *program, ...)
	__attribute__((sentinel));
/** Sends the signal and waits for the end of what scene_start started. */
void scene_stop(struct scene *scene, pid_t pid, int signal);

/*
 * Servers, one process each, listening before the call returns, on all
 * addresses of the host or container. A TCP server greets with its host's
 * name and the client's address as it sees it, and echoes all that comes. A
 * UDP server answers each datagram with the same line. SCTP is the kernel's;
 * where it has none, a server answers each INIT made by hand with an INIT ACK
 * whose cookie is that line.
 */
void scene_tcp_server(struct scene *scene, const char *host, uint16_t port);
void scene_udp_server(struct scene *scene, const char *host, uint16_t port);
void scene_sctp_server(struct scene *scene, const char *host, uint16_t port);

/* What a server said. */
struct scene_reply {
	char server[SCENE_NAME_MAX]; /* host of the server that answered */
	char peer[IP_TEXT_MAX];      /* the client's address as the server saw it */
	uint16_t peer_port;
};
/* One question to a server. */
struct scene_question {
	const char *host, *address;
	uint16_t port;
	uint8_t protocol; /* IPPROTO_TCP, _UDP or _SCTP */
	const char *from; /* the address that the client binds before it connects; NULL: none */
	int timeout_ms;
	/* SCTP by hand: for how long an answer may come after the host has taken up its own INIT;
	 * 0: all of the time. */
	int own_ms;
};
/** 0, or -errno as scene_tcp_request. */
int scene_ask(struct scene *scene, const struct scene_question *question, struct scene_reply *ret);
/** One connection from a host: 0, or -errno (-ETIMEDOUT after timeout_ms, -ECONNREFUSED …). */
int scene_tcp_request(struct scene *scene, const char *host, const char *address, uint16_t port,
		      int timeout_ms, struct scene_reply *ret);
int scene_udp_request(struct scene *scene, const char *host, const char *address, uint16_t port,
		      int timeout_ms, struct scene_reply *ret);
/** One ICMP echo: 0, -ETIMEDOUT, or the errno of the ICMP error that came back. */
int scene_ping(struct scene *scene, const char *host, const char *address, int timeout_ms);
/** A connection that stays open; the caller closes it. -errno as scene_tcp_request. */
int scene_tcp_open(struct scene *scene, const char *host, const char *address, uint16_t port,
		   struct scene_reply *ret);
/** Sends the text and waits for its echo: 0, -ETIMEDOUT, -EPIPE, -ECONNRESET … */
int scene_tcp_echo(int fd, const char *text, int timeout_ms);

/* The same as claims. peer NULL: any. */
void scene_assert_tcp(struct scene *scene, const char *host, const char *address, uint16_t port,
		      const char *server, const char *peer);
void scene_assert_udp(struct scene *scene, const char *host, const char *address, uint16_t port,
		      const char *server, const char *peer);
void scene_assert_ping(struct scene *scene, const char *host, const char *address);
void scene_assert_no_tcp(struct scene *scene, const char *host, const char *address, uint16_t port);
void scene_assert_no_udp(struct scene *scene, const char *host, const char *address, uint16_t port);
void scene_assert_no_ping(struct scene *scene, const char *host, const char *address);
/** Runs a program in "node" that must exit with 0. */
void scene_assert_run(struct scene *scene, const char *program, ...) __attribute__((sentinel));

/**
 * All that a careless program could leave: links, addresses' routes, qdiscs,
 * mounts, pins, files of the instance, cgroups, processes. One line each,
 * sorted; the caller frees.
 */
char *scene_snapshot(struct scene *scene);
/** Fails the test with the lines that differ. */
void scene_assert_unchanged(struct scene *scene, const char *before);
