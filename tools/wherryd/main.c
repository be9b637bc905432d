/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wherryd: names for containers, and the host's events. One runs for an instance;
 * its lock says so, and goes with the process however that ends.
 */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "background.h"
#include "base/file.h"
#include "base/options.h"
#include "base/process.h"
#include "control.h"
#include "daemon.h"

#define END_MS 10000 /* until one that was told to end must have ended */
#define ASK_MS 10000 /* until a wherryd that starts at this time must have answered */

struct options {
	const char *root;
	struct words upstreams;
	const char *resolv_conf;
	bool background, if_needed, take_over, debug, version;
};
#define OPTION(member) offsetof(struct options, member)
static const struct option_spec option_rows[] = {
	{ "root", 0, OPTION_TEXT, OPTION(root), "DIR",
	  "Serve the instance under DIR (default: WHERRY_ROOT, else /)" },
	{ "background", 0, OPTION_FLAG, OPTION(background), NULL,
	  "Return when names are served, and go on in the background" },
	{ "if-needed", 0, OPTION_FLAG, OPTION(if_needed), NULL,
	  "Succeed if one runs already, once it serves all networks" },
	{ "take-over", 0, OPTION_FLAG, OPTION(take_over), NULL,
	  "End one that runs already, and go on in its place" },
	{ "upstream", 0, OPTION_LIST, OPTION(upstreams), "ADDRESS",
	  "Ask this server for other names (several times: in this order)" },
	{ "resolv-conf", 0, OPTION_TEXT, OPTION(resolv_conf), "FILE",
	  "Take the servers for other names from FILE (default: /etc/resolv.conf)" },
	{ "debug", 0, OPTION_FLAG, OPTION(debug), NULL, "Log more" },
	{ "version", 0, OPTION_FLAG, OPTION(version), NULL, "Print the version" },
};
static const struct verb_spec verb = {
	.name = "wherryd",
	.words = "",
	.summary = "Serve the names of containers, and follow the host's links and addresses",
	.detail =
		"Listens on port 53 of each network's gateway. Traffic and published ports do not\n"
		"need it: they go on when it ends.",
	.options = option_rows,
	.option_count = ARRAY_SIZE(option_rows),
};

static int fill_settings(const struct options *options, struct daemon_settings *ret,
			 struct error *err)
{
	*ret = (struct daemon_settings){ .resolv_conf = options->resolv_conf };
	ret->log.program = "wherryd";
	ret->log.level = options->debug ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO;
	if (options->upstreams.count > DNS_UPSTREAMS_MAX)
		return error_set(err, EINVAL, "--upstream: at most %d servers", DNS_UPSTREAMS_MAX);
	for (size_t i = 0; i < options->upstreams.count; i++) {
		int r = ip_parse(options->upstreams.items[i], &ret->upstreams[i], err);
		if (r < 0)
			return error_wrap(err, "--upstream");
		ret->upstream_count++;
	}
	return instance_init(options->root, &ret->instance, err);
}

/* A query that is passed on holds a few sockets. */
static void raise_file_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* The lock is held by another: fine under --if-needed, once that one serves. */
static int meet_other(const struct options *options, const struct instance *instance,
		      struct error *err)
{
	pid_t pid;
	int r = control_ask(instance, ASK_MS, &pid, err);
	if (r < 0)
		return r;
	if (options->if_needed)
		return 1;
	return error_set(err, EBUSY, "wherryd runs already for root %s: process %ld",
			 instance->root[0] ? instance->root : "/", (long)pid);
}

/* By a descriptor, and asked again behind it: the number may have become another process's. */
static int end_other(const struct instance *instance, struct error *err)
{
	pid_t pid, again;
	int r = control_ask(instance, ASK_MS, &pid, err);
	if (r < 0)
		return r;
	auto_fd pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return errno == ESRCH ? 0 : error_set_errno(err, errno, "process %ld", (long)pid);
	r = control_ask(instance, ASK_MS, &again, err);
	if (r < 0 || again != pid)
		return r;
	if (syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0) < 0 && errno != ESRCH)
		return error_set_errno(err, errno, "cannot end wherryd, process %ld", (long)pid);
	return 0;
}

/* 0 with the lock, 1 if another serves and that is fine. */
static int take_lock(const struct options *options, const struct instance *instance, int *ret_fd,
		     struct error *err)
{
	char lock[INSTANCE_PATH_MAX + 32];
	snprintf(lock, sizeof lock, "%s/wherryd.lock", instance->run);
	int r = lock_take(lock, 0, ret_fd, err);
	if (r != -EWOULDBLOCK)
		return r;
	if (!options->take_over)
		return meet_other(options, instance, err);
	r = end_other(instance, err);
	return r < 0 ? r : lock_take(lock, END_MS, ret_fd, err);
}

static int write_pid(const char *path, struct error *err)
{
	char text[32];
	int size = snprintf(text, sizeof text, "%ld\n", (long)getpid());
	return file_replace(path, text, (size_t)size, 0644, FILE_NO_SYNC, err);
}

/* Takes the lock and serves. 1: another does; 0: ended by a signal. */
static int serve(const struct options *options, const struct daemon_settings *settings,
		 int *ready_fd, struct error *err)
{
	const struct instance *instance = &settings->instance;
	char pid[INSTANCE_PATH_MAX + 32], log[INSTANCE_PATH_MAX + 32];
	auto_fd lock_fd = -1;
	AUTO(daemon) daemon = NULL;

	snprintf(pid, sizeof pid, "%s/wherryd.pid", instance->run);
	snprintf(log, sizeof log, "%s/wherryd.log", instance->run);
	int r = directory_make(instance->run, 0755, err);
	if (r == 0)
		r = take_lock(options, instance, &lock_fd, err);
	if (r == 0)
		r = daemon_create(settings, &daemon, err);
	if (r == 0)
		r = write_pid(pid, err);
	if (r == 0 && *ready_fd >= 0)
		r = background_ready(ready_fd, log, err);
	if (r != 0)
		return r;
	log_write(&settings->log, LOG_LEVEL_INFO, "ready root=%s",
		  instance->root[0] ? instance->root : "/");
	daemon_run(daemon);
	(void)unlink(pid);
	return 0;
}

static int run(const struct options *options, struct error *err)
{
	struct daemon_settings settings;
	auto_fd ready_fd = -1;
	int r = fill_settings(options, &settings, err);
	if (r == 0 && options->background)
		r = background_start(&ready_fd, err);
	if (r != 0)
		return r < 0 ? r : 0;
	signal(SIGPIPE, SIG_IGN);
	raise_file_limit();
	r = serve(options, &settings, &ready_fd, err);
	if (ready_fd < 0)
		return r < 0 ? r : 0;
	/* The parent still waits: it tells, not we. */
	background_end(&ready_fd, r < 0 ? err : NULL);
	_exit(r < 0);
}

static int print_help(void)
{
	struct error err;
	auto_free char *text = NULL;
	if (options_help("", &verb, &text, &err) < 0)
		return 1;
	fputs(text, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = { 0 };
	auto_words words = { 0 };
	struct error err;
	int r = options_parse(&verb, argc, argv, &options, &words, &err);
	if (r == 1)
		return print_help();
	if (r < 0) {
		/* The text begins with the verb's name already, which is the program's. */
		fprintf(stderr, "%s\n", err.text);
		words_free(&options.upstreams);
		return 1;
	}
	if (options.version) {
		printf("wherryd %s\n", WHERRY_VERSION);
		return 0;
	}
	r = run(&options, &err);
	words_free(&options.upstreams);
	if (r == 0)
		return 0;
	fprintf(stderr, "wherryd: %s\n", err.text);
	return 1;
}
