/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * OCI's linux.seccomp object, as engines write it into config.json.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>

#include "base/text.h"
#include "filter.h"

#define ERRNO_MAX 4095

static const struct {
	const char *name;
	uint32_t action;
	bool has_errno;
} actions[] = {
	{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD, false },
	{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD, false },
	{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS, false },
	{ "SCMP_ACT_TRAP", SECCOMP_RET_TRAP, false },
	{ "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO, true },
	{ "SCMP_ACT_TRACE", SECCOMP_RET_TRACE, true },
	{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW, false },
	{ "SCMP_ACT_LOG", SECCOMP_RET_LOG, false },
};

static const struct {
	const char *name;
	enum filter_compare compare;
} comparisons[] = {
	{ "SCMP_CMP_NE", FILTER_NOT_EQUAL },           { "SCMP_CMP_LT", FILTER_LESS },
	{ "SCMP_CMP_LE", FILTER_LESS_EQUAL },          { "SCMP_CMP_EQ", FILTER_EQUAL },
	{ "SCMP_CMP_GE", FILTER_GREATER_EQUAL },       { "SCMP_CMP_GT", FILTER_GREATER },
	{ "SCMP_CMP_MASKED_EQ", FILTER_MASKED_EQUAL },
};

static const struct {
	const char *name;
	unsigned int flag;
} flags[] = {
	{ "SECCOMP_FILTER_FLAG_TSYNC", 0 }, /* one thread: nothing to synchronise */
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
};

static int read_action(const struct json_at *at, const char *key, const char *errno_key,
		       uint32_t *ret_action, struct error *err)
{
	const char *name = NULL;
	int64_t number = EPERM;
	int r = json_get_string(at, key, JSON_REQUIRED, &name, err);
	if (r == 0)
		r = json_get_integer(at, errno_key, JSON_OPTIONAL, 0, ERRNO_MAX, &number, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
		if (!text_equal(name, actions[i].name))
			continue;
		*ret_action = actions[i].action | (actions[i].has_errno ? (uint32_t)number : 0);
		return 0;
	}
	struct json_at place = json_member(at, key);
	return json_error(&place, err, EINVAL, "unknown action \"%s\"", name);
}

static int read_condition(const struct json_at *at, struct filter_condition *ret, struct error *err)
{
	const char *name = NULL;
	int64_t argument = 0, value = 0, value_two = 0;
	int r = json_get_integer(at, "index", JSON_REQUIRED, 0, 5, &argument, err);
	if (r == 0)
		r = json_get_integer(at, "value", JSON_REQUIRED, INT64_MIN, INT64_MAX, &value, err);
	if (r == 0)
		r = json_get_integer(at, "valueTwo", JSON_OPTIONAL, INT64_MIN, INT64_MAX,
				     &value_two, err);
	if (r == 0)
		r = json_get_string(at, "op", JSON_REQUIRED, &name, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(comparisons); i++) {
		if (!text_equal(name, comparisons[i].name))
			continue;
		*ret = (struct filter_condition){ (unsigned int)argument, comparisons[i].compare,
						  (uint64_t)value, (uint64_t)value_two };
		return 0;
	}
	struct json_at place = json_member(at, "op");
	return json_error(&place, err, EINVAL, "unknown comparison \"%s\"", name);
}

static int read_conditions(const struct json_at *entry, struct filter_rule *rule, struct error *err)
{
	struct json_at list = { 0 };
	int r = json_get_array(entry, "args", JSON_OPTIONAL, &list, err);
	size_t count = list.value ? json_count(&list) : 0;
	if (count > FILTER_CONDITIONS_MAX)
		return json_error(&list, err, EINVAL, "more than %d conditions",
				  FILTER_CONDITIONS_MAX);
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct json_at condition = json_element(&list, i);
		r = read_condition(&condition, &rule->conditions[i], err);
	}
	rule->condition_count = (unsigned int)count;
	return r;
}

static int read_entry(const struct json_at *entry, struct filter_rules *rules, struct error *err)
{
	struct filter_rule rule = { 0 };
	struct json_at names = { 0 };
	int r = read_action(entry, "action", "errnoRet", &rule.action, err);
	if (r == 0)
		r = read_conditions(entry, &rule, err);
	if (r == 0)
		r = json_get_array(entry, "names", JSON_REQUIRED, &names, err);
	for (size_t i = 0; r == 0 && i < json_count(&names); i++) {
		struct json_at name = json_element(&names, i);
		r = json_as_string(&name, &rule.name, err);
		if (r == 0)
			r = filter_rules_add(rules, &rule, err);
	}
	return r;
}

/* A profile that names architectures without the narrow ones of this processor forbids them. */
static int read_architectures(const struct json_at *profile, struct filter_rules *rules,
			      struct error *err)
{
	struct json_at list = { 0 };
	int r = json_get_array(profile, "architectures", JSON_OPTIONAL, &list, err);
	size_t count = list.value ? json_count(&list) : 0;
	rules->native_only = count > 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		const char *name = NULL;
		struct json_at at = json_element(&list, i);
		r = json_as_string(&at, &name, err);
		if (r == 0 &&
		    (text_equal(name, "SCMP_ARCH_X86") || text_equal(name, "SCMP_ARCH_ARM")))
			rules->native_only = false;
	}
	return r;
}

static int read_flags(const struct json_at *profile, struct filter_rules *rules, struct error *err)
{
	struct json_at list = { 0 };
	int r = json_get_array(profile, "flags", JSON_OPTIONAL, &list, err);
	for (size_t i = 0; r == 0 && list.value && i < json_count(&list); i++) {
		const char *name = NULL;
		struct json_at at = json_element(&list, i);
		r = json_as_string(&at, &name, err);
		bool known = false;
		for (size_t f = 0; r == 0 && f < ARRAY_SIZE(flags); f++) {
			if (!text_equal(name, flags[f].name))
				continue;
			rules->flags |= flags[f].flag;
			known = true;
		}
		if (r == 0 && !known)
			r = json_error(&at, err, EINVAL, "unknown flag \"%s\"", name);
	}
	return r;
}

int filter_read(const struct json_at *profile, struct filter_program *ret, struct error *err)
{
	auto_filter_rules rules = { 0 };
	struct json_at entries = { 0 };
	int r = read_action(profile, "defaultAction", "defaultErrnoRet", &rules.default_action,
			    err);
	if (r == 0)
		r = read_architectures(profile, &rules, err);
	if (r == 0)
		r = read_flags(profile, &rules, err);
	if (r == 0)
		r = json_get_array(profile, "syscalls", JSON_OPTIONAL, &entries, err);
	for (size_t i = 0; r == 0 && entries.value && i < json_count(&entries); i++) {
		struct json_at entry = json_element(&entries, i);
		r = read_entry(&entry, &rules, err);
	}
	return r < 0 ? r : filter_compile(&rules, ret, err);
}
