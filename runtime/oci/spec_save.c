/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The spec as OCI's config.json, which oci_spec_load reads again: `wherry-oci
 * spec` prints it, the engine keeps it beside a container.
 */
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "capability.h"
#include "spec.h"

static struct json_t *list_of(const struct words *words)
{
	struct json_t *list = json_new_array();
	for (size_t i = 0; i < words->count; i++)
		json_append(list, json_new_string(words->items[i]));
	return list;
}

static struct json_t *object_of(const struct words *pairs)
{
	struct json_t *object = json_new_object();
	for (size_t i = 0; i < pairs->count; i++) {
		auto_free char *key = strdup(pairs->items[i]);
		char *value = key ? strchr(key, '=') : NULL;
		if (!value)
			continue;
		*value = '\0';
		json_put_string(object, key, value + 1);
	}
	return object;
}

static void put_text(struct json_t *object, const char *key, const char *text)
{
	if (text)
		json_put_string(object, key, text);
}

static struct json_t *capability_list(uint64_t set)
{
	struct json_t *list = json_new_array();
	for (unsigned int i = 0; capability_name(i); i++)
		if (set & CAPABILITY_BIT(i))
			json_append(list, json_new_string(capability_name(i)));
	return list;
}

static struct json_t *save_capabilities(const struct oci_process *process)
{
	struct json_t *sets = json_new_object();
	static const char *const names[] = { "bounding", "effective", "permitted" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		json_put(sets, names[i], capability_list(process->capabilities));
	json_put(sets, "ambient", capability_list(process->ambient));
	return sets;
}

static struct json_t *limit_value(uint64_t value)
{
	return json_new_integer(value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

static struct json_t *save_limits(const struct oci_process *process)
{
	struct json_t *list = json_new_array();
	for (size_t i = 0; i < process->rlimit_count; i++) {
		struct json_t *limit = json_new_object();
		json_put_string(limit, "type", oci_rlimit_name(process->rlimits[i].resource));
		json_put(limit, "soft", limit_value(process->rlimits[i].soft));
		json_put(limit, "hard", limit_value(process->rlimits[i].hard));
		json_append(list, limit);
	}
	return list;
}

static struct json_t *save_user(const struct oci_process *process)
{
	struct json_t *user = json_new_object();
	json_put_integer(user, "uid", process->uid);
	json_put_integer(user, "gid", process->gid);
	struct json_t *groups = json_new_array();
	for (size_t i = 0; i < process->group_count; i++)
		json_append(groups, json_new_integer(process->groups[i]));
	json_put(user, "additionalGids", groups);
	return user;
}

static struct json_t *save_process(const struct oci_process *process)
{
	struct json_t *object = json_new_object();
	json_put_bool(object, "terminal", process->terminal);
	if (process->terminal_rows && process->terminal_columns) {
		struct json_t *size = json_new_object();
		json_put_integer(size, "height", process->terminal_rows);
		json_put_integer(size, "width", process->terminal_columns);
		json_put(object, "consoleSize", size);
	}
	json_put(object, "user", save_user(process));
	json_put(object, "args", list_of(&process->args));
	json_put(object, "env", list_of(&process->env));
	json_put_string(object, "cwd", process->cwd ? process->cwd : "/");
	json_put(object, "capabilities", save_capabilities(process));
	json_put(object, "rlimits", save_limits(process));
	json_put_bool(object, "noNewPrivileges", process->no_new_privileges);
	if (process->have_oom_score_adj)
		json_put_integer(object, "oomScoreAdj", process->oom_score_adj);
	return object;
}

static struct json_t *save_mounts(const struct oci_spec *spec)
{
	struct json_t *list = json_new_array();
	for (size_t i = 0; i < spec->mount_count; i++) {
		struct json_t *mount = json_new_object();
		json_put_string(mount, "destination", spec->mounts[i].destination);
		put_text(mount, "type", spec->mounts[i].type);
		put_text(mount, "source", spec->mounts[i].source);
		json_put(mount, "options", list_of(&spec->mounts[i].options));
		json_append(list, mount);
	}
	return list;
}

static struct json_t *save_namespaces(const struct oci_spec *spec)
{
	struct json_t *list = json_new_array();
	for (int i = 0; i < OCI_NS_COUNT; i++) {
		if (spec->namespaces[i].use == OCI_NS_HOST)
			continue;
		struct json_t *item = json_new_object();
		json_put_string(item, "type", oci_namespace_name((enum oci_namespace)i));
		if (spec->namespaces[i].use == OCI_NS_PATH)
			put_text(item, "path", spec->namespaces[i].path);
		json_append(list, item);
	}
	return list;
}

static struct json_t *save_map(const struct oci_id_map *map, size_t count)
{
	struct json_t *list = json_new_array();
	for (size_t i = 0; i < count; i++) {
		struct json_t *item = json_new_object();
		json_put_integer(item, "containerID", map[i].inside);
		json_put_integer(item, "hostID", map[i].outside);
		json_put_integer(item, "size", map[i].count);
		json_append(list, item);
	}
	return list;
}

static struct json_t *save_devices(const struct oci_spec *spec)
{
	struct json_t *list = json_new_array();
	for (size_t i = 0; i < spec->device_count; i++) {
		const struct oci_device *device = &spec->devices[i];
		struct json_t *item = json_new_object();
		json_put_string(item, "path", device->path);
		json_put_string(item, "type", device->type == 'b' ? "b" : "c");
		json_put_integer(item, "major", device->major);
		json_put_integer(item, "minor", device->minor);
		json_put_integer(item, "fileMode", device->mode);
		json_put_integer(item, "uid", device->uid);
		json_put_integer(item, "gid", device->gid);
		json_append(list, item);
	}
	return list;
}

static struct json_t *save_rules(const struct oci_spec *spec)
{
	struct json_t *list = json_new_array();
	for (size_t i = 0; i < spec->device_rule_count; i++) {
		const struct oci_device_rule *rule = &spec->device_rules[i];
		const char type[2] = { rule->type, '\0' };
		struct json_t *item = json_new_object();
		json_put_bool(item, "allow", rule->allow);
		json_put_string(item, "type", type);
		if (rule->major >= 0)
			json_put_integer(item, "major", rule->major);
		if (rule->minor >= 0)
			json_put_integer(item, "minor", rule->minor);
		json_put_string(item, "access", rule->access);
		json_append(list, item);
	}
	return list;
}

static void put_number(struct json_t *object, const char *key, int64_t number)
{
	if (number != -1)
		json_put_integer(object, key, number);
}

static struct json_t *save_resources(const struct oci_spec *spec)
{
	const struct oci_resources *resources = &spec->resources;
	struct json_t *object = json_new_object(), *memory = json_new_object();
	struct json_t *cpu = json_new_object(), *pids = json_new_object();
	put_number(memory, "limit", resources->memory_bytes);
	put_number(memory, "swap", resources->memory_swap_bytes);
	put_number(cpu, "shares", resources->cpu_shares);
	put_number(cpu, "quota", resources->cpu_quota_us);
	put_number(cpu, "period", resources->cpu_period_us);
	put_text(cpu, "cpus", resources->cpuset_cpus);
	put_text(cpu, "mems", resources->cpuset_mems);
	put_number(pids, "limit", resources->pids);
	json_put(object, "memory", memory);
	json_put(object, "cpu", cpu);
	json_put(object, "pids", pids);
	json_put(object, "devices", save_rules(spec));
	return object;
}

static struct json_t *save_linux(const struct oci_spec *spec)
{
	struct json_t *object = json_new_object();
	json_put(object, "namespaces", save_namespaces(spec));
	json_put(object, "uidMappings", save_map(spec->uid_map, spec->uid_map_count));
	json_put(object, "gidMappings", save_map(spec->gid_map, spec->gid_map_count));
	json_put(object, "devices", save_devices(spec));
	json_put(object, "sysctl", object_of(&spec->sysctls));
	json_put(object, "maskedPaths", list_of(&spec->masked_paths));
	json_put(object, "readonlyPaths", list_of(&spec->readonly_paths));
	put_text(object, "cgroupsPath", spec->cgroup_path);
	json_put(object, "resources", save_resources(spec));
	if (spec->seccomp == OCI_SECCOMP_PROFILE)
		json_put(object, "seccomp", json_clone(spec->seccomp_profile));
	return object;
}

static struct json_t *save_hooks(const struct oci_spec *spec)
{
	struct json_t *object = json_new_object();
	for (int when = 0; when < OCI_HOOK_COUNT; when++) {
		struct json_t *list = json_new_array();
		for (size_t i = 0; i < spec->hook_count; i++) {
			const struct oci_hook *hook = &spec->hooks[i];
			if ((int)hook->when != when)
				continue;
			struct json_t *item = json_new_object();
			json_put_string(item, "path", hook->path);
			json_put(item, "args", list_of(&hook->args));
			json_put(item, "env", list_of(&hook->env));
			if (hook->timeout_s > 0)
				json_put_integer(item, "timeout", hook->timeout_s);
			json_append(list, item);
		}
		json_put(object, oci_hook_name((enum oci_hook_when)when), list);
	}
	return object;
}

static struct json_t *save_own(const struct oci_spec *spec)
{
	struct json_t *object = json_new_object(), *clamped = json_new_array();
	put_text(object, "id", spec->id);
	json_put(object, "overlayLower", list_of(&spec->overlay_lower));
	put_text(object, "overlayUpper", spec->overlay_upper);
	put_text(object, "overlayWork", spec->overlay_work);
	json_put_bool(object, "init", spec->init);
	put_text(object, "bundle", spec->bundle);
	put_text(object, "startSocket", spec->start_socket);
	json_put_bool(object, "seccompUnconfined", spec->seccomp == OCI_SECCOMP_UNCONFINED);
	for (size_t i = 0; i < spec->process.rlimit_count; i++)
		if (!spec->process.rlimits[i].explicit_request)
			json_append(clamped, json_new_integer((int64_t)i));
	json_put(object, "clampedLimits", clamped);
	return object;
}

int oci_spec_save(const struct oci_spec *spec, struct json_t **ret_json, struct error *err)
{
	struct json_t *config = json_new_object();
	json_put_string(config, "ociVersion", OCI_VERSION);
	json_put(config, "process", save_process(&spec->process));
	struct json_t *root = json_new_object();
	json_put_string(root, "path", spec->rootfs ? spec->rootfs : "");
	json_put_bool(root, "readonly", spec->root_readonly);
	json_put(config, "root", root);
	put_text(config, "hostname", spec->hostname);
	json_put(config, "mounts", save_mounts(spec));
	json_put(config, "hooks", save_hooks(spec));
	json_put(config, "annotations", object_of(&spec->annotations));
	json_put(config, "linux", save_linux(spec));
	json_put(config, "wherry", save_own(spec));
	if (!config)
		return error_set(err, ENOMEM, "no memory for a container's configuration");
	*ret_json = config;
	return 0;
}
