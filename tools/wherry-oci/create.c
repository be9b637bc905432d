/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * create, start, run.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "cli.h"
#include "console.h"
#include "container.h"
#include "run.h"

#define CONFIG_SIZE_MAX (16u << 20)

struct create_options {
	const char *bundle, *pid_file, *console_socket, *preserve_fds;
	bool no_pivot, no_new_keyring, detach, keep;
};
#define CREATE_OPTIONS                                                                         \
	TEXT("bundle", 'b', struct create_options, bundle, "DIR", "directory of config.json"), \
		TEXT("pid-file", 0, struct create_options, pid_file, "FILE",                   \
		     "where to write the pid"),                                                \
		TEXT("console-socket", 0, struct create_options, console_socket, "PATH",       \
		     "unix socket that gets the terminal"),                                    \
		TEXT("preserve-fds", 0, struct create_options, preserve_fds, "N",              \
		     "only 0 is supported"),                                                   \
		FLAG("no-pivot", 0, struct create_options, no_pivot,                           \
		     "refused: the old root would stay"),                                      \
		FLAG("no-new-keyring", 0, struct create_options, no_new_keyring,               \
		     "taken and ignored")

static int read_config(const char *id, const char *bundle, struct oci_spec *ret_spec,
		       struct error *err)
{
	char directory[PATH_MAX];
	auto_free char *path = NULL;
	auto_json config = NULL;
	if (!realpath(bundle, directory))
		return error_set_errno(err, errno, "bundle %s", bundle);
	int r = text_format(&path, err, "%s/config.json", directory);
	if (r == 0)
		r = json_read_file(path, CONFIG_SIZE_MAX, &config, err);
	if (r < 0)
		return r;
	struct json_at root = json_root(config, "config.json");
	return oci_spec_read(&root, id, directory, ret_spec, err);
}

static int check_options(const struct create_options *options, struct error *err)
{
	if (options->no_pivot)
		return error_set(err, ENOTSUP,
				 "--no-pivot: a container without pivot_root could "
				 "reach the host's files");
	if (options->preserve_fds && !text_equal(options->preserve_fds, "0"))
		return error_set(err, ENOTSUP, "--preserve-fds %s: only 0 is supported",
				 options->preserve_fds);
	return 0;
}

int run_write_pid(const char *path, pid_t pid, struct error *err)
{
	char text[16];
	if (!path)
		return 0;
	int size = snprintf(text, sizeof text, "%d", (int)pid);
	return file_replace(path, text, (size_t)size, 0644, FILE_NO_SYNC, err);
}

int run_hand_terminal(const struct oci_process *process, const char *console_socket, int master_fd,
		      struct error *err)
{
	if (!process->terminal || !console_socket)
		return 0;
	auto_fd socket = -1;
	int r = console_connect(console_socket, &socket, err);
	return r < 0 ? r : console_send(socket, master_fd, err);
}

/* What follows oci_create; the container is killed by the caller if it fails. */
static int announce(struct container *container, const struct create_options *options,
		    const struct oci_container *created, struct error *err)
{
	int r = container_save(container, created->pid, err);
	if (r == 0)
		r = run_hand_terminal(&container->spec.process, options->console_socket,
				      created->terminal_fd, err);
	return r < 0 ? r : run_write_pid(options->pid_file, created->pid, err);
}

static int create_in(struct container *container, const struct create_options *options,
		     struct oci_container *ret_created, struct error *err)
{
	static const int stdio[3] = { 0, 1, 2 };
	int r = oci_create(&container->spec, stdio, ret_created, err);
	if (r < 0)
		return r;
	r = announce(container, options, ret_created, err);
	if (r < 0) {
		struct error ignored = { 0 };
		(void)pidfd_send_signal(ret_created->pidfd, SIGKILL, NULL, 0);
		(void)waitpid(ret_created->pid, NULL, 0);
		oci_container_close(ret_created);
		(void)oci_cleanup(&container->spec, &ignored);
	}
	return r;
}

static int prepare(const char *id, const struct create_options *options,
		   struct container *container, struct error *err)
{
	const char *bundle = options->bundle ? options->bundle : ".";
	int r = read_config(id, bundle, &container->spec, err);
	if (r < 0)
		return r;
	if (container->spec.process.terminal && !options->console_socket && !options->keep)
		return error_set(err, EINVAL,
				 "config.json asks for a terminal: --console-socket "
				 "is needed");
	if (options->keep && !container->spec.process.terminal && options->console_socket)
		return error_set(err, EINVAL, "--console-socket: config.json asks for no terminal");
	return container_socket(container, &container->spec.start_socket, err);
}

static int create(struct cli *cli, const char *id, const struct create_options *options,
		  struct container *container, struct oci_container *ret_created, struct error *err)
{
	int r = check_options(options, err);
	if (r == 0)
		r = oci_protect_self(cli->argv, err);
	if (r == 0)
		r = container_make(cli, id, container, err);
	if (r < 0)
		return r;
	r = prepare(id, options, container, err);
	if (r == 0)
		r = create_in(container, options, ret_created, err);
	if (r < 0) {
		struct error ignored = { 0 };
		(void)container_forget(container, &ignored);
	}
	return r;
}

static int verb_create(struct cli *cli, void *target, const struct words *words, struct error *err)
{
	auto_container container = { 0 };
	struct oci_container created;
	int r = create(cli, words->items[0], target, &container, &created, err);
	if (r == 0)
		oci_container_close(&created);
	return r;
}

/* The socket's file goes when it has done its work: with it the container counts as created. */
static int start(struct container *container, struct error *err)
{
	auto_free char *socket = NULL;
	int r = container_socket(container, &socket, err);
	if (r == 0)
		r = oci_start_at(socket, err);
	if (r > 0)
		r = error_set(err, EINVAL, "cannot start a container that is %s",
			      container_status(container));
	if (socket)
		(void)unlink(socket);
	if (r < 0)
		return r;
	/* A hook that fails after the start does not stop the container (OCI spec, lifecycle). */
	struct error ignored = { 0 };
	(void)oci_hooks_run(&container->spec, OCI_HOOK_POSTSTART, container->process.pid, &ignored);
	return 0;
}

static int verb_start(struct cli *cli, void *target, const struct words *words, struct error *err)
{
	(void)target;
	auto_container container = { 0 };
	int r = container_load(cli, words->items[0], &container, err);
	if (r < 0)
		return r;
	const char *status = container_status(&container);
	if (!text_equal(status, "created"))
		return error_set(err, EINVAL, "cannot start a container that is %s", status);
	return start(&container, err);
}

int run_wait(pid_t pid, int master_fd, struct error *err)
{
	int status = 0;
	int r = master_fd >= 0 ? console_relay(master_fd, err) : 0;
	if (r == 0)
		r = process_wait(pid, &status, err);
	return r < 0 ? r : status;
}

static int verb_run(struct cli *cli, void *target, const struct words *words, struct error *err)
{
	struct create_options *options = target;
	auto_container container = { 0 };
	struct oci_container created;
	bool detach = options->detach;
	options->keep = !detach; /* the terminal may be ours */
	int r = create(cli, words->items[0], options, &container, &created, err);
	if (r < 0)
		return r;
	r = start(&container, err);
	if (detach && r == 0) {
		oci_container_close(&created);
		return 0;
	}
	if (r == 0)
		r = run_wait(created.pid, options->console_socket ? -1 : created.terminal_fd, err);
	else
		(void)waitpid(created.pid, NULL, 0);
	oci_container_close(&created);
	struct error ignored = { 0 };
	(void)oci_cleanup(&container.spec, &ignored);
	(void)oci_hooks_run(&container.spec, OCI_HOOK_POSTSTOP, 0, &ignored);
	(void)container_forget(&container, &ignored);
	return r;
}

static const struct option_spec create_table[] = { CREATE_OPTIONS };
static const struct option_spec run_table[] = {
	CREATE_OPTIONS,
	FLAG("detach", 'd', struct create_options, detach, "do not wait for the end"),
};

const struct verb verbs_create[] = {
	{ { "create", "ID", "Make a container from a bundle, up to its start", NULL, create_table,
	    ARRAY_SIZE(create_table), OPTIONS_ANYWHERE, 1, 1 },
	  sizeof(struct create_options),
	  verb_create },
	{ { "start", "ID", "Let the program of a created container run", NULL, NULL, 0,
	    OPTIONS_ANYWHERE, 1, 1 },
	  0,
	  verb_start },
	{ { "run", "ID", "Create, start, wait and delete", NULL, run_table, ARRAY_SIZE(run_table),
	    OPTIONS_ANYWHERE, 1, 1 },
	  sizeof(struct create_options),
	  verb_run },
	{ .spec.name = NULL },
};
