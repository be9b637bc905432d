/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of the spec's enumerations, for reading, writing and errors alike.
 */
#include <sys/resource.h>

#include "spec.h"

static const char *const hook_names[OCI_HOOK_COUNT] = {
	"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop",
};

static const struct {
	const char *name;
	int resource;
} limit_names[] = {
	{ "RLIMIT_CPU", RLIMIT_CPU },           { "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_DATA", RLIMIT_DATA },         { "RLIMIT_STACK", RLIMIT_STACK },
	{ "RLIMIT_CORE", RLIMIT_CORE },         { "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },       { "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },   { "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },       { "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE }, { "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },     { "RLIMIT_RTTIME", RLIMIT_RTTIME },
};

const char *oci_hook_name(enum oci_hook_when when)
{
	return hook_names[when];
}

int oci_rlimit_number(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(limit_names); i++)
		if (text_equal(name, limit_names[i].name))
			return limit_names[i].resource;
	return -1;
}

const char *oci_rlimit_name(int resource)
{
	for (size_t i = 0; i < ARRAY_SIZE(limit_names); i++)
		if (limit_names[i].resource == resource)
			return limit_names[i].name;
	return "unknown";
}
