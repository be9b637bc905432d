/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a Dockerfile, and each word of it expanded. What must hold: an
 * error has a text that begins with the file's name, and is one line.
 */
#include "dockerfile.h"

#include <assert.h>
#include <string.h>

#include "fuzz.h"

static const char *look_up(const void *context, const char *name)
{
	(void)context;
	return *name == 'A' ? "value" : *name == 'E' ? "" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct dockerfile dockerfile;
	struct error err = { 0 };
	if (dockerfile_parse("Dockerfile", (const char *)data, size, &dockerfile, &err) < 0) {
		assert(text_starts_with(err.text, "Dockerfile:") && !strchr(err.text, '\n'));
		return 0;
	}
	for (size_t i = 0; i < dockerfile.count; i++)
		for (size_t k = 0; k < dockerfile.items[i].args.count; k++) {
			auto_free char *word = NULL;
			dockerfile_expand(dockerfile.items[i].args.items[k], dockerfile.escape,
					  look_up, NULL, &word, &err);
		}
	dockerfile_release(&dockerfile);
	return 0;
}
