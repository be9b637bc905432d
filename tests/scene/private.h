/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the files of the harness share: the scene itself, and the parts that
 * make and end its world.
 */
#include "scene/scene.h"

/* cmocka.h wants these before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/text.h"

#define SCENE_HOSTS_MAX 64
#define SCENE_CABLES_MAX 64
#define SCENE_PROCESSES_MAX 128
#define SCENE_PATH_MAX 512
#define SCENE_OBJECTS_MAX 1024 /* BPF programs and maps */

struct scene_netns {
	char name[SCENE_NAME_MAX];
	char path[SCENE_PATH_MAX];
	char *devices; /* what a fresh namespace has, one name a line */
	int fd;
};

/* Where the process was before, and what was made for it. */
struct isolation {
	int mount_fd, net_fd, cgroup_fd, folder_fd; /* the way back */
	char cgroup_mount[SCENE_PATH_MAX / 2];      /* the machine's cgroup2; "": it has none */
	char cgroup_home[SCENE_PATH_MAX];           /* our cgroup before */
	char cgroup[SCENE_PATH_MAX];                /* the scene's, as the machine sees it */
	char folder[SCENE_NAME_MAX * 2];            /* a tmpfs in our mount namespace only */
};

/* The ids of BPF objects that the instance had pinned. */
struct bpf_objects {
	struct {
		bool is_program;
		uint32_t id;
	} items[SCENE_OBJECTS_MAX];
	size_t count;
};

struct scene {
	struct isolation isolation;
	struct instance instance;
	struct scene_netns hosts[SCENE_HOSTS_MAX];
	size_t host_count;
	struct {
		char host[SCENE_NAME_MAX], device[SCENE_NAME_MAX];
	} cables[2 * SCENE_CABLES_MAX];
	size_t cable_count;
	pid_t processes[SCENE_PROCESSES_MAX]; /* servers and what scene_start started */
	size_t process_count;
	char *output, *errors; /* of the last program */
};

/* A step of the harness that must work: the test fails with its text. */
#define MUST(call, err)                                               \
	do {                                                          \
		if ((call) < 0)                                       \
			fail_msg("scene: %s: %s", #call, (err).text); \
	} while (0)
#define MUST_ERRNO(condition, what)                                         \
	do {                                                                \
		if (!(condition))                                           \
			fail_msg("scene: %s: %s", (what), strerror(errno)); \
	} while (0)

/** Leaves the machine's world: mounts, cgroup, network. Skips the test where it may not. */
void isolation_enter(struct isolation *isolation);
/** Comes back and removes the cgroup; false if it could not be removed. */
bool isolation_leave(struct isolation *isolation);
/** Waits until all but the caller have ended, at most limit_ms. */
void isolation_await_processes(const struct isolation *isolation, int limit_ms);
/** Processes of the scene's cgroups but this one, appended as "process PID NAME" lines. */
void isolation_list_processes(const struct isolation *isolation, struct words *lines);

struct scene_netns *scene_find(struct scene *scene, const char *name);
/** Remembers a process that is to be ended with the scene. */
void scene_keep_process(struct scene *scene, pid_t pid);
void scene_end_processes(struct scene *scene);

/* A server: what it does with its socket, in a process of its own, until that is ended. */
struct service {
	const char *host;
	uint16_t port;
	int fd;
	void (*serve)(const struct service *service);
};
/** Starts it; the descriptor is taken. */
void scene_serve(struct scene *scene, const struct service *service);

/** Whether this kernel has SCTP. */
bool sctp_is_there(void);
void sctp_serve_by_hand(struct scene *scene, const char *host, uint16_t port);
int sctp_ask_by_hand(struct scene *scene, const struct scene_question *question,
		     struct scene_reply *ret);

/* Where a client's packets go. */
struct target {
	struct sockaddr_storage address;
	socklen_t size;
	bool is_v4;
};
struct target target_of(const char *address, uint16_t port);
/** 0 when ready; -ETIMEDOUT; the socket's own error as it is. */
int await_socket(int fd, short events, uint64_t end_ms);
/** The names of the devices of the calling thread's namespace, one a line; freed by the caller. */
char *scene_list_devices(void);
/** The lines of what is there and is not the scene's own, sorted. */
void scene_list_all(struct scene *scene, struct words *lines);

/** All that is pinned below a folder, and the maps of those programs. */
void bpf_objects_collect(const char *folder, struct bpf_objects *objects);
/** Waits until all are freed, at most timeout_ms; leftovers are appended as lines. */
void bpf_objects_await_end(const struct bpf_objects *objects, int timeout_ms, struct words *lines);
