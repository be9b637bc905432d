/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Processes and namespaces: start a program with given descriptors, collect
 * its output, know whether a process is still the one that was meant, work
 * inside another network namespace.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"

/* What to start. Descriptors of -1 are /dev/null. */
struct process_spec {
	const char *path; /* file to execute; no search */
	char *const *argv;
	char *const *envp; /* NULL: our own */
	int stdin_fd, stdout_fd, stderr_fd;
};
/** Starts it (vfork-like, all other descriptors closed on exec). *ret_pidfd owned by the caller. */
int process_start(const struct process_spec *spec, pid_t *ret_pid, int *ret_pidfd,
		  struct error *err);
/** Waits for pid: *ret_status is the exit code, or 128 + signal number. */
int process_wait(pid_t pid, int *ret_status, struct error *err);
/**
 * Runs to the end: input to its stdin, at most output_max bytes of its stdout
 * kept (caller frees), timeout_ms (-1: none; -ETIMEDOUT after a SIGKILL).
 * stderr goes to spec->stderr_fd.
 */
int process_run(const struct process_spec *spec, const char *input, size_t input_size,
		size_t output_max, int timeout_ms, char **ret_output, size_t *ret_output_size,
		int *ret_status, struct error *err);

/* A process that cannot be mistaken for a later one with the same pid. */
struct process_identity {
	pid_t pid;
	uint64_t start_time; /* clock ticks since boot, field 22 of /proc/PID/stat */
};
int process_identify(pid_t pid, struct process_identity *ret, struct error *err);
bool process_is_alive(struct process_identity identity);
/** Name of a process (comm); "?" if it is gone. */
void process_name(pid_t pid, char *ret_name, size_t size);
/** The boot's identity: 36 bytes and NUL from /proc/sys/kernel/random/boot_id. */
int boot_id(char ret_id[37], struct error *err);

/**
 * Opens path and checks that it is a network namespace (NSFS, NS_GET_NSTYPE).
 * -ENOENT if there is nothing at path; -EINVAL if it is something else.
 */
int netns_open(const char *path, int *ret_fd, struct error *err);
/** True if fd is the namespace that this thread is in. */
bool netns_is_own(int fd);
/** Cookie of the namespace (SO_NETNS_COOKIE): never used again until reboot. */
int netns_cookie(int netns_fd, uint64_t *ret_cookie, struct error *err);
/**
 * Runs `work` with the calling thread inside the namespace, and comes back. A
 * failure to come back ends the process: nothing may go on in the wrong place.
 */
int netns_run(int netns_fd, int (*work)(void *context, struct error *err), void *context,
	      struct error *err);
/** A socket that belongs to the namespace, made by a short visit; owned by the caller. */
int netns_socket(int netns_fd, int domain, int type, int protocol, int *ret_fd, struct error *err);
