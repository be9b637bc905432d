/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * STATUS: could ADD work (error 50), and are those well that are there already
 * (error 51)? Maps, programs and gateways are looked at; nothing is changed.
 */
#include "attach.h"

#include <errno.h>

#include "config.h"
#include "dataplane/verify.h"
#include "delegate.h"

/* An uplink is taken in by the next ADD or by wherryd: the node is not to be closed for it. */
static int keep_finding(const char *finding, void *context, struct error *err)
{
	char *kept = context;

	(void)err;
	if (!*kept && !text_starts_with(finding, "uplink "))
		snprintf(kept, ERROR_TEXT_MAX, "%s", finding);
	return 0;
}

static int see_endpoint(const struct endpoint_info *info, void *context, struct error *err)
{
	(void)context;
	(void)err;
	return info->state == ENDPOINT_READY;
}

/* ADD makes again what is missing; who is attached already suffers until then. */
static int check_running(struct dataplane *dataplane, struct error *err)
{
	char finding[ERROR_TEXT_MAX] = "";
	int r = dataplane_verify(dataplane, VERIFY_DEVICES, keep_finding, finding, err);

	if (r < 0 || !*finding)
		return r < 0 ? r : 0;
	r = endpoint_each(dataplane_store(dataplane), NULL, NULL, see_endpoint, NULL, err);
	return r > 0 ? error_set(err, EUCLEAN, "%s", finding) : r;
}

static int check_room(struct dataplane *dataplane, const struct cni_config *config,
		      struct error *err)
{
	AUTO(store_txn) txn = NULL;
	size_t full = 0;
	int r = store_begin(dataplane_store(dataplane), STORE_READ, &txn, err);

	if (r == 0)
		r = lease_available(txn, config->name, &config->ipam, &full, err);
	if (r == 0)
		return error_set(err, ENOSPC, "no free address in %s-%s of network %s",
				 ip_format(config->ipam.sets[full].ranges[0].first).text,
				 ip_format(config->ipam.sets[full].ranges[0].last).text,
				 config->name);
	return r < 0 ? r : 0;
}

int cni_status(struct cni_call *call, struct error *err)
{
	AUTO(cni_config) config = NULL;
	AUTO(dataplane) dataplane = NULL;
	auto_json output = NULL;
	int r = cni_config_read(call, &config, err);

	if (r < 0)
		return r;
	call->stage = STAGE_STATUS;
	r = dataplane_open(call->instance, &dataplane, err);
	if (r == 0)
		r = check_running(dataplane, err);
	if (r == 0 && config->ipam_kind == IPAM_OWN)
		r = check_room(dataplane, config, err);
	if (r == 0 && config->ipam_kind == IPAM_FOREIGN)
		r = delegate_run(call, config->ipam_type, "STATUS", &output, err);
	return r;
}
