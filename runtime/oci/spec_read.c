/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gate of config.json, of any engine and of our own save: one format.
 * What the OCI spec has no word for lies in the member "wherry".
 */
#include "spec_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "spec.h"

#define WORDS_MAX 65536
#define MOUNTS_MAX 4096
#define HOOKS_MAX 256
#define ID_MAX_LENGTH 256

int spec_read_words(const struct json_at *at, const char *key, enum json_need need,
		    struct words *ret, struct error *err)
{
	struct json_at list = { 0 };
	int r = json_get_array(at, key, need, &list, err);
	size_t count = list.value ? json_count(&list) : 0;
	if (count > WORDS_MAX)
		return json_error(&list, err, EINVAL, "more than %d items", WORDS_MAX);
	for (size_t i = 0; r == 0 && i < count; i++) {
		const char *word = NULL;
		struct json_at item = json_element(&list, i);
		r = json_as_string(&item, &word, err);
		if (r == 0)
			r = words_append(ret, word, err);
	}
	return r;
}

int spec_read_text(const struct json_at *at, const char *key, enum json_need need, char **ret,
		   struct error *err)
{
	const char *text = NULL;
	int r = json_get_string(at, key, need, &text, err);
	if (r < 0 || !text)
		return r;
	free(*ret);
	*ret = NULL;
	return text_copy(text, ret, err);
}

int spec_read_pairs(const struct json_at *at, const char *key, struct words *ret, struct error *err)
{
	struct json_at object = { 0 };
	int r = json_get_object(at, key, JSON_OPTIONAL, &object, err);
	for (size_t i = 0; r == 0 && object.value && i < json_count(&object); i++) {
		const char *value = NULL;
		struct json_at member = json_member_at(&object, i);
		r = json_as_string(&member, &value, err);
		if (r == 0)
			r = words_append_format(ret, err, "%s=%s", member.key, value);
	}
	return r;
}

int spec_check_absolute(const struct json_at *at, const char *key, const char *path,
			struct error *err)
{
	if (path[0] == '/')
		return 0;
	struct json_at place = json_member(at, key);
	return json_error(&place, err, EINVAL, "\"%s\" must be an absolute path", path);
}

int spec_read_integer32(const struct json_at *at, const char *key, enum json_need need,
			uint32_t *ret, struct error *err)
{
	int64_t value = *ret;
	int r = json_get_integer(at, key, need, 0, UINT32_MAX, &value, err);
	if (r == 0)
		*ret = (uint32_t)value;
	return r;
}

/* "1.0.2-dev": any 1.x is read. */
static int check_version(const struct json_at *config, struct error *err)
{
	const char *version = NULL;
	int r = json_get_string(config, "ociVersion", JSON_REQUIRED, &version, err);
	if (r < 0 || text_starts_with(version, "1."))
		return r;
	struct json_at at = json_member(config, "ociVersion");
	return json_error(&at, err, EINVAL, "version \"%s\" is not known here: 1.x is", version);
}

static int read_root(const struct json_at *config, const char *bundle, struct oci_spec *spec,
		     struct error *err)
{
	struct json_at root = { 0 };
	auto_free char *path = NULL;
	int r = json_get_object(config, "root", JSON_REQUIRED, &root, err);
	if (r == 0)
		r = spec_read_text(&root, "path", JSON_REQUIRED, &path, err);
	if (r == 0)
		r = json_get_bool(&root, "readonly", JSON_OPTIONAL, &spec->root_readonly, err);
	if (r < 0)
		return r;
	free(spec->rootfs);
	spec->rootfs = NULL;
	if (path[0] == '/' || !*path || !bundle)
		return text_copy(path, &spec->rootfs, err);
	return text_format(&spec->rootfs, err, "%s/%s", bundle, path);
}

static int read_mount(const struct json_at *at, const char *bundle, struct oci_spec *spec,
		      struct error *err)
{
	const char *type = NULL, *source = NULL, *destination = NULL;
	auto_free char *in_bundle = NULL;
	int r = json_get_string(at, "destination", JSON_REQUIRED, &destination, err);
	if (r == 0)
		r = spec_check_absolute(at, "destination", destination, err);
	if (r == 0)
		r = json_get_string(at, "type", JSON_OPTIONAL, &type, err);
	if (r == 0)
		r = json_get_string(at, "source", JSON_OPTIONAL, &source, err);
	if (r < 0)
		return r;
	auto_words options = { 0 };
	r = spec_read_words(at, "options", JSON_OPTIONAL, &options, err);
	bool is_bind = type && text_equal(type, "bind");
	for (size_t i = 0; i < options.count; i++)
		is_bind |= text_equal(options.items[i], "bind") ||
			   text_equal(options.items[i], "rbind");
	if (r == 0 && is_bind && source && source[0] != '/' && bundle)
		r = text_format(&in_bundle, err, "%s/%s", bundle, source);
	if (r == 0)
		r = oci_spec_add_mount(spec, type, in_bundle ? in_bundle : source, destination,
				       NULL, err);
	if (r == 0) {
		spec->mounts[spec->mount_count - 1].options = options;
		options = (struct words){ 0 };
	}
	return r;
}

static int read_mounts(const struct json_at *config, const char *bundle, struct oci_spec *spec,
		       struct error *err)
{
	struct json_at list = { 0 };
	int r = json_get_array(config, "mounts", JSON_OPTIONAL, &list, err);
	size_t count = list.value ? json_count(&list) : 0;
	if (count > MOUNTS_MAX)
		return json_error(&list, err, EINVAL, "more than %d mounts", MOUNTS_MAX);
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct json_at at = json_element(&list, i);
		r = read_mount(&at, bundle, spec, err);
	}
	return r;
}

static int read_hook(const struct json_at *at, enum oci_hook_when when, struct oci_spec *spec,
		     struct error *err)
{
	if (spec->hook_count == HOOKS_MAX)
		return json_error(at, err, EINVAL, "more than %d hooks", HOOKS_MAX);
	struct oci_hook *hooks = realloc(spec->hooks, (spec->hook_count + 1) * sizeof *hooks);
	if (!hooks)
		return error_set(err, ENOMEM, "no memory for hooks");
	spec->hooks = hooks;
	struct oci_hook *hook = &hooks[spec->hook_count++];
	*hook = (struct oci_hook){ .when = when };
	int64_t timeout = 0;
	int r = spec_read_text(at, "path", JSON_REQUIRED, &hook->path, err);
	if (r == 0)
		r = spec_check_absolute(at, "path", hook->path, err);
	if (r == 0)
		r = spec_read_words(at, "args", JSON_OPTIONAL, &hook->args, err);
	if (r == 0)
		r = spec_read_words(at, "env", JSON_OPTIONAL, &hook->env, err);
	if (r == 0)
		r = json_get_integer(at, "timeout", JSON_OPTIONAL, 1, 86400, &timeout, err);
	hook->timeout_s = (int)timeout;
	return r;
}

int spec_read_hooks(const struct json_at *hooks, struct oci_spec *spec, struct error *err)
{
	int r = 0;
	for (int when = 0; r == 0 && when < OCI_HOOK_COUNT; when++) {
		struct json_at list = { 0 };
		r = json_get_array(hooks, oci_hook_name((enum oci_hook_when)when), JSON_OPTIONAL,
				   &list, err);
		for (size_t i = 0; r == 0 && list.value && i < json_count(&list); i++) {
			struct json_at at = json_element(&list, i);
			r = read_hook(&at, (enum oci_hook_when)when, spec, err);
		}
	}
	return r;
}

/* What only our own engine writes. */
static int read_own(const struct json_at *config, struct oci_spec *spec, struct error *err)
{
	struct json_at own = { 0 };
	int r = json_get_object(config, "wherry", JSON_OPTIONAL, &own, err);
	if (r < 0 || !own.value)
		return r;
	bool unconfined = false;
	r = spec_read_text(&own, "id", JSON_OPTIONAL, &spec->id, err);
	if (r == 0)
		r = spec_read_words(&own, "overlayLower", JSON_OPTIONAL, &spec->overlay_lower, err);
	if (r == 0)
		r = spec_read_text(&own, "overlayUpper", JSON_OPTIONAL, &spec->overlay_upper, err);
	if (r == 0)
		r = spec_read_text(&own, "overlayWork", JSON_OPTIONAL, &spec->overlay_work, err);
	if (r == 0)
		r = json_get_bool(&own, "init", JSON_OPTIONAL, &spec->init, err);
	if (r == 0)
		r = spec_read_text(&own, "bundle", JSON_OPTIONAL, &spec->bundle, err);
	if (r == 0)
		r = spec_read_text(&own, "startSocket", JSON_OPTIONAL, &spec->start_socket, err);
	if (r == 0)
		r = json_get_bool(&own, "seccompUnconfined", JSON_OPTIONAL, &unconfined, err);
	if (r == 0 && spec->seccomp != OCI_SECCOMP_PROFILE)
		spec->seccomp = unconfined ? OCI_SECCOMP_UNCONFINED : OCI_SECCOMP_DEFAULT;
	/* Our engine's limits are defaults of Docker's kind unless it says otherwise. */
	struct json_at soft = { 0 };
	if (r == 0)
		r = json_get_array(&own, "clampedLimits", JSON_OPTIONAL, &soft, err);
	for (size_t i = 0; r == 0 && soft.value && i < json_count(&soft); i++) {
		int64_t index = 0;
		struct json_at at = json_element(&soft, i);
		r = json_as_integer(&at, 0, INT32_MAX, &index, err);
		if (r == 0 && (size_t)index < spec->process.rlimit_count)
			spec->process.rlimits[index].explicit_request = false;
	}
	return r;
}

static int read_top(const struct json_at *config, const char *bundle, struct oci_spec *spec,
		    struct error *err)
{
	struct json_at process = { 0 }, linux_at = { 0 }, hooks = { 0 };
	int r = check_version(config, err);
	if (r == 0)
		r = read_root(config, bundle, spec, err);
	if (r == 0)
		r = spec_read_text(config, "hostname", JSON_OPTIONAL, &spec->hostname, err);
	if (r == 0)
		r = read_mounts(config, bundle, spec, err);
	if (r == 0)
		r = spec_read_pairs(config, "annotations", &spec->annotations, err);
	if (r == 0)
		r = json_get_object(config, "process", JSON_OPTIONAL, &process, err);
	if (r == 0 && process.value)
		r = spec_read_process(&process, &spec->process, err);
	if (r == 0)
		r = json_get_object(config, "linux", JSON_OPTIONAL, &linux_at, err);
	if (r == 0 && linux_at.value)
		r = spec_read_linux(&linux_at, spec, err);
	if (r == 0)
		r = json_get_object(config, "hooks", JSON_OPTIONAL, &hooks, err);
	if (r == 0 && hooks.value)
		r = spec_read_hooks(&hooks, spec, err);
	return r < 0 ? r : read_own(config, spec, err);
}

static int check_id(const char *id, struct error *err)
{
	/* Letters of OCI's ids: podman and containerd also use "+" and "_". */
	size_t good = strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				 "_+-.");
	if (*id && !id[good] && good <= ID_MAX_LENGTH && id[0] != '.')
		return 0;
	return error_set(err, EINVAL,
			 "container id \"%s\": must be at most %d letters, digits and _+-., not "
			 "beginning with a dot",
			 id, ID_MAX_LENGTH);
}

/* A config must say everything; what it does not, is off. */
static int read_into(const struct json_at *config, const char *id, const char *bundle,
		     struct oci_spec *spec, struct error *err)
{
	spec->seccomp = OCI_SECCOMP_UNCONFINED;
	oci_resources_clear(&spec->resources);
	int r = json_is_object(config) ? 0 : json_error(config, err, EINVAL, "must be an object");
	if (r == 0 && bundle)
		r = text_copy(bundle, &spec->bundle, err);
	if (r == 0)
		r = read_top(config, bundle, spec, err);
	if (r == 0 && id) {
		free(spec->id);
		spec->id = NULL;
		r = text_copy(id, &spec->id, err);
	}
	if (r == 0)
		r = check_id(spec->id ? spec->id : "", err);
	if (r == 0 && !spec->cgroup_path)
		r = text_format(&spec->cgroup_path, err, "wherry-oci/%s", spec->id);
	return r;
}

int oci_spec_read(const struct json_at *config, const char *id, const char *bundle,
		  struct oci_spec *ret_spec, struct error *err)
{
	auto_oci_spec spec = { 0 };
	int r = read_into(config, id, bundle, &spec, err);
	if (r < 0)
		return r;
	*ret_spec = spec;
	spec = (struct oci_spec){ 0 };
	return 0;
}

int oci_spec_load(const struct json_at *saved, struct oci_spec *ret_spec, struct error *err)
{
	return oci_spec_read(saved, NULL, NULL, ret_spec, err);
}
