/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A bundle becomes a process. `struct oci_spec` is the OCI runtime spec's
 * config as a value: read from config.json (wherry-oci) or filled by the engine
 * with oci_spec_default and its setters. Creation and start are two steps: the
 * container's namespaces exist, and its network can be made, before its program
 * runs.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

#define OCI_VERSION "1.0.2"
#define OCI_OVERLAY_LOWER_MAX 128 /* layers */

/* Namespaces that are made anew unless a path is given. */
enum oci_namespace {
	OCI_NS_MOUNT,
	OCI_NS_PID,
	OCI_NS_UTS,
	OCI_NS_IPC,
	OCI_NS_NETWORK,
	OCI_NS_CGROUP,
	OCI_NS_USER,
	OCI_NS_COUNT
};
enum oci_namespace_use { OCI_NS_HOST, OCI_NS_NEW, OCI_NS_PATH };

struct oci_mount {
	char *type, *source, *destination; /* destination inside the root, resolved in it */
	struct words options;              /* as mount(8): ro nosuid rbind size=64m … */
};
struct oci_device {
	char *path;
	char type; /* 'c' or 'b' */
	uint32_t major, minor, mode, uid, gid;
};
/* Which devices may be used, nodes or not; the last rule that matches counts, after "none". */
struct oci_device_rule {
	bool allow;
	char type;            /* 'c', 'b', or 'a': both */
	int64_t major, minor; /* -1: any */
	char access[4];       /* of "rwm" */
};
struct oci_rlimit {
	int resource; /* RLIMIT_* */
	uint64_t soft, hard;
	bool explicit_request; /* else clamped to what is allowed */
};
struct oci_resources { /* -1: not limited */
	int64_t memory_bytes, memory_swap_bytes, cpu_shares, cpu_quota_us, cpu_period_us, pids,
		cpu_weight;
	char *cpuset_cpus, *cpuset_mems; /* NULL: not set */
};

struct oci_process {
	struct words args, env;
	char *cwd;
	uint32_t uid, gid;
	uint32_t *groups;
	size_t group_count;
	uint64_t capabilities; /* bit set, bounding = permitted = effective */
	uint64_t ambient;      /* part of capabilities that a user other than root keeps, too */
	bool no_new_privileges;
	bool terminal;
	uint16_t terminal_rows, terminal_columns;
	struct oci_rlimit *rlimits;
	size_t rlimit_count;
	int oom_score_adj;
	bool have_oom_score_adj;
};

/* Ids inside..inside+count-1 of a user namespace are outside.. on the host. */
struct oci_id_map {
	uint32_t inside, outside, count;
};
/* A program of the engine that runs at a step of the container's life, with its state on stdin. */
enum oci_hook_when {
	OCI_HOOK_PRESTART,
	OCI_HOOK_CREATE_RUNTIME,
	OCI_HOOK_CREATE_CONTAINER,
	OCI_HOOK_START_CONTAINER,
	OCI_HOOK_POSTSTART,
	OCI_HOOK_POSTSTOP,
	OCI_HOOK_COUNT
};
struct oci_hook {
	enum oci_hook_when when;
	char *path;
	struct words args, env;
	int timeout_s; /* 0: none */
};

struct oci_spec {
	char *id;
	char *rootfs;               /* directory to become the root, or "" with overlay set */
	struct words overlay_lower; /* top layer first; non-empty: overlay is mounted in the
				       container's namespace */
	char *overlay_upper, *overlay_work;
	bool root_readonly;
	char *hostname;
	struct {
		enum oci_namespace_use use;
		char *path;
	} namespaces[OCI_NS_COUNT];
	struct oci_process process;
	struct oci_mount *mounts;
	size_t mount_count;
	struct oci_device *devices; /* besides the default ones */
	size_t device_count;
	struct oci_device_rule
		*device_rules; /* before those for the default devices and `devices` */
	size_t device_rule_count;
	struct words masked_paths, readonly_paths;
	struct words sysctls; /* key=value */
	struct oci_resources resources;
	char *cgroup_path; /* relative to each hierarchy: "wherry/ID" */
	enum oci_seccomp {
		OCI_SECCOMP_DEFAULT,
		OCI_SECCOMP_UNCONFINED,
		OCI_SECCOMP_PROFILE
	} seccomp;
	struct json_t *seccomp_profile;       /* owned; OCI's linux.seccomp object */
	bool init;                            /* --init: pid 1 reaps and forwards signals */
	struct oci_id_map *uid_map, *gid_map; /* of a new user namespace; empty: 0 0 all */
	size_t uid_map_count, gid_map_count;
	struct oci_hook *hooks; /* run by the caller: oci_hooks_run; prestart ones by oci_create */
	size_t hook_count;
	struct words annotations; /* key=value, for state JSON */
	char *bundle;             /* directory of config.json, or NULL */
	/*
	 * Path of a socket at which another process starts the container
	 * (oci_start_at); NULL: oci_start in this process, whose end before it
	 * ends the container.
	 */
	char *start_socket;
};

/**
 * Makes this program unwritable for what it runs: executes it again from a
 * read-only mount of its own file (or a sealed copy in memory), once. Called
 * first in main by every program that calls oci_create or oci_exec, which
 * refuse to work otherwise (CVE-2019-5736). Returns 0 when it is so already;
 * else it does not return, or fails.
 */
int oci_protect_self(char *const argv[], struct error *err);
/** "2.5.4": of libseccomp, which engines ask for. */
struct oci_version_text {
	char text[16];
};
struct oci_version_text oci_seccomp_version(void);
/** Path of this program's file, also after oci_protect_self, when /proc/self/exe tells it no more.
 */
int oci_program_path(char **ret_path, struct error *err);
/**
 * Opens a program for process_start-like execution (fexecve) so that it counts
 * as protected: spares it the second exec. *ret_fd owned by the caller.
 */
int oci_protected_open(const char *path, int *ret_fd, struct error *err);

/**
 * Docker's defaults: all namespaces but user new, proc/sys/dev/shm/mqueue/devpts
 * mounts, default devices, masked and read-only paths, 14 capabilities, seccomp
 * default profile, umask 022. The caller releases it.
 */
int oci_spec_default(const char *id, struct oci_spec *ret_spec, struct error *err);
/** Gate: an OCI config.json (any 1.x). Errors name the field: mounts[3].destination "etc": must be
 * absolute. */
int oci_spec_read(const struct json_at *config, const char *id, const char *bundle,
		  struct oci_spec *ret_spec, struct error *err);
/** Gate: an OCI process object (exec's --process file). */
int oci_process_read(const struct json_at *process, struct oci_process *ret_process,
		     struct error *err);
/** Gate: OCI's linux.resources without devices; what is not there stays as it is. */
int oci_resources_read(const struct json_at *at, struct oci_resources *resources,
		       struct error *err);
/** The spec as JSON that oci_spec_load reads again (the engine keeps it beside the container). */
int oci_spec_save(const struct oci_spec *spec, struct json_t **ret_json, struct error *err);
int oci_spec_load(const struct json_at *saved, struct oci_spec *ret_spec, struct error *err);
void oci_spec_release(struct oci_spec *spec); /* frees members; NULLs are fine */
void oci_process_release(struct oci_process *process);
void oci_resources_release(struct oci_resources *resources);
static inline void oci_spec_cleanup(struct oci_spec *spec)
{
	oci_spec_release(spec);
}
#define auto_oci_spec __attribute__((cleanup(oci_spec_cleanup))) struct oci_spec

/**
 * Lets the container share the host's network namespace: settings of the
 * namespace (net.*) are taken out of the spec, since they would be the host's.
 */
void oci_spec_share_network(struct oci_spec *spec);
int oci_spec_add_mount(struct oci_spec *spec, const char *type, const char *source,
		       const char *destination, const char *options_comma, struct error *err);

/* A created container: its first process waits before exec. */
struct oci_container {
	pid_t pid; /* in our pid namespace */
	int pidfd;
	int start_fd;    /* internal: writing lets it go on */
	int status_fd;   /* internal: the error of a failed exec arrives here */
	int terminal_fd; /* pty master, or -1 */
};
/**
 * Makes namespaces, cgroup, root, mounts, and stops before exec. stdio: three
 * descriptors for the container (unused with a terminal). On failure nothing
 * is left. The caller owns *ret_container (oci_container_close).
 */
int oci_create(const struct oci_spec *spec, const int stdio[3], struct oci_container *ret_container,
	       struct error *err);
/**
 * Lets the program run. err's code tells a failed exec: ENOENT (command not
 * found: exit 127) or EACCES/ENOEXEC (not executable: exit 126), text names it.
 */
int oci_start(struct oci_container *container, struct error *err);
/** oci_start from another process, by spec->start_socket. 1: it is running already. */
int oci_start_at(const char *start_socket, struct error *err);
void oci_container_close(struct oci_container *container);
/** Runs hooks of one step (poststart, poststop; oci_create runs the earlier ones itself). */
int oci_hooks_run(const struct oci_spec *spec, enum oci_hook_when when, pid_t pid,
		  struct error *err);
/** OCI's state of a container; the caller owns the result. */
struct json_t *oci_state_json(const struct oci_spec *spec, pid_t pid, const char *status);
int oci_state_format(const struct oci_spec *spec, pid_t pid, const char *status, char **ret_text,
		     struct error *err);
/** Removes cgroups (kills what is left in them). */
int oci_cleanup(const struct oci_spec *spec, struct error *err);
/** Runs a further process in a running container (exec): as oci_create + oci_start. */
int oci_exec(const struct oci_spec *spec, pid_t init_pid, const struct oci_process *process,
	     const int stdio[3], struct oci_container *ret_container, struct error *err);
/** Sends a signal to every process of the container's cgroup (kill -9 of all). */
int oci_kill_all(const struct oci_spec *spec, int signal, struct error *err);
/** Stops all processes of the container where they are, or lets them go on. */
int oci_pause(const struct oci_spec *spec, struct error *err);
int oci_resume(const struct oci_spec *spec, struct error *err);
bool oci_is_paused(const struct oci_spec *spec);
/** Pids of all processes of the container, sorted; *ret_pids is the caller's. */
int oci_pids(const struct oci_spec *spec, pid_t **ret_pids, size_t *ret_count, struct error *err);
enum oci_usage_part {
	OCI_USAGE_CPU = 1,
	OCI_USAGE_MEMORY = 2,
	OCI_USAGE_PIDS = 4,
	OCI_USAGE_BLOCKS = 8,
};
/* What a container has used since its start. */
struct oci_usage {
	int64_t cpu_ns, memory_bytes, memory_limit_bytes, pids, read_bytes, written_bytes;
	unsigned summed; /* bits of enum oci_usage_part that no controller tells: sums of its living
			    processes */
};
int oci_usage(const struct oci_spec *spec, struct oci_usage *ret_usage, struct error *err);
/** Changes the limits that are set (not -1) of a container that exists. */
int oci_update(const struct oci_spec *spec, const struct oci_resources *resources,
	       struct error *err);
/**
 * Reads user "name", "uid", "name:group", "uid:gid" against /etc/passwd and
 * /etc/group inside the root (root_fd: the container's root directory), hostile.
 */
int oci_user_resolve(int root_fd, const char *user, struct oci_process *process, char **ret_home,
		     struct error *err);
/** RLIMIT_NOFILE of "RLIMIT_NOFILE"; -1: there is none of this name. */
int oci_rlimit_number(const char *name);
/** Which limits this host cannot set ("cpu: no controller"); a line each, NULL-terminated words. */
int oci_missing_controllers(const struct oci_resources *resources, struct words *ret_missing,
			    struct error *err);
