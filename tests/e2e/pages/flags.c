/* SPDX-License-Identifier: GPL-2.0-or-later */
/* docs/docker-flags.md says of each flag whether it is there; the verbs' own help is the judge. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/process.h"
#include "base/text.h"

#define OUTPUT_MAX (1 << 20)
#define TIMEOUT_MS 30000

static char *help_of(const char *verb)
{
	auto_words argv = { 0 };
	struct error err;
	char path[4096], *output;
	size_t size;
	int status;
	snprintf(path, sizeof path, "%s/wherry", getenv("WHERRY_BIN"));
	assert_int_equal(words_append(&argv, path, &err), 0);
	assert_int_equal(words_split(verb, ' ', &argv, &err), 0);
	assert_int_equal(words_append(&argv, "--help", &err), 0);
	struct process_spec spec = { .path = path,
				     .argv = argv.items,
				     .stdin_fd = -1,
				     .stdout_fd = -1,
				     .stderr_fd = STDERR_FILENO };
	assert_int_equal(
		process_run(&spec, "", 0, OUTPUT_MAX, TIMEOUT_MS, &output, &size, &status, &err),
		0);
	if (status != 0)
		fail_msg("%s: there is no such verb", verb);
	return output;
}

/* "  -a, --all  Help" or "      --all NAME  Help". */
static bool has_flag(const char *help, const char *flag)
{
	char wanted[128];
	size_t size = (size_t)snprintf(wanted, sizeof wanted, "%s", flag);
	for (const char *at = strstr(help, wanted); at; at = strstr(at + 1, wanted))
		if (at[-1] == ' ' && (at[size] == ' ' || at[size] == '\n'))
			return true;
	return false;
}

/* Texts name other flags too: an option stands behind blanks, and its letter. */
static bool begins_line(const char *text, const char *at)
{
	const char *line = at;
	while (line > text && line[-1] != '\n')
		line--;
	line += strspn(line, " ");
	return line == at || (line[0] == '-' && line[1] != '-' && line + 4 == at);
}

struct row {
	char verb[64], flag[64], there[16];
};

static bool read_row(const char *line, struct row *row)
{
	if (sscanf(line, "| %63[^|]| `%63[^`]` | %15[a-z] |", row->verb, row->flag, row->there) !=
	    3)
		return false;
	row->verb[strlen(row->verb) - 1] = 0; /* the blank before the bar */
	return true;
}

static char *read_page(void)
{
	char path[4096], *page = NULL;
	size_t size;
	struct error err;
	snprintf(path, sizeof path, "%s/docs/docker-flags.md", getenv("WHERRY_SOURCE"));
	assert_int_equal(file_read(path, OUTPUT_MAX, &page, &size, &err), 0);
	return page;
}

static void each_row_is_true(void **state)
{
	auto_free char *page = read_page(), *help = NULL;
	char verb[64] = "", *save = NULL;
	size_t count = 0;
	(void)state;
	for (char *line = strtok_r(page, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct row row;
		if (!read_row(line, &row))
			continue;
		count++;
		if (!text_equal(verb, row.verb)) {
			free(help);
			help = help_of(row.verb);
			snprintf(verb, sizeof verb, "%s", row.verb);
		}
		if (has_flag(help, row.flag) == text_equal(row.there, "no"))
			fail_msg("%s", line);
	}
	assert_true(count > 300);
}

/* Every option of a verb that the page names is on the page. */
static void no_flag_is_left_out(void **state)
{
	auto_free char *page = read_page(), *copy = read_page();
	char verb[64] = "", *save = NULL;
	(void)state;
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct row row;
		if (!read_row(line, &row) || text_equal(verb, row.verb))
			continue;
		snprintf(verb, sizeof verb, "%s", row.verb);
		auto_free char *help = help_of(verb);
		const char *options = strstr(help, "Options:");
		for (const char *at = options ? strstr(options, " --") : NULL; at;
		     at = strstr(at + 1, " --")) {
			char wanted[192];
			size_t size = strcspn(at + 1, " \n");
			if (!begins_line(options, at + 1))
				continue;
			if (strncmp(at + 1, "--help", size) == 0)
				continue;
			snprintf(wanted, sizeof wanted, "| %s | `%.*s` |", verb, (int)size, at + 1);
			if (!strstr(page, wanted))
				fail_msg("docs/docker-flags.md lacks %s", wanted);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_is_true),
		cmocka_unit_test(no_flag_is_left_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
