/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a person reads about a verb is there for every verb, and says what is true. */
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

/* Runs program with these words; what it prints, and its status. */
static char *run(const char *program, const char *words, const char *input, int *ret_status)
{
	auto_words argv = { 0 };
	struct error err;
	char *output;
	size_t size;
	assert_int_equal(words_append(&argv, program, &err), 0);
	if (*words)
		assert_int_equal(words_split(words, ' ', &argv, &err), 0);
	struct process_spec spec = { .path = program,
				     .argv = argv.items,
				     .stdin_fd = -1,
				     .stdout_fd = -1,
				     .stderr_fd = STDERR_FILENO };
	if (process_run(&spec, input, strlen(input), OUTPUT_MAX, TIMEOUT_MS, &output, &size,
			ret_status, &err) < 0)
		fail_msg("%s %s: %s", program, words, err.text);
	return output;
}

static char *wherry(const char *words, int *ret_status)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/wherry", getenv("WHERRY_BIN"));
	return run(path, words, "", ret_status);
}

static void all_verbs(struct words *verbs)
{
	struct error err;
	int status;
	auto_free char *names = wherry("man-page", &status);
	assert_int_equal(status, 0);
	assert_int_equal(words_split(names, '\n', verbs, &err), 0);
	assert_true(verbs->count > 20);
}

static void every_verb_has_help_and_a_page(void **state)
{
	auto_words verbs = { 0 };
	(void)state;
	all_verbs(&verbs);
	for (size_t i = 0; i < verbs.count && *verbs.items[i]; i++) {
		char words[256], path[4096];
		int status;
		snprintf(words, sizeof words, "%s --help", verbs.items[i]);
		auto_free char *help = wherry(words, &status);
		if (status != 0 || !strstr(help, verbs.items[i]))
			fail_msg("wherry %s: status %d: %s", words, status, help);
		int size = snprintf(path, sizeof path, "%s/docs/man/", getenv("WHERRY_SOURCE"));
		snprintf(path + size, sizeof path - (size_t)size, "%s.scd", verbs.items[i]);
		for (char *at = path + size; *at; at++)
			if (*at == ' ')
				*at = '-';
		if (!path_exists(path))
			fail_msg("%s: no manual page: %s is missing", verbs.items[i], path);
	}
}

static void every_page_is_of_a_verb_and_has_example_and_exit_status(void **state)
{
	auto_words verbs = { 0 };
	char folder[4096];
	(void)state;
	all_verbs(&verbs);
	snprintf(folder, sizeof folder, "%s/docs/man", getenv("WHERRY_SOURCE"));
	auto_dir dir = opendir(folder);
	assert_non_null(dir);
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		char path[8192];
		auto_free char *text = NULL;
		size_t size;
		struct error err;
		if (!text_ends_with(entry->d_name, ".scd"))
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		assert_int_equal(file_read(path, OUTPUT_MAX, &text, &size, &err), 0);
		if (!strstr(text, "# EXAMPLE") || !strstr(text, "# EXIT STATUS"))
			fail_msg("%s: no example, or no exit status", entry->d_name);
		if (strchr(entry->d_name, '.') + strlen(".scd") !=
		    entry->d_name + strlen(entry->d_name))
			continue; /* NAME.SECTION.scd: no verb's */
		bool found = false;
		for (size_t i = 0; i < verbs.count; i++) {
			char name[256];
			snprintf(name, sizeof name, "%s.scd", verbs.items[i]);
			for (char *at = name; *at; at++)
				if (*at == ' ')
					*at = '-';
			found |= text_equal(name, entry->d_name);
		}
		if (!found)
			fail_msg("%s: there is no such verb", entry->d_name);
	}
}

static void completion_knows_verbs_and_options(void **state)
{
	static const char *const shells[] = { "bash", "zsh", "fish" };
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		char words[64];
		int status;
		snprintf(words, sizeof words, "completion %s", shells[i]);
		auto_free char *script = wherry(words, &status);
		assert_int_equal(status, 0);
		assert_non_null(strstr(script, "drops"));
		assert_non_null(strstr(script, "follow"));
	}
	int status;
	auto_free char *ignored = wherry("completion csh", &status);
	assert_int_equal(status, 1);
}

/* Asks bash itself what would follow. */
static void bash_completes_a_verb_of_two_words(void **state)
{
	int status;
	auto_text script = { 0 };
	(void)state;
	auto_free char *functions = wherry("completion bash", &status);
	text_append(&script,
		    "%s\nCOMP_WORDS=(wherry system rec)\nCOMP_CWORD=2\n_wherry\n"
		    "echo \"${COMPREPLY[*]}\"\n",
		    functions);
	auto_free char *output = run("/bin/bash", "-s", script.data, &status);
	assert_int_equal(status, 0);
	assert_string_equal(output, "reconcile\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_verb_has_help_and_a_page),
		cmocka_unit_test(every_page_is_of_a_verb_and_has_example_and_exit_status),
		cmocka_unit_test(completion_knows_verbs_and_options),
		cmocka_unit_test(bash_completes_a_verb_of_two_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
