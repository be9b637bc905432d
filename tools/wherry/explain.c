/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "explain.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "runtime/engine.h"

struct steps_printer {
	struct engine_steps steps;
	enum explain_pace pace;
	unsigned number;
};

/* Waits for a line from the terminal: standard input belongs to the container. */
static void wait_for_return(void)
{
	char byte;
	auto_fd terminal = open("/dev/tty", O_RDWR | O_CLOEXEC);
	int fd = terminal >= 0 ? terminal : STDIN_FILENO;
	fprintf(stderr, "   (Return goes on) ");
	while (read(fd, &byte, 1) == 1 && byte != '\n')
		continue;
}

static void print_step(void *context, const char *what, const char *shown_by)
{
	struct steps_printer *printer = context;
	fprintf(stderr, "%2u. %s\n", ++printer->number, what);
	if (shown_by)
		fprintf(stderr, "      $ %s\n", shown_by);
	if (printer->pace == EXPLAIN_PAUSE)
		wait_for_return();
}

int steps_printer_create(enum explain_pace pace, struct steps_printer **ret_printer,
			 struct error *err)
{
	struct steps_printer *printer = calloc(1, sizeof *printer);
	if (!printer)
		return error_set(err, ENOMEM, "no memory for explain");
	printer->pace = pace;
	printer->steps = (struct engine_steps){ .step = print_step, .context = printer };
	*ret_printer = printer;
	return 0;
}

void steps_printer_free(struct steps_printer *printer)
{
	free(printer);
}

const struct engine_steps *steps_printer_steps(const struct steps_printer *printer)
{
	return &printer->steps;
}
