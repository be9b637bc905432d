/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the administrator chose: config.json of an instance, wherry-config(5). */
#include "base/error.h"
#include "base/instance.h"
#include "base/json.h"

/* All zero: there is none. Errors about its keys name its path, so it is kept beside them. */
struct config {
	char path[INSTANCE_PATH_MAX + 16];
	struct json_t *document;
};
void config_release(struct config *config);
#define auto_config __attribute__((cleanup(config_release))) struct config

/** 1 if the instance has one, 0 if not. The caller releases *ret_config (auto_config). */
int config_read(const struct instance *instance, struct config *ret_config, struct error *err);
/** Its keys; valid while config is. */
struct json_at config_root(const struct config *config);
