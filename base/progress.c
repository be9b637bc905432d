/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bar on a terminal; elsewhere one line at the end. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/table.h"

#define BAR_WIDTH 40
#define REDRAW_MS 100

struct progress {
	FILE *file;
	char *label;
	uint64_t total, drawn_at_ms;
	bool terminal;
};

int progress_create(FILE *file, const char *label, uint64_t total_units,
		    struct progress **ret_progress, struct error *err)
{
	AUTO(progress) progress = calloc(1, sizeof *progress);
	if (progress)
		progress->label = strdup(label);
	if (!progress || !progress->label)
		return error_set(err, ENOMEM, "no memory for progress");
	progress->file = file;
	progress->total = total_units;
	progress->terminal = isatty(fileno(file)) == 1;
	*ret_progress = TAKE(progress);
	return 0;
}

void progress_update(struct progress *progress, uint64_t done_units)
{
	uint64_t now = clock_monotonic_ms();
	if (!progress->terminal || now - progress->drawn_at_ms < REDRAW_MS)
		return;
	progress->drawn_at_ms = now;
	if (progress->total == 0) {
		fprintf(progress->file, "\r%s: %llu", progress->label,
			(unsigned long long)done_units);
	} else {
		char bar[BAR_WIDTH + 1];
		uint64_t done = done_units > progress->total ? progress->total : done_units;
		size_t full = (size_t)(done * BAR_WIDTH / progress->total);
		memset(bar, '=', full);
		memset(bar + full, ' ', BAR_WIDTH - full);
		bar[BAR_WIDTH] = '\0';
		fprintf(progress->file, "\r%s: [%s] %3u %%", progress->label, bar,
			(unsigned)(done * 100 / progress->total));
	}
	fflush(progress->file);
}

void progress_finish(struct progress *progress, const char *word)
{
	fprintf(progress->file, "%s%s: %s\n", progress->terminal ? "\r\033[K" : "", progress->label,
		word);
}

void progress_free(struct progress *progress)
{
	if (!progress)
		return;
	free(progress->label);
	free(progress);
}
