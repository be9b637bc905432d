/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole builds on a base of busybox-static that the test makes itself. RUN is
 * done by a runner of its own: an overlay, chroot and exec.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "kit.h"
#include "overlay.h"

#define BUSYBOX "/bin/busybox"

static int run_in_chroot(void *context, const struct words *lower, const char *upper,
			 const char *work, const struct image_config *config,
			 const struct words *args, struct error *err)
{
	int fd, status;
	int *runs = context;
	++*runs;
	int r = overlay_open(lower, upper, work, &fd, err);
	if (r < 0)
		return r;
	pid_t pid = fork();
	if (pid == 0) {
		if (fchdir(fd) < 0 || chroot(".") < 0 ||
		    chdir(config->working_dir ? config->working_dir : "/") < 0)
			_exit(125);
		execve(args->items[0], args->items, config->env.items);
		_exit(127);
	}
	close(fd);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

struct yard {
	struct place *place;
	char context[128];
	int runs;
};

static int set_up(void **state)
{
	struct yard *yard = test_calloc(1, sizeof *yard);
	place_set_up((void **)&yard->place);
	snprintf(yard->context, sizeof yard->context, "%s/context", yard->place->path);
	assert_int_equal(mkdir(yard->context, 0755), 0);
	*state = yard;
	return 0;
}

static int tear_down(void **state)
{
	struct yard *yard = *state;
	place_tear_down((void **)&yard->place);
	test_free(yard);
	return 0;
}

/* Builds the Dockerfile's text; output, if wanted, is the caller's. */
static int build(struct yard *yard, const char *dockerfile, const char *tag, char **ret_output,
		 struct error *err)
{
	char id[DIGEST_TEXT_MAX], *output = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&output, &size);
	struct build_runner runner = { run_in_chroot, &yard->runs };
	struct build_request request = { .context_dir = yard->context,
					 .tag = tag,
					 .output = stream };
	kit_write(yard->context, "Dockerfile", dockerfile);
	int r = image_build(yard->place->store, &request, &runner, id, err);
	fclose(stream);
	if (ret_output)
		*ret_output = output;
	else
		free(output);
	return r;
}

/* "base": busybox-static and its shell, no image needed. */
static void make_base(struct yard *yard)
{
	struct error err = { 0 };
	char command[400], path[160];
	if (access(BUSYBOX, X_OK) < 0) {
		print_message("skipped: %s is not there (busybox-static)\n", BUSYBOX);
		skip();
	}
	snprintf(path, sizeof path, "%s/bin", yard->context);
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(command, sizeof command, "%s/bin/busybox", yard->context);
	free(kit_run((const char *[]){ BUSYBOX, "cp", BUSYBOX, command, NULL }));
	snprintf(command, sizeof command, "%s/bin/sh", yard->context);
	assert_int_equal(symlink("busybox", command), 0);
	CHECK(build(yard, "FROM scratch\nCOPY bin /bin\nENV PATH=/bin\n", "base", NULL, &err), err);
}

static char *read_in_image(struct yard *yard, const char *reference, const char *path)
{
	char *text = NULL;
	size_t size;
	struct error err = { 0 };
	auto_fd root = kit_mount(yard->place, reference), fd = -1;
	CHECK(file_open_in_root(root, path, O_RDONLY, 0, &fd, &err), err);
	CHECK(file_read_fd(fd, path, 1 << 20, &text, &size, &err), err);
	return text;
}

static void an_image_is_built_from_all_kinds_of_steps(void **state)
{
	struct yard *yard = *state;
	struct error err = { 0 };
	struct image image = { 0 };
	make_base(yard);
	kit_write(yard->context, "one.conf", "1");
	kit_write(yard->context, "two.conf", "2");
	kit_write(yard->context, "secret.key", "s");
	kit_write(yard->context, ".dockerignore", "*.key\n");
	CHECK(build(yard,
		    "ARG BASE=base\nFROM ${BASE}\nARG WHO=you\nENV HELLO=\"hello $WHO\"\n"
		    "WORKDIR /srv/app\nCOPY --chown=7:8 --chmod=640 *.conf etc/\n"
		    "COPY . /all/\n"
		    "RUN echo $HELLO $WHO > greeting && busybox rm /all/one.conf\n"
		    "EXPOSE 80\nUSER 5\nLABEL a=b\nCMD [\"sh\"]\n",
		    "app:1", NULL, &err),
	      err);
	auto_free char *greeting = read_in_image(yard, "app:1", "/srv/app/greeting");
	assert_string_equal(greeting, "hello you you\n");
	assert_int_equal(image_find(yard->place->store, "app:1", &image, &err), 1);
	assert_string_equal(image.config.working_dir, "/srv/app");
	assert_string_equal(image.config.user, "5");
	assert_string_equal(image.config.exposed_ports.items[0], "80/tcp");
	assert_string_equal(image.config.env.items[1], "HELLO=hello you");
	image_release(&image);
	auto_fd root = kit_mount(yard->place, "app:1");
	struct stat st;
	assert_int_equal(fstatat(root, "srv/app/etc/two.conf", &st, 0), 0);
	assert_true(st.st_uid == 7 && st.st_gid == 8 && (st.st_mode & 07777) == 0640);
	assert_int_equal(fstatat(root, "all/two.conf", &st, 0), 0);
	assert_int_equal(fstatat(root, "all/one.conf", &st, 0), -1);
	assert_int_equal(fstatat(root, "all/secret.key", &st, 0), -1);
}

static void a_step_is_taken_from_the_cache_until_its_input_changes(void **state)
{
	static const char text[] = "FROM base\nCOPY f /f\nRUN echo x > /x\n";
	struct yard *yard = *state;
	struct error err = { 0 };
	char first[DIGEST_TEXT_MAX];
	struct image image = { 0 };
	make_base(yard);
	kit_write(yard->context, "f", "one");
	CHECK(build(yard, text, "c", NULL, &err), err);
	assert_int_equal(image_find(yard->place->store, "c", &image, &err), 1);
	snprintf(first, sizeof first, "%s", image.id);
	image_release(&image);

	auto_free char *output = NULL;
	CHECK(build(yard, text, "c", &output, &err), err);
	assert_int_equal(yard->runs, 1);
	assert_non_null(strstr(output, "Step 3/3 : RUN echo x > /x\n ---> Using cache\n"));
	assert_int_equal(image_find(yard->place->store, "c", &image, &err), 1);
	assert_string_equal(first, image.id);
	image_release(&image);

	kit_write(yard->context, "f", "two");
	CHECK(build(yard, text, "c", NULL, &err), err);
	assert_int_equal(yard->runs, 2);
}

static void a_failed_build_goes_on_where_it_failed(void **state)
{
	struct yard *yard = *state;
	struct error err = { 0 };
	make_base(yard);
	assert_true(build(yard, "FROM base\nRUN echo a > /a\nRUN exit 3\n", "f", NULL, &err) < 0);
	assert_string_equal(err.text, "Dockerfile:3: RUN: \"exit 3\" exited with 3");
	CHECK(build(yard, "FROM base\nRUN echo a > /a\nRUN true\n", "f", NULL, &err), err);
	assert_int_equal(yard->runs, 3);
}

static void stages_hand_files_on(void **state)
{
	struct yard *yard = *state;
	struct error err = { 0 };
	struct image image = { 0 };
	make_base(yard);
	CHECK(build(yard,
		    "FROM base AS maker\nRUN echo made > /made\n"
		    "FROM scratch\nCOPY --from=maker /made /out/\nCOPY --from=0 /made /second\n",
		    "staged", NULL, &err),
	      err);
	auto_free char *text = read_in_image(yard, "staged", "/out/made");
	assert_string_equal(text, "made\n");
	assert_int_equal(image_find(yard->place->store, "staged", &image, &err), 1);
	assert_int_equal(image.layer_paths.count, 2);
	image_release(&image);
}

static void what_is_built_loads_again_and_looks_the_same(void **state)
{
	struct yard *yard = *state;
	struct error err = { 0 };
	char layout[160], names[128];
	struct image built = { 0 }, loaded = { 0 };
	make_base(yard);
	CHECK(build(yard,
		    "FROM base\n"
		    "RUN busybox mkdir -p /d/e && echo 1 > /d/e/f && busybox ln /d/e/f /d/hard && "
		    "busybox ln -s f /d/e/s && busybox chmod 4711 /d/e/f && busybox mkfifo /d/p\n"
		    "RUN busybox rm -r /d/e && busybox mkdir /d/e && echo 2 > /d/e/new && "
		    "busybox rm /d/p\n",
		    "round", NULL, &err),
	      err);
	snprintf(layout, sizeof layout, "%s/layout", yard->place->path);
	kit_export(yard->place, "round", layout);
	struct place *other = NULL;
	place_set_up((void **)&other);
	kit_load(other, layout, names, sizeof names);
	assert_string_equal(names, "layout:again");
	assert_int_equal(image_find(yard->place->store, "round", &built, &err), 1);
	assert_int_equal(image_find(other->store, "layout:again", &loaded, &err), 1);
	assert_string_equal(built.id, loaded.id);
	for (size_t i = 0; i < built.layer_paths.count; i++) {
		auto_free char *a = kit_list(built.layer_paths.items[i]);
		auto_free char *b = kit_list(loaded.layer_paths.items[i]);
		assert_string_equal(a, b);
	}
	image_release(&built);
	image_release(&loaded);
	place_tear_down((void **)&other);
}

static void add_unpacks_archives_and_copy_does_not(void **state)
{
	struct yard *yard = *state;
	struct error err = { 0 };
	char archive[160];
	make_base(yard);
	kit_write(yard->context, "inside", "in");
	snprintf(archive, sizeof archive, "%s/pack.tgz", yard->context);
	free(kit_run((const char *[]){ BUSYBOX, "tar", "-C", yard->context, "-czf", archive,
				       "inside", NULL }));
	CHECK(build(yard, "FROM scratch\nADD pack.tgz /a/\nCOPY pack.tgz /c/\n", "add", NULL, &err),
	      err);
	auto_free char *text = read_in_image(yard, "add", "/a/inside");
	assert_string_equal(text, "in");
	auto_free char *packed = read_in_image(yard, "add", "/c/pack.tgz");
	assert_true((uint8_t)packed[0] == 0x1f);
}

static void a_removed_image_takes_its_layers_and_cached_steps_along(void **state)
{
	struct yard *yard = *state;
	struct error err = { 0 };
	char layers[128];
	auto_words removed = { 0 };
	make_base(yard);
	snprintf(layers, sizeof layers, "%s/var/lib/wherry/layers", yard->place->root);
	auto_free char *before = kit_list(layers);
	CHECK(build(yard,
		    "FROM base AS maker\nRUN echo made > /made\n"
		    "FROM base\nCOPY --from=maker /made /out/\n",
		    "gone", NULL, &err),
	      err);
	CHECK(image_remove(yard->place->store, "gone", false, NULL, NULL, &removed, &err), err);
	auto_free char *after = kit_list(layers);
	assert_string_equal(before, after);
	CHECK(build(yard, "FROM base\nRUN echo made > /made\n", "again", NULL, &err), err);
	assert_int_equal(yard->runs, 2);
}

/* What an image's links say holds inside the image only. */
static void copies_stay_inside_the_image_and_the_context(void **state)
{
	struct yard *yard = *state;
	struct error err = { 0 };
	char link[160];
	make_base(yard);
	kit_write(yard->context, "f", "inside");
	snprintf(link, sizeof link, "%s/out", yard->context);
	assert_int_equal(symlink("/etc/passwd", link), 0);
	CHECK(build(yard,
		    "FROM base\nRUN busybox mkdir /tmp && busybox ln -s /tmp /esc\nCOPY f "
		    "/esc/wherry-escape\n",
		    "esc", NULL, &err),
	      err);
	assert_int_equal(access("/tmp/wherry-escape", F_OK), -1);
	auto_free char *text = read_in_image(yard, "esc", "/tmp/wherry-escape");
	assert_string_equal(text, "inside");
	assert_true(build(yard, "FROM base\nCOPY out /x\n", NULL, NULL, &err) < 0);
}

static void wrong_steps_are_named_with_their_line_and_leave_nothing(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "FROM none\n", "Dockerfile:1: FROM: no image none: load it first" },
		{ "FROM base\n\nCOPY missing.txt /\n",
		  "Dockerfile:3: COPY: \"missing.txt\" is not in the build context" },
		{ "FROM base\nCOPY ../x /\n",
		  "Dockerfile:2: COPY: entry \"../x\" climbs out with \"..\"" },
		{ "FROM base\nCOPY *.none /\n",
		  "Dockerfile:2: COPY: \"*.none\" is not in the build context" },
		{ "FROM base\nCOPY --chown=nobody bin /x\n", NULL },
		{ "FROM base\nCOPY --chmod=9 bin /x\n",
		  "Dockerfile:2: COPY: --chmod=9 is no octal mode" },
		{ "FROM base\nADD http://x/y /\n",
		  "Dockerfile:2: ADD: \"http://x/y\": ADD takes local files only, no URLs" },
		{ "FROM base\nEXPOSE 70000\n",
		  "Dockerfile:2: EXPOSE: \"70000\" is not PORT[-PORT][/tcp|udp|sctp]" },
		{ "FROM base\nRUN --mount=type=cache x\n",
		  "Dockerfile:2: RUN: --mount=type=cache is not supported" },
		{ "FROM base\nUSER a b\n", NULL },
		{ "FROM base\nENV A\n", "Dockerfile:2: ENV: \"A\" is not NAME=VALUE" },
		{ "FROM base\nSTOPSIGNAL a;b\n", NULL },
	};
	struct yard *yard = *state;
	make_base(yard);
	kit_write(yard->context, "Dockerfile", "");
	char store[128];
	snprintf(store, sizeof store, "%s/var/lib/wherry/layers", yard->place->root);
	auto_free char *before = kit_list(store);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = { 0 };
		if (build(yard, rows[i].text, "wrong", NULL, &err) == 0)
			fail_msg("row %zu was built", i);
		if (rows[i].error && !text_equal(err.text, rows[i].error))
			fail_msg("row %zu: %s", i, err.text);
		if (!text_starts_with(err.text, "Dockerfile:"))
			fail_msg("row %zu: no line: %s", i, err.text);
		auto_free char *after = kit_list(store);
		assert_string_equal(before, after);
	}
}

int main(void)
{
#define WITH_YARD(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		WITH_YARD(an_image_is_built_from_all_kinds_of_steps),
		WITH_YARD(a_step_is_taken_from_the_cache_until_its_input_changes),
		WITH_YARD(a_failed_build_goes_on_where_it_failed),
		WITH_YARD(stages_hand_files_on),
		WITH_YARD(what_is_built_loads_again_and_looks_the_same),
		WITH_YARD(add_unpacks_archives_and_copy_does_not),
		WITH_YARD(a_removed_image_takes_its_layers_and_cached_steps_along),
		WITH_YARD(copies_stay_inside_the_image_and_the_context),
		WITH_YARD(wrong_steps_are_named_with_their_line_and_leave_nothing),
	};
	int r = kit_begin();
	return r ? r : cmocka_run_group_tests(tests, NULL, NULL);
}
