/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wherry drops`: why packets went no further, and whose they were. */
#include <errno.h>

#include "bpf/abi.h"
#include "dataplane/directory.h"
#include "observe.h"

static const char *const reason_words[] = {
#define X(number, symbol, text, meaning) text,
	DROP_REASONS(X)
#undef X
};

int drop_filter_fill(struct dataplane *dataplane, const struct drop_choice *choice,
		     struct drop_filter *ret_filter, struct error *err)
{
	AUTO(directory) directory = NULL;
	*ret_filter = (struct drop_filter){ .reason = choice->reason, .network = choice->network };
	bool known = !choice->reason;
	for (size_t i = 1; !known && i < ARRAY_SIZE(reason_words); i++)
		known = text_equal(choice->reason, reason_words[i]);
	if (!known)
		return error_set(err, EINVAL, "--reason %s: there is no such reason",
				 choice->reason);
	if (!choice->container)
		return 0;
	int r = directory_load(dataplane_store(dataplane), &directory, err);
	if (r < 0)
		return r;
	const struct directory_entry *entry = directory_by_word(directory, choice->container, NULL);
	if (!entry)
		return error_set(err, ENOENT, "no such container: %s", choice->container);
	snprintf(ret_filter->container_id, sizeof ret_filter->container_id, "%s",
		 entry->container_id);
	return 0;
}

bool drop_is_wanted(const struct drop_filter *filter, const char *reason, const char *container_id,
		    const char *network)
{
	return (!filter->reason || text_equal(filter->reason, reason)) &&
	       (!filter->network || text_equal(filter->network, network)) &&
	       (!filter->container_id[0] || text_equal(filter->container_id, container_id));
}

struct walk {
	struct listing *listing;
	struct directory *directory;
	const struct drop_filter *filter;
};

static int list_drop(const struct drop_row *row, void *context, struct error *err)
{
	struct walk *walk = context;
	const struct directory_entry *entry = directory_by_slot(walk->directory, row->slot, 0);
	(void)err;
	if (!drop_is_wanted(walk->filter, row->reason, row->container_id, row->network))
		return 0;
	listing_text(walk->listing, "%s", row->reason);
	listing_text(walk->listing, "%.48s", entry ? entry->name : "");
	listing_text(walk->listing, "%s", row->container_id);
	listing_text(walk->listing, "%s", row->network);
	listing_number(walk->listing, row->packets);
	listing_number(walk->listing, row->bytes);
	listing_text(walk->listing, "%llu s ago", (unsigned long long)row->ago_s);
	listing_number(walk->listing, row->ago_s);
	listing_text(walk->listing, "%s", row->meaning);
	return 0;
}

int observe_drops(struct dataplane *dataplane, const struct drop_filter *filter,
		  enum listing_format format, FILE *file, struct error *err)
{
	static const struct listing_column columns[] = {
		{ "REASON", "reason" },   { "CONTAINER", "container" }, { NULL, "containerId" },
		{ "NETWORK", "network" }, { "PACKETS", "packets" },     { "BYTES", "bytes" },
		{ "LAST SEEN", NULL },    { NULL, "lastSeenSeconds" },  { "MEANING", "meaning" },
	};
	AUTO(listing) listing = NULL;
	AUTO(directory) directory = NULL;
	int r = listing_create(format, columns, ARRAY_SIZE(columns), &listing, err);
	if (r == 0)
		r = directory_load(dataplane_store(dataplane), &directory, err);
	if (r < 0)
		return r;
	struct walk walk = { .listing = listing, .directory = directory, .filter = filter };
	r = drops_each(dataplane, list_drop, &walk, err);
	return r < 0 ? r : listing_print(listing, file, err);
}
