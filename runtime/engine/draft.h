/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* A container that is about to be made: all that `create` gathers and checks first. */
#include "record.h"
#include "saved.h"
#include "volume.h"

#define HOSTNAME_SIZE_MAX 64
#define VOLUMES_MAX 64

/* What is gathered before anything is made. */
struct draft {
	struct engine *engine;
	const struct container_options *options;
	char id[CONTAINER_ID_SIZE];
	char name[CONTAINER_NAME_MAX];
	char hostname[HOSTNAME_SIZE_MAX];
	struct path dir;
	struct image image;
	struct saved saved;
	struct volume *volumes;
	size_t volume_count;
	struct json_t *networks;        /* array */
	struct json_t *publish;         /* array of texts */
	struct json_t *health;          /* NULL: no check */
	struct words publish_from, env; /* env: what the flags set */
	char network_mode[CONTAINER_ID_SIZE + 16];
};

/** Checks the flags that speak of networks; fills networks and network_mode. */
int draft_take_network(struct draft *draft, struct error *err);
/** Checks the flags that mount something; fills volumes, and mounts them in saved's spec. */
int draft_take_volumes(struct draft *draft, struct error *err);
/** Whether something is mounted there. */
bool draft_has_volume_at(const struct draft *draft, const char *destination);
/** A list of texts as JSON. */
struct json_t *draft_words_json(const struct words *words);
