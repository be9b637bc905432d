/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Running another plugin for a part of the work (spec section 4): the same
 * bytes on its standard input, the same environment but for CNI_COMMAND, its
 * messages on our standard error, its error object handed on as it is.
 */
#include "call.h"

/**
 * Runs plugin `type` from CNI_PATH. *ret_document (owned by the caller) is what
 * it printed, NULL if nothing. When the plugin fails, its own error object is
 * kept in call->foreign_error and the result is -EREMOTEIO; -ETIMEDOUT when it
 * had to be killed; -ENOENT when there is no such plugin.
 */
int delegate_run(struct cni_call *call, const char *type, const char *command,
		 struct json_t **ret_document, struct error *err);
