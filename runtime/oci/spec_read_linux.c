/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OCI's linux object: namespaces, cgroups and their limits, devices, seccomp.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "filter.h"
#include "spec.h"
#include "spec_read.h"

#define ITEMS_MAX 1024 /* of devices, rules, id maps */
#define MAJOR_MAX ((1 << 12) - 1)
#define MINOR_MAX ((1 << 20) - 1)

static int read_namespace(const struct json_at *at, struct oci_spec *spec, struct error *err)
{
	const char *type = NULL, *path = NULL;
	int r = json_get_string(at, "type", JSON_REQUIRED, &type, err);
	if (r == 0)
		r = json_get_string(at, "path", JSON_OPTIONAL, &path, err);
	if (r < 0)
		return r;
	for (int i = 0; i < OCI_NS_COUNT; i++) {
		if (!text_equal(type, oci_namespace_name((enum oci_namespace)i)))
			continue;
		if (spec->namespaces[i].use != OCI_NS_HOST)
			return json_error(at, err, EINVAL, "a second namespace of type %s", type);
		if (!path || !*path) {
			spec->namespaces[i].use = OCI_NS_NEW;
			return 0;
		}
		if (i == OCI_NS_USER || i == OCI_NS_MOUNT)
			return json_error(at, err, ENOTSUP,
					  "joining a %s namespace by path is not there yet", type);
		spec->namespaces[i].use = OCI_NS_PATH;
		r = spec_check_absolute(at, "path", path, err);
		return r < 0 ? r : text_copy(path, &spec->namespaces[i].path, err);
	}
	struct json_at place = json_member(at, "type");
	if (text_equal(type, "time"))
		return json_error(&place, err, ENOTSUP, "time namespaces are not there yet");
	return json_error(&place, err, EINVAL, "unknown namespace \"%s\"", type);
}

/* Calls `read` for each element of the array at key. */
static int read_each(const struct json_at *at, const char *key, struct oci_spec *spec,
		     int (*read_item)(const struct json_at *item, struct oci_spec *spec,
				      struct error *err),
		     struct error *err)
{
	struct json_at list = { 0 };
	int r = json_get_array(at, key, JSON_OPTIONAL, &list, err);
	size_t count = list.value ? json_count(&list) : 0;
	if (count > ITEMS_MAX)
		return json_error(&list, err, EINVAL, "more than %d items", ITEMS_MAX);
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct json_at item = json_element(&list, i);
		r = read_item(&item, spec, err);
	}
	return r;
}

static int read_id_map(const struct json_at *at, struct oci_id_map **maps, size_t *count,
		       struct error *err)
{
	struct oci_id_map *grown = realloc(*maps, (*count + 1) * sizeof **maps);
	if (!grown)
		return error_set(err, ENOMEM, "no memory for an id map");
	*maps = grown;
	struct oci_id_map *map = &grown[(*count)++];
	*map = (struct oci_id_map){ 0 };
	int r = spec_read_integer32(at, "containerID", JSON_REQUIRED, &map->inside, err);
	if (r == 0)
		r = spec_read_integer32(at, "hostID", JSON_REQUIRED, &map->outside, err);
	return r < 0 ? r : spec_read_integer32(at, "size", JSON_REQUIRED, &map->count, err);
}

static int read_uid_map(const struct json_at *at, struct oci_spec *spec, struct error *err)
{
	return read_id_map(at, &spec->uid_map, &spec->uid_map_count, err);
}

static int read_gid_map(const struct json_at *at, struct oci_spec *spec, struct error *err)
{
	return read_id_map(at, &spec->gid_map, &spec->gid_map_count, err);
}

static int read_device(const struct json_at *at, struct oci_spec *spec, struct error *err)
{
	struct oci_device *grown = realloc(spec->devices, (spec->device_count + 1) * sizeof *grown);
	if (!grown)
		return error_set(err, ENOMEM, "no memory for a device");
	spec->devices = grown;
	struct oci_device *device = &grown[spec->device_count++];
	*device = (struct oci_device){ .mode = 0666 };
	const char *type = NULL;
	int64_t major = 0, minor = 0;
	int r = spec_read_text(at, "path", JSON_REQUIRED, &device->path, err);
	if (r == 0)
		r = spec_check_absolute(at, "path", device->path, err);
	if (r == 0)
		r = json_get_string(at, "type", JSON_REQUIRED, &type, err);
	if (r == 0 && !text_equal(type, "c") && !text_equal(type, "b") && !text_equal(type, "u"))
		r = json_error(at, err, EINVAL, "type \"%s\": must be c, u or b", type);
	if (r == 0)
		r = json_get_integer(at, "major", JSON_REQUIRED, 0, MAJOR_MAX, &major, err);
	if (r == 0)
		r = json_get_integer(at, "minor", JSON_REQUIRED, 0, MINOR_MAX, &minor, err);
	if (r == 0)
		r = spec_read_integer32(at, "fileMode", JSON_OPTIONAL, &device->mode, err);
	if (r == 0)
		r = spec_read_integer32(at, "uid", JSON_OPTIONAL, &device->uid, err);
	if (r == 0)
		r = spec_read_integer32(at, "gid", JSON_OPTIONAL, &device->gid, err);
	device->type = type && type[0] == 'b' ? 'b' : 'c';
	device->major = (uint32_t)major;
	device->minor = (uint32_t)minor;
	return r;
}

static int read_device_rule(const struct json_at *at, struct oci_spec *spec, struct error *err)
{
	struct oci_device_rule rule = { .type = 'a', .major = -1, .minor = -1, .access = "rwm" };
	const char *type = "a", *access = "rwm";
	int r = json_get_bool(at, "allow", JSON_REQUIRED, &rule.allow, err);
	if (r == 0)
		r = json_get_string(at, "type", JSON_OPTIONAL, &type, err);
	if (r == 0)
		r = json_get_string(at, "access", JSON_OPTIONAL, &access, err);
	if (r == 0)
		r = json_get_integer(at, "major", JSON_OPTIONAL, -1, MAJOR_MAX, &rule.major, err);
	if (r == 0)
		r = json_get_integer(at, "minor", JSON_OPTIONAL, -1, MINOR_MAX, &rule.minor, err);
	if (r == 0 && !(strlen(type) == 1 && strchr("abc", type[0])))
		r = json_error(at, err, EINVAL, "type \"%s\": must be a, b or c", type);
	if (r == 0 && (strlen(access) > 3 || access[strspn(access, "rwm")]))
		r = json_error(at, err, EINVAL, "access \"%s\": must be of r, w and m", access);
	if (r < 0)
		return r;
	rule.type = type[0];
	snprintf(rule.access, sizeof rule.access, "%s", *access ? access : "rwm");
	struct oci_device_rule *grown =
		realloc(spec->device_rules, (spec->device_rule_count + 1) * sizeof *grown);
	if (!grown)
		return error_set(err, ENOMEM, "no memory for a device rule");
	spec->device_rules = grown;
	grown[spec->device_rule_count++] = rule;
	return 0;
}

struct number {
	const char *key;
	int64_t *value;
};

static int read_numbers(const struct json_at *resources, const char *part,
			const struct number *numbers, size_t count, struct error *err)
{
	struct json_at at = { 0 };
	int r = json_get_object(resources, part, JSON_OPTIONAL, &at, err);
	for (size_t i = 0; r == 0 && at.value && i < count; i++)
		r = json_get_integer(&at, numbers[i].key, JSON_OPTIONAL, INT64_MIN, INT64_MAX,
				     numbers[i].value, err);
	return r;
}

int oci_resources_read(const struct json_at *at, struct oci_resources *resources, struct error *err)
{
	struct json_at cpu = { 0 };
	const struct number memory[] = { { "limit", &resources->memory_bytes },
					 { "swap", &resources->memory_swap_bytes } };
	const struct number cpu_numbers[] = { { "shares", &resources->cpu_shares },
					      { "quota", &resources->cpu_quota_us },
					      { "period", &resources->cpu_period_us } };
	const struct number pids[] = { { "limit", &resources->pids } };
	int r = read_numbers(at, "memory", memory, ARRAY_SIZE(memory), err);
	if (r == 0)
		r = read_numbers(at, "cpu", cpu_numbers, ARRAY_SIZE(cpu_numbers), err);
	if (r == 0)
		r = read_numbers(at, "pids", pids, ARRAY_SIZE(pids), err);
	if (r == 0)
		r = json_get_object(at, "cpu", JSON_OPTIONAL, &cpu, err);
	if (r == 0 && cpu.value)
		r = spec_read_text(&cpu, "cpus", JSON_OPTIONAL, &resources->cpuset_cpus, err);
	if (r == 0 && cpu.value)
		r = spec_read_text(&cpu, "mems", JSON_OPTIONAL, &resources->cpuset_mems, err);
	return r;
}

static int read_cgroup(const struct json_at *at, struct oci_spec *spec, struct error *err)
{
	struct json_at resources = { 0 };
	auto_free char *path = NULL;
	int r = spec_read_text(at, "cgroupsPath", JSON_OPTIONAL, &path, err);
	if (r == 0 && path && (!path[strspn(path, "/.")] || strstr(path, ".."))) {
		struct json_at place = json_member(at, "cgroupsPath");
		r = json_error(&place, err, EINVAL, "\"%s\" names no group of its own", path);
	}
	if (r == 0 && path) {
		free(spec->cgroup_path);
		spec->cgroup_path = NULL;
		r = text_copy(path + strspn(path, "/"), &spec->cgroup_path, err);
	}
	if (r == 0)
		r = json_get_object(at, "resources", JSON_OPTIONAL, &resources, err);
	if (r < 0 || !resources.value)
		return r;
	r = oci_resources_read(&resources, &spec->resources, err);
	return r < 0 ? r : read_each(&resources, "devices", spec, read_device_rule, err);
}

/* Compiled once to be checked: a profile that cannot be had is refused here, not in the container.
 */
static int read_seccomp(const struct json_at *at, struct oci_spec *spec, struct error *err)
{
	struct json_at profile = { 0 };
	int r = json_get_object(at, "seccomp", JSON_OPTIONAL, &profile, err);
	if (r < 0 || !profile.value)
		return r;
	auto_filter_program checked = { 0 };
	r = filter_read(&profile, &checked, err);
	if (r < 0)
		return r;
	spec->seccomp_profile = json_clone(profile.value);
	if (!spec->seccomp_profile)
		return error_set(err, ENOMEM, "no memory for a seccomp profile");
	spec->seccomp = OCI_SECCOMP_PROFILE;
	return 0;
}

int spec_read_linux(const struct json_at *at, struct oci_spec *spec, struct error *err)
{
	int r = read_each(at, "namespaces", spec, read_namespace, err);
	if (r == 0)
		r = read_each(at, "uidMappings", spec, read_uid_map, err);
	if (r == 0)
		r = read_each(at, "gidMappings", spec, read_gid_map, err);
	if (r == 0)
		r = read_each(at, "devices", spec, read_device, err);
	if (r == 0)
		r = spec_read_pairs(at, "sysctl", &spec->sysctls, err);
	if (r == 0)
		r = spec_read_words(at, "maskedPaths", JSON_OPTIONAL, &spec->masked_paths, err);
	if (r == 0)
		r = spec_read_words(at, "readonlyPaths", JSON_OPTIONAL, &spec->readonly_paths, err);
	if (r == 0)
		r = read_cgroup(at, spec, err);
	return r < 0 ? r : read_seccomp(at, spec, err);
}
