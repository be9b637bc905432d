/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * The index of names: container id (whole and its first 12 characters), host
 * name, name and aliases, in lower case. Several endpoints may have one name.
 */
#include "state.h"

/** Inside the caller's transaction: puts (takes) all names of the endpoint. */
int names_index(struct store_txn *txn, const struct endpoint_info *info, struct error *err);
int names_unindex(struct store_txn *txn, const struct endpoint_info *info, struct error *err);
