/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A witness for CNI plugins: it drives a plugin or a list of plugins by the
 * specification and libcni's rules, in a world of its own for each point, and
 * tells claim by claim what held. It knows no plugin: what it asks for is in
 * the specification, and in the numbered checklist whose points it names.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

#define PATH_MAX_BYTES 512
#define DETAIL_MAX 1500       /* bytes of what is shown of one call */
#define CALL_TIMEOUT_MS 30000 /* of one call, unless the point says otherwise */
#define STUB_FOLDER "/run/witness/bin"
#define STUB_ORDERS "/run/witness/stub"

/* What the command line says; lent to everybody, changed by nobody. */
struct settings {
	const char *conf_path;
	const char *plugin_path;  /* CNI_PATH: folders of plugins */
	const char *drop_in;      /* "bridge,portmap": types whose keys the first plugin takes */
	const char *ipam_type;    /* an IPAM plugin to test as one; NULL: none */
	const char *program;      /* our own file, which is every stub */
	struct words environment; /* K=V for every call */
	struct words known;       /* "39: a claim" that may fail */
	bool is_long;
	int64_t jobs;
	struct json_t *list; /* the configuration, as a list */
};

/* KNOWN: failed, and the list of differences says why that is so. */
enum verdict { VERDICT_PASS, VERDICT_FAIL, VERDICT_SKIP, VERDICT_KNOWN };

/* The world of one point. */
struct world {
	const struct settings *settings;
	const struct json_t *list; /* lent from settings */
	int claims_fd;             /* where claims are written, a JSON object a line */
	char path[PATH_MAX_BYTES]; /* CNI_PATH of the calls */
	char detail[DETAIL_MAX];   /* of the last call: what a failed claim shows */
	struct words before;       /* the machine, when the point began */
};

struct point {
	int number;
	const char *title;
	unsigned needs; /* NEEDS_… */
	void (*run)(struct world *world);
};
enum {
	NEEDS_CHAIN = 1,       /* a list of at least two plugins */
	NEEDS_POOL = 2,        /* ipam with host-local's keys */
	NEEDS_BRIDGE = 4,      /* bridge's keys */
	NEEDS_PORTMAP = 8,     /* portmap's keys */
	NEEDS_FIREWALL = 16,   /* firewall's keys */
	NEEDS_BANDWIDTH = 32,  /* bandwidth's keys */
	NEEDS_TUNING = 64,     /* tuning's keys */
	NEEDS_LONG = 128,      /* --long */
	NEEDS_IPAM_TYPE = 256, /* --ipam */
	NEEDS_V11 = 512,       /* plugins that say they speak 1.1.0 */
};

/* The tables of points, one a file. */
extern const struct point protocol_points[], environment_points[], process_points[],
	version_points[], result_points[], bridge_points[], ipam_points[], port_points[],
	extra_points[], refusal_points[], lifecycle_points[], collect_points[], broken_points[];

/* --- claims (claim.c) */

/** Writes down whether `held` is true, as a sentence; a failure shows world->detail. */
void claim(struct world *world, bool held, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/** A claim that could not be looked at, and why. */
void skip(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Sets what a failed claim shows. */
void show(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* --- calls (call.c) */

/* What a plugin did. */
struct outcome {
	int status;            /* exit code, 128 + signal, or -1 if it had to be ended */
	char *output, *errors; /* owned */
	size_t output_size;
	struct json_t *json; /* owned; of output, if that is one JSON value */
	int64_t duration_ms;
};
void outcome_free(struct outcome *outcome);
#define auto_outcome __attribute__((cleanup(outcome_free), unused)) struct outcome

/* One start of a plugin's file. */
struct call {
	const char *type;
	const char *command; /* NULL: not set; so for all below */
	const char *id, *netns, *ifname, *args, *path;
	const char *extra; /* one more K=V */
	const char *input;
	size_t input_size; /* 0: strlen(input) */
	int timeout_ms;    /* 0: CALL_TIMEOUT_MS */
	int stdout_fd;     /* above 0: where its output goes; it is not kept then */
};
struct running {
	pid_t pid;
	int pidfd, output_fd, errors_fd;
	int64_t start_ms;
};
/** Starts it; world->detail says why not. */
int call_start(struct world *world, const struct call *call, struct running *ret);
/** Waits, at most timeout_ms; then ends it. */
void call_finish(struct world *world, struct running *running, int timeout_ms, struct outcome *ret);
void call_run(struct world *world, const struct call *call, struct outcome *ret);
int64_t now_ms(void);

/* --- lists (chain.c): libcni's rules */

struct attachment {
	const char *id, *ifname;
	const char *netns;     /* path; NULL: not set */
	const char *args;      /* CNI_ARGS or NULL */
	const char *runtime;   /* runtimeConfig with all capabilities; ' for " */
	struct json_t *result; /* owned: of the last ADD */
};
void attachment_free_result(struct attachment *attachment);
#define auto_attachment __attribute__((cleanup(attachment_free_result), unused)) struct attachment

/** Runs command through the list; stops at the first failure. True: all exited with 0. */
bool chain_run(struct world *world, const struct json_t *list, const char *command,
	       struct attachment *attachment, struct outcome *ret);
/** As chain_run, for callers who need no more than success. */
bool chain_do(struct world *world, const struct json_t *list, const char *command,
	      struct attachment *attachment);
/** GC with these attachments: "id/ifname" words; NULL ids: both keys left out. */
bool chain_gc(struct world *world, const struct json_t *list, const char *const *valid,
	      struct outcome *ret);
/** The text that plugin number `index` gets on standard input. The caller frees. */
char *chain_input(const struct json_t *list, size_t index, const struct attachment *attachment,
		  const struct json_t *previous);
/** A single plugin of the list: `command` with all that belongs to it. */
void plugin_run(struct world *world, const struct json_t *list, size_t index, const char *command,
		const struct attachment *attachment, const struct json_t *previous,
		struct outcome *ret);
size_t chain_length(const struct json_t *list);
const char *chain_type(const struct json_t *list, size_t index);
const char *chain_text(const struct json_t *list, const char *key);
/** The plugin that takes the keys of the reference's `type`; -1: none. */
int chain_find(const struct world *world, const struct json_t *list, const char *type);

/* --- configurations (conf.c) */

/** Reads a configuration or a list, and gives it the form of a list. */
int conf_read(const char *path, struct json_t **ret, struct error *err);
/** JSON text with ' for ". Aborts on a mistake: such texts are our own. */
struct json_t *conf_parse(const char *text);
/** `base` with `change` put over it: objects go together, null takes away. */
struct json_t *conf_merge(const struct json_t *base, const struct json_t *change);
/** The world's list; the plugin that takes the keys of `type` (NULL: the first) is changed. */
struct json_t *conf_with(const struct world *world, const char *type, const char *change);
/** `list` with plugin `index` changed. */
struct json_t *conf_change(const struct json_t *list, size_t index, const char *change);
/** `list` with members at its top changed: name, cniVersion. */
struct json_t *conf_top(const struct json_t *list, const char *change);
/** As conf_with, with ipam taken away first: what a test of ipam's keys starts from. */
struct json_t *conf_ipam(const struct world *world, const char *ipam);
/** Without the plugins whose bit is set in `without`, or in the order given. */
struct json_t *conf_pick(const struct json_t *list, const size_t *order, size_t count);
/** Of a result: the text at a path like "ips.0.address"; "" if there is none. */
const char *result_text(const struct json_t *result, const char *path);
int64_t result_number(const struct json_t *result, const char *path, int64_t otherwise);
size_t result_count(const struct json_t *result, const char *path);
bool result_has(const struct json_t *result, const char *path);
/** The first address of a family (4 or 6) without its prefix length; false if there is none. */
bool result_address(const struct json_t *result, int family, char ret[64]);
bool json_same(const struct json_t *a, const struct json_t *b);

/* --- errors that a plugin reports (outcome.c) */

/** Claims one error object on standard output, its code (0: any of the specification's or from
 * 100 on), and `needle` (NULL: none) in its texts. */
void claim_error(struct world *world, const struct outcome *outcome, int code, const char *needle,
		 const char *what);
/** Claims exit status 0, and nothing but one result (ADD) or nothing at all. */
void claim_done(struct world *world, const struct outcome *outcome, const char *what);
/** The code of a well-formed error object, or -1. */
int outcome_code(const struct outcome *outcome);

/* --- the world (world.c) */

/** Leaves the machine; the calling process gets namespaces, /run, /var and /etc of its own. */
int world_enter(struct world *world, struct error *err);
/** Makes the namespace /run/netns/NAME. Returns its path, lent by the static texts of callers. */
void netns_make(struct world *world, const char *name);
void netns_drop(struct world *world, const char *name);
/** Work inside /run/netns/NAME (NULL: the node itself). */
int inside(const char *name, int (*work)(void *context, struct error *err), void *context);
/** The node "outside" behind a link: 198.51.100.2, 2001:db8:51::2; ours is .1. */
void outside_make(struct world *world);
bool file_put(const char *path, const char *text);
/** Writes a sysctl inside a namespace (NULL: the node). */
int sysctl_put(const char *netns, const char *name, const char *value);
/** Reads one; "" if it is not there. */
void sysctl_get(const char *netns, const char *name, char *ret, size_t size);

/* --- the machine as text (snapshot.c) */

/** Links, addresses, routes, files, mounts, pinned objects, rules and processes, sorted. */
void snapshot_take(struct words *ret);
/** Claims that nothing differs from world->before. */
void claim_clean(struct world *world, const char *what);
/** Warms up: one ADD and DEL, whose network may stay; then world->before is taken. */
bool world_warm(struct world *world, const struct json_t *list);
void world_remember(struct world *world);

/* --- links by netlink (netlink.c), in the calling thread's namespace */

struct link_facts {
	int index; /* 0: there is no such link */
	int mtu, txqlen, promiscuity;
	unsigned flags;
	char mac[18], kind[16];
};
struct link_facts link_read(const char *netns, const char *name);
int link_make(const char *netns, const char *name, const char *kind);
int link_make_pair(const char *netns, const char *name, const char *peer, const char *peer_netns);
int link_delete(const char *netns, const char *name);
int link_set_up(const char *netns, const char *name, bool up);
int link_set_mac(const char *netns, const char *name, const char *mac);
int link_set_mtu(const char *netns, const char *name, int mtu);
int address_set(const char *netns, const char *name, const char *prefix, bool there);
int route_set(const char *netns, const char *name, const char *prefix, const char *via, bool there);
/** Lines: "link NAME …", "address NAME PREFIX", "route PREFIX via A dev NAME …". */
void net_list(const char *netns, struct words *ret);
bool net_has(const char *netns, const char *start_of_line);

/* --- traffic (traffic.c) */

/** Answers TCP and UDP on this port, with the client's address. */
void serve(struct world *world, const char *netns, int port);
/** Asks; reply is the address that the server saw. False: no answer in time. */
bool ask(const char *netns, const char *protocol, const char *address, int port, char reply[64]);
bool ping(const char *netns, const char *address);

/* --- stubs (stub.c): plugins of our own, told by files what to answer */

int stub_main(const char *name);
/** Puts the stub NAME into CNI_PATH. answer: its output for ADD (' for "). */
void stub_make(struct world *world, const char *name, const char *answer);
/** One file of orders: "NAME.exit", "NAME.output", "NAME.sleep", with a text. */
void stub_order(const char *name, const char *what, const char *text);
/** What the stub noted of its last call of this command: "stdin", "env", "links". NULL: none. */
char *stub_note(const char *name, const char *command, const char *what);
/** How often the stub was called with command. */
int stub_count(const char *name, const char *command);
