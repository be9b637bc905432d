/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dockerfile.h"

#include "check.h"

static int parse(const char *text, struct dockerfile *ret, struct error *err)
{
	return dockerfile_parse("Dockerfile", text, strlen(text), ret, err);
}

/* "LINE KIND [flag] word|word" of each instruction, a line each. */
static void describe(const struct dockerfile *dockerfile, struct text *out)
{
	for (size_t i = 0; i < dockerfile->count; i++) {
		const struct instruction *step = &dockerfile->items[i];
		text_append(out, "%u %s", step->line, instruction_name(step->kind));
		for (size_t k = 0; k < step->flags.count; k++)
			text_append(out, " [%s]", step->flags.items[k]);
		text_append(out, "%s", step->json ? " json" : "");
		for (size_t k = 0; k < step->args.count; k++)
			text_append(out, "%s%s", k ? "|" : " ", step->args.items[k]);
		text_append(out, "\n");
	}
}

static void lines_become_instructions(void **state)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
		{ "FROM busybox\n", "1 FROM busybox\n" },
		{ "\n# c\n  from busybox as b\nrun echo  a  b \n",
		  "3 FROM busybox|as|b\n4 RUN echo  a  b\n" },
		{ "FROM a\nRUN x \\\n  # comment inside\n\n  y\nCMD z",
		  "1 FROM a\n2 RUN x   y\n6 CMD z\n" },
		{ "# escape=`\nFROM a\nRUN x `\n y\n", "2 FROM a\n3 RUN x  y\n" },
		{ "# syntax=docker/dockerfile:1\r\nFROM a\r\nUSER u\r\n", "2 FROM a\n3 USER u\n" },
		{ "ARG V=1\nFROM a:$V\n", "1 ARG V=1\n2 FROM a:$V\n" },
		{ "FROM a\nCOPY --chown=1:2 --chmod=644 a b c/\n",
		  "1 FROM a\n2 COPY [--chown=1:2] [--chmod=644] a|b|c/\n" },
		{ "FROM a\nCOPY [\"a b\", \"c\"]\n", "1 FROM a\n2 COPY json a b|c\n" },
		{ "FROM a\nCMD [\"x\", 1]\n", "1 FROM a\n2 CMD [\"x\", 1]\n" },
		{ "FROM a\nENV A=\"x y\" B=z\\ w\n", "1 FROM a\n2 ENV A=\"x y\"|B=z\\ w\n" },
		{ "FROM a\nCMD\n", "1 FROM a\n2 CMD\n" },
		{ "FROM a\nRUN cat <<< word\n", "1 FROM a\n2 RUN cat <<< word\n" },
		{ "\xef\xbb\xbf"
		  "FROM a\n",
		  "1 FROM a\n" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dockerfile dockerfile;
		struct error err = { 0 };
		auto_text text = { 0 };
		CHECK(parse(rows[i].text, &dockerfile, &err), err);
		describe(&dockerfile, &text);
		CHECK_ROW_TEXT(i, text.data, rows[i].wanted);
		dockerfile_release(&dockerfile);
	}
}

static void errors_name_the_line(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "", "Dockerfile: has no FROM instruction" },
		{ "# nothing\n", "Dockerfile: has no FROM instruction" },
		{ "ARG A\n", "Dockerfile: has no FROM instruction" },
		{ "FROM a\n\nFOO x\n", "Dockerfile:3: unknown instruction FOO" },
		{ "FROM a\nRUN x \\\n y\nFOO\n", "Dockerfile:4: unknown instruction FOO" },
		{ "RUN x\nFROM a\n", "Dockerfile:1: RUN stands before the first FROM" },
		{ "FROM\n", "Dockerfile:1: FROM needs: FROM IMAGE [AS NAME]" },
		{ "FROM a\nCOPY a\n", "Dockerfile:2: COPY needs: COPY SOURCE… DESTINATION" },
		{ "FROM a\nENV A=\"x\n", "Dockerfile:2: a quote (\") is not closed" },
		{ "FROM a\nONBUILD RUN x\n", "Dockerfile:2: ONBUILD is not supported" },
		{ "FROM a\nRUN <<EOF\nx\nEOF\n",
		  "Dockerfile:2: here-documents (<<EOF) are not supported" },
		{ "FROM a\nSHELL bash\n",
		  "Dockerfile:2: must be a JSON list: SHELL [\"PROGRAM\", \"ARG\"…]" },
		{ "# escape=x\nFROM a\n", "Dockerfile:1: escape must be \\ or `" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dockerfile dockerfile;
		struct error err = { 0 };
		CHECK_ROW(i, parse(rows[i].text, &dockerfile, &err) < 0);
		CHECK_ROW_TEXT(i, err.text, rows[i].error);
	}
}

static const char *look_up(const void *context, const char *name)
{
	(void)context;
	return text_equal(name, "A") ? "one" : text_equal(name, "EMPTY") ? "" : NULL;
}

static void words_expand_as_in_a_shell(void **state)
{
	static const struct {
		const char *text, *wanted; /* NULL: refused */
	} rows[] = {
		{ "x", "x" },
		{ "$A", "one" },
		{ "${A}b", "oneb" },
		{ "$Ab", "" },
		{ "$NONE", "" },
		{ "${NONE:-d}", "d" },
		{ "${EMPTY:-d}", "d" },
		{ "${EMPTY-d}", "" },
		{ "${A:-d}", "one" },
		{ "${A:+w}", "w" },
		{ "${EMPTY:+w}", "" },
		{ "${EMPTY+w}", "w" },
		{ "${NONE+w}", "" },
		{ "${NONE:-a$A}", "aone" },
		{ "${NONE:-${EMPTY:-x}}y", "xy" },
		{ "'$A'", "$A" },
		{ "\"$A b\"", "one b" },
		{ "\\$A", "$A" },
		{ "a\\ b", "a b" },
		{ "\"a\\\"b\"", "a\"b" },
		{ "\"a\\nb\"", "a\\nb" },
		{ "a$", "a$" },
		{ "$$", "$$" },
		{ "${A", NULL },
		{ "${", NULL },
		{ "${A:?e}", NULL },
		{ "${1}", NULL },
		{ "\"x", NULL },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_free char *out = NULL;
		struct error err = { 0 };
		int r = dockerfile_expand(rows[i].text, '\\', look_up, NULL, &out, &err);
		CHECK_ROW(i, (r == 0) == (rows[i].wanted != NULL));
		CHECK_ROW_TEXT(i, out, rows[i].wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_instructions),
		cmocka_unit_test(errors_name_the_line),
		cmocka_unit_test(words_expand_as_in_a_shell),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
