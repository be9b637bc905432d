/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repair.h"

#include <errno.h>

#include "base/text.h"
#include "dataplane/verify.h"

/* Ids and interfaces, taken first: a check reads the store itself. */
struct endpoints {
	struct words ids, interfaces;
};

static int remember(const struct endpoint_info *info, void *context, struct error *err)
{
	struct endpoints *endpoints = context;
	int r = words_append(&endpoints->ids, info->container_id, err);
	return r < 0 ? r : words_append(&endpoints->interfaces, info->interface, err);
}

static int check_each(struct dataplane *dataplane, const struct endpoints *endpoints, FILE *file)
{
	int failed = 0;
	for (size_t i = 0; i < endpoints->interfaces.count; i++) {
		struct error trouble;
		const char *id = endpoints->ids.items[i];
		const char *interface = endpoints->interfaces.items[i];
		if (endpoint_check(dataplane, id, interface, &trouble) == 0)
			continue;
		fprintf(file, "%.12s %s: %s\n", id, interface, trouble.text);
		failed++;
	}
	return failed;
}

static int print_finding(const char *finding, void *context, struct error *err)
{
	(void)err;
	fprintf(context, "%s\n", finding);
	return 0;
}

int repair_check(struct dataplane *dataplane, FILE *file, struct error *err)
{
	struct endpoints endpoints = { 0 };
	int found = dataplane_verify(dataplane, VERIFY_DEVICES, print_finding, file, err);
	if (found < 0)
		return found;
	int r = endpoint_each(dataplane_store(dataplane), NULL, NULL, remember, &endpoints, err);
	if (r == 0)
		r = check_each(dataplane, &endpoints, file);
	words_free(&endpoints.ids);
	words_free(&endpoints.interfaces);
	return r < 0 ? r : r + found;
}

int repair_reconcile(struct dataplane *dataplane, FILE *file, struct error *err)
{
	int r = dataplane_reconcile(dataplane, err);
	if (r == 0)
		r = dataplane_collect(dataplane, err);
	return r < 0 ? r : repair_check(dataplane, file, err);
}
