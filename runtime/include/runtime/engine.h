/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The engine: containers and their networks, without a daemon. A verb opens
 * it, works on the records (ROOT/var/lib/wherry/engine.mdb; those of --rm in
 * ROOT/run/wherry/containers.mdb) and on the kernel, and ends; each running
 * container has a monitor (runtime/monitor.h). What a monitor can no longer
 * tell, because it was killed, the next verb finds out and clears up.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/instance.h"
#include "base/json.h"
#include "base/text.h"
#include "dataplane/dataplane.h"
#include "runtime/image.h"
#include "runtime/log_file.h"

#define CONTAINER_ID_SIZE 65 /* 64 hex digits, NUL */
#define CONTAINER_ID_SHORT 12
#define CONTAINER_NAME_MAX 128

struct engine;
/** Opens the stores; the data path and the images are opened when needed. The caller owns it. */
int engine_open(const struct instance *instance, struct engine **ret_engine, struct error *err);
void engine_free(struct engine *engine);
DEFINE_FREEP(engine)
/** The images of the instance, lent. */
int engine_images(struct engine *engine, struct image_store **ret_store, struct error *err);

/**
 * Told of each step as it is done: what ("veth pair veth1a2b <-> eth0"), and a
 * command of other people's tools that shows it, or NULL. For `wherry explain`.
 */
struct engine_steps {
	void (*step)(void *context, const char *what, const char *shown_by);
	void *context;
};
/** steps is copied; its context is lent. */
void engine_set_steps(struct engine *engine, const struct engine_steps *steps);
/** Told of what went wrong and does not stop the verb; NULL: nobody. */
void engine_set_warnings(struct engine *engine, void (*warn)(const char *text, void *context),
			 void *context);

/* --- containers ------------------------------------------------------------ */

/*
 * What the flags of `create` and `run` say, as the user wrote it (Docker's
 * forms); checked by container_create. Texts are lent; NULL and empty: not given.
 */
struct container_options {
	const char *name, *user, *working_dir, *hostname, *entrypoint, *network, *restart;
	const char *ip, *ip6, *mac_address, *stop_signal, *cpus, *pid;
	const char *ingress_rate, *egress_rate; /* "100m", "1g/20m": bits, and a burst */
	const char *host_firewall;              /* "respect" or "bypass" */
	struct words publish, publish_from, env, env_files, volumes, tmpfs, aliases, links, labels;
	struct words dns, add_hosts, cap_add, cap_drop, security, log_options, sysctls;
	const char *health_command, *health_interval, *health_timeout, *health_start_period;
	int64_t health_retries; /* 0: not given */
	const char *cpuset_cpus, *cpuset_mems, *oom_score_adj, *log_driver;
	int64_t cpu_shares, cpu_quota_us, cpu_period_us; /* 0: not given */
	struct words mounts, volumes_from, ulimits, devices, expose;
	uint64_t memory_bytes, shm_size_bytes;
	int64_t pids_limit, stop_timeout_s; /* -1: not given */
	bool terminal, interactive, remove, read_only, init, privileged, publish_all;
	bool no_new_privileges, no_health;
};
#define CONTAINER_OPTIONS_NONE                         \
	{                                              \
		.pids_limit = -1, .stop_timeout_s = -1 \
	}

/**
 * Makes the record and the directory of a container of `image` (a reference).
 * command empty: the image's. Errors name the flag. On failure nothing is left.
 */
int container_create(struct engine *engine, const struct container_options *options,
		     const char *image, const struct words *command, char ret_id[CONTAINER_ID_SIZE],
		     struct error *err);

/* How a verb stays with a container that it starts. */
struct container_attach {
	bool output;  /* its output comes to descriptors 1 and 2 */
	bool input;   /* descriptor 0 goes to its input */
	bool wait;    /* until its end; with output implied */
	bool signals; /* container_join: those to us go to it; container_start always does so */
	const char *detach_keys; /* "ctrl-p,ctrl-q" if NULL; "": none */
};
/**
 * Starts it. reference: name, id, or unambiguous beginning of an id. Without
 * wait: returns 0 when its program runs. With wait: *ret_status is its exit code
 * (128 + n for a signal); signals to us go to it. err's code tells a command
 * that was not found (ENOENT with *ret_status 127) or not executable (126).
 */
int container_start(struct engine *engine, const char *reference,
		    const struct container_attach *attach, int *ret_status, struct error *err);
/** SIGTERM or its own stop signal; SIGKILL after timeout_s (-1: its own or 10). Not running: 0. */
int container_stop(struct engine *engine, const char *reference, int64_t timeout_s,
		   struct error *err);
/** signal: "KILL", "SIGHUP", "15"; NULL is KILL. -EINVAL: it does not run. */
int container_kill(struct engine *engine, const char *reference, const char *signal,
		   struct error *err);
enum container_force { CONTAINER_GENTLE, CONTAINER_FORCE };
/** -EBUSY if it runs, unless forced. With volumes: anonymous volumes too. */
int container_remove(struct engine *engine, const char *reference, enum container_force force,
		     bool volumes, struct error *err);
/** Waits for its end. */
int container_wait(struct engine *engine, const char *reference, int *ret_status,
		   struct error *err);
/** Stops its processes where they are. -EINVAL: it does not run; -EALREADY. */
int container_pause(struct engine *engine, const char *reference, struct error *err);
/** Lets them go on. -EINVAL: it is not paused. */
int container_unpause(struct engine *engine, const char *reference, struct error *err);
/** Changes memory, cpus, pids and restart where options name them, from now on. */
int container_update_limits(struct engine *engine, const char *reference,
			    const struct container_options *options, struct error *err);
/**
 * Stays with a container that runs already, as container_start with wait. *ret_detached: the
 * user left it by the detach keys.
 */
int container_join(struct engine *engine, const char *reference,
		   const struct container_attach *attach, int *ret_status, bool *ret_detached,
		   struct error *err);
int container_rename(struct engine *engine, const char *reference, const char *name,
		     struct error *err);

struct container_filter {
	bool all;                    /* else only running ones */
	const struct words *filters; /* name=, status=, label=, network=, id=, ancestor= */
};
/**
 * The rows of `ps`, newest first: an array of objects with Docker's keys (ID,
 * Names, Image, Command, CreatedAt, RunningFor, Status, State, Ports, Networks,
 * Labels, Mounts, FullID). The caller frees.
 */
int containers_list(struct engine *engine, const struct container_filter *filter,
		    struct json_t **ret_rows, struct error *err);
/** All of one, with Docker's keys. */
int container_inspect(struct engine *engine, const char *reference, struct json_t **ret_object,
		      struct error *err);
/** Opens its log; *ret_running tells whether more may come. */
int container_logs(struct engine *engine, const char *reference, const struct log_query *query,
		   struct log_reader **ret_reader, bool *ret_running, struct error *err);
/**
 * What its root has otherwise than its image, in the order of names: kind 'A' (added), 'C'
 * (changed) or 'D' (deleted). Mount points that the engine made are left out.
 */
int container_changes(struct engine *engine, const char *reference,
		      int (*visit)(char kind, const char *path, void *context, struct error *err),
		      void *context, struct error *err);
/** Writes its whole root to fd as a tar archive, without what is mounted in it. */
int container_export(struct engine *engine, const char *reference, int fd, struct error *err);
/* One end of `cp`: a path of the host, "-" for a tar stream, or a path in a container. */
struct container_copy_end {
	const char *container; /* NULL: the host */
	const char *path;
};
struct container_copy_options {
	bool archive; /* owners, set-id bits and devices stay what they are */
	bool follow;  /* the source may be a link to what is meant */
};
/**
 * Copies a file or tree by the rules of `docker cp`; the container may run or not. No link in it
 * leads out of it, and none that it leaves on the host is followed.
 */
int container_copy(struct engine *engine, const struct container_copy_end *from,
		   const struct container_copy_end *to,
		   const struct container_copy_options *options, struct error *err);
struct container_commit_options {
	const char *author, *message;
	struct words changes; /* lines of a Dockerfile */
	bool pause;           /* while its files are copied */
};
/** Its files and what it was told become an image; name may be NULL. */
int container_commit(struct engine *engine, const char *reference, const char *name,
		     const struct container_commit_options *options, char ret_id[DIGEST_TEXT_MAX],
		     struct error *err);
/** A descriptor that becomes readable when the container's last life ends. -ENOENT: it is over. */
int container_end_fd(struct engine *engine, const char *reference, int *ret_fd, struct error *err);
/** The processes of a running one: rows with UID, PID, PPID, C, STIME, TTY, TIME, CMD. */
int container_top(struct engine *engine, const char *reference, struct json_t **ret_rows,
		  struct error *err);

/** Their pids on the host, sorted; the caller frees. */
int container_pids(struct engine *engine, const char *reference, pid_t **ret_pids,
		   size_t *ret_count, struct error *err);
/* What a container has used until now; zeros if it does not run. */
struct container_usage {
	char id[CONTAINER_ID_SIZE], name[CONTAINER_NAME_MAX];
	bool running;
	uint64_t at_ms; /* monotonic */
	uint64_t cpu_ns, memory_bytes, memory_limit_bytes, pids;
	uint64_t read_bytes, written_bytes, received_bytes, sent_bytes;
	const char *lacks; /* a controller that the host has not: sums of processes; NULL: none */
};
int container_use(struct engine *engine, const char *reference, struct container_usage *ret_usage,
		  struct error *err);

/** Bytes that its own files take, without its image and volumes. */
int container_disk_usage(struct engine *engine, const char *reference, uint64_t *ret_bytes,
			 struct error *err);

struct exec_options {
	const char *user, *working_dir;
	struct words env;
	struct words env_files;
	const char *detach_keys; /* "ctrl-p,ctrl-q" if NULL; "": none */
	bool terminal, interactive, detach, privileged;
};
/** Runs a further command in a running container; as container_start with wait. */
int container_exec(struct engine *engine, const char *reference, const struct exec_options *options,
		   const struct words *command, int *ret_status, struct error *err);

/* The hidden verbs of a monitor. */
int container_attach_network(struct engine *engine, const char *id, pid_t pid, struct error *err);
int container_cleanup(struct engine *engine, const char *id, struct error *err);
/** Runs its health check once and notes what came of it. The caller is protected (oci.h). */
int container_check_health(struct engine *engine, const char *id, struct error *err);

/** Whether a container was made from this image; as image_remove wants it. context: the engine. */
int engine_image_in_use(const char *image_id, char *ret_name, size_t size, void *context);
/* A build's RUN steps: containers without a record. */
struct engine_build {
	struct engine *engine;
	const char *network; /* "none", "host", a network's name; NULL: the default one */
};
/** build is lent for the runner's life. -ENOENT: no such network. */
int engine_build_runner(struct engine_build *build, struct build_runner *ret_runner,
			struct error *err);

/* --- the instance -------------------------------------------------------------- */

/** What it is, with Docker's keys: Containers, Images, KernelVersion, NCPU, Warnings, … */
int engine_info(struct engine *engine, struct json_t **ret_object, struct error *err);

/* --- events ----------------------------------------------------------------- */

/* What happened to something; id of an image is its name or digest. */
struct engine_event {
	const char *type, *action, *id; /* "container", "start", … */
	const char *image;              /* of a container */
	struct words attributes;        /* key=value */
};
/** Appends it to the log; whoever follows hears it. */
void engine_event(struct engine *engine, const struct engine_event *event);

enum event_begin { EVENTS_ALL, EVENTS_NEW };
struct event_reader;
int event_reader_open(struct engine *engine, enum event_begin begin,
		      struct event_reader **ret_reader, struct error *err);
void event_reader_free(struct event_reader *reader);
DEFINE_FREEP(event_reader)
/** The next event, the caller's: keys Type, Action, Actor, time, timeNano. 1; 0: none now. */
int event_reader_next(struct event_reader *reader, struct json_t **ret_event, struct error *err);
/** Readable when there may be more; event_reader_clear makes it wait again. */
int event_reader_fd(const struct event_reader *reader);
void event_reader_clear(struct event_reader *reader);

/* --- volumes ---------------------------------------------------------------- */

struct volume_options {
	const char *driver; /* NULL or "local" */
	struct words labels;
};
/** name NULL: a name is made. A volume that is there stays as it is. */
int volume_create(struct engine *engine, const char *name, const struct volume_options *options,
		  char *ret_name, size_t size, struct error *err);
/** Rows of `volume ls`: Driver, Name, Mountpoint, Scope, CreatedAt, Labels. filters: name=, label=,
 * dangling=true. */
int volumes_list(struct engine *engine, const struct words *filters, struct json_t **ret_rows,
		 struct error *err);
int volume_inspect(struct engine *engine, const char *name, struct json_t **ret_object,
		   struct error *err);
/** -EBUSY names a container that has it. */
int volume_delete(struct engine *engine, const char *name, struct error *err);
/** 1 and the name of a container that has it; 0: none. */
int volume_find_user(struct engine *engine, const char *volume, char *ret_name, size_t size,
		     struct error *err);
/** Whether it was made without a name. */
bool volume_is_anonymous(const char *name);
/** Bytes that its files take. */
int volume_disk_usage(struct engine *engine, const char *name, uint64_t *ret_bytes,
		      struct error *err);

/* --- networks --------------------------------------------------------------- */

struct engine_network_options {
	const char *driver;
	struct words subnets, gateways, ip_ranges, aux_addresses, options, labels;
	bool internal;
	bool ipv6;    /* also said by a subnet of IPv6 */
	bool no_ipv4; /* IPv6 only */
};
int engine_network_create(struct engine *engine, const char *name,
			  const struct engine_network_options *options,
			  char ret_id[CONTAINER_ID_SIZE], struct error *err);
/** -EBUSY names a container that is in it. */
int engine_network_remove(struct engine *engine, const char *reference, struct error *err);
/** Rows of `network ls`: ID, Name, Driver, Scope, Subnet, Internal, CreatedAt, Labels, FullID. */
int engine_networks_list(struct engine *engine, struct json_t **ret_rows, struct error *err);
int engine_network_inspect(struct engine *engine, const char *reference, struct json_t **ret_object,
			   struct error *err);
struct network_connect_options {
	const char *ip, *ip6, *mac_address;
	struct words aliases, links;
};
int engine_network_connect(struct engine *engine, const char *network, const char *container,
			   const struct network_connect_options *options, struct error *err);
int engine_network_disconnect(struct engine *engine, const char *network, const char *container,
			      struct error *err);
