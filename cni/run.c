/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wherry-cni: which command does what.
 */
#include "cni/cni.h"

#include "attach.h"
#include "call.h"

typedef int command_runner(struct cni_call *call, struct json_t **ret_document, struct error *err);

static int run_main(struct cni_call *call, struct json_t **ret_document, struct error *err)
{
	switch (call->command) {
	case CNI_ADD:
		return cni_add(call, ret_document, err);
	case CNI_DEL:
		return cni_del(call, err);
	case CNI_CHECK:
		return cni_check(call, err);
	case CNI_GC:
		return cni_gc(call, err);
	default:
		return cni_status(call, err);
	}
}

int cni_run(const struct instance *instance, const struct cni_environment *environment,
	    const char *config, size_t config_size, char **ret_output)
{
	struct cni_call call = { .instance = instance,
				 .environment = environment,
				 .config = config,
				 .config_size = config_size };
	int status = call_answer(&call, run_main, ret_output);
	call_release(&call);
	return status;
}
