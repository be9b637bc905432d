/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "names.h"
#include "spec.h"

#define CPU_PERIOD_US 100000
#define CPUS_MAX 4096
#define MEMORY_MIN_BYTES (512u << 10) /* less does not even start a process */

/* "1.5" as a quota of each period. */
static int set_cpus(struct oci_resources *resources, const char *text, struct error *err)
{
	char *end;
	double cpus = strtod(text, &end);
	if (end == text || *end || !(cpus > 0) || cpus > CPUS_MAX)
		return error_set(err, EINVAL, "--cpus %s: is no number of CPUs, such as 1.5", text);
	resources->cpu_period_us = CPU_PERIOD_US;
	resources->cpu_quota_us = (int64_t)(cpus * CPU_PERIOD_US);
	if (resources->cpu_quota_us < 1000)
		return error_set(err, EINVAL, "--cpus %s: the least is 0.01", text);
	return 0;
}

int spec_set_limits(struct engine *engine, struct oci_spec *spec,
		    const struct container_options *options, struct error *err)
{
	struct oci_resources *resources = &spec->resources;
	auto_words missing = { 0 };
	int r = 0;
	if (options->memory_bytes) {
		if (options->memory_bytes < MEMORY_MIN_BYTES || options->memory_bytes > INT64_MAX)
			return error_set(err, EINVAL, "--memory: the least is 512k");
		resources->memory_bytes = (int64_t)options->memory_bytes;
	}
	if (options->pids_limit > 0)
		resources->pids = options->pids_limit;
	if (options->cpus)
		r = set_cpus(resources, options->cpus, err);
	if (r == 0)
		r = spec_set_cpu(resources, options, err);
	if (r == 0)
		r = oci_missing_controllers(resources, &missing, err);
	for (size_t i = 0; r >= 0 && i < missing.count; i++)
		engine_warn(engine, "limit not set: %s", missing.items[i]);
	return r < 0 ? r : 0;
}

static int set_capabilities(struct oci_spec *spec, const struct container_options *options,
			    struct error *err)
{
	uint64_t bits = 0;
	int r = 0;
	for (size_t i = 0; r == 0 && i < options->cap_drop.count; i++) {
		r = capability_bits_parse(options->cap_drop.items[i], &bits, err);
		if (r == 0)
			spec->process.capabilities &= ~bits;
	}
	for (size_t i = 0; r == 0 && i < options->cap_add.count; i++) {
		r = capability_bits_parse(options->cap_add.items[i], &bits, err);
		if (r == 0)
			spec->process.capabilities |= bits;
	}
	return r;
}

static int set_privileged(struct oci_spec *spec, struct error *err)
{
	int r = capability_bits_parse("ALL", &spec->process.capabilities, err);
	spec->seccomp = OCI_SECCOMP_UNCONFINED;
	words_free(&spec->masked_paths);
	words_free(&spec->readonly_paths);
	spec->masked_paths = spec->readonly_paths = (struct words){ 0 };
	return r;
}

static int set_security(struct oci_spec *spec, const struct container_options *options,
			struct error *err)
{
	for (size_t i = 0; i < options->security.count; i++) {
		const char *text = options->security.items[i];
		if (text_equal(text, "no-new-privileges") ||
		    text_equal(text, "no-new-privileges=true") ||
		    text_equal(text, "no-new-privileges:true"))
			spec->process.no_new_privileges = true;
		else if (text_equal(text, "seccomp=unconfined") ||
			 text_equal(text, "seccomp:unconfined"))
			spec->seccomp = OCI_SECCOMP_UNCONFINED;
		else
			return error_set(err, EINVAL,
					 "--security-opt %s: known are no-new-privileges and "
					 "seccomp=unconfined",
					 text);
	}
	if (options->no_new_privileges)
		spec->process.no_new_privileges = true;
	return 0;
}

static int add_tmpfs(struct oci_spec *spec, const char *text, struct error *err)
{
	auto_free char *path = NULL, *options = NULL;
	const char *colon = strchr(text, ':');
	size_t size = colon ? (size_t)(colon - text) : strlen(text);
	if (text[0] != '/' || size < 2)
		return error_set(err, EINVAL,
				 "--tmpfs %s: the form is /PATH[:OPTIONS], such as /run:size=64m",
				 text);
	int r = text_format(&path, err, "%.*s", (int)size, text);
	if (r == 0)
		r = text_format(&options, err, "nosuid,nodev,noexec%s%s", colon ? "," : "",
				colon ? colon + 1 : "");
	return r < 0 ? r : oci_spec_add_mount(spec, "tmpfs", "tmpfs", path, options, err);
}

static int set_shm_size(struct oci_spec *spec, uint64_t size_bytes, struct error *err)
{
	for (size_t i = 0; size_bytes && i < spec->mount_count; i++)
		if (text_equal(spec->mounts[i].destination, "/dev/shm"))
			return words_append_format(&spec->mounts[i].options, err, "size=%llu",
						   (unsigned long long)size_bytes);
	return 0;
}

static int set_sysctls(struct oci_spec *spec, const struct container_options *options,
		       struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < options->sysctls.count; i++) {
		const char *text = options->sysctls.items[i];
		if (!strchr(text, '=') || strchr(text, '/') ||
		    (!text_starts_with(text, "net.") && !text_starts_with(text, "kernel.shm") &&
		     !text_starts_with(text, "kernel.msg") &&
		     !text_starts_with(text, "kernel.sem") &&
		     !text_starts_with(text, "fs.mqueue.")))
			return error_set(err, EINVAL,
					 "--sysctl %s: only net.*, fs.mqueue.* and the IPC ones of "
					 "kernel.* belong to a container, as NAME=VALUE",
					 text);
		r = words_append(&spec->sysctls, text, err);
	}
	return r;
}

int spec_set_isolation(struct engine *engine, struct oci_spec *spec,
		       const struct container_options *options, struct error *err)
{
	int r = 0;
	spec->init = options->init;
	spec->root_readonly = options->read_only;
	if (options->privileged)
		r = set_privileged(spec, err);
	if (r == 0)
		r = set_capabilities(spec, options, err);
	if (r == 0)
		r = set_security(spec, options, err);
	if (r == 0)
		r = spec_set_limits(engine, spec, options, err);
	for (size_t i = 0; r == 0 && i < options->tmpfs.count; i++)
		r = add_tmpfs(spec, options->tmpfs.items[i], err);
	if (r == 0)
		r = set_shm_size(spec, options->shm_size_bytes, err);
	if (r == 0)
		r = set_sysctls(spec, options, err);
	return r < 0 ? r : spec_set_flags(spec, options, err);
}
