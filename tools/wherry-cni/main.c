/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A plugin of CNI, wherry-cni or wherry-ipam as the build says (PLUGIN_NAME and
 * PLUGIN_RUN). Its environment and standard input are one call;
 * its answer, a result or an error object, goes to standard output in one
 * write. Started by hand, without CNI_COMMAND, it says what it is.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cni/cni.h"

#define INPUT_MAX (16u << 20) /* bytes */

static int say_what_it_is(const char *path)
{
	const char *slash = strrchr(path, '/');

	fprintf(stderr,
		"CNI %s plugin v" WHERRY_VERSION "\n"
		"CNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, "
		"1.1.0\n",
		slash ? slash + 1 : path);
	return 0;
}

static struct cni_environment read_environment(void)
{
	return (struct cni_environment){
		.command = getenv("CNI_COMMAND"),
		.container_id = getenv("CNI_CONTAINERID"),
		.netns = getenv("CNI_NETNS"),
		.interface = getenv("CNI_IFNAME"),
		.args = getenv("CNI_ARGS"),
		.path = getenv("CNI_PATH"),
		.netns_override = getenv("CNI_NETNS_OVERRIDE"),
	};
}

int main(int argc, char **argv)
{
	struct cni_environment environment = read_environment();
	auto_free char *config = NULL, *output = NULL;
	struct instance instance;
	struct error err = { 0 };
	size_t size = 0;

	/* A reader that has gone is an error to handle, not an end in the middle. */
	signal(SIGPIPE, SIG_IGN);
	if (!environment.command)
		return say_what_it_is(argc > 0 ? argv[0] : PLUGIN_NAME);
	int status = 1;
	if (instance_init(NULL, &instance, &err) < 0) {
		output = cni_refuse(&err);
	} else {
		/* A failed read is an answer too: config stays NULL. */
		if (file_read_fd(STDIN_FILENO, "standard input", INPUT_MAX, &config, &size, &err) <
		    0)
			config = NULL;
		status = PLUGIN_RUN(&instance, &environment, config, size, &output);
	}
	if (output && fd_write_all(STDOUT_FILENO, output, strlen(output)) == 0)
		return status;
	/* A result that nobody heard: what it told of must not stay. */
	if (status == 0 && strcmp(environment.command, "ADD") == 0) {
		auto_free char *ignored = NULL;
		environment.command = "DEL";
		PLUGIN_RUN(&instance, &environment, config, size, &ignored);
	}
	return 1;
}
