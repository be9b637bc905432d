/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many flows the kernel's tables hold and one endpoint may have open: what
 * the configuration says, else by the machine's memory.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/sysinfo.h>

#include "config.h"
#include "load.h"

#define FLOWS_DEFAULT (FLOWS_MAX / 2)
#define FLOWS_LEAST 8192
#define FLOWS_MOST (1 << 21)
/* A flow takes 420 bytes: half a percent of memory at most, unless more is asked for. */
#define MEMORY_BYTES_PER_FLOW 131072

static uint32_t flows_for_memory(void)
{
	struct sysinfo info;
	uint32_t flows = FLOWS_DEFAULT;
	if (sysinfo(&info) < 0)
		return FLOWS_LEAST;
	uint64_t room = (uint64_t)info.totalram * info.mem_unit / MEMORY_BYTES_PER_FLOW;
	while (flows > FLOWS_LEAST && flows > room)
		flows /= 2;
	return flows;
}

int load_flow_limits(const struct instance *instance, struct flow_limits *ret_limits,
		     struct error *err)
{
	int64_t flows = flows_for_memory(), each = 0;
	auto_config config = { 0 };

	int r = config_read(instance, &config, err);
	if (r == 1) {
		struct json_at root = config_root(&config);
		r = json_get_integer(&root, "flows", JSON_OPTIONAL, FLOWS_LEAST, FLOWS_MOST, &flows,
				     err);
		if (r >= 0)
			r = json_get_integer(&root, "flowsPerEndpoint", JSON_OPTIONAL, 1,
					     FLOWS_MOST, &each, err);
	}
	if (r < 0)
		return r;
	if (each == 0 || each > flows)
		each = each == 0 ? flows / 2 : flows;
	*ret_limits = (struct flow_limits){ (uint32_t)flows, (uint32_t)each };
	return 0;
}
