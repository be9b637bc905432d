/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * One life of a container, from the making of its namespaces to its exit code:
 * its first process, the pipes or the terminal, and what is still to be given
 * to its standard input.
 */
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "runtime/log_file.h"
#include "runtime/oci.h"

#define LIFE_INPUT_MAX 4096 /* bytes of standard input that wait: one frame */

struct life {
	struct oci_container container;
	int output[LOG_STREAM_COUNT]; /* -1: at its end; with a terminal only the first */
	int input;                    /* -1: none, or ended */
	bool terminal;
	bool input_ends; /* when what waits is written */
	uint8_t waiting[LIFE_INPUT_MAX];
	size_t waiting_size;
	bool exited;
	int exit_code;
	uint64_t started_ms;
};

/** Makes namespaces, root and pipes; the program waits. */
int life_create(const struct oci_spec *spec, bool interactive, struct life *ret_life,
		struct error *err);
/** Lets the program run; error codes as oci_start. */
int life_start(struct life *life, struct error *err);
/** Kills it if it runs, and closes everything. */
void life_end(struct life *life);
/** Takes bytes for standard input; only if nothing waits. */
void life_take_input(struct life *life, const uint8_t *data, size_t size);
void life_end_input(struct life *life);
void life_resize(struct life *life, uint16_t rows, uint16_t columns);
/** Fills at most 4 entries. */
size_t life_poll(const struct life *life, bool take_output, struct pollfd *fds);
/** Reads what there is of a stream. Bytes; 0: nothing now, or its end (output[stream] is -1 then).
 */
size_t life_read(struct life *life, int stream, uint8_t *data, size_t size);
/** Does what poll found with the input and the process itself. */
void life_handle(struct life *life);
