/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "attach_route.h"

struct ways_out {
	bool v4, v6;
};

static int note_gateways(const struct endpoint_info *info, void *context, struct error *err)
{
	struct ways_out *ways = context;
	(void)err;
	ways->v4 |= !ip_is_unset(info->gateway);
	ways->v6 |= !ip_is_unset(info->gateway6);
	return 0;
}

int attachment_default_routes(struct engine *engine, const struct container *container,
			      const struct attachment *attachment,
			      struct prefix ret_routes[DEFAULT_ROUTES_MAX], size_t *ret_count,
			      struct error *err)
{
	const struct prefix everywhere = { .ip = ip_from_v4((struct in_addr){ 0 }), .length = 0 };
	const struct prefix everywhere6 = { .length = 0 };
	struct ways_out others = { 0 };
	*ret_count = 0;
	if (attachment->network->spec.internal)
		return 0;
	int r = endpoint_each(dataplane_store(engine->dataplane), container->id, NULL,
			      note_gateways, &others, err);
	if (r < 0)
		return r;
	if (!others.v4 && !ip_is_unset(attachment->lease.ip))
		ret_routes[(*ret_count)++] = everywhere;
	if (!others.v6 && !ip_is_unset(attachment->lease6.ip))
		ret_routes[(*ret_count)++] = everywhere6;
	return 0;
}
