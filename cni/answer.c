/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the bytes of one call to the bytes of its answer: the gates in their
 * order, the command, and the error object when one of them fails.
 */
#include "call.h"

#include <errno.h>
#include <string.h>

/* VERSION checks nothing else, and answers also when there is no configuration. */
static struct json_t *run_version(struct cni_call *call)
{
	struct error ignored = { 0 };
	const char *version = NULL;

	if (call->config && json_parse("standard input", call->config, call->config_size,
				       &call->document, &ignored) == 0) {
		call->root = json_root(call->document, "standard input");
		json_get_string(&call->root, "cniVersion", JSON_OPTIONAL, &version, &ignored);
	}
	return cni_version_document(version ? version : cni_version_text(CNI_VERSION_LATEST));
}

static int run_call(struct cni_call *call, call_runner *runner, struct json_t **ret_document,
		    struct error *err)
{
	int r = call_read_environment(call, err);

	if (r == 0 && call->command == CNI_VERSION) {
		*ret_document = run_version(call);
		return 0;
	}
	if (r == 0)
		r = call_read_config(call, err);
	return r < 0 ? r : runner(call, ret_document, err);
}

/* An answer that cannot even be put in words. */
static char *format_failed(void)
{
	return strdup("{\"cniVersion\":\"1.1.0\",\"code\":100,\"msg\":\"out of memory\"}");
}

int call_answer(struct cni_call *call, call_runner *runner, char **ret_output)
{
	struct error err = { 0 }, format = { 0 };
	auto_json document = NULL;
	int r = run_call(call, runner, &document, &err);

	if (r < 0) {
		json_free(document);
		document = call_error_document(call, &err);
	}
	if (r == 0 && !document)
		*ret_output = strdup("");
	else if (json_format(document, JSON_COMPACT, ret_output, &format) < 0) {
		*ret_output = format_failed();
		r = -ENOMEM;
	}
	return r < 0 || !*ret_output ? 1 : 0;
}

char *cni_refuse(const struct error *err)
{
	struct cni_call call = { .stage = STAGE_ENVIRONMENT };
	struct error ignored = { 0 };
	auto_json document = call_error_document(&call, err);
	char *output = NULL;

	return json_format(document, JSON_COMPACT, &output, &ignored) < 0 ? NULL : output;
}
