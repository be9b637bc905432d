/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The environment of a call (spec section 2): which variables a command needs,
 * and what their values may be.
 */
#include "call.h"

#include <errno.h>
#include <string.h>

#include "base/process.h"
#include "base/text.h"

#define CONTAINER_ID_BYTES 255
#define INTERFACE_BYTES 15

enum needs {
	NEEDS_CONTAINER = 1 << 0,
	NEEDS_INTERFACE = 1 << 1,
	NEEDS_NETNS = 1 << 2,
};
static const struct {
	const char *name;
	int needs;
} commands[] = {
	[CNI_ADD] = { "ADD", NEEDS_CONTAINER | NEEDS_INTERFACE | NEEDS_NETNS },
	[CNI_DEL] = { "DEL", NEEDS_CONTAINER | NEEDS_INTERFACE },
	[CNI_CHECK] = { "CHECK", NEEDS_CONTAINER | NEEDS_INTERFACE | NEEDS_NETNS },
	[CNI_GC] = { "GC", 0 },
	[CNI_STATUS] = { "STATUS", 0 },
	[CNI_VERSION] = { "VERSION", 0 },
};
_Static_assert(ARRAY_SIZE(commands) == CNI_COMMAND_COUNT, "a row for each command");

static int find_command(const char *name, enum cni_command *ret_command, struct error *err)
{
	for (int i = 0; i < CNI_COMMAND_COUNT; i++)
		if (text_equal(name, commands[i].name)) {
			*ret_command = (enum cni_command)i;
			return 0;
		}
	return error_set(err, EINVAL,
			 "CNI_COMMAND \"%.32s\" is not known: ADD, DEL, CHECK, GC, STATUS and "
			 "VERSION are",
			 name ? name : "");
}

static bool is_given(const char *variable)
{
	return variable && *variable;
}

static int check_missing(int needs, const struct cni_environment *env, struct error *err)
{
	char missing[128] = "";
	const struct {
		int need;
		const char *name, *value;
	} rows[] = {
		{ NEEDS_CONTAINER, "CNI_CONTAINERID", env->container_id },
		{ NEEDS_NETNS, "CNI_NETNS", env->netns },
		{ NEEDS_INTERFACE, "CNI_IFNAME", env->interface },
	};
	size_t used = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if ((needs & rows[i].need) && !is_given(rows[i].value))
			used += (size_t)snprintf(missing + used, sizeof missing - used, "%s%s",
						 used ? ", " : "", rows[i].name);
	if (used)
		return error_set(err, EINVAL, "missing in the environment: %s", missing);
	return 0;
}

/* Length of a white space character of Unicode at `at`, 0 if there is none. */
static size_t space_length(const char *at)
{
	/* In UTF-8, by code point: U+0009 to U+3000. */
	static const char *const spaces[] = {
		"\040",         "\011",         "\012",         "\013",         "\014",
		"\015",         "\302\205",     "\302\240",     "\341\232\200", "\342\200\200",
		"\342\200\201", "\342\200\202", "\342\200\203", "\342\200\204", "\342\200\205",
		"\342\200\206", "\342\200\207", "\342\200\210", "\342\200\211", "\342\200\212",
		"\342\200\250", "\342\200\251", "\342\200\257", "\342\201\237", "\343\200\200",
	};
	for (size_t i = 0; i < ARRAY_SIZE(spaces); i++)
		if (text_starts_with(at, spaces[i]))
			return strlen(spaces[i]);
	return 0;
}

static int check_interface(const char *name, struct error *err)
{
	bool good = strlen(name) <= INTERFACE_BYTES && !text_equal(name, ".") &&
		    !text_equal(name, "..");
	for (const char *at = name; good && *at; at++)
		good = *at != '/' && *at != ':' && space_length(at) == 0;
	if (good)
		return 0;
	return error_set(err, EINVAL,
			 "CNI_IFNAME \"%.40s\" must have 1 to %d bytes and no '/', ':' or space",
			 name, INTERFACE_BYTES);
}

int call_read_environment(struct cni_call *call, struct error *err)
{
	const struct cni_environment *env = call->environment;

	call->stage = STAGE_ENVIRONMENT;
	int r = find_command(env->command, &call->command, err);
	if (r < 0 || call->command == CNI_VERSION)
		return r;
	r = check_missing(commands[call->command].needs, env, err);
	if (r == 0 && (commands[call->command].needs & NEEDS_CONTAINER) &&
	    !text_is_name(env->container_id, CONTAINER_ID_BYTES))
		return error_set(err, EINVAL,
				 "CNI_CONTAINERID \"%.64s\" must have 1 to %d of the characters "
				 "a-z A-Z 0-9 _ . - and begin with a letter or digit",
				 env->container_id, CONTAINER_ID_BYTES);
	if (r == 0 && (commands[call->command].needs & NEEDS_INTERFACE))
		r = check_interface(env->interface, err);
	/* DEL cleans up whatever the arguments were. */
	if (r == 0 && call->command != CNI_DEL)
		r = cni_args_read(env->args, &call->args, err);
	return r;
}

int call_open_netns(struct cni_call *call, int *ret_fd, struct error *err)
{
	const char *override = call->environment->netns_override;
	auto_fd fd = -1;

	call->stage = STAGE_NETNS;
	int r = netns_open(call->environment->netns, &fd, err);
	if (r < 0)
		return error_wrap(err, "CNI_NETNS");
	if (netns_is_own(fd) && !text_equal(override, "1") && !text_equal(override, "true"))
		return error_set(err, EINVAL,
				 "CNI_NETNS %s is the plugin's own network namespace, not a "
				 "container's",
				 call->environment->netns);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
