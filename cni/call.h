/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One call of a plugin: what came in (environment, configuration), and where
 * it stands. The stage decides which error code of the specification a failure
 * has, so that no function below needs to know these codes.
 */
#include "args.h"
#include "base/instance.h"
#include "base/json.h"
#include "cni/cni.h"
#include "version.h"

enum cni_command {
	CNI_ADD,
	CNI_DEL,
	CNI_CHECK,
	CNI_GC,
	CNI_STATUS,
	CNI_VERSION,
	CNI_COMMAND_COUNT
};

/* What is being done, for the error's code (call_code). */
enum cni_stage {
	STAGE_ENVIRONMENT, /* 4 */
	STAGE_READ,        /* 5 */
	STAGE_DECODE,      /* 6 */
	STAGE_VERSION,     /* 1 */
	STAGE_CONFIG,      /* 7, or 2 for -EOPNOTSUPP */
	STAGE_NETNS,       /* 8, or 3 for -ENOENT */
	STAGE_STATUS,      /* 50, or 51 */
	STAGE_WORK,        /* 100 and above, or 11 */
};

struct cni_call {
	const struct instance *instance;
	struct instance named_instance; /* of the key "root", which wins */
	const struct cni_environment *environment;
	const char *config; /* the bytes of standard input; NULL: they could not be read */
	size_t config_size;
	enum cni_command command;
	enum cni_version version;
	struct cni_args args;
	struct json_t *document; /* owned */
	struct json_at root;     /* cursor of document */
	enum cni_stage stage;
	struct json_t *foreign_error; /* owned: a delegate's error object, handed on as it is */
};

/** Gate: checks the environment of a call: the command, and the variables that it needs. */
int call_read_environment(struct cni_call *call, struct error *err);
/** Gate: parses standard input, and checks that it is an object of a known version. */
int call_read_config(struct cni_call *call, struct error *err);
void call_release(struct cni_call *call);
/** The error object for a failure of this call; the caller owns it. */
struct json_t *call_error_document(struct cni_call *call, const struct error *err);
/**
 * Opens CNI_NETNS and checks that it is a namespace other than our own. The
 * caller owns *ret_fd.
 */
int call_open_netns(struct cni_call *call, int *ret_fd, struct error *err);
/**
 * Waits for the lock of this (container, interface), so that an ADD that is
 * killed and its DEL or next ADD never mix. The caller owns *ret_fd.
 */
int call_lock(const struct cni_call *call, int *ret_fd, struct error *err);

/* The commands of a plugin but VERSION. *ret_document stays NULL where nothing is printed. */
typedef int call_runner(struct cni_call *call, struct json_t **ret_document, struct error *err);
/** Runs the gates and the command; *ret_output as of cni_run. Returns the exit status. */
int call_answer(struct cni_call *call, call_runner *runner, char **ret_output);
