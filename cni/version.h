/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The versions of the CNI protocol that are spoken, and what differs between
 * them. Ordered, so that `version >= CNI_1_0_0` reads as it should.
 */
#include <stdbool.h>

#include "base/json.h"

enum cni_version {
	CNI_0_1_0,
	CNI_0_2_0,
	CNI_0_3_0,
	CNI_0_3_1,
	CNI_0_4_0,
	CNI_1_0_0,
	CNI_1_1_0,
	CNI_VERSION_COUNT
};
#define CNI_VERSION_LATEST CNI_1_1_0

const char *cni_version_text(enum cni_version version);
/** 0, or -EINVAL with a text that names the known ones. NULL stands for 0.1.0. */
int cni_version_parse(const char *text, enum cni_version *ret_version, struct error *err);
/** The answer to VERSION; the caller owns it. */
struct json_t *cni_version_document(const char *version);
