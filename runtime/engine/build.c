/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RUN steps of a build: a container without record, monitor or log, in a
 * network like any other container's.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "build_place.h"
#include "runtime/oci.h"
#include "session.h"
#include "spec.h"

/* The files of names, as any container has them; not of the layer that is being made. */
static int add_files(struct oci_spec *spec, const struct build_place *place, struct error *err)
{
	static const char *const names[] = { "hosts", "hostname", "resolv.conf" };
	struct path dir = container_dir(place->engine, place->container->id);
	int r = 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(names); i++) {
		struct path source = path_in(dir, names[i]);
		char destination[64];
		snprintf(destination, sizeof destination, "/etc/%s", names[i]);
		r = oci_spec_add_mount(spec, "bind", source.text, destination, "rbind,rprivate",
				       err);
	}
	return r;
}

/* The directories of one step's overlay. */
struct step_layers {
	const struct words *lower; /* top first */
	const char *upper, *work;
};

static int make_spec(struct oci_spec *spec, const struct step_layers *layers,
		     const struct process_request *request, const struct build_place *place,
		     struct error *err)
{
	const struct container *container = place->container;
	int r = oci_spec_default(container->id, spec, err);
	if (r == 0)
		r = words_copy(layers->lower, &spec->overlay_lower, err);
	if (r == 0)
		r = text_copy(layers->upper, &spec->overlay_upper, err);
	if (r == 0)
		r = text_copy(layers->work, &spec->overlay_work, err);
	free(TAKE(spec->cgroup_path));
	free(TAKE(spec->hostname));
	if (r == 0)
		r = text_format(&spec->cgroup_path, err, BUILD_CGROUP, container->id);
	if (r == 0)
		r = text_copy(container->hostname, &spec->hostname, err);
	if (r == 0)
		r = add_files(spec, place, err);
	if (text_equal(container->network_mode, "host"))
		oci_spec_share_network(spec);
	return r < 0 ? r : spec_set_process(&spec->process, request, err);
}

/* Until its end; a signal to us ends it too, so that nothing of it stays. */
static int await_end(const struct oci_container *container, struct session *session,
		     int *ret_signal, struct error *err)
{
	struct pollfd fds[] = { { .fd = container->pidfd, .events = POLLIN },
				{ .fd = session_signal_fd(session), .events = POLLIN } };
	int status = 0;
	while (poll(fds, 2, -1) < 0 || !fds[0].revents) {
		int signal = fds[1].revents ? session_take_signal(session) : 0;
		if (signal != SIGINT && signal != SIGTERM && signal != SIGHUP && signal != SIGQUIT)
			continue;
		*ret_signal = signal;
		kill(container->pid, SIGKILL);
	}
	int r = process_wait(container->pid, &status, err);
	return r < 0 ? r : status;
}

static int run_spec(const struct oci_spec *spec, struct build_place *place, struct error *err)
{
	auto_fd null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	__attribute__((cleanup(session_freep))) struct session *session = NULL;
	int stdio[3] = { null_fd, STDERR_FILENO, STDERR_FILENO };
	struct oci_container container = { 0 };
	int signal = 0;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	int r = session_create(SESSION_PLAIN, &session, err);
	if (r == 0)
		r = oci_create(spec, stdio, &container, err);
	if (r < 0)
		return r;
	r = attachments_add(place->engine, place->container, &place->attachments, container.pid,
			    err);
	if (r == 0)
		r = oci_start(&container, err);
	if (r == 0) {
		r = await_end(&container, session, &signal, err);
	} else {
		int status;
		struct error ignored;
		kill(container.pid, SIGKILL);
		(void)process_wait(container.pid, &status, &ignored);
	}
	oci_container_close(&container);
	if (signal)
		return error_set(err, EINTR, "ended by signal %d", signal);
	return r;
}

static int run_step(void *context, const struct words *lower_paths, const char *upper,
		    const char *work, const struct image_config *config, const struct words *args,
		    struct error *err)
{
	const struct engine_build *build = context;
	struct oci_spec spec = { 0 };
	struct build_place place = { .lock_fd = -1 };
	struct error clear_error;
	char id[CONTAINER_ID_SIZE];
	struct step_layers layers = { lower_paths, upper, work };
	struct process_request request = {
		.config = config, .layer_paths = lower_paths, .entrypoint = "", .command = args
	};
	int r = container_id_make(id, err);
	if (r == 0)
		r = build_place_make(build->engine, id,
				     build->network ? build->network : NETWORK_DEFAULT, &place,
				     err);
	if (r < 0)
		return r;
	r = make_spec(&spec, &layers, &request, &place, err);
	if (r == 0)
		engine_step(build->engine, NULL,
			    "RUN in namespaces of its own; its changes go to %s", upper);
	if (r == 0)
		r = run_spec(&spec, &place, err);
	oci_spec_release(&spec);
	if (build_place_clear(&place, &clear_error) < 0)
		engine_warn(build->engine, "what a RUN step left is not all gone: %s",
			    clear_error.text);
	return r;
}

int engine_build_runner(struct engine_build *build, struct build_runner *ret_runner,
			struct error *err)
{
	AUTO(engine_network) network = NULL;
	const char *name = build->network;
	builds_sweep(build->engine);
	if (name && !text_equal(name, "none") && !text_equal(name, "host")) {
		int r = engine_network_find(build->engine, name, &network, err);
		if (r < 0)
			return error_wrap(err, "--network");
	}
	*ret_runner = (struct build_runner){ .run = run_step, .context = build };
	return 0;
}
