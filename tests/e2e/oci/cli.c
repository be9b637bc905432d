/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wherry-oci as engines call it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "kit.h"

/* Runs wherry-oci with these words, after --root; output: its stdout; stderr to FILE err. */
static int oci(struct box *box, const char *words)
{
	char program[PATH_MAX], root[PATH_MAX], errors[PATH_MAX];
	auto_words arguments = { 0 }, parts = { 0 };
	snprintf(program, sizeof program, "%s/wherry-oci", getenv("WHERRY_BIN"));
	snprintf(root, sizeof root, "--root=%s/state", box->directory);
	snprintf(errors, sizeof errors, "%s/err", box->directory);
	MUST(words_append(&arguments, "wherry-oci", &box->err), box->err);
	MUST(words_append(&arguments, root, &box->err), box->err);
	MUST(words_split(words, ' ', &parts, &box->err), box->err);
	for (size_t i = 0; i < parts.count; i++)
		MUST(words_append(&arguments, parts.items[i], &box->err), box->err);
	auto_fd stderr_fd = open(errors, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct process_spec spec = { .path = program,
				     .argv = arguments.items,
				     .stdin_fd = -1,
				     .stdout_fd = -1,
				     .stderr_fd = stderr_fd };
	auto_free char *output = NULL;
	size_t size;
	int status = -1;
	MUST(process_run(&spec, "", 0, KIT_OUTPUT_MAX - 1, 20000, &output, &size, &status,
			 &box->err),
	     box->err);
	snprintf(box->output, sizeof box->output, "%s", output);
	return status;
}

static const char *errors_of(struct box *box)
{
	static char text[1024];
	char path[PATH_MAX];
	snprintf(path, sizeof path, "%s/err", box->directory);
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = read(fd, text, sizeof text - 1);
	text[size > 0 ? size : 0] = '\0';
	return text;
}

static void save_bundle(struct box *box)
{
	char path[PATH_MAX];
	auto_json config = NULL;
	auto_free char *text = NULL;
	MUST(oci_spec_save(&box->spec, &config, &box->err), box->err);
	MUST(json_format(config, JSON_INDENTED, &text, &box->err), box->err);
	snprintf(path, sizeof path, "%s/config.json", box->directory);
	MUST(file_replace(path, text, strlen(text), 0644, FILE_NO_SYNC, &box->err), box->err);
}

/* A bundle whose root is the lower layer. */
static void make_bundle(struct box *box, const char *command)
{
	struct oci_spec *spec = &box->spec;
	box_command(box, command);
	words_free(&spec->overlay_lower);
	free(spec->overlay_upper);
	free(spec->overlay_work);
	spec->overlay_upper = spec->overlay_work = NULL;
	free(spec->rootfs);
	spec->rootfs = strdup("lower");
	save_bundle(box);
}

static int oci_bundle(struct box *box, const char *verb, const char *rest)
{
	char words[PATH_MAX];
	snprintf(words, sizeof words, "%s --bundle %s %s", verb, box->directory, rest);
	return oci(box, words);
}

static void run_ends_as_the_program_ends(void **state)
{
	struct box *box = *state;
	make_bundle(box, "exit 7");
	assert_int_equal(oci_bundle(box, "run", "c1"), 7);
	make_bundle(box, "id");
	assert_int_equal(oci_bundle(box, "run", "c1"), 0);
	assert_string_equal(box->output, "0 0 1\n");
	assert_int_equal(oci(box, "list -f json"), 0);
	assert_string_equal(box->output, "null\n");
}

static void a_container_lives_through_its_states(void **state)
{
	struct box *box = *state;
	char words[PATH_MAX];
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* as engines are */
	make_bundle(box, "pause");
	snprintf(words, sizeof words, "--pid-file %s/pid c1", box->directory);
	assert_int_equal(oci_bundle(box, "create", words), 0);
	snprintf(words, sizeof words, "%s/pid", box->directory);
	auto_free char *pid_text = NULL;
	size_t size;
	MUST(file_read(words, 16, &pid_text, &size, &box->err), box->err);
	pid_t pid = (pid_t)strtol(pid_text, NULL, 10);
	static const struct {
		const char *words;
		int code;
		const char *status;
	} rows[] = {
		{ "state c1", 0, "\"created\"" }, { "exec c1 inside id", 1, NULL },
		{ "start c1", 0, NULL },          { "state c1", 0, "\"running\"" },
		{ "start c1", 1, NULL },          { "exec c1 inside exit 5", 5, NULL },
		{ "delete c1", 1, NULL },         { "pause c1", 0, NULL },
		{ "state c1", 0, "\"paused\"" },  { "resume c1", 0, NULL },
		{ "kill c1 0", 0, NULL },         { "kill c1 NOSUCH", 1, NULL },
		{ "kill c1 SIGKILL", 0, NULL },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int code = oci(box, rows[i].words);
		CHECK_ROW(i, rows[i].words, code == rows[i].code);
		CHECK_ROW(i, rows[i].words, !rows[i].status || strstr(box->output, rows[i].status));
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid); /* it is ours: nobody stands between */
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(oci(box, "state c1"), 0);
	assert_non_null(strstr(box->output, "\"stopped\""));
	assert_non_null(strstr(box->output, "\"pid\": 0"));
	assert_int_equal(oci(box, "delete c1"), 0);
	assert_int_equal(oci(box, "delete c1"), 1);
	assert_int_equal(oci(box, "delete --force c1"), 0);
}

static void errors_are_one_line_on_stderr_and_in_the_log(void **state)
{
	struct box *box = *state;
	char words[PATH_MAX], path[PATH_MAX];
	snprintf(words, sizeof words, "--log %s/log --log-format json state nothing",
		 box->directory);
	assert_int_equal(oci(box, words), 1);
	assert_string_equal(errors_of(box), "wherry-oci: container \"nothing\" does not exist\n");
	snprintf(path, sizeof path, "%s/log", box->directory);
	auto_json line = NULL;
	MUST(json_read_file(path, 4096, &line, &box->err), box->err);
	struct json_at root = json_root(line, "log");
	const char *message = NULL, *level = NULL, *when = NULL;
	MUST(json_get_string(&root, "msg", JSON_REQUIRED, &message, &box->err), box->err);
	MUST(json_get_string(&root, "level", JSON_REQUIRED, &level, &box->err), box->err);
	MUST(json_get_string(&root, "time", JSON_REQUIRED, &when, &box->err), box->err);
	assert_string_equal(message, "container \"nothing\" does not exist");
	assert_string_equal(level, "error");
}

static void a_failed_create_can_be_tried_again(void **state)
{
	struct box *box = *state;
	make_bundle(box, "id");
	assert_int_equal(oci(box, "create --bundle /no/where c1"), 1);
	assert_int_equal(oci_bundle(box, "create", "../c1"), 1);
	make_bundle(box, "id");
	assert_int_equal(oci_bundle(box, "run", "c1"), 0);
}

/* Podman and Docker tell 127 and 126 by the text, and only if it is create that fails. */
static void create_refuses_a_program_that_is_not_there(void **state)
{
	static const struct {
		const char *program, *text;
	} rows[] = {
		{ "nothing",
		  "wherry-oci: exec: \"nothing\": executable file not found in $PATH\n" },
		{ "/etc", "wherry-oci: exec: \"/etc\": permission denied\n" },
	};
	struct box *box = *state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		make_bundle(box, "id");
		free(box->spec.process.args.items[0]);
		box->spec.process.args.items[0] = strdup(rows[i].program);
		save_bundle(box);
		CHECK_ROW(i, rows[i].program, oci_bundle(box, "create", "c1") == 1);
		CHECK_ROW(i, rows[i].program, strcmp(errors_of(box), rows[i].text) == 0);
		CHECK_ROW(i, rows[i].program, oci(box, "state c1") == 1);
	}
}

static void hooks_see_the_container(void **state)
{
	struct box *box = *state;
	char script[PATH_MAX], log[PATH_MAX], text[2 * PATH_MAX];
	snprintf(script, sizeof script, "%s/hook", box->directory);
	snprintf(log, sizeof log, "%s/seen", box->directory);
	int size = snprintf(text, sizeof text, "#!/bin/sh\ncat >> %s\n", log);
	MUST(file_replace(script, text, (size_t)size, 0755, FILE_NO_SYNC, &box->err), box->err);
	static const enum oci_hook_when whens[] = { OCI_HOOK_PRESTART, OCI_HOOK_POSTSTOP };
	box->spec.hooks = calloc(ARRAY_SIZE(whens), sizeof *box->spec.hooks);
	for (size_t i = 0; i < ARRAY_SIZE(whens); i++) {
		box->spec.hooks[i].when = whens[i];
		box->spec.hooks[i].path = strdup(script);
		box->spec.hook_count++;
	}
	make_bundle(box, "exit 0");
	assert_int_equal(oci_bundle(box, "run", "c1"), 0);
	auto_free char *seen = NULL;
	size_t seen_size;
	MUST(file_read(log, 4096, &seen, &seen_size, &box->err), box->err);
	assert_non_null(strstr(seen, "\"id\":\"c1\""));
	assert_non_null(strstr(seen, "\"status\":\"created\""));
	assert_non_null(strstr(seen, "\"status\":\"stopped\""));
}

static void the_example_of_spec_runs(void **state)
{
	struct box *box = *state;
	char path[PATH_MAX], words[PATH_MAX];
	snprintf(path, sizeof path, "%s/rootfs", box->directory);
	assert_int_equal(symlink("lower", path), 0);
	snprintf(words, sizeof words, "spec --bundle %s", box->directory);
	assert_int_equal(oci(box, words), 0);
	assert_int_equal(oci(box, words), 1); /* there is one */
	assert_int_equal(oci_bundle(box, "run", "c1"), 1);
	assert_string_equal(errors_of(box),
			    "wherry-oci: exec: \"sh\": executable file not found in $PATH\n");
}

int main(int argc, char **argv)
{
	(void)argc;
	kit_begin(argv);
#define ROW(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)
	const struct CMUnitTest tests[] = {
		ROW(run_ends_as_the_program_ends),
		ROW(a_container_lives_through_its_states),
		ROW(errors_are_one_line_on_stderr_and_in_the_log),
		ROW(a_failed_create_can_be_tried_again),
		ROW(create_refuses_a_program_that_is_not_there),
		ROW(hooks_see_the_container),
		ROW(the_example_of_spec_runs),
	};
	return cmocka_run_group_tests_name("oci-cli", tests, NULL, NULL);
}
