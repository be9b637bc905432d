/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the specification says of every answer: an error is one object with
 * version, code and message on standard output, and a success is one result
 * or nothing (SPEC section 5).
 */
#include "conformance.h"

#include <string.h>

int outcome_code(const struct outcome *outcome)
{
	if (!outcome->json)
		return -1;
	struct json_at root = json_root(outcome->json, "stdout");
	const char *message = NULL;
	struct error err;
	int64_t code = -1;
	if (!json_is_object(&root) ||
	    json_get_string(&root, "msg", JSON_REQUIRED, &message, &err) < 0 ||
	    json_get_integer(&root, "code", JSON_REQUIRED, 0, INT32_MAX, &code, &err) < 0)
		return -1;
	return (int)code;
}

static bool is_known_code(int code)
{
	return (code >= 1 && code <= 8) || code == 11 || code == 50 || code == 51 ||
	       (code >= 100 && code != 999);
}

static bool names(const struct json_t *json, const char *needle)
{
	return strcasestr(result_text(json, "msg"), needle) ||
	       strcasestr(result_text(json, "details"), needle);
}

void claim_error(struct world *world, const struct outcome *outcome, int code, const char *needle,
		 const char *what)
{
	int got = outcome_code(outcome);
	bool failed = outcome->status > 0 && outcome->status < 128;
	if (code)
		claim(world, failed && got == code, "%s: error %d", what, code);
	else
		claim(world, failed && is_known_code(got),
		      "%s: an error with a code of the specification", what);
	if (needle && failed && got >= 0)
		claim(world, names(outcome->json, needle), "%s: the message names %s", what,
		      needle);
}

void claim_done(struct world *world, const struct outcome *outcome, const char *what)
{
	claim(world, outcome->status == 0, "%s: exit 0", what);
}
