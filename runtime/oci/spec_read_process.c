/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OCI's process object: config.json's, and the whole of exec's --process file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "capability.h"
#include "spec.h"
#include "spec_read.h"

#define GROUPS_MAX 65536

static int read_groups(const struct json_at *user, struct oci_process *process, struct error *err)
{
	struct json_at list = { 0 };
	int r = json_get_array(user, "additionalGids", JSON_OPTIONAL, &list, err);
	size_t count = list.value ? json_count(&list) : 0;
	if (r < 0 || count == 0)
		return r;
	if (count > GROUPS_MAX)
		return json_error(&list, err, EINVAL, "more than %d groups", GROUPS_MAX);
	process->groups = calloc(count, sizeof *process->groups);
	if (!process->groups)
		return error_set(err, ENOMEM, "no memory for groups");
	for (size_t i = 0; i < count; i++) {
		int64_t gid;
		struct json_at at = json_element(&list, i);
		r = json_as_integer(&at, 0, UINT32_MAX - 1, &gid, err);
		if (r < 0)
			return r;
		process->groups[process->group_count++] = (uint32_t)gid;
	}
	return 0;
}

static int read_user(const struct json_at *at, struct oci_process *process, struct error *err)
{
	struct json_at user = { 0 };
	int r = json_get_object(at, "user", JSON_OPTIONAL, &user, err);
	if (r < 0 || !user.value)
		return r;
	r = spec_read_integer32(&user, "uid", JSON_OPTIONAL, &process->uid, err);
	if (r == 0)
		r = spec_read_integer32(&user, "gid", JSON_OPTIONAL, &process->gid, err);
	return r < 0 ? r : read_groups(&user, process, err);
}

/* Names that this build does not know are refused: a set that is smaller than asked would surprise.
 */
static int read_set(const struct json_at *at, const char *key, uint64_t *ret, struct error *err)
{
	struct json_at list = { 0 };
	int r = json_get_array(at, key, JSON_OPTIONAL, &list, err);
	uint64_t set = 0;
	for (size_t i = 0; r == 0 && list.value && i < json_count(&list); i++) {
		const char *name = NULL;
		uint64_t bit = 0;
		struct error unknown = { 0 };
		struct json_at item = json_element(&list, i);
		r = json_as_string(&item, &name, err);
		if (r == 0 && capability_parse(name, &bit, &unknown) < 0)
			r = json_error(&item, err, EINVAL, "%s", unknown.text);
		set |= bit;
	}
	if (r == 0)
		*ret = set;
	return r;
}

static int read_capabilities(const struct json_at *at, struct oci_process *process,
			     struct error *err)
{
	struct json_at sets = { 0 };
	uint64_t bounding = 0, effective = 0, ambient = 0;
	int r = json_get_object(at, "capabilities", JSON_OPTIONAL, &sets, err);
	if (r < 0 || !sets.value)
		return r;
	r = read_set(&sets, "bounding", &bounding, err);
	if (r == 0)
		r = read_set(&sets, "effective", &effective, err);
	if (r == 0)
		r = read_set(&sets, "ambient", &ambient, err);
	process->capabilities = bounding | effective;
	process->ambient = ambient & process->capabilities;
	return r;
}

/* rlim_t has 64 bits, JSON's integers here 63: what is over is no limit. */
static int read_limit_value(const struct json_at *at, const char *key, uint64_t *ret,
			    struct error *err)
{
	int64_t value = 0;
	int r = json_get_integer(at, key, JSON_REQUIRED, -1, INT64_MAX, &value, err);
	*ret = value < 0 || value == INT64_MAX ? RLIM_INFINITY : (uint64_t)value;
	return r;
}

static int read_limit(const struct json_at *at, struct oci_rlimit *ret, struct error *err)
{
	const char *name = NULL;
	int r = json_get_string(at, "type", JSON_REQUIRED, &name, err);
	if (r < 0)
		return r;
	ret->resource = oci_rlimit_number(name);
	ret->explicit_request = true;
	if (ret->resource < 0) {
		struct json_at type = json_member(at, "type");
		return json_error(&type, err, EINVAL, "unknown limit \"%s\"", name);
	}
	r = read_limit_value(at, "hard", &ret->hard, err);
	return r < 0 ? r : read_limit_value(at, "soft", &ret->soft, err);
}

static int read_limits(const struct json_at *at, struct oci_process *process, struct error *err)
{
	struct json_at list = { 0 };
	int r = json_get_array(at, "rlimits", JSON_OPTIONAL, &list, err);
	size_t count = list.value ? json_count(&list) : 0;
	if (r < 0 || count == 0)
		return r;
	if (count > RLIM_NLIMITS)
		return json_error(&list, err, EINVAL, "more than %d limits", RLIM_NLIMITS);
	process->rlimits = calloc(count, sizeof *process->rlimits);
	if (!process->rlimits)
		return error_set(err, ENOMEM, "no memory for limits");
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct json_at limit = json_element(&list, i);
		r = read_limit(&limit, &process->rlimits[i], err);
		process->rlimit_count++;
	}
	return r;
}

static int read_terminal(const struct json_at *at, struct oci_process *process, struct error *err)
{
	struct json_at size = { 0 };
	int64_t rows = 0, columns = 0;
	int r = json_get_bool(at, "terminal", JSON_OPTIONAL, &process->terminal, err);
	if (r == 0)
		r = json_get_object(at, "consoleSize", JSON_OPTIONAL, &size, err);
	if (r < 0 || !size.value)
		return r;
	r = json_get_integer(&size, "height", JSON_REQUIRED, 0, UINT16_MAX, &rows, err);
	if (r == 0)
		r = json_get_integer(&size, "width", JSON_REQUIRED, 0, UINT16_MAX, &columns, err);
	process->terminal_rows = (uint16_t)rows;
	process->terminal_columns = (uint16_t)columns;
	return r;
}

static int read_oom_score(const struct json_at *at, struct oci_process *process, struct error *err)
{
	int64_t score = INT64_MAX;
	int r = json_get_integer(at, "oomScoreAdj", JSON_OPTIONAL, -1000, 1000, &score, err);
	if (r < 0 || score == INT64_MAX)
		return r;
	process->oom_score_adj = (int)score;
	process->have_oom_score_adj = true;
	return 0;
}

int spec_read_process(const struct json_at *at, struct oci_process *ret, struct error *err)
{
	int r = spec_read_words(at, "args", JSON_OPTIONAL, &ret->args, err);
	if (r == 0)
		r = spec_read_words(at, "env", JSON_OPTIONAL, &ret->env, err);
	if (r == 0)
		r = spec_read_text(at, "cwd", JSON_REQUIRED, &ret->cwd, err);
	if (r == 0)
		r = spec_check_absolute(at, "cwd", ret->cwd, err);
	if (r == 0)
		r = read_user(at, ret, err);
	if (r == 0)
		r = read_capabilities(at, ret, err);
	if (r == 0)
		r = read_limits(at, ret, err);
	if (r == 0)
		r = read_terminal(at, ret, err);
	if (r == 0)
		r = read_oom_score(at, ret, err);
	return r < 0 ? r
		     : json_get_bool(at, "noNewPrivileges", JSON_OPTIONAL, &ret->no_new_privileges,
				     err);
}

int oci_process_read(const struct json_at *at, struct oci_process *ret_process, struct error *err)
{
	struct oci_process process = { 0 };
	int r = json_is_object(at) ? spec_read_process(at, &process, err)
				   : json_error(at, err, EINVAL, "must be an object");
	if (r < 0) {
		oci_process_release(&process);
		return r;
	}
	*ret_process = process;
	return 0;
}
