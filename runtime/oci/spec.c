/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Life of the value struct oci_spec, and what every container gets unless
 * somebody says otherwise.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "capability.h"
#include "runtime/oci.h"
#include "spec.h"

static const struct {
	const char *type, *source, *destination, *options;
} default_mounts[] = {
	{ "proc", "proc", "/proc", "nosuid,noexec,nodev" },
	{ "tmpfs", "tmpfs", "/dev", "nosuid,strictatime,mode=755,size=65536k" },
	{ "devpts", "devpts", "/dev/pts",
	  "nosuid,noexec,newinstance,ptmxmode=0666,mode=0620,gid=5" },
	{ "sysfs", "sysfs", "/sys", "nosuid,noexec,nodev,ro" },
	{ "cgroup", "cgroup", "/sys/fs/cgroup", "nosuid,noexec,nodev,ro" },
	{ "mqueue", "mqueue", "/dev/mqueue", "nosuid,noexec,nodev" },
	{ "tmpfs", "shm", "/dev/shm", "nosuid,noexec,nodev,mode=1777,size=65536k" },
};

/* What shows or changes the whole host in spite of the namespaces. */
static const char *const default_masked[] = {
	"/proc/asound",
	"/proc/acpi",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/sys/firmware",
	"/sys/devices/virtual/powercap",
};
static const char *const default_readonly[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};
/* The network namespace is the container's own: low ports and ping need no privilege in it. */
static const char *const default_sysctls[] = {
	"net.ipv4.ip_unprivileged_port_start=0",
	"net.ipv4.ping_group_range=0 2147483647",
};

void oci_spec_share_network(struct oci_spec *spec)
{
	size_t kept = 0;
	spec->namespaces[OCI_NS_NETWORK].use = OCI_NS_HOST;
	for (size_t i = 0; i < spec->sysctls.count; i++) {
		if (text_starts_with(spec->sysctls.items[i], "net."))
			free(spec->sysctls.items[i]);
		else
			spec->sysctls.items[kept++] = spec->sysctls.items[i];
	}
	if (spec->sysctls.items)
		spec->sysctls.items[kept] = NULL;
	spec->sysctls.count = kept;
}

int oci_spec_add_mount(struct oci_spec *spec, const char *type, const char *source,
		       const char *destination, const char *options_comma, struct error *err)
{
	struct oci_mount *mounts = realloc(spec->mounts, (spec->mount_count + 1) * sizeof *mounts);
	if (!mounts)
		return error_set(err, ENOMEM, "no memory for a mount");
	spec->mounts = mounts;
	struct oci_mount *mount = &mounts[spec->mount_count];
	*mount = (struct oci_mount){ 0 };
	spec->mount_count++;
	int r = text_copy(type ? type : "", &mount->type, err);
	if (r == 0)
		r = text_copy(source ? source : "", &mount->source, err);
	if (r == 0)
		r = text_copy(destination, &mount->destination, err);
	if (r == 0 && options_comma && *options_comma)
		r = words_split(options_comma, ',', &mount->options, err);
	return r;
}

static int append_all(struct words *words, const char *const *items, size_t count,
		      struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < count; i++)
		r = words_append(words, items[i], err);
	return r;
}

void oci_resources_clear(struct oci_resources *resources)
{
	*resources = (struct oci_resources){
		.memory_bytes = -1,
		.memory_swap_bytes = -1,
		.cpu_shares = -1,
		.cpu_quota_us = -1,
		.cpu_period_us = -1,
		.pids = -1,
		.cpu_weight = -1,
	};
}

static int fill_default(struct oci_spec *spec, const char *id, struct error *err)
{
	oci_resources_clear(&spec->resources);
	for (int i = 0; i < OCI_NS_COUNT; i++)
		spec->namespaces[i].use = i == OCI_NS_USER ? OCI_NS_HOST : OCI_NS_NEW;
	spec->process.capabilities = capability_defaults();
	int r = text_copy(id, &spec->id, err);
	if (r == 0)
		r = text_copy("", &spec->rootfs, err);
	if (r == 0)
		r = text_copy("/", &spec->process.cwd, err);
	if (r == 0)
		r = text_format(&spec->cgroup_path, err, "wherry/%s", id);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(default_mounts); i++)
		r = oci_spec_add_mount(spec, default_mounts[i].type, default_mounts[i].source,
				       default_mounts[i].destination, default_mounts[i].options,
				       err);
	if (r == 0)
		r = append_all(&spec->masked_paths, default_masked, ARRAY_SIZE(default_masked),
			       err);
	if (r == 0)
		r = append_all(&spec->readonly_paths, default_readonly,
			       ARRAY_SIZE(default_readonly), err);
	if (r == 0)
		r = append_all(&spec->sysctls, default_sysctls, ARRAY_SIZE(default_sysctls), err);
	return r;
}

int oci_spec_default(const char *id, struct oci_spec *ret_spec, struct error *err)
{
	struct oci_spec spec = { 0 };
	int r = fill_default(&spec, id, err);
	if (r < 0) {
		oci_spec_release(&spec);
		return r;
	}
	*ret_spec = spec;
	return 0;
}

void oci_process_release(struct oci_process *process)
{
	words_free(&process->args);
	words_free(&process->env);
	free(process->cwd);
	free(process->groups);
	free(process->rlimits);
	*process = (struct oci_process){ 0 };
}

static void release_lists(struct oci_spec *spec)
{
	for (size_t i = 0; i < spec->mount_count; i++) {
		free(spec->mounts[i].type);
		free(spec->mounts[i].source);
		free(spec->mounts[i].destination);
		words_free(&spec->mounts[i].options);
	}
	free(spec->mounts);
	for (size_t i = 0; i < spec->device_count; i++)
		free(spec->devices[i].path);
	free(spec->devices);
	free(spec->device_rules);
	for (size_t i = 0; i < spec->hook_count; i++) {
		free(spec->hooks[i].path);
		words_free(&spec->hooks[i].args);
		words_free(&spec->hooks[i].env);
	}
	free(spec->hooks);
	free(spec->uid_map);
	free(spec->gid_map);
}

void oci_resources_release(struct oci_resources *resources)
{
	free(resources->cpuset_cpus);
	free(resources->cpuset_mems);
	resources->cpuset_cpus = resources->cpuset_mems = NULL;
}

void oci_spec_release(struct oci_spec *spec)
{
	release_lists(spec);
	oci_process_release(&spec->process);
	oci_resources_release(&spec->resources);
	for (int i = 0; i < OCI_NS_COUNT; i++)
		free(spec->namespaces[i].path);
	free(spec->id);
	free(spec->rootfs);
	words_free(&spec->overlay_lower);
	free(spec->overlay_upper);
	free(spec->overlay_work);
	free(spec->hostname);
	words_free(&spec->masked_paths);
	words_free(&spec->readonly_paths);
	words_free(&spec->sysctls);
	words_free(&spec->annotations);
	free(spec->cgroup_path);
	json_free(spec->seccomp_profile);
	free(spec->bundle);
	free(spec->start_socket);
	*spec = (struct oci_spec){ 0 };
}
