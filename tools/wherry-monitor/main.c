/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wherry-monitor: the parent of one container's first process. Started by
 * `wherry run` and `wherry start` with the verb's socket as standard input; it
 * lives as long as the container, so it is small and links nothing it can do
 * without.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/instance.h"
#include "base/json.h"
#include "runtime/monitor.h"
#include "runtime/oci.h"

static int load_settings(struct monitor_settings *settings, struct error *err)
{
	char path[INSTANCE_PATH_MAX + 128];
	auto_json document = NULL;
	snprintf(path, sizeof path, "%s/%s", settings->dir, MONITOR_CONFIG);
	int r = json_read_file(path, MONITOR_CONFIG_SIZE_MAX, &document, err);
	if (r < 0)
		return r;
	struct json_at root = json_root(document, path);
	return monitor_settings_load(&root, settings, err);
}

/* The socket leaves descriptor 0 to /dev/null. */
static int take_owner(int *ret_fd, struct error *err)
{
	auto_fd null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	if (null_fd < 0 || fd < 0 || dup2(null_fd, STDIN_FILENO) < 0)
		return error_set_errno(err, errno, "the socket of the verb");
	*ret_fd = fd;
	return 0;
}

int main(int argc, char **argv)
{
	struct error err = { 0 };
	int owner_fd = -1;
	if (argc != 6) {
		fprintf(stderr, "wherry-monitor: is started by wherry run and wherry start\n");
		return 2;
	}
	struct monitor_settings settings = { .id = argv[1],
					     .dir = argv[2],
					     .run_dir = argv[3],
					     .program = argv[4],
					     .root = argv[5] };
	int r = oci_protect_self(argv, &err);
	setsid();
	if (r == 0)
		r = take_owner(&owner_fd, &err);
	if (r == 0)
		r = load_settings(&settings, &err);
	if (r == 0)
		r = monitor_run(&settings, owner_fd, &err);
	if (r == 0)
		return 0;
	fprintf(stderr, "wherry-monitor: %s\n", err.text);
	return 1;
}
