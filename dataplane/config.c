/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "config.h"

#include <stdio.h>

#include "base/file.h"

#define CONFIG_SIZE_MAX 65536

void config_release(struct config *config)
{
	json_freep(&config->document);
}

int config_read(const struct instance *instance, struct config *ret_config, struct error *err)
{
	snprintf(ret_config->path, sizeof ret_config->path, "%s/config.json", instance->config);
	if (!path_exists(ret_config->path))
		return 0;
	int r = json_read_file(ret_config->path, CONFIG_SIZE_MAX, &ret_config->document, err);
	return r < 0 ? r : 1;
}

struct json_at config_root(const struct config *config)
{
	return json_root(config->document, config->path);
}
