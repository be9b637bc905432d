/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "call.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "base/text.h"

#define LOCK_TIMEOUT_MS 30000 /* CRI-O gives a plugin 60 s */

static int find_version(struct cni_call *call, struct error *err)
{
	const char *text = NULL;

	call->stage = STAGE_VERSION;
	int r = json_get_string(&call->root, "cniVersion", JSON_OPTIONAL, &text, err);
	return r < 0 ? r : cni_version_parse(text, &call->version, err);
}

/* CHECK came with 0.4.0, GC and STATUS with 1.1.0. */
static int check_command_version(const struct cni_call *call, struct error *err)
{
	enum cni_version least = CNI_0_1_0;

	if (call->command == CNI_CHECK)
		least = CNI_0_4_0;
	if (call->command == CNI_GC || call->command == CNI_STATUS)
		least = CNI_1_1_0;
	if (call->version >= least)
		return 0;
	return error_set(err, EINVAL, "CNI_COMMAND %s needs cniVersion %s or above, not %s",
			 call->environment->command, cni_version_text(least),
			 cni_version_text(call->version));
}

/* The key "root" moves the state of this network to another instance. */
static int find_root(struct cni_call *call, struct error *err)
{
	const char *root = NULL;

	call->stage = STAGE_CONFIG;
	int r = json_get_string(&call->root, "root", JSON_OPTIONAL, &root, err);
	if (r < 0 || !root || !*root)
		return r;
	struct json_at place = json_member(&call->root, "root");
	if (*root != '/')
		return json_error(&place, err, EINVAL, "\"%.64s\" must be an absolute path", root);
	r = instance_init(root, &call->named_instance, err);
	if (r == 0)
		call->instance = &call->named_instance;
	return r;
}

int call_read_config(struct cni_call *call, struct error *err)
{
	call->stage = STAGE_READ;
	if (!call->config)
		return error_set(err, EIO, "standard input cannot be read");
	call->stage = STAGE_DECODE;
	if (call->config_size == 0)
		return error_set(err, EINVAL,
				 "standard input is empty: it must hold the network "
				 "configuration");
	int r = json_parse("standard input", call->config, call->config_size, &call->document, err);
	if (r < 0)
		return r;
	call->root = json_root(call->document, "standard input");
	if (!json_is_object(&call->root))
		return error_set(err, EINVAL, "standard input: must be an object");
	r = find_version(call, err);
	if (r == 0)
		r = check_command_version(call, err);
	return r < 0 ? r : find_root(call, err);
}

void call_release(struct cni_call *call)
{
	json_free(call->document);
	json_free(call->foreign_error);
}

struct code_row {
	int error, code;
};

/* Our own codes begin at 100; 11 says that a later try may help. */
static int code_of(enum cni_stage stage, int error)
{
	static const int of_stage[] = {
		[STAGE_ENVIRONMENT] = 4, [STAGE_READ] = 5,   [STAGE_DECODE] = 6,
		[STAGE_VERSION] = 1,     [STAGE_CONFIG] = 7, [STAGE_NETNS] = 8,
		[STAGE_STATUS] = 50,     [STAGE_WORK] = 100,
	};
	static const struct code_row of_work[] = {
		{ EADDRINUSE, 101 }, { ENOSPC, 102 }, { EEXIST, 103 }, { ERANGE, 104 },
		{ EPERM, 105 },      { EACCES, 105 }, { EAGAIN, 11 },  { ETIMEDOUT, 11 },
	};

	if (stage == STAGE_CONFIG && error == EOPNOTSUPP)
		return 2;
	if (stage == STAGE_NETNS && error == ENOENT)
		return 3;
	if (stage == STAGE_STATUS && error == EUCLEAN)
		return 51;
	for (size_t i = 0; stage == STAGE_WORK && i < ARRAY_SIZE(of_work); i++)
		if (of_work[i].error == error)
			return of_work[i].code;
	return of_stage[stage];
}

struct json_t *call_error_document(struct cni_call *call, const struct error *err)
{
	if (call->foreign_error)
		return json_clone(call->foreign_error);
	/* Before the version is known, the latest is the best guess. */
	enum cni_version version = call->stage < STAGE_CONFIG ? CNI_VERSION_LATEST : call->version;
	struct json_t *document = json_new_object();

	json_put_string(document, "cniVersion", cni_version_text(version));
	json_put_integer(document, "code", code_of(call->stage, err->code));
	json_put_string(document, "msg", err->text);
	return document;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; *text; text++)
		hash = (hash ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
	return hash;
}

int call_lock(const struct cni_call *call, int *ret_fd, struct error *err)
{
	uint64_t hash = hash_text(UINT64_C(0xcbf29ce484222325), call->environment->container_id);
	char path[INSTANCE_PATH_MAX + 32];

	hash = hash_text(hash, call->environment->interface);
	snprintf(path, sizeof path, "%s/attaching.lock", call->instance->run);
	int r = lock_take_slot(path, (uint32_t)(hash >> 32), LOCK_TIMEOUT_MS, ret_fd, err);
	if (r == -EWOULDBLOCK)
		return error_set(err, ETIMEDOUT, "another call for container %s (%s) does not end",
				 call->environment->container_id, call->environment->interface);
	return r;
}
