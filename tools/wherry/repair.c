/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "repair.h"

#include <errno.h>

#include "base/text.h"
#include "dataplane/firewall.h"
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

/* --- wherry check ---------------------------------------------------------------- */

struct findings {
	struct dataplane *dataplane;
	struct listing *listing;
	struct words
		before; /* what each endpoint lacked, "" for nothing; in the order of the ids */
	int missing;
};

static int look(struct findings *findings, const struct endpoints *endpoints, struct error *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < endpoints->ids.count; i++) {
		struct error trouble = { 0 };
		int lacking = endpoint_check(findings->dataplane, endpoints->ids.items[i],
					     endpoints->interfaces.items[i], &trouble);
		r = words_append(&findings->before, lacking < 0 ? trouble.text : "", err);
	}
	return r;
}

static void list(struct findings *findings, const struct endpoints *endpoints, size_t index)
{
	const char *before = findings->before.items[index];
	struct error trouble = { 0 };
	bool lacking = endpoint_check(findings->dataplane, endpoints->ids.items[index],
				      endpoints->interfaces.items[index], &trouble) < 0;
	if (!lacking && !*before)
		return;
	findings->missing += lacking;
	listing_text(findings->listing, "%s", lacking ? "missing" : "mended");
	listing_text(findings->listing, "%s", endpoints->ids.items[index]);
	listing_text(findings->listing, "%s", endpoints->interfaces.items[index]);
	listing_text(findings->listing, "%s", lacking ? trouble.text : before);
}

static int compare(struct findings *findings, bool repair, struct error *err)
{
	struct endpoints endpoints = { 0 };
	int r = endpoint_each(dataplane_store(findings->dataplane), NULL, NULL, remember,
			      &endpoints, err);
	if (r == 0)
		r = look(findings, &endpoints, err);
	if (r == 0 && repair)
		r = dataplane_reconcile(findings->dataplane, err);
	/* Rules that changed while no wherryd ran, or were not nftables'. */
	if (r == 0)
		r = firewall_judge_again(findings->dataplane, err);
	for (size_t i = 0; r == 0 && i < endpoints.ids.count; i++)
		list(findings, &endpoints, i);
	words_free(&endpoints.ids);
	words_free(&endpoints.interfaces);
	return r;
}

int repair_compare(struct dataplane *dataplane, bool repair, enum listing_format format, FILE *file,
		   struct error *err)
{
	static const struct listing_column columns[] = { { "RESULT", "result" },
							 { "CONTAINER", "containerId" },
							 { "INTERFACE", "interface" },
							 { "FINDING", "finding" } };
	AUTO(listing) listing = NULL;
	struct findings findings = { .dataplane = dataplane };
	int r = listing_create(format, columns, ARRAY_SIZE(columns), &listing, err);
	findings.listing = listing;
	if (r == 0)
		r = compare(&findings, repair, err);
	words_free(&findings.before);
	if (r == 0)
		r = listing_print(listing, file, err);
	return r < 0 ? r : findings.missing > 0;
}
