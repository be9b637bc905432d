/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nft/elements.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "nft/batch.h"

#define REQUEST_BYTES 49152 /* of one request: its attribute has a 16-bit length */
#define ELEMENT_HEADERS 32  /* attribute headers of an element, with padding */
#define NFGEN_HEADER 4      /* struct nfgenmsg in front of the attributes */

static void put_data(struct nl_msg *message, int attribute, const void *data, uint32_t size)
{
	struct nlattr *nest = nla_nest_start(message, attribute | NLA_F_NESTED);
	nla_put(message, NFTA_DATA_VALUE, (int)size, data);
	if (nest)
		nla_nest_end(message, nest);
}

static const void *item(const void *items, uint32_t index, uint32_t size)
{
	return items ? (const uint8_t *)items + (size_t)index * size : NULL;
}

static struct nft_elements part_of(const struct nft_set *set, const struct nft_elements *all,
				   uint32_t first, uint32_t count)
{
	const struct nft_set_shape *shape = &nft_sets[set->id];
	return (struct nft_elements){
		.keys = item(all->keys, first, shape->key_size),
		.values = item(all->values, first, shape->value_size),
		.notes = item(all->notes, first, shape->note_size),
		.count = count,
	};
}

static uint32_t part_size(const struct nft_set *set)
{
	const struct nft_set_shape *shape = &nft_sets[set->id];
	return REQUEST_BYTES /
	       (shape->key_size + shape->value_size + shape->note_size + ELEMENT_HEADERS);
}

static void put_element(const struct nft_set *set, struct nl_msg *message,
			const struct nft_elements *elements, uint32_t index)
{
	const struct nft_set_shape *shape = &nft_sets[set->id];
	struct nft_elements one = part_of(set, elements, index, 1);
	struct nlattr *element = nla_nest_start(message, NFTA_LIST_ELEM | NLA_F_NESTED);
	put_data(message, NFTA_SET_ELEM_KEY, one.keys, shape->key_size);
	if (one.values && shape->value_size)
		put_data(message, NFTA_SET_ELEM_DATA, one.values, shape->value_size);
	if (one.notes && shape->note_size)
		nla_put(message, NFTA_SET_ELEM_USERDATA, (int)shape->note_size, one.notes);
	if (element)
		nla_nest_end(message, element);
}

static void put_elements(const struct nft_set *set, struct nl_msg *message,
			 const struct nft_elements *elements)
{
	nla_put_string(message, NFTA_SET_ELEM_LIST_TABLE, set->table);
	nla_put_string(message, NFTA_SET_ELEM_LIST_SET, nft_sets[set->id].name);
	struct nlattr *list = nla_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS | NLA_F_NESTED);
	for (uint32_t i = 0; i < elements->count; i++)
		put_element(set, message, elements, i);
	if (list)
		nla_nest_end(message, list);
}

enum change { CHANGE_ADD, CHANGE_REPLACE, CHANGE_DELETE };

/* One transaction: all of these elements, or none. */
static int change_part(const struct nft_set *set, enum change change,
		       const struct nft_elements *elements, struct error *err)
{
	AUTO(nft_batch) batch = NULL;
	struct nl_msg *message;
	struct nft_elements keys = { .keys = elements->keys, .count = elements->count };
	int r = nft_batch_open(set->fd, set->table, &batch, err);
	if (r < 0)
		return r;
	if (change != CHANGE_ADD && (message = nft_batch_add(batch, NFT_MSG_DELSETELEM, 0)))
		put_elements(set, message, &keys);
	if (change != CHANGE_DELETE &&
	    (message = nft_batch_add(batch, NFT_MSG_NEWSETELEM, NLM_F_CREATE | NLM_F_EXCL)))
		put_elements(set, message, elements);
	return nft_batch_send(batch, nft_sets[set->id].name, err);
}

static int put_one(const struct nft_set *set, const struct nft_elements *one, struct error *err)
{
	struct error why = { 0 };
	int r = change_part(set, CHANGE_ADD, one, &why);
	if (r == -EEXIST || r == -EBUSY) {
		error_clear(&why);
		r = change_part(set, CHANGE_REPLACE, one, &why);
	}
	if (r < 0)
		*err = why;
	return r;
}

static int delete_one(const struct nft_set *set, const struct nft_elements *one, struct error *err)
{
	struct error why = { 0 };
	int r = change_part(set, CHANGE_DELETE, one, &why);
	if (r < 0 && r != -ENOENT) {
		*err = why;
		return r;
	}
	return 0;
}

/*
 * In large parts. One element that is there already, or lacks, refuses its whole
 * part: then that part goes element by element.
 */
static int change_all(const struct nft_set *set, enum change change,
		      const struct nft_elements *elements, struct error *err)
{
	uint32_t most = part_size(set);
	for (uint32_t done = 0; done < elements->count;) {
		uint32_t count = elements->count - done < most ? elements->count - done : most;
		struct nft_elements part = part_of(set, elements, done, count);
		struct error ignored = { 0 };
		int r = change_part(set, change, &part, &ignored);
		for (uint32_t i = 0; r < 0 && i < count; i++) {
			struct nft_elements one = part_of(set, &part, i, 1);
			int failure = change == CHANGE_DELETE ? delete_one(set, &one, err)
							      : put_one(set, &one, err);
			if (failure < 0)
				return failure;
		}
		done += count;
	}
	return 0;
}

int nft_elements_put(const struct nft_set *set, const struct nft_elements *elements,
		     struct error *err)
{
	return change_all(set, CHANGE_ADD, elements, err);
}

int nft_elements_delete(const struct nft_set *set, const void *keys, uint32_t count,
			struct error *err)
{
	struct nft_elements elements = { .keys = keys, .count = count };
	return change_all(set, CHANGE_DELETE, &elements, err);
}

/* The elements of an answer, one by one. */
static struct nlattr *first_element(const struct nlmsghdr *header, int *ret_left)
{
	struct nlattr *list = nlmsg_find_attr((struct nlmsghdr *)(uintptr_t)header, NFGEN_HEADER,
					      NFTA_SET_ELEM_LIST_ELEMENTS);
	*ret_left = list ? nla_len(list) : 0;
	return list ? nla_data(list) : NULL;
}

struct finding {
	void *note;
	uint32_t size;
};

static int read_note(const struct nlmsghdr *header, void *context, struct error *err)
{
	struct finding *finding = context;
	int left;
	struct nlattr *element = first_element(header, &left), *note;
	(void)err;
	if (!element || !nla_ok(element, left) || !finding->note)
		return 0;
	note = nla_find(nla_data(element), nla_len(element), NFTA_SET_ELEM_USERDATA);
	if (note && (uint32_t)nla_len(note) >= finding->size)
		memcpy(finding->note, nla_data(note), finding->size);
	return 0;
}

int nft_element_get(const struct nft_set *set, const void *key, void *ret_note, struct error *err)
{
	struct finding finding = { ret_note, nft_sets[set->id].note_size };
	struct nft_elements one = { .keys = key, .count = 1 };
	struct error why = { 0 };
	struct nl_msg *message = nft_question(NFT_MSG_GETSETELEM, 0);
	if (message)
		put_elements(set, message, &one);
	int r = nft_ask(set->fd, message, read_note, &finding, &why);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		*err = why;
	return r < 0 ? r : 1;
}

struct key_list {
	uint8_t *keys;
	uint32_t size, count, capacity;
};

static int keep_key(struct key_list *list, const struct nlattr *element, struct error *err)
{
	struct nlattr *key = nla_find(nla_data(element), nla_len(element), NFTA_SET_ELEM_KEY);
	struct nlattr *value = key ? nla_find(nla_data(key), nla_len(key), NFTA_DATA_VALUE) : NULL;
	if (!value || (uint32_t)nla_len(value) < list->size)
		return 0;
	if (list->count == list->capacity) {
		uint32_t capacity = list->capacity ? list->capacity * 2 : 64;
		uint8_t *keys = realloc(list->keys, (size_t)capacity * list->size);
		if (!keys)
			return error_set(err, ENOMEM, "no memory for the keys of a set");
		list->keys = keys;
		list->capacity = capacity;
	}
	memcpy(list->keys + (size_t)list->count++ * list->size, nla_data(value), list->size);
	return 0;
}

static int read_keys(const struct nlmsghdr *header, void *context, struct error *err)
{
	int left, r = 0;
	for (struct nlattr *element = first_element(header, &left);
	     r == 0 && element && nla_ok(element, left); element = nla_next(element, &left))
		r = keep_key(context, element, err);
	return r;
}

int nft_elements_keys(const struct nft_set *set, void **ret_keys, uint32_t *ret_count,
		      struct error *err)
{
	struct key_list list = { .size = nft_sets[set->id].key_size };
	struct nl_msg *message = nft_question(NFT_MSG_GETSETELEM, NLM_F_DUMP);
	if (message) {
		nla_put_string(message, NFTA_SET_ELEM_LIST_TABLE, set->table);
		nla_put_string(message, NFTA_SET_ELEM_LIST_SET, nft_sets[set->id].name);
	}
	int r = nft_ask(set->fd, message, read_keys, &list, err);
	if (r < 0) {
		free(list.keys);
		return r;
	}
	*ret_keys = list.keys;
	*ret_count = list.count;
	return 0;
}
