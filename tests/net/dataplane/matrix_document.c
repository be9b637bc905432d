/* SPDX-License-Identifier: GPL-2.0-or-later */
/* docs/reach.md tells what the access matrix tests. */
#include "matrix.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"

#define DOCUMENT_MAX (1u << 20)

struct line {
	char text[256];
};

static const char *or_same(const char *text)
{
	return text ? text : "";
}

/* A row of the tables in docs/reach.md. */
static struct line documented(const struct matrix_row *row)
{
	struct line line;
	snprintf(line.text, sizeof line.text, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n",
		 row->client, row->asks, matrix_port_names[row->port], row->tcp, or_same(row->udp),
		 or_same(row->sctp), or_same(row->nft), or_same(row->v6), or_same(row->nft6));
	return line;
}

static void the_documentation_has_these_tables(void **state)
{
	const char *source = getenv("WHERRY_SOURCE");
	auto_free char *text = NULL;
	char path[512];
	size_t size, missing = 0;
	struct error err = { 0 };
	(void)state;
	snprintf(path, sizeof path, "%s/docs/reach.md", source ? source : ".");
	if (file_read(path, DOCUMENT_MAX, &text, &size, &err) == -ENOENT)
		skip(); /* the guest has no sources */
	if (!text)
		fail_msg("%s", err.text);
	for (size_t i = 0; i < matrix_count; i++)
		for (size_t k = 0; k < matrices[i].count; k++) {
			struct line line = documented(&matrices[i].rows[k]);
			if (strstr(text, line.text))
				continue;
			missing++;
			print_error("%s", line.text);
		}
	if (missing)
		fail_msg("docs/reach.md lacks these %zu rows", missing);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_documentation_has_these_tables) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
