/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gc_list.h"

#include <errno.h>

void gc_list_release(struct gc_list *list)
{
	words_free(&list->kept);
	words_free(&list->dead);
}

int gc_list_read(struct cni_call *call, struct gc_list *ret_list, struct error *err)
{
	static const char *const keys[] = { "cni.dev/valid-attachments", "cni.dev/attachments" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		struct json_at at = json_member(&call->root, keys[i]);
		if (at.value)
			return json_get_array(&call->root, keys[i], JSON_OPTIONAL, &ret_list->valid,
					      err);
	}
	return error_set(err, EINVAL, "standard input: cni.dev/valid-attachments: is missing");
}

static bool is_valid(const struct gc_list *list, const char *container_id, const char *interface)
{
	struct error ignored = { 0 };

	for (size_t i = 0; i + 1 < list->kept.count; i += 2)
		if (text_equal(list->kept.items[i], container_id) &&
		    text_equal(list->kept.items[i + 1], interface))
			return true;
	for (size_t i = 0; i < json_count(&list->valid); i++) {
		struct json_at item = json_element(&list->valid, i);
		const char *id = NULL, *name = NULL;
		json_get_string(&item, "containerID", JSON_OPTIONAL, &id, &ignored);
		json_get_string(&item, "ifname", JSON_OPTIONAL, &name, &ignored);
		if (text_equal(id, container_id) && text_equal(name, interface))
			return true;
	}
	return false;
}

static int add_owner(struct words *words, const char *container_id, const char *interface,
		     struct error *err)
{
	int r = words_append(words, container_id, err);
	return r < 0 ? r : words_append(words, interface, err);
}

int gc_list_keep(struct gc_list *list, const char *container_id, const char *interface,
		 struct error *err)
{
	return add_owner(&list->kept, container_id, interface, err);
}

int gc_list_sweep(struct gc_list *list, const char *container_id, const char *interface,
		  struct error *err)
{
	if (is_valid(list, container_id, interface))
		return 0;
	return add_owner(&list->dead, container_id, interface, err);
}

static int sweep_lease(struct ip ip, const char *container_id, const char *interface,
		       int64_t taken_at_ns, void *context, struct error *err)
{
	(void)ip;
	(void)taken_at_ns;
	return gc_list_sweep(context, container_id, interface, err);
}

int gc_list_sweep_leases(struct gc_list *list, struct store_txn *txn, const char *network,
			 struct error *err)
{
	return lease_each(txn, network, sweep_lease, list, err);
}
