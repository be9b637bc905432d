/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Who is who, read once: the containers behind the slots that flows, drops and
 * counters name, for lists that would otherwise ask the store row by row.
 */
#include "base/cleanup.h"
#include "dataplane/dataplane.h"

struct directory_entry {
	char container_id[CONTAINER_ID_MAX];
	char name[CONTAINER_ID_MAX]; /* its first name; without one, 12 characters of the id */
	char interface[DEVICE_NAME_MAX];
	char network[NETWORK_NAME_MAX];
	char host_device[DEVICE_NAME_MAX];
	struct ip address;  /* IPv4, or IPv6 of one that has that alone */
	struct ip address6; /* unset: none */
	uint32_t host_ifindex;
	uint32_t slot;
	uint32_t generation;
	uint16_t network_id;
};
struct directory;
/** Reads all endpoints that are ready. The caller owns *ret_directory. */
int directory_load(struct store *store, struct directory **ret_directory, struct error *err);
void directory_free(struct directory *directory);
DEFINE_FREEP(directory)
/** The endpoint that has this slot in this generation (0: whichever); NULL if none has. Lent. */
const struct directory_entry *directory_by_slot(const struct directory *directory, uint32_t slot,
						uint32_t generation);
/**
 * The endpoint of a container by what people call it: a name, or the beginning of its id; the
 * one in `network` if that is not NULL. NULL if there is none. Lent.
 */
const struct directory_entry *directory_by_word(const struct directory *directory, const char *word,
						const char *network);
/** The endpoint with this address, in `network` if that is not NULL. NULL if none. Lent. */
const struct directory_entry *directory_by_address(const struct directory *directory,
						   struct ip address, const char *network);
/** All, by slot; NULL behind the last. */
const struct directory_entry *directory_at(const struct directory *directory, size_t index);
