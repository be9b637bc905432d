/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runtime/restart.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

#define WAIT_FIRST_MS 100
#define WAIT_MAX_MS 60000
#define LIFE_GOOD_MS 10000

static const char on_failure[] = "on-failure";

static const struct {
	const char *name;
	enum restart_kind kind;
} names[] = {
	{ "no", RESTART_NO },
	{ on_failure, RESTART_ON_FAILURE },
	{ "always", RESTART_ALWAYS },
	{ "unless-stopped", RESTART_UNLESS_STOPPED },
};

int restart_policy_parse(const char *text, struct restart_policy *ret_policy, struct error *err)
{
	struct restart_policy policy = { 0 };
	uint64_t max = 0;
	if (text && text[0]) {
		size_t size = strcspn(text, ":"), i = 0;
		while (i < ARRAY_SIZE(names) &&
		       (strlen(names[i].name) != size || strncmp(names[i].name, text, size) != 0))
			i++;
		if (i == ARRAY_SIZE(names))
			return error_set(err, EINVAL,
					 "--restart %s: is none of no, on-failure[:MAX], always, "
					 "unless-stopped",
					 text);
		policy.kind = names[i].kind;
		if (text[size] && (policy.kind != RESTART_ON_FAILURE ||
				   text_to_unsigned(text + size + 1, 0, INT_MAX, &max) < 0))
			return error_set(err, EINVAL,
					 "--restart %s: only on-failure takes a number, as in "
					 "on-failure:3",
					 text);
	}
	policy.max = (unsigned)max;
	*ret_policy = policy;
	return 0;
}

bool restart_policy_wants(struct restart_policy policy, int exit_code, unsigned restarts)
{
	switch (policy.kind) {
	case RESTART_ON_FAILURE:
		return exit_code != 0 && (!policy.max || restarts < policy.max);
	case RESTART_ALWAYS:
	case RESTART_UNLESS_STOPPED:
		return true;
	case RESTART_NO:
		break;
	}
	return false;
}

uint64_t restart_wait_ms(uint64_t previous_wait_ms, uint64_t life_ms)
{
	if (!previous_wait_ms || life_ms >= LIFE_GOOD_MS)
		return WAIT_FIRST_MS;
	uint64_t wait = previous_wait_ms * 2;
	return wait < WAIT_MAX_MS ? wait : WAIT_MAX_MS;
}
