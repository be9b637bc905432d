/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Networks and endpoints as bytes in the store: fields in a fixed order behind
 * a version byte, all numbers little-endian. A record of another version is
 * refused with a word, not misread.
 */
#include "base/store.h"
#include "dataplane/dataplane.h"

/** The caller frees ret_text->data (auto_text). */
int network_encode(const struct network_info *info, struct text *ret_text, struct error *err);
/** Gate: -EBADMSG for a cut or foreign record. */
int network_decode(struct bytes bytes, struct network_info *ret_info, struct error *err);
int endpoint_encode(const struct endpoint_info *info, struct text *ret_text, struct error *err);
/** Gate: as network_decode; release *ret_info. */
int endpoint_decode(struct bytes bytes, struct endpoint_info *ret_info, struct error *err);
