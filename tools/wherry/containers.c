/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs that make containers and run things in them: run, create, start, exec. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/engine.h"
#include "runtime/oci.h"
#include "changing.h"
#include "verbs.h"

#define STATUS_ENGINE 125 /* Wherry itself failed, as Docker has it */

struct run_options {
	struct container_options container; /* first: rows name its members */
	bool detach;
	const char *cidfile, *detach_keys;
};
#define OPTION(member) offsetof(struct run_options, member)
#define CONTAINER_OPTION(member) offsetof(struct run_options, container.member)

#define CREATE_ROWS                                                                                    \
	{ "name", 0, OPTION_TEXT, CONTAINER_OPTION(name), "NAME", "Name it" },                         \
		{ "interactive", 'i',                                                                  \
		  OPTION_FLAG,   CONTAINER_OPTION(interactive),                                        \
		  NULL,          "Keep its standard input open" },                                     \
		{ "tty", 't', OPTION_FLAG, CONTAINER_OPTION(terminal), NULL, "Give it a terminal" },   \
		{ "rm", 0, OPTION_FLAG, CONTAINER_OPTION(remove), NULL, "Remove it when it ends" },    \
		{ "publish",                                                                           \
		  'p',                                                                                 \
		  OPTION_LIST,                                                                         \
		  CONTAINER_OPTION(publish),                                                           \
		  "[IP:][HOST:]PORT[/udp]",                                                            \
		  "Publish a port or range of it on the host" },                                       \
		{ "publish-from", 0,                                                                   \
		  OPTION_LIST,    CONTAINER_OPTION(publish_from),                                      \
		  "PREFIX,...",   "Let only these clients reach what it publishes" },                  \
		{ "host-firewall",                                                                     \
		  0,                                                                                   \
		  OPTION_TEXT,                                                                         \
		  CONTAINER_OPTION(host_firewall),                                                     \
		  "respect|bypass",                                                                    \
		  "Whether the host's forward rules decide who reaches what it publishes" },           \
		{ "publish-all", 'P',                                                                  \
		  OPTION_FLAG,   CONTAINER_OPTION(publish_all),                                        \
		  NULL,          "Publish the image's exposed ports on free ones" },                   \
		{ "env",          'e',                                                                 \
		  OPTION_LIST,    CONTAINER_OPTION(env),                                               \
		  "NAME[=VALUE]", "Set a variable, or pass on our own" },                              \
		{ "env-file",  0,                                                                      \
		  OPTION_LIST, CONTAINER_OPTION(env_files),                                            \
		  "FILE",      "Set the variables of a file" },                                        \
		{ "volume",           'v',                                                             \
		  OPTION_LIST,        CONTAINER_OPTION(volumes),                                       \
		  "SOURCE:PATH[:ro]", "Mount a directory of the host, or a volume by name" },          \
		{ "tmpfs",        0, OPTION_LIST, CONTAINER_OPTION(tmpfs), "PATH[:OPTIONS]",           \
		  "Mount a tmpfs" },                                                                   \
		{ "workdir", 'w', OPTION_TEXT, CONTAINER_OPTION(working_dir), "DIR", "Start in DIR" }, \
		{ "user",         'u',                                                                 \
		  OPTION_TEXT,    CONTAINER_OPTION(user),                                              \
		  "USER[:GROUP]", "Run as this user, by name or number" },                             \
		{ "entrypoint", 0,                                                                     \
		  OPTION_TEXT,  CONTAINER_OPTION(entrypoint),                                          \
		  "COMMAND",    "Replace the image's entry point; \"\" means none" },                  \
		{ "hostname", 'h', OPTION_TEXT, CONTAINER_OPTION(hostname), "NAME", "Name inside" },   \
		{ "label", 'l', OPTION_LIST, CONTAINER_OPTION(labels), "KEY[=VALUE]", "Label it" },    \
		{ "network",   0,                                                                      \
		  OPTION_TEXT, CONTAINER_OPTION(network),                                              \
		  "NETWORK",   "Join a network, none, host, or container:NAME" },                      \
		{ "net", 0, OPTION_TEXT, CONTAINER_OPTION(network), "NETWORK", "As --network" },       \
		{ "network-alias",           0,      OPTION_LIST,                                      \
		  CONTAINER_OPTION(aliases), "NAME", "A further name in its network" },                \
		{ "link",                                                                              \
		  0,                                                                                   \
		  OPTION_LIST,                                                                         \
		  CONTAINER_OPTION(links),                                                             \
		  "CONTAINER[:ALIAS]",                                                                 \
		  "A name that only it knows" },                                                       \
		{ "ip", 0, OPTION_TEXT, CONTAINER_OPTION(ip), "ADDRESS", "Its IPv4 address" },         \
		{ "ip6", 0, OPTION_TEXT, CONTAINER_OPTION(ip6), "ADDRESS", "Its IPv6 address" },       \
		{ "mac-address",    0, OPTION_TEXT, CONTAINER_OPTION(mac_address), "MAC",              \
		  "Its MAC address" },                                                                 \
		{ "ingress-rate", 0,                                                                   \
		  OPTION_TEXT,    CONTAINER_OPTION(ingress_rate),                                      \
		  "RATE[/BURST]", "Let it receive at most RATE bits a second: 100m, 1g/20m" },         \
		{ "egress-rate",  0,                                                                   \
		  OPTION_TEXT,    CONTAINER_OPTION(egress_rate),                                       \
		  "RATE[/BURST]", "Let it send at most RATE bits a second" },                          \
		{ "dns",       0,                                                                      \
		  OPTION_LIST, CONTAINER_OPTION(dns),                                                  \
		  "ADDRESS",   "Ask this server for names that are no container's" },                  \
		{ "add-host",     0,                                                                   \
		  OPTION_LIST,    CONTAINER_OPTION(add_hosts),                                         \
		  "NAME:ADDRESS", "A line of /etc/hosts" },                                            \
		{ "memory",    'm',                                                                    \
		  OPTION_SIZE, CONTAINER_OPTION(memory_bytes),                                         \
		  "SIZE",      "Limit of memory, such as 64m" },                                       \
		{ "cpus",      0,                                                                      \
		  OPTION_TEXT, CONTAINER_OPTION(cpus),                                                 \
		  "NUMBER",    "Limit of CPU time, such as 1.5" },                                     \
		{ "pids-limit",        0, OPTION_NUMBER, CONTAINER_OPTION(pids_limit), "NUMBER",       \
		  "Limit of processes" },                                                              \
		{ "shm-size",        0, OPTION_SIZE, CONTAINER_OPTION(shm_size_bytes), "SIZE",         \
		  "Size of /dev/shm" },                                                                \
		{ "read-only", 0,                                                                      \
		  OPTION_FLAG, CONTAINER_OPTION(read_only),                                            \
		  NULL,        "Mount its root read-only" },                                           \
		{ "init",      0,                                                                      \
		  OPTION_FLAG, CONTAINER_OPTION(init),                                                 \
		  NULL,        "Reap zombies and forward signals by a first process" },                \
		{ "cap-add", 0, OPTION_LIST, CONTAINER_OPTION(cap_add), "NAME", "Add a capability" },  \
		{ "cap-drop",         0, OPTION_LIST, CONTAINER_OPTION(cap_drop), "NAME",              \
		  "Drop a capability" },                                                               \
		{ "privileged", 0,                                                                     \
		  OPTION_FLAG,  CONTAINER_OPTION(privileged),                                          \
		  NULL,         "All capabilities, no filter of system calls" },                       \
		{ "security-opt", 0,                                                                   \
		  OPTION_LIST,    CONTAINER_OPTION(security),                                          \
		  "OPTION",       "no-new-privileges, seccomp=unconfined" },                           \
		{ "no-new-privileges",                                                                 \
		  0,                                                                                   \
		  OPTION_FLAG,                                                                         \
		  CONTAINER_OPTION(no_new_privileges),                                                 \
		  NULL,                                                                                \
		  "As --security-opt no-new-privileges" },                                             \
		{ "sysctl",     0,                                                                     \
		  OPTION_LIST,  CONTAINER_OPTION(sysctls),                                             \
		  "NAME=VALUE", "Set a kernel parameter of it" },                                      \
		{ "restart",   0,                                                                      \
		  OPTION_TEXT, CONTAINER_OPTION(restart),                                              \
		  "POLICY",    "no, on-failure[:MAX], always, unless-stopped" },                       \
		{ "stop-signal", 0,                                                                    \
		  OPTION_TEXT,   CONTAINER_OPTION(stop_signal),                                        \
		  "SIGNAL",      "What `stop` sends (default: the image's, else TERM)" },              \
		{ "stop-timeout", 0,                                                                   \
		  OPTION_NUMBER,  CONTAINER_OPTION(stop_timeout_s),                                    \
		  "SECONDS",      "How long `stop` waits before it kills (default: 10)" },             \
		{ "health-cmd", 0,                                                                     \
		  OPTION_TEXT,  CONTAINER_OPTION(health_command),                                      \
		  "COMMAND",    "Check its health by this, run in it by sh" },                         \
		{ "health-interval",                                                                   \
		  0,                                                                                   \
		  OPTION_TEXT,                                                                         \
		  CONTAINER_OPTION(health_interval),                                                   \
		  "TIME",                                                                              \
		  "Between checks (default: 30s)" },                                                   \
		{ "health-timeout", 0,                                                                 \
		  OPTION_TEXT,      CONTAINER_OPTION(health_timeout),                                  \
		  "TIME",           "A check that takes longer has failed (default: 30s)" },           \
		{ "health-retries", 0,                                                                 \
		  OPTION_NUMBER,    CONTAINER_OPTION(health_retries),                                  \
		  "NUMBER",         "As many failures in a row make it unhealthy (default: 3)" },      \
		{ "health-start-period",                                                               \
		  0,                                                                                   \
		  OPTION_TEXT,                                                                         \
		  CONTAINER_OPTION(health_start_period),                                               \
		  "TIME",                                                                              \
		  "Failures do not count so long after its start" },                                   \
		{ "no-healthcheck",                                                                    \
		  0,                                                                                   \
		  OPTION_FLAG,                                                                         \
		  CONTAINER_OPTION(no_health),                                                         \
		  NULL,                                                                                \
		  "Without the image's HEALTHCHECK" },                                                 \
		{ "mount",         0,                                                                  \
		  OPTION_LIST,     CONTAINER_OPTION(mounts),                                           \
		  "KEY=VALUE,...", "Mount by type=, source=, target=, readonly" },                     \
		{ "volumes-from",   0,                                                                 \
		  OPTION_LIST,      CONTAINER_OPTION(volumes_from),                                    \
		  "CONTAINER[:ro]", "Mount what another container has mounted" },                      \
		{ "ulimit",           0,                                                               \
		  OPTION_LIST,        CONTAINER_OPTION(ulimits),                                       \
		  "NAME=SOFT[:HARD]", "Limit of each process, such as nofile=1024" },                  \
		{ "device",                                                                            \
		  0,                                                                                   \
		  OPTION_LIST,                                                                         \
		  CONTAINER_OPTION(devices),                                                           \
		  "/DEVICE[:/INSIDE[:rwm]]",                                                           \
		  "Let it use a device of the host" },                                                 \
		{ "expose",     0,                                                                     \
		  OPTION_LIST,  CONTAINER_OPTION(expose),                                              \
		  "PORT[/udp]", "A port that --publish-all publishes" },                               \
		{ "oom-score-adj", 0,                                                                  \
		  OPTION_TEXT,     CONTAINER_OPTION(oom_score_adj),                                    \
		  "NUMBER",        "How soon it is killed when memory ends: -1000 to 1000" },          \
		{ "cpuset-cpus", 0,                                                                    \
		  OPTION_TEXT,   CONTAINER_OPTION(cpuset_cpus),                                        \
		  "LIST",        "Only these CPUs, such as 0-3,5" },                                   \
		{ "cpuset-mems", 0,                                                                    \
		  OPTION_TEXT,   CONTAINER_OPTION(cpuset_mems),                                        \
		  "LIST",        "Only these memory nodes" },                                          \
		{ "cpu-shares",  'c',                                                                  \
		  OPTION_NUMBER, CONTAINER_OPTION(cpu_shares),                                         \
		  "NUMBER",      "Weight among those that want the CPU" },                             \
		{ "cpu-quota",    0,                                                                   \
		  OPTION_NUMBER,  CONTAINER_OPTION(cpu_quota_us),                                      \
		  "MICROSECONDS", "CPU time in each period" },                                         \
		{ "cpu-period",   0,                                                                   \
		  OPTION_NUMBER,  CONTAINER_OPTION(cpu_period_us),                                     \
		  "MICROSECONDS", "Length of a period" },                                              \
		{ "log-driver", 0,                                                                     \
		  OPTION_TEXT,  CONTAINER_OPTION(log_driver),                                          \
		  "DRIVER",     "json-file, the only one" },                                           \
		{ "log-opt",   0,                                                                      \
		  OPTION_LIST, CONTAINER_OPTION(log_options),                                          \
		  "KEY=VALUE", "max-size=10m, max-file=3" },                                           \
	{                                                                                              \
		"cidfile", 0, OPTION_TEXT, OPTION(cidfile), "FILE", "Write its id to FILE"             \
	}

static const struct option_spec create_rows[] = { CREATE_ROWS };
static const struct option_spec run_rows[] = {
	CREATE_ROWS,
	{ "detach", 'd', OPTION_FLAG, OPTION(detach), NULL, "Print its id and leave it running" },
	{ "detach-keys", 0, OPTION_TEXT, OPTION(detach_keys), "KEYS", DETACH_KEYS_HELP },
};
static const struct run_options run_defaults = { .container = CONTAINER_OPTIONS_NONE };

struct start_options {
	bool attach, interactive;
	const char *detach_keys;
};
static const struct option_spec start_rows[] = {
	{ "attach", 'a', OPTION_FLAG, offsetof(struct start_options, attach), NULL,
	  "Stay until it ends, and show its output" },
	{ "interactive", 'i', OPTION_FLAG, offsetof(struct start_options, interactive), NULL,
	  "Hand our standard input to it, with --attach" },
	{ "detach-keys", 0, OPTION_TEXT, offsetof(struct start_options, detach_keys), "KEYS",
	  DETACH_KEYS_HELP },
};

#define EXEC_OPTION(member) offsetof(struct exec_options, member)
static const struct option_spec exec_rows[] = {
	{ "interactive", 'i', OPTION_FLAG, EXEC_OPTION(interactive), NULL,
	  "Hand our standard input to it" },
	{ "tty", 't', OPTION_FLAG, EXEC_OPTION(terminal), NULL, "Give it a terminal" },
	{ "detach", 'd', OPTION_FLAG, EXEC_OPTION(detach), NULL, "Leave it running" },
	{ "env", 'e', OPTION_LIST, EXEC_OPTION(env), "NAME[=VALUE]", "Set a variable" },
	{ "workdir", 'w', OPTION_TEXT, EXEC_OPTION(working_dir), "DIR", "Start in DIR" },
	{ "user", 'u', OPTION_TEXT, EXEC_OPTION(user), "USER[:GROUP]", "Run as this user" },
	{ "privileged", 0, OPTION_FLAG, EXEC_OPTION(privileged), NULL, "All capabilities" },
	{ "env-file", 0, OPTION_LIST, EXEC_OPTION(env_files), "FILE",
	  "Set the variables of a file" },
	{ "detach-keys", 0, OPTION_TEXT, EXEC_OPTION(detach_keys), "KEYS", DETACH_KEYS_HELP },
};

/* Words 1 and on. */
static int command_of(const struct words *words, struct words *ret_command, struct error *err)
{
	int r = 0;
	for (size_t i = 1; r == 0 && i < words->count; i++)
		r = words_append(ret_command, words->items[i], err);
	return r;
}

static int write_cidfile(const char *path, const char *id, struct error *err)
{
	auto_fd fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, id, strlen(id)) != (ssize_t)strlen(id))
		return error_set_errno(err, errno, "--cidfile %s", path);
	return 0;
}

/* A container that nobody can use goes again; the verb's own error is told by others. */
static void undo_create(struct engine *engine, const char *id)
{
	struct error err;
	if (container_remove(engine, id, CONTAINER_FORCE, true, &err) < 0)
		fprintf(stderr, "wherry: container %.12s stays: %s\n", id, err.text);
}

static int create(struct engine *engine, const struct run_options *options,
		  const struct words *words, char id[CONTAINER_ID_SIZE], struct error *err)
{
	auto_words command = { 0 };
	int r = command_of(words, &command, err);
	if (r == 0)
		r = container_create(engine, &options->container, words->items[0], &command, id,
				     err);
	if (r < 0 || !options->cidfile)
		return r;
	r = write_cidfile(options->cidfile, id, err);
	if (r < 0)
		undo_create(engine, id);
	return r;
}

static int run_create(struct cli *cli, const void *data, const struct words *words,
		      struct error *err)
{
	struct engine *engine;
	char id[CONTAINER_ID_SIZE];
	int r = cli_engine(cli, &engine, err);
	if (r == 0)
		r = create(engine, data, words, id, err);
	if (r == 0)
		printf("%s\n", id);
	return r;
}

/* Prints the error here when its status is not the verb's own. */
static int end_with(const char *verb, int r, int status, const struct error *err)
{
	if (r == 0)
		return status;
	fprintf(stderr, "wherry: %s: %s\n", verb, err->text);
	return status ? status : STATUS_ENGINE;
}

static int run_run(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	const struct run_options *options = data;
	struct engine *engine;
	char id[CONTAINER_ID_SIZE];
	int status = 0;
	struct container_attach attach = { 0 };
	if (options->detach && options->container.terminal && !options->container.interactive)
		attach.output = false;
	if (!options->detach)
		attach = (struct container_attach){ .output = true,
						    .input = options->container.interactive,
						    .wait = true,
						    .detach_keys = options->detach_keys };
	if (attach.input && options->container.terminal && !isatty(STDIN_FILENO))
		return error_set(err, EINVAL, "-it: standard input is no terminal; leave -t out");
	int r = cli_engine(cli, &engine, err);
	if (r == 0)
		r = create(engine, options, words, id, err);
	if (r < 0)
		return r;
	r = container_start(engine, id, &attach, &status, err);
	/* What could not even start is a container that nobody can use, as after a typing error. */
	if (r < 0 && !options->container.remove)
		undo_create(engine, id);
	if (r == 0 && options->detach)
		printf("%s\n", id);
	return end_with("run", r, status, err);
}

static int run_start(struct cli *cli, const void *data, const struct words *words,
		     struct error *err)
{
	const struct start_options *options = data;
	struct engine *engine;
	struct container_attach attach = { .output = options->attach,
					   .input = options->interactive,
					   .wait = options->attach,
					   .detach_keys = options->detach_keys };
	int status = 0, result = 0;
	if (options->attach && words->count > 1)
		return error_set(err, EINVAL, "--attach takes one container");
	if (options->interactive && !options->attach)
		return error_set(err, EINVAL, "--interactive needs --attach");
	int r = cli_engine(cli, &engine, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < words->count; i++) {
		r = container_start(engine, words->items[i], &attach, &status, err);
		if (r < 0) {
			fprintf(stderr, "wherry: start: %s\n", err->text);
			result = status == 126 || status == 127 ? status : 1;
		} else if (options->attach) {
			result = status;
		} else {
			printf("%s\n", words->items[i]);
		}
	}
	return result;
}

static int run_exec(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	const struct exec_options *options = data;
	struct engine *engine;
	auto_words command = { 0 };
	int status = 0;
	if (options->terminal && options->interactive && !isatty(STDIN_FILENO))
		return error_set(err, EINVAL, "-it: standard input is no terminal; leave -t out");
	/* It becomes the parent of what runs inside. */
	int r = oci_protect_self(cli->argv, err);
	if (r == 0)
		r = cli_engine(cli, &engine, err);
	if (r == 0)
		r = command_of(words, &command, err);
	if (r < 0)
		return r;
	r = container_exec(engine, words->items[0], options, &command, &status, err);
	return end_with("exec", r, status, err);
}

static const char run_detail[] =
	"Exit status: that of the command, or 128 and the number of the signal that ended it;\n"
	"125: Wherry failed; 126: the command cannot be executed; 127: it was not found.";

static const struct verb verbs[] = {
	{
		.spec = { .name = "run",
			  .words = "IMAGE [COMMAND [ARG…]]",
			  .summary = "Make a container and run a command in it",
			  .detail = run_detail,
			  .options = run_rows,
			  .option_count = ARRAY_SIZE(run_rows),
			  .style = OPTIONS_STOP_AT_WORD,
			  .words_min = 1,
			  .words_max = -1 },
		.options_size = sizeof(struct run_options),
		.defaults = &run_defaults,
		.run = run_run,
		.failure_status = STATUS_ENGINE,
	},
	{
		.spec = { .name = "create",
			  .words = "IMAGE [COMMAND [ARG…]]",
			  .summary = "Make a container without starting it",
			  .options = create_rows,
			  .option_count = ARRAY_SIZE(create_rows),
			  .style = OPTIONS_STOP_AT_WORD,
			  .words_min = 1,
			  .words_max = -1 },
		.options_size = sizeof(struct run_options),
		.defaults = &run_defaults,
		.run = run_create,
	},
	{
		.spec = { .name = "start",
			  .words = "CONTAINER…",
			  .summary = "Start containers that do not run",
			  .options = start_rows,
			  .option_count = ARRAY_SIZE(start_rows),
			  .words_min = 1,
			  .words_max = -1 },
		.options_size = sizeof(struct start_options),
		.run = run_start,
	},
	{
		.spec = { .name = "exec",
			  .words = "CONTAINER COMMAND [ARG…]",
			  .summary = "Run a further command in a running container",
			  .detail = run_detail,
			  .options = exec_rows,
			  .option_count = ARRAY_SIZE(exec_rows),
			  .style = OPTIONS_STOP_AT_WORD,
			  .words_min = 2,
			  .words_max = -1 },
		.options_size = sizeof(struct exec_options),
		.run = run_exec,
		.failure_status = STATUS_ENGINE,
	},
};

const struct verb_group verb_group_containers = { "Containers", verbs, ARRAY_SIZE(verbs) };
