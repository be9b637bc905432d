/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "labels.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"

#define TABLE "cni/labels" /* container id, NUL, interface -> JSON */
#define LABELS_MAX 65536   /* bytes of one endpoint's; what is longer is not kept */
#define ANNOTATIONS "io.kubernetes.cri.pod-annotations"

struct key {
	char bytes[STORE_KEY_MAX];
	size_t size;
};

static struct key key_of(const struct lease_owner *owner)
{
	struct key key;
	int size = snprintf(key.bytes, sizeof key.bytes, "%s%c%s", owner->container_id, '\0',
			    owner->interface);
	key.size = (size_t)size < sizeof key.bytes ? (size_t)size : sizeof key.bytes - 1;
	return key;
}

/* Members are put only where they hold something. */
static void put_filled(struct json_t *object, const char *key, struct json_t *value)
{
	struct json_at at = json_root(value, key);
	if (json_count(&at))
		json_put(object, key, value);
	else
		json_free(value);
}

/* Pairs that ask for something are no labels. */
static bool is_request(const char *key)
{
	static const char *const requests[] = { "IP", "MAC", "GATEWAY", "IgnoreUnknown" };
	for (size_t i = 0; i < ARRAY_SIZE(requests); i++)
		if (text_equal(requests[i], key))
			return true;
	return false;
}

/* CNI_ARGS was checked by its gate: each piece is KEY=VALUE. */
static struct json_t *from_args(const char *text)
{
	struct json_t *object = json_new_object();
	auto_words pairs = { 0 };
	struct error ignored = { 0 };
	if (!text || !*text || words_split(text, ';', &pairs, &ignored) < 0)
		return object;
	for (size_t i = 0; i < pairs.count; i++) {
		char *equals = strchr(pairs.items[i], '=');
		if (!equals)
			continue;
		*equals = '\0';
		if (!is_request(pairs.items[i]))
			json_put_string(object, pairs.items[i], equals + 1);
	}
	return object;
}

/* [{"key": …, "value": …}], or an object; other forms are somebody else's. */
static struct json_t *from_labels(const struct json_at *labels)
{
	struct json_t *object = json_new_object();
	for (size_t i = 0; json_is_array(labels) && i < json_count(labels); i++) {
		struct json_at item = json_element(labels, i);
		const char *key = NULL, *value = NULL;
		struct error ignored = { 0 };
		if (json_is_object(&item) &&
		    json_get_string(&item, "key", JSON_REQUIRED, &key, &ignored) == 0 &&
		    json_get_string(&item, "value", JSON_REQUIRED, &value, &ignored) == 0)
			json_put_string(object, key, value);
	}
	for (size_t i = 0; json_is_object(labels) && i < json_count(labels); i++) {
		struct json_at member = json_member_at(labels, i);
		const char *value = NULL;
		struct error ignored = { 0 };
		if (json_as_string(&member, &value, &ignored) == 0)
			json_put_string(object, member.key, value);
	}
	return object;
}

static struct json_t *collect(const struct cni_call *call)
{
	struct json_at args = json_member(&call->root, "args"), cni = json_member(&args, "cni");
	struct json_at labels = json_member(&cni, "labels");
	struct json_at runtime = json_member(&call->root, "runtimeConfig");
	struct json_at annotations = json_member(&runtime, ANNOTATIONS);
	struct json_t *all = json_new_object();

	put_filled(all, "args", from_args(call->environment->args));
	put_filled(all, "labels", from_labels(&labels));
	put_filled(all, "annotations", from_labels(&annotations));
	return all;
}

int labels_keep(struct store *store, const struct cni_call *call, struct error *err)
{
	struct lease_owner owner = { call->environment->container_id,
				     call->environment->interface };
	struct key key = key_of(&owner);
	auto_json all = collect(call);
	auto_free char *text = NULL;
	struct json_at root = json_root(all, "labels");
	AUTO(store_txn) txn = NULL;

	if (json_count(&root) == 0)
		return 0;
	int r = json_format(all, JSON_COMPACT, &text, err);
	if (r < 0 || strlen(text) > LABELS_MAX)
		return r < 0 ? r : 0;
	r = store_begin(store, STORE_WRITE, &txn, err);
	if (r == 0)
		r = store_put(txn, TABLE, bytes_of(key.bytes, key.size), bytes_of_text(text), err);
	return r < 0 ? r : store_commit(&txn, err);
}

int labels_delete(struct store_txn *txn, const struct lease_owner *owner, struct error *err)
{
	struct key key = key_of(owner);
	return store_delete(txn, TABLE, bytes_of(key.bytes, key.size), err);
}

int cni_labels_read(struct store *store, const struct lease_owner *owner,
		    struct json_t **ret_labels, struct error *err)
{
	struct key key = key_of(owner);
	struct bytes value;
	AUTO(store_txn) txn = NULL;
	int r = store_begin(store, STORE_READ, &txn, err);

	if (r == 0)
		r = store_get(txn, TABLE, bytes_of(key.bytes, key.size), &value, err);
	if (r <= 0)
		return r;
	r = json_parse("labels in the store", value.data, value.size, ret_labels, err);
	return r < 0 ? r : 1;
}
