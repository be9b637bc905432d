/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "completion.h"

#include <errno.h>
#include <string.h>

/* A text inside single quotes of any of the shells. */
static void append_quoted(struct text *script, const char *text)
{
	text_append(script, "'");
	for (; *text; text++) {
		if (*text == '\'')
			text_append(script, "'\\''");
		else
			text_append_bytes(script, text, 1);
	}
	text_append(script, "'");
}

static void append_options(struct text *script, const struct verb_spec *verb)
{
	for (size_t i = 0; i < verb->option_count; i++) {
		if (verb->options[i].name)
			text_append(script, " --%s", verb->options[i].name);
		if (verb->options[i].letter)
			text_append(script, " -%c", verb->options[i].letter);
	}
	text_append(script, " --help");
}

/* Tells whether an earlier verb begins with the same word: "network create", "network ls". */
static bool is_first_of_group(const struct verb_spec *const *verbs, size_t index)
{
	size_t size = strcspn(verbs[index]->name, " ");
	for (size_t i = 0; i < index; i++)
		if (strcspn(verbs[i]->name, " ") == size &&
		    strncmp(verbs[i]->name, verbs[index]->name, size) == 0)
			return false;
	return true;
}

/* How a shell of the two similar ones writes "what may follow", and counts words. */
struct dialect {
	int first;                /* number of the word behind "wherry" */
	const char *open, *close; /* around the list */
};

static void write_groups(const struct verb_spec *const *verbs, size_t count,
			 const struct dialect *dialect, struct text *script)
{
	for (size_t i = 0; i < count; i++) {
		size_t size = strcspn(verbs[i]->name, " ");
		if (!verbs[i]->name[size] || !is_first_of_group(verbs, i))
			continue;
		text_append(script, "\t%d:%.*s:*) next=%s", dialect->first + 1, (int)size,
			    verbs[i]->name, dialect->open);
		for (size_t k = i; k < count; k++)
			if (strncmp(verbs[k]->name, verbs[i]->name, size + 1) == 0)
				text_append(script, "%s ", verbs[k]->name + size + 1);
		text_append(script, "%s ;;\n", dialect->close);
	}
}

/* The cases of one `case NUMBER:FIRST:SECOND in`; the first that fits counts. */
static void write_cases(const struct verb_spec *const *verbs, size_t count,
			const struct dialect *dialect, struct text *script)
{
	text_append(script, "\t%d:*) next=%s", dialect->first, dialect->open);
	for (size_t i = 0; i < count; i++)
		if (is_first_of_group(verbs, i))
			text_append(script, "%.*s ", (int)strcspn(verbs[i]->name, " "),
				    verbs[i]->name);
	text_append(script, "%s ;;\n", dialect->close);
	write_groups(verbs, count, dialect, script);
	for (size_t i = 0; i < count; i++) {
		const char *second = strchr(verbs[i]->name, ' ');
		text_append(script, "\t*:%.*s:%s) next=%s", (int)strcspn(verbs[i]->name, " "),
			    verbs[i]->name, second ? second + 1 : "*", dialect->open);
		append_options(script, verbs[i]);
		text_append(script, "%s ;;\n", dialect->close);
	}
}

static void write_bash(const struct verb_spec *const *verbs, size_t count, struct text *script)
{
	static const struct dialect dialect = { 1, "'", "'" };
	text_append(script, "_wherry() {\n\tlocal current=${COMP_WORDS[COMP_CWORD]} next=\n"
			    "\tcase \"$COMP_CWORD:${COMP_WORDS[1]}:${COMP_WORDS[2]}\" in\n");
	write_cases(verbs, count, &dialect, script);
	/* Nothing that fits: bash goes on with files, by -o default. */
	text_append(script, "\tesac\n\tCOMPREPLY=($(compgen -W \"$next\" -- \"$current\"))\n}\n"
			    "complete -o default -F _wherry wherry\n");
}

static void write_zsh(const struct verb_spec *const *verbs, size_t count, struct text *script)
{
	static const struct dialect dialect = { 2, "(", ")" };
	text_append(script, "#compdef wherry\n_wherry() {\n\tlocal -a next\n"
			    "\tcase \"$CURRENT:$words[2]:$words[3]\" in\n");
	write_cases(verbs, count, &dialect, script);
	/* As an autoloaded file this is the body of _wherry itself, and must go on into it. */
	text_append(script, "\tesac\n\tcompadd -- $next\n\t_files\n}\n"
			    "if [ \"$funcstack[1]\" = _wherry ]; then\n\t_wherry \"$@\"\n"
			    "else\n\tcompdef _wherry wherry\nfi\n");
}

/* fish: a condition on the words so far for each thing that may follow. */
static void append_fish_condition(struct text *script, const char *name)
{
	const char *second = strchr(name, ' ');
	text_append(script, "'__fish_seen_subcommand_from %.*s", (int)strcspn(name, " "), name);
	if (second)
		text_append(script, "; and __fish_seen_subcommand_from %s", second + 1);
	text_append(script, "'");
}

static void write_fish_options(const struct verb_spec *verb, struct text *script)
{
	for (size_t i = 0; i < verb->option_count; i++) {
		const struct option_spec *option = &verb->options[i];
		text_append(script, "complete -c wherry -n ");
		append_fish_condition(script, verb->name);
		if (option->name)
			text_append(script, " -l %s", option->name);
		if (option->letter)
			text_append(script, " -s %c", option->letter);
		text_append(script, "%s -d ", option->argument ? " -r" : "");
		append_quoted(script, option->help);
		text_append(script, "\n");
	}
}

static void write_fish(const struct verb_spec *const *verbs, size_t count, struct text *script)
{
	for (size_t i = 0; i < count; i++) {
		const char *name = verbs[i]->name, *second = strchr(name, ' ');
		if (second)
			text_append(script,
				    "complete -c wherry -f -n '__fish_seen_subcommand_from %.*s' "
				    "-a %s -d ",
				    (int)(second - name), name, second + 1);
		else
			text_append(script,
				    "complete -c wherry -f -n __fish_use_subcommand -a %s -d ",
				    name);
		append_quoted(script, verbs[i]->summary);
		text_append(script, "\n");
		if (second && is_first_of_group(verbs, i))
			text_append(script,
				    "complete -c wherry -f -n __fish_use_subcommand -a %.*s\n",
				    (int)(second - name), name);
		write_fish_options(verbs[i], script);
	}
}

static const struct {
	const char *name;
	void (*write)(const struct verb_spec *const *verbs, size_t count, struct text *script);
} shells[] = {
	{ "bash", write_bash },
	{ "zsh", write_zsh },
	{ "fish", write_fish },
};

int completion_write(const char *shell, const struct verb_spec *const *verbs, size_t count,
		     struct text *script, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		if (!text_equal(shells[i].name, shell))
			continue;
		shells[i].write(verbs, count, script);
		return 0;
	}
	return error_set(err, EINVAL, "%s is none of bash, zsh, fish", shell);
}
