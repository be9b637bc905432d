/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Parts of the spec that the runtime's own files share.
 */
#include "runtime/oci.h"

/** No limit at all. */
void oci_resources_clear(struct oci_resources *resources);
/** "mount" for OCI_NS_MOUNT; as OCI's config spells it. */
const char *oci_namespace_name(enum oci_namespace kind);
/** "prestart" for OCI_HOOK_PRESTART. */
const char *oci_hook_name(enum oci_hook_when when);
const char *oci_rlimit_name(int resource);
