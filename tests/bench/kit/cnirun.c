/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cnirun - runs a CNI network configuration list the way a runtime does, N
 * times, and tells how long each operation took.
 *
 *   cnirun --conflist FILE --path DIR[:DIR...] [options]
 *   cnirun --exec-add CMD --exec-del CMD [--stdin FILE] [options]
 *
 * The first form follows "Section 3: Execution of Network Configurations" of
 * the CNI specification: ADD and CHECK run the plugins in order, DEL in
 * reverse; each gets the list's name and cniVersion, the result of the one
 * before as prevResult, and from runtimeConfig what its capabilities ask for.
 * The second form times a program that is not a CNI plugin: {id}, {netns},
 * {index}, {port} (20000 + index) and {ip} (10.88.1.0 + index) are replaced in
 * the command's words and in its standard input.
 *
 * cnirun makes the N network namespaces itself, outside the timed part.
 * Any failure is printed with the plugin's own error document, everything
 * that was added is deleted again, and the exit status is 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <jansson.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_PLUGINS 16
#define OUTPUT_LIMIT (1 << 20)

enum operation { ADD, CHECK, DEL, GC, STATUS, OPERATIONS };
static const char *const operation_name[] = { "ADD", "CHECK", "DEL", "GC", "STATUS" };

struct options {
	const char *conflist, *path, *ifname, *args, *netns, *id, *exec[OPERATIONS];
	const char *stdin_file, *label;
	unsigned count, parallel;
	bool json, check, gc, status, only[OPERATIONS], restricted;
	bool print_result, port_step, each;
	json_t *runtime; /* what --port, --bandwidth, ... asked for */
};

struct container {
	unsigned index;
	char id[64], netns[256];
	json_t *result; /* of the ADD */
	bool added;
};

static struct options o = { .ifname = "eth0", .args = "", .label = "", .count = 1, .parallel = 1 };
static struct container *containers;
static json_t *list;
static char *stdin_template;
static double *latency_ms[OPERATIONS], *cpu_ms[OPERATIONS];
static __thread double child_cpu_ms; /* of what run() waited for, user and system */
static double *plugin_ms[OPERATIONS][MAX_PLUGINS];
static atomic_uint next_container, failures;
static char directory[] = "/run/cnirun-XXXXXX";

__attribute__((format(printf, 1, 2))) static _Noreturn void die(const char *format, ...)
{
	va_list args;

	fputs("cnirun: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* --- running one program ------------------------------------------------ */

static void write_all(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t n = write(fd, text, left);

		if (n <= 0)
			return; /* a plugin may exit without reading */
		text += n;
		left -= (size_t)n;
	}
}

static char *read_all(int fd)
{
	size_t have = 0, room = 65536;
	char *text = malloc(room + 1);
	ssize_t n;

	while (text && (n = read(fd, text + have, room - have)) > 0) {
		have += (size_t)n;
		if (have == room && room < OUTPUT_LIMIT)
			text = realloc(text, (room *= 2) + 1);
	}
	if (!text)
		die("no memory");
	text[have] = '\0';
	return text;
}

/* The exit status; *output is what it printed, for the caller to free. */
static int run(char **argv, char **envp, const char *input, char **output)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t defaults;
	int in[2], out[2], status, rc;
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC))
		die("pipe: %s", strerror(errno));
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in[0], 0);
	posix_spawn_file_actions_adddup2(&actions, out[1], 1);
	posix_spawnattr_init(&attributes);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	rc = posix_spawn(&pid, argv[0], &actions, &attributes, argv, envp);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	close(in[0]);
	close(out[1]);
	if (rc)
		die("cannot run %s: %s", argv[0], strerror(rc));
	write_all(in[1], input);
	close(in[1]);
	*output = read_all(out[0]);
	close(out[0]);
	struct rusage used;
	while (wait4(pid, &status, 0, &used) < 0 && errno == EINTR)
		;
	child_cpu_ms += (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
			(double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void find_plugin(const char *type, char *found, size_t size)
{
	char *paths = strdup(o.path), *save = NULL;

	for (char *p = strtok_r(paths, ":", &save); p; p = strtok_r(NULL, ":", &save)) {
		snprintf(found, size, "%s/%s", p, type);
		if (!access(found, X_OK)) {
			free(paths);
			return;
		}
	}
	die("no plugin %s in %s", type, o.path);
}

/* --- CNI ---------------------------------------------------------------- */

/* Each container its own host port where --port began with "+". */
static json_t *ports_of(const struct container *c, const json_t *mappings)
{
	json_t *ports = json_deep_copy(mappings), *port;
	size_t i;

	json_array_foreach(ports, i, port) if (o.port_step) json_object_set_new(
		port, "hostPort",
		json_integer(json_integer_value(json_object_get(port, "hostPort")) +
			     (json_int_t)c->index));
	return ports;
}

/* The plugin's own configuration with what the runtime adds to it. */
static char *plugin_config(const struct container *c, const json_t *plugin, json_t *previous,
			   enum operation op)
{
	json_t *config = json_deep_copy(plugin), *runtime = json_object();
	json_t *asked = json_object_get(plugin, "capabilities"), *on;
	const char *name;
	char *text;

	json_object_set(config, "name", json_object_get(list, "name"));
	json_object_set(config, "cniVersion", json_object_get(list, "cniVersion"));
	json_object_foreach(asked, name, on)
	{
		json_t *value = json_object_get(o.runtime, name);

		if (json_is_true(on) && value)
			json_object_set_new(runtime, name,
					    !strcmp(name, "portMappings") ? ports_of(c, value)
									  : json_incref(value));
	}
	if (json_object_size(runtime))
		json_object_set(config, "runtimeConfig", runtime);
	json_object_del(config, "capabilities");
	if (previous)
		json_object_set(config, "prevResult", previous);
	if (op == GC) {
		json_t *valid = json_array();

		for (unsigned i = 0; i < o.count; i++)
			json_array_append_new(valid,
					      json_pack("{s:s, s:s}", "containerID",
							containers[i].id, "ifname", o.ifname));
		json_object_set_new(config, "cni.dev/valid-attachments", valid);
	}
	text = json_dumps(config, JSON_COMPACT);
	json_decref(runtime);
	json_decref(config);
	return text;
}

static char **plugin_env(const struct container *c, enum operation op, char store[7][512])
{
	static __thread char *envp[8];

	snprintf(store[0], 512, "CNI_COMMAND=%s", operation_name[op]);
	snprintf(store[1], 512, "CNI_PATH=%s", o.path);
	snprintf(store[2], 512, "PATH=%s", getenv("PATH"));
	snprintf(store[3], 512, "CNI_IFNAME=%s", o.ifname);
	snprintf(store[4], 512, "CNI_CONTAINERID=%s", c->id);
	snprintf(store[5], 512, "CNI_NETNS=%s", c->netns);
	snprintf(store[6], 512, "CNI_ARGS=IgnoreUnknown=1;NB_INDEX=%u%s%s", c->index,
		 *o.args ? ";" : "", o.args);
	for (int i = 0; i < 7; i++)
		envp[i] = store[i];
	if (op == GC || op == STATUS)
		envp[3] = NULL; /* these two name no container */
	envp[7] = NULL;
	return envp;
}

static bool run_plugin(struct container *c, enum operation op, size_t at, json_t **result)
{
	json_t *plugin = json_array_get(json_object_get(list, "plugins"), at);
	const char *type = json_string_value(json_object_get(plugin, "type"));
	char store[7][512], path[512], *output, *input;
	char *argv[] = { path, NULL };
	double start;
	int status;

	find_plugin(type, path, sizeof path);
	input = plugin_config(c, plugin, *result, op);
	start = now_ms();
	status = run(argv, plugin_env(c, op, store), input, &output);
	plugin_ms[op][at][c->index] = now_ms() - start;
	free(input);
	if (status) {
		fprintf(stderr, "cnirun: %s of %s by plugin %s failed with status %d: %s\n",
			operation_name[op], c->id, type, status,
			*output ? output : "(no error document)");
		free(output);
		return false;
	}
	if (op == ADD) {
		json_error_t error;
		json_t *got = json_loads(output, 0, &error);

		if (!json_is_object(got)) {
			fprintf(stderr, "cnirun: plugin %s printed no result: %s\n", type, output);
			free(output);
			return false;
		}
		json_decref(*result);
		*result = got;
	}
	free(output);
	return true;
}

static bool run_list(struct container *c, enum operation op)
{
	size_t n = json_array_size(json_object_get(list, "plugins"));
	json_t *result = op == ADD || op == GC || op == STATUS ? NULL : json_incref(c->result);
	bool ok = true;

	for (size_t i = 0; i < n && ok; i++)
		ok = run_plugin(c, op, op == DEL ? n - 1 - i : i, &result);
	if (op == ADD && ok)
		c->result = json_incref(result);
	json_decref(result);
	return ok;
}

/* --- programs that are not CNI plugins ---------------------------------- */

/* A copy of text with {id}, {netns} and {index} replaced. */
static char *expand(const char *text, const struct container *c)
{
	char *copy, index[16], port[16], ip[32];
	size_t size;
	FILE *out = open_memstream(&copy, &size);
	const struct {
		const char *name, *value;
	} words[] = {
		{ "{id}", c->id },  { "{netns}", c->netns }, { "{index}", index },
		{ "{port}", port }, { "{ip}", ip },
	};

	snprintf(index, sizeof index, "%u", c->index);
	snprintf(port, sizeof port, "%u", 20000 + c->index);
	snprintf(ip, sizeof ip, "10.88.%u.%u", 1 + c->index / 256, c->index % 256);
	while (*text) {
		bool replaced = false;

		for (size_t i = 0; i < sizeof words / sizeof *words && !replaced; i++) {
			size_t n = strlen(words[i].name);

			if (!strncmp(text, words[i].name, n)) {
				fputs(words[i].value, out);
				text += n;
				replaced = true;
			}
		}
		if (!replaced)
			fputc(*text++, out);
	}
	fclose(out);
	return copy;
}

static bool run_command(struct container *c, enum operation op)
{
	if (!o.exec[op])
		return true;
	char *line = expand(o.exec[op], c), *input = expand(stdin_template, c);
	char *argv[32], *save = NULL, *output;
	int n = 0, status;

	for (char *w = strtok_r(line, " ", &save); w && n < 31; w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	argv[n] = NULL;
	status = run(argv, environ, input, &output);
	if (status)
		fprintf(stderr, "cnirun: %s of %s: %s ended with status %d: %s\n",
			operation_name[op], c->id, o.exec[op], status, output);
	free(output);
	free(input);
	free(line);
	return !status;
}

/* --- N times ------------------------------------------------------------ */

static bool perform(struct container *c, enum operation op)
{
	child_cpu_ms = 0;
	double start = now_ms();
	bool ok = o.exec[ADD] ? run_command(c, op) : run_list(c, op);

	latency_ms[op][c->index] = now_ms() - start;
	cpu_ms[op][c->index] = child_cpu_ms;
	if (op == ADD)
		c->added = true; /* a failed ADD needs its DEL too */
	if (!ok)
		failures++;
	return ok;
}

static void *worker(void *argument)
{
	enum operation op = *(enum operation *)argument;
	unsigned i;

	while ((i = next_container++) < o.count)
		if (op != DEL || containers[i].added || o.restricted)
			perform(&containers[i], op);
	return NULL;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, unsigned n)
{
	qsort(values, n, sizeof *values, compare);
	return values[n / 2];
}

static json_t *plugin_medians(enum operation op, unsigned n)
{
	json_t *all = json_object(), *plugin;
	size_t i;

	json_array_foreach(json_object_get(list, "plugins"), i, plugin)
		json_object_set_new(all, json_string_value(json_object_get(plugin, "type")),
				    json_real(median(plugin_ms[op][i], n)));
	return all;
}

static void report(enum operation op, unsigned n, unsigned parallel, double wall)
{
	double *v = latency_ms[op], sum = 0;
	json_t *line, *each = json_array(), *cpu = json_array();

	for (unsigned i = 0; i < n; i++) {
		json_array_append_new(each, json_real(v[i]));
		json_array_append_new(cpu, json_real(cpu_ms[op][i]));
	}
	qsort(v, n, sizeof *v, compare);
	for (unsigned i = 0; i < n; i++)
		sum += v[i];
	if (!o.json) {
		json_decref(each);
		json_decref(cpu);
		printf("%-6s n %u parallel %u: p50 %.2f ms, p90 %.2f, p99 %.2f, max %.2f, mean "
		       "%.2f, wall %.1f\n",
		       operation_name[op], n, parallel, v[n / 2], v[n * 9 / 10], v[n * 99 / 100],
		       v[n - 1], sum / n, wall);
		return;
	}
	line = json_pack("{s:s,s:s,s:i,s:i,s:f,s:f,s:f,s:f,s:f,s:f}", "label", o.label, "op",
			 operation_name[op], "n", (int)n, "parallel", (int)parallel, "p50_ms",
			 v[n / 2], "p90_ms", v[n * 9 / 10], "p99_ms", v[n * 99 / 100], "max_ms",
			 v[n - 1], "mean_ms", sum / n, "wall_ms", wall);
	if (list)
		json_object_set_new(line, "plugin_p50_ms", plugin_medians(op, n));
	if (o.each)
		json_object_update_new(line, json_pack("{s:O,s:O}", "each_ms", each, "each_cpu_ms",
						       cpu));
	json_decref(each);
	json_decref(cpu);
	json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
	putchar('\n');
	fflush(stdout);
	json_decref(line);
}

static void everyone(enum operation op)
{
	unsigned parallel = o.parallel < o.count ? o.parallel : o.count;
	pthread_t *threads = calloc(parallel, sizeof *threads);
	double start = now_ms();

	next_container = 0;
	if (!threads)
		die("no memory");
	for (unsigned i = 0; i < parallel; i++)
		if (pthread_create(&threads[i], NULL, worker, &op))
			die("cannot start a thread");
	for (unsigned i = 0; i < parallel; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	if (!failures)
		report(op, o.count, parallel, now_ms() - start);
}

static void once(enum operation op)
{
	double start = now_ms();

	if (perform(&containers[0], op))
		report(op, 1, 1, now_ms() - start);
}

/* --- namespaces --------------------------------------------------------- */

static void make_namespaces(void)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (home < 0 || !mkdtemp(directory))
		die("%s: %s", directory, strerror(errno));
	for (unsigned i = 0; i < o.count; i++) {
		char *path = containers[i].netns;

		snprintf(path, sizeof containers[i].netns, "%s/%u", directory, i);
		close(open(path, O_CREAT | O_RDONLY | O_CLOEXEC, 0600));
		if (unshare(CLONE_NEWNET) || mount("/proc/self/ns/net", path, NULL, MS_BIND, NULL))
			die("cannot make network namespace %s: %s", path, strerror(errno));
	}
	if (setns(home, CLONE_NEWNET))
		die("setns: %s", strerror(errno));
	close(home);
}

static void remove_namespaces(void)
{
	if (o.netns)
		return;
	for (unsigned i = 0; i < o.count; i++) {
		umount2(containers[i].netns, MNT_DETACH);
		unlink(containers[i].netns);
	}
	rmdir(directory);
}

/* --- options ------------------------------------------------------------ */

static json_t *runtime_list(const char *name)
{
	json_t *array = json_object_get(o.runtime, name);

	if (!array) {
		array = json_array();
		json_object_set_new(o.runtime, name, array);
	}
	return array;
}

static void add_port(const char *text) /* HOST:CONTAINER[/PROTO][@IP] */
{
	int host, container;
	char proto[8] = "tcp", ip[64] = "";
	json_t *port;

	if (*text == '+') {
		o.port_step = true;
		text++;
	}
	if (sscanf(text, "%d:%d/%7[a-z]@%63s", &host, &container, proto, ip) < 2)
		die("--port %s is not HOST:CONTAINER[/PROTO][@IP]", text);
	port = json_pack("{s:i,s:i,s:s}", "hostPort", host, "containerPort", container, "protocol",
			 proto);
	if (*ip)
		json_object_set_new(port, "hostIP", json_string(ip));
	json_array_append_new(runtime_list("portMappings"), port);
}

static void add_bandwidth(const char *text)
{
	long rate, burst;

	if (sscanf(text, "%ld:%ld", &rate, &burst) != 2)
		die("--bandwidth %s is not RATE:BURST in bits", text);
	json_object_set_new(o.runtime, "bandwidth",
			    json_pack("{s:I,s:I,s:I,s:I}", "ingressRate", (json_int_t)rate,
				      "ingressBurst", (json_int_t)burst, "egressRate",
				      (json_int_t)rate, "egressBurst", (json_int_t)burst));
}

static void add_alias(const char *alias)
{
	json_t *all = json_object_get(o.runtime, "aliases");
	json_t *network = json_object_get(all, "*");

	if (!network) {
		network = json_array();
		all = json_pack("{s:o}", "*", network);
		json_object_set_new(o.runtime, "aliases", all);
	}
	json_array_append_new(network, json_string(alias));
}

/* The specification files aliases by network: name ours when it is known. */
static void name_aliases(void)
{
	json_t *all = json_object_get(o.runtime, "aliases");
	json_t *own = json_object_get(all, "*");

	if (!own || !list)
		return;
	json_object_set(all, json_string_value(json_object_get(list, "name")), own);
	json_object_del(all, "*");
}

static void add_dns(const char *server)
{
	json_t *dns = json_object_get(o.runtime, "dns");

	if (!dns) {
		dns = json_pack("{s:[]}", "servers");
		json_object_set_new(o.runtime, "dns", dns);
	}
	json_array_append_new(json_object_get(dns, "servers"), json_string(server));
}

static void restrict_to(const char *name)
{
	for (int i = 0; i < OPERATIONS; i++)
		if (!strcasecmp(name, operation_name[i])) {
			o.only[i] = o.restricted = true;
			return;
		}
	die("--only %s is not one of add, check, del, gc, status", name);
}

static _Noreturn void usage(void)
{
	fputs("usage: cnirun --conflist FILE --path DIRS [--count N] [--parallel N]\n"
	      "   or: cnirun --exec-add CMD --exec-del CMD [--stdin FILE] ...\n"
	      "  --check --gc --status   run these operations too\n"
	      "  --only OP               only this one (repeat for more), keeps what is there\n"
	      "  --netns PATH --id NAME  use this namespace and name (count 1)\n"
	      "  --ifname NAME --args K=V[;K=V]\n"
	      "  --port [+]HOST:CONTAINER[/PROTO][@IP] (+: one more for each) --ip ADDR/LEN --mac "
	      "MAC\n"
	      "  --bandwidth RATE:BURST --dns SERVER --alias NAME\n"
	      "  --print-result --json --label TEXT\n"
	      "  --each          with --json: the time of each, in the containers' order\n",
	      stderr);
	exit(2);
}

static unsigned number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end || !n || n > 100000)
		die("%s is not a number from 1 to 100000", text);
	return (unsigned)n;
}

static void parse_options(int argc, char **argv)
{
	enum {
		CONFLIST = 1,
		PATHS,
		COUNT,
		PARALLEL,
		WITH_CHECK,
		WITH_GC,
		WITH_STATUS,
		ONLY,
		NETNS,
		ID,
		IFNAME,
		ARGS,
		PORT,
		IP,
		MAC,
		BANDWIDTH,
		DNS,
		ALIAS,
		EXEC_ADD,
		EXEC_DEL,
		STDIN,
		JSON,
		EACH,
		LABEL,
		PRINT
	};
	static const struct option longs[] = {
		{ "conflist", 1, 0, CONFLIST },
		{ "path", 1, 0, PATHS },
		{ "count", 1, 0, COUNT },
		{ "parallel", 1, 0, PARALLEL },
		{ "check", 0, 0, WITH_CHECK },
		{ "gc", 0, 0, WITH_GC },
		{ "status", 0, 0, WITH_STATUS },
		{ "only", 1, 0, ONLY },
		{ "netns", 1, 0, NETNS },
		{ "id", 1, 0, ID },
		{ "ifname", 1, 0, IFNAME },
		{ "args", 1, 0, ARGS },
		{ "port", 1, 0, PORT },
		{ "ip", 1, 0, IP },
		{ "mac", 1, 0, MAC },
		{ "bandwidth", 1, 0, BANDWIDTH },
		{ "dns", 1, 0, DNS },
		{ "alias", 1, 0, ALIAS },
		{ "exec-add", 1, 0, EXEC_ADD },
		{ "exec-del", 1, 0, EXEC_DEL },
		{ "stdin", 1, 0, STDIN },
		{ "json", 0, 0, JSON },
		{ "each", 0, 0, EACH },
		{ "label", 1, 0, LABEL },
		{ "print-result", 0, 0, PRINT },
		{ 0, 0, 0, 0 },
	};
	int c;

	o.runtime = json_object();
	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case CONFLIST:
			o.conflist = optarg;
			break;
		case PATHS:
			o.path = optarg;
			break;
		case COUNT:
			o.count = number(optarg);
			break;
		case PARALLEL:
			o.parallel = number(optarg);
			break;
		case WITH_CHECK:
			o.check = true;
			break;
		case WITH_GC:
			o.gc = true;
			break;
		case WITH_STATUS:
			o.status = true;
			break;
		case ONLY:
			restrict_to(optarg);
			break;
		case NETNS:
			o.netns = optarg;
			break;
		case ID:
			o.id = optarg;
			break;
		case IFNAME:
			o.ifname = optarg;
			break;
		case ARGS:
			o.args = optarg;
			break;
		case PORT:
			add_port(optarg);
			break;
		case IP:
			json_array_append_new(runtime_list("ips"), json_string(optarg));
			break;
		case MAC:
			json_object_set_new(o.runtime, "mac", json_string(optarg));
			break;
		case BANDWIDTH:
			add_bandwidth(optarg);
			break;
		case DNS:
			add_dns(optarg);
			break;
		case ALIAS:
			add_alias(optarg);
			break;
		case EXEC_ADD:
			o.exec[ADD] = optarg;
			break;
		case EXEC_DEL:
			o.exec[DEL] = optarg;
			break;
		case STDIN:
			o.stdin_file = optarg;
			break;
		case EACH:
			o.each = true;
			break;
		case JSON:
			o.json = true;
			break;
		case LABEL:
			o.label = optarg;
			break;
		case PRINT:
			o.print_result = true;
			break;
		default:
			usage();
		}
	}
	if (!o.exec[ADD] == !o.conflist || (o.conflist && !o.path) ||
	    (o.exec[ADD] && !o.exec[DEL]) || (o.netns && o.count != 1))
		usage();
}

static void load(void)
{
	json_error_t error;
	size_t length;

	if (o.conflist) {
		list = json_load_file(o.conflist, 0, &error);
		if (!list)
			die("%s line %d: %s", o.conflist, error.line, error.text);
		length = json_array_size(json_object_get(list, "plugins"));
		if (!length || length > MAX_PLUGINS)
			die("%s: \"plugins\" must list 1 to %d plugins", o.conflist, MAX_PLUGINS);
		name_aliases();
	}
	stdin_template = strdup("");
	if (o.stdin_file) {
		int fd = open(o.stdin_file, O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			die("%s: %s", o.stdin_file, strerror(errno));
		stdin_template = read_all(fd);
		close(fd);
	}
}

static void prepare(void)
{
	containers = calloc(o.count, sizeof *containers);
	for (int op = 0; op < OPERATIONS; op++) {
		latency_ms[op] = calloc(o.count, sizeof(double));
		cpu_ms[op] = calloc(o.count, sizeof(double));
		for (int i = 0; i < MAX_PLUGINS; i++)
			plugin_ms[op][i] = calloc(o.count, sizeof(double));
	}
	for (unsigned i = 0; i < o.count; i++) {
		containers[i].index = i;
		snprintf(containers[i].id, sizeof containers[i].id, "nb-%d-%u", (int)getpid(), i);
	}
	if (o.id)
		snprintf(containers[0].id, sizeof containers[0].id, "%s", o.id);
	if (o.netns)
		snprintf(containers[0].netns, sizeof containers[0].netns, "%s", o.netns);
	else
		make_namespaces();
}

static bool wanted(enum operation op, bool by_default)
{
	return o.restricted ? o.only[op] : by_default;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN); /* a plugin may exit without reading */
	parse_options(argc, argv);
	load();
	prepare();
	if (wanted(STATUS, o.status))
		once(STATUS);
	if (!failures && wanted(ADD, true))
		everyone(ADD);
	if (o.print_result && containers[0].result) {
		json_dumpf(containers[0].result, stdout, JSON_COMPACT);
		putchar('\n');
	}
	if (!failures && wanted(CHECK, o.check))
		everyone(CHECK);
	if (!failures && wanted(GC, o.gc))
		once(GC);
	if (wanted(DEL, true))
		everyone(DEL);
	remove_namespaces();
	return failures ? 1 : 0;
}
