/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A Dockerfile becomes a list of instructions with their lines. Variables are
 * expanded later, when their values are known, by dockerfile_expand.
 */
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/text.h"

#define DOCKERFILE_SIZE_MAX (1u << 20)
#define DOCKERFILE_INSTRUCTIONS_MAX 1000

enum instruction_kind {
	INSTRUCTION_FROM,
	INSTRUCTION_RUN,
	INSTRUCTION_COPY,
	INSTRUCTION_ADD,
	INSTRUCTION_ENV,
	INSTRUCTION_WORKDIR,
	INSTRUCTION_CMD,
	INSTRUCTION_ENTRYPOINT,
	INSTRUCTION_EXPOSE,
	INSTRUCTION_USER,
	INSTRUCTION_LABEL,
	INSTRUCTION_ARG,
	INSTRUCTION_VOLUME,
	INSTRUCTION_STOPSIGNAL,
	INSTRUCTION_HEALTHCHECK,
	INSTRUCTION_SHELL,
	INSTRUCTION_MAINTAINER,
	INSTRUCTION_COUNT
};
const char *instruction_name(enum instruction_kind kind);

struct instruction {
	enum instruction_kind kind;
	unsigned line;      /* where it begins */
	char *text;         /* "COPY --chown=1 a b", one line, for people */
	char *rest;         /* what stands behind the keyword and its flags */
	struct words flags; /* "--chown=1" */
	bool json;          /* rest is a JSON list: args are its items */
	struct words args;  /* JSON items, or words; ENV, LABEL, ARG: with their quotes */
};
struct dockerfile {
	char *name; /* for errors */
	char escape;
	struct instruction *items;
	size_t count;
};
void dockerfile_release(struct dockerfile *dockerfile);
/**
 * Gate: the text of a Dockerfile. Errors begin with "NAME:LINE: ". Checks that
 * the first instruction (but ARG) is FROM and that each has enough words.
 */
int dockerfile_parse(const char *name, const char *text, size_t size,
		     struct dockerfile *ret_dockerfile, struct error *err);
/** Fills err with "NAME:LINE: message"; returns -code. */
int dockerfile_error(const struct dockerfile *dockerfile, const struct instruction *instruction,
		     struct error *err, int code, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/** Splits at blanks, but not inside quotes; quotes and escapes stay. -EINVAL: an open quote. */
int dockerfile_split(const char *text, char escape, struct words *ret_words, struct error *err);
/**
 * Expands $NAME, ${NAME}, ${NAME:-word}, ${NAME:+word} (and without the
 * colon), removes quotes and escapes. look_up returns NULL for unset names.
 */
int dockerfile_expand(const char *text, char escape,
		      const char *(*look_up)(const void *context, const char *name),
		      const void *context, char **ret_text, struct error *err);
