/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RUN steps of a build: a container without record, monitor or log, on the
 * host's network namespace as Docker's builders have by default a way out.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "internal.h"
#include "runtime/oci.h"
#include "spec.h"

static int make_spec(struct oci_spec *spec, const struct words *lower_paths, const char *upper,
		     const char *work, const struct process_request *request, const char *id,
		     struct error *err)
{
	int r = words_copy(lower_paths, &spec->overlay_lower, err);
	if (r == 0)
		r = text_copy(upper, &spec->overlay_upper, err);
	if (r == 0)
		r = text_copy(work, &spec->overlay_work, err);
	if (r == 0 && !spec->cgroup_path)
		r = text_format(&spec->cgroup_path, err, "wherry/build-%.12s", id);
	oci_spec_share_network(spec);
	return r < 0 ? r : spec_set_process(&spec->process, request, err);
}

static int run_spec(const struct oci_spec *spec, struct error *err)
{
	auto_fd null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int stdio[3] = { null_fd, STDERR_FILENO, STDERR_FILENO };
	struct oci_container container = { 0 };
	struct error ignored;
	int status = 0;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	int r = oci_create(spec, stdio, &container, err);
	if (r < 0)
		return r;
	r = oci_start(&container, err);
	if (r == 0)
		r = process_wait(container.pid, &status, err);
	oci_container_close(&container);
	(void)oci_cleanup(spec, &ignored);
	return r < 0 ? r : status;
}

static int run_step(void *context, const struct words *lower_paths, const char *upper,
		    const char *work, const struct image_config *config, const struct words *args,
		    struct error *err)
{
	struct engine *engine = context;
	struct oci_spec spec = { 0 };
	char id[CONTAINER_ID_SIZE];
	struct process_request request = {
		.config = config, .layer_paths = lower_paths, .entrypoint = "", .command = args
	};
	int r = container_id_make(id, err);
	if (r == 0)
		r = oci_spec_default(id, &spec, err);
	if (r == 0)
		r = make_spec(&spec, lower_paths, upper, work, &request, id, err);
	if (r == 0)
		engine_step(engine, NULL, "RUN in namespaces of its own; its changes go to %s",
			    upper);
	if (r == 0)
		r = run_spec(&spec, err);
	oci_spec_release(&spec);
	return r;
}

struct build_runner engine_build_runner(struct engine *engine)
{
	return (struct build_runner){ .run = run_step, .context = engine };
}
