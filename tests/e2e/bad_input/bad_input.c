/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is wrong gets one clear line and a non-zero exit, and leaves nothing:
 * each row is a command that must fail, and the machine is compared before and
 * after it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "base/loop.h"
#include "base/text.h"
#include "scene/scene.h"

#define WORDS_MAX 14
#define FAILED 125 /* Wherry itself failed, as Docker numbers it */

struct row {
	const char *words[WORDS_MAX]; /* of `wherry …`, ends with NULL */
	int status;
	const char *says, *names; /* both are in the line */
};

/*
 * The link of a container that ended goes with its namespace, which the kernel
 * takes apart in the background; nothing tells when it is done.
 */
static void await_unchanged(struct scene *scene, const char *before)
{
	const struct timespec step = { .tv_nsec = 10000000 };
	uint64_t end = clock_monotonic_ms() + SCENE_WAIT_MS;
	bool same = false;
	while (!same && clock_monotonic_ms() < end) {
		auto_free char *now = scene_snapshot(scene);
		same = text_equal(now, before);
		if (!same)
			nanosleep(&step, NULL);
	}
}

static void check_row(struct scene *scene, const struct row *row, size_t number)
{
	const char *argv[WORDS_MAX + 2] = { "wherry" };
	auto_free char *before = scene_snapshot(scene);
	for (size_t i = 0; row->words[i]; i++)
		argv[i + 1] = row->words[i];
	struct scene_command command = { .argv = argv };
	int status = scene_execute(scene, &command);
	const char *line = scene_errors(scene);
	const char *end = strchr(line, '\n');
	if (status != row->status)
		fail_msg("row %zu: exit %d, not %d: %s", number, status, row->status, line);
	if (!end || end[1])
		fail_msg("row %zu: not one line: \"%s\"", number, line);
	if (!strstr(line, row->says) || !strstr(line, row->names))
		fail_msg("row %zu: neither \"%s\" nor \"%s\" may lack: %s", number, row->says,
			 row->names, line);
	await_unchanged(scene, before);
	scene_assert_unchanged(scene, before);
}

static void check_rows(struct scene *scene, const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_row(scene, &rows[i], i);
}

/* An image, a network "shop", and in it the container "one", which publishes 8080. */
static void open_shop(struct scene *scene)
{
	auto_free char *image = NULL, *maker = NULL;
	struct error err;
	assert_int_equal(text_format(&image, &err, "%s/busybox.tar", scene_folder(scene)), 0);
	assert_int_equal(
		text_format(&maker, &err, "%s/tests/tools/busybox-image", getenv("WHERRY_SOURCE")),
		0);
	scene_assert_run(scene, maker, image, NULL);
	scene_assert_run(scene, "wherry", "load", "-i", image, NULL);
	/* The default network is made at its first use, and stays. */
	scene_assert_run(scene, "wherry", "run", "--rm", "busybox", "true", NULL);
	scene_assert_run(scene, "wherry", "network", "create", "--subnet", "10.50.0.0/24", "shop",
			 NULL);
	scene_assert_run(scene, "wherry", "run", "-d", "--name", "one", "--network", "shop", "--ip",
			 "10.50.0.2", "-p", "8080:80", "busybox", "sleep", "1000", NULL);
}

static void a_run_that_cannot_be_leaves_nothing(void **state)
{
	static const struct row rows[] = {
		{ { "run", "--rm", "nothere", "true" }, FAILED, "no such image", "nothere" },
		{ { "run", "--rm", "Bad/../Name", "true" }, FAILED, "Bad/../Name", "" },
		{ { "run", "--rm", "busybox", "nosuchcommand" }, 127, "nosuchcommand", "" },
		{ { "run", "--rm", "busybox", "/etc/passwd" }, 126, "/etc/passwd", "" },
		{ { "run", "--name", "one", "busybox", "true" }, FAILED, "name", "one" },
		{ { "run", "--network", "nope", "busybox", "true" }, FAILED, "network", "nope" },
		{ { "run", "--network", "shop", "--ip", "10.60.0.9", "busybox", "true" },
		  FAILED,
		  "10.60.0.9",
		  "10.50.0" },
		{ { "run", "--network", "shop", "--ip", "10.50.0.2", "busybox", "true" },
		  FAILED,
		  "10.50.0.2",
		  "" },
		{ { "run", "--network", "shop", "-p", "8080:80", "busybox", "true" },
		  FAILED,
		  "8080",
		  "one" },
		{ { "run", "--network", "shop", "--ip6", "fd00::9", "busybox", "true" },
		  FAILED,
		  "fd00::9",
		  "shop has no IPv6" },
		{ { "run", "--network", "shop", "--ip6", "fd00::g", "busybox", "true" },
		  FAILED,
		  "--ip6",
		  "fd00::g" },
		{ { "run", "--network", "shop", "-p", "[::1]:81:80", "busybox", "true" },
		  FAILED,
		  "port 81",
		  "IPv6" },
		{ { "run", "-p", "::1:81:80", "busybox", "true" },
		  FAILED,
		  "::1:81:80",
		  "brackets" },
		{ { "run", "-p", "[::1:81:80", "busybox", "true" }, FAILED, "[::1:81:80", "form" },
		{ { "run", "-p", "[fe80::1%eth0]:81:80", "busybox", "true" },
		  FAILED,
		  "[fe80::1%eth0]",
		  "IP address" },
		{ { "network", "connect", "--ip6", "10.50.0.9", "shop", "one" },
		  1,
		  "10.50.0.9",
		  "no IPv6 address" },
		{ { "network", "create", "--subnet", "fd00::/64", "--ip-range", "fd01::/80", "n" },
		  1,
		  "fd01::/80",
		  "fd00::/64" },
		{ { "network", "create", "--ipv4=false", "n" }, 1, "--ipv4=false", "--ipv6" },
		{ { "run", "-p", "99999:80", "busybox", "true" }, FAILED, "99999", "65535" },
		{ { "run", "-p", "8000-8002:80-81", "busybox", "true" }, FAILED, "8000-8002", "" },
		{ { "run", "--memory", "much", "busybox", "true" }, FAILED, "memory", "much" },
		{ { "run", "--user", "nobodyhere", "busybox", "true" }, FAILED, "nobodyhere", "" },
		{ { "run", "--restart", "perhaps", "busybox", "true" },
		  FAILED,
		  "perhaps",
		  "always" },
		{ { "run", "--mac-address", "01:00:00:00:00:01", "busybox", "true" },
		  FAILED,
		  "01:00:00:00:00:01",
		  "" },
		{ { "run", "--health-cmd", "true", "--health-interval", "often", "busybox" },
		  FAILED,
		  "--health-interval",
		  "often" },
		{ { "run", "--health-retries", "2", "busybox" }, FAILED, "--health-cmd", "" },
		{ { "run", "--nmae", "x", "busybox", "true" }, FAILED, "--nmae", "--name" },
	};
	open_shop(*state);
	check_rows(*state, rows, ARRAY_SIZE(rows));
}

static void verbs_name_what_is_not_there(void **state)
{
	static const struct row rows[] = {
		{ { "rm", "ghost" }, 1, "no such container", "ghost" },
		{ { "stop", "ghost" }, 1, "no such container", "ghost" },
		{ { "logs", "ghost" }, 1, "no such container", "ghost" },
		{ { "rmi", "ghost" }, 1, "no image", "ghost" },
		{ { "network", "rm", "ghost" }, 1, "no such network", "ghost" },
		{ { "network", "rm", "shop" }, 1, "shop", "one" },
		{ { "network", "create", "--subnet", "10.50.0.0/25", "more" },
		  1,
		  "10.50.0.0",
		  "shop" },
		{ { "network", "create", "--subnet", "10.50", "more" }, 1, "10.50", "/" },
		{ { "network", "create", "--subnet", "10.51.0.0/24", "--gateway", "10.9.0.1",
		    "more" },
		  1,
		  "10.9.0.1",
		  "10.51.0.0/24" },
		{ { "network", "connect", "ghost", "one" }, 1, "ghost", "" },
		{ { "cp", "ghost:/x", "." }, 1, "no such container", "ghost" },
		{ { "cp", "one:/nothing", "/nowhere" }, 1, "/nothing", "No such file" },
		{ { "cp", "/etc/passwd", "one:/nowhere/" }, 1, "/nowhere/", "directory" },
		{ { "commit", "one", "Bad/../Name" }, 1, "Bad/../Name", "" },
		{ { "commit", "-c", "FLY away", "one" }, 1, "--change:2", "FLY" },
		{ { "stats", "--no-stream", "ghost" }, 1, "no such container", "ghost" },
		{ { "stats", "--no-stream", "--format", "{{.Nope}}", "one" }, 1, "Nope", "" },
		{ { "ps", "--format", "{{range .ID}}" }, 1, "{{range .ID}}", "list" },
		{ { "ps", "--format", "{{if .ID}}" }, 1, "{{end}}", "" },
		{ { "ps", "-n", "many" }, 1, "--last", "many" },
		{ { "network", "ls", "-f", "colour=red" }, 1, "colour=red", "driver=" },
		{ { "images", "-f", "colour=red" }, 1, "colour=red", "dangling=" },
		{ { "events", "--since", "never" }, 1, "--since", "never" },
		{ { "image", "prune", "-f", "--filter", "until=never" }, 1, "until", "never" },
		{ { "save", "-o", "/nowhere/a.tar", "busybox" }, 1, "/nowhere/a.tar", "" },
		{ { "save", "ghost" }, 1, "no image", "ghost" },
		{ { "import", "/nowhere/a.tar" }, 1, "/nowhere/a.tar", "" },
		{ { "import", "-c", "RUN true", "/dev/null" }, 1, "RUN", "CMD" },
		{ { "history", "ghost" }, 1, "no image", "ghost" },
		{ { "load", "-i", "/nowhere/image.tar" }, 1, "/nowhere/image.tar", "" },
	};
	open_shop(*state);
	check_rows(*state, rows, ARRAY_SIZE(rows));
}

static void a_full_range_says_so(void **state)
{
	static const struct row rows[] = {
		{ { "run", "--network", "tiny", "busybox", "true" }, FAILED, "10.52.0", "" },
	};
	struct scene *scene = *state;
	open_shop(scene);
	scene_assert_run(scene, "wherry", "network", "create", "--subnet", "10.52.0.0/30", "tiny",
			 NULL);
	scene_assert_run(scene, "wherry", "run", "-d", "--network", "tiny", "busybox", "sleep",
			 "1000", NULL);
	check_rows(scene, rows, ARRAY_SIZE(rows));
}

static void a_port_of_a_host_process_is_refused(void **state)
{
	static const struct row rows[] = {
		{ { "run", "-p", "9090:80", "busybox", "true" }, FAILED, "9090", "bad-input" },
	};
	struct scene *scene = *state;
	open_shop(scene);
	scene_tcp_server(scene, "node", 9090);
	check_rows(scene, rows, ARRAY_SIZE(rows));
}

static void write_file(struct scene *scene, const char *name, const char *text)
{
	auto_free char *path = NULL;
	struct error err;
	assert_int_equal(text_format(&path, &err, "%s/%s", scene_folder(scene), name), 0);
	assert_int_equal(file_replace(path, text, strlen(text), 0644, FILE_NO_SYNC, &err), 0);
}

static void a_dockerfile_is_told_by_its_line(void **state)
{
	static const struct {
		const char *text, *says, *names;
	} files[] = {
		{ "FROM busybox\nFLY away\n", "Dockerfile:2", "FLY" },
		{ "FROM busybox\n\nCOPY missing.txt /\n", "Dockerfile:3", "missing.txt" },
		{ "RUN true\n", "Dockerfile:1", "" },
	};
	struct scene *scene = *state;
	open_shop(scene);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		const struct row row = {
			{ "build", "-q", scene_folder(scene) }, 1, files[i].says, files[i].names
		};
		write_file(scene, "Dockerfile", files[i].text);
		check_row(scene, &row, i);
	}
}

static void without_privileges_or_bpffs_it_says_what_is_needed(void **state)
{
	static const char *const nobody[] = { "setpriv",        "--reuid", "65534",
					      "--clear-groups", "wherry",  "network",
					      "create",         "more",    NULL };
	static const char *const no_bpffs[] = { "WHERRY_BPFFS=/nowhere", NULL };
	static const char *const create[] = { "wherry", "network", "create", "more", NULL };
	struct scene *scene = *state;
	open_shop(scene);
	auto_free char *before = scene_snapshot(scene);
	struct scene_command command = { .argv = create, .environment = no_bpffs };
	assert_int_not_equal(scene_execute(scene, &command), 0);
	assert_non_null(strstr(scene_errors(scene), "bpffs"));
	command = (struct scene_command){ .argv = nobody };
	assert_int_not_equal(scene_execute(scene, &command), 0);
	assert_non_null(strchr(scene_errors(scene), '\n'));
	scene_assert_unchanged(scene, before);
}

static void a_full_disk_leaves_no_image(void **state)
{
	struct scene *scene = *state;
	auto_free char *full = NULL, *image = NULL, *blobs = NULL;
	struct error err;
	open_shop(scene);
	assert_int_equal(text_format(&full, &err, "%s/full", scene_folder(scene)), 0);
	assert_int_equal(text_format(&image, &err, "%s/busybox.tar", scene_folder(scene)), 0);
	assert_int_equal(mkdir(full, 0755), 0);
	assert_int_equal(mount("tmpfs", full, "tmpfs", 0, "size=1m"), 0);
	int status = scene_run(scene, NULL, "wherry", "--root", full, "load", "-i", image, NULL);
	if (status != 1 || !strstr(scene_errors(scene), "free"))
		fail_msg("exit %d: %s", status, scene_errors(scene));
	assert_int_equal(scene_run(scene, NULL, "wherry", "--root", full, "images", "-q", NULL), 0);
	assert_string_equal(scene_output(scene), "");
	assert_int_equal(umount(full), 0);
}

static void a_broken_plugin_call_is_an_error_object(void **state)
{
	static const struct {
		const char *netns, *config, *code, *says;
	} rows[] = {
		{ "/nowhere",
		  "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"type\":\"wherry-cni\",\"ipam\":"
		  "{\"ranges\":[[{\"subnet\":\"10.3.0.0/24\"}]]}}",
		  "\"code\":", "/nowhere" },
		{ "/proc/1/ns/net", "{", "\"code\":6", "" },
		{ "/proc/1/ns/net",
		  "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"type\":\"wherry-cni\","
		  "\"mtu\":\"1500\"}",
		  "\"code\":7", "mtu" },
	};
	static const char *const argv[] = { "wherry-cni", NULL };
	struct scene *scene = *state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_free char *before = scene_snapshot(scene), *netns = NULL;
		struct error err;
		assert_int_equal(text_format(&netns, &err, "CNI_NETNS=%s", rows[i].netns), 0);
		const char *const environment[] = { "CNI_COMMAND=ADD",
						    "CNI_CONTAINERID=c1",
						    "CNI_IFNAME=eth0",
						    "CNI_PATH=/nowhere",
						    netns,
						    NULL };
		struct scene_command command = { .argv = argv,
						 .environment = environment,
						 .input = rows[i].config };
		assert_int_equal(scene_execute(scene, &command), 1);
		if (!strstr(scene_output(scene), rows[i].code) ||
		    !strstr(scene_output(scene), rows[i].says))
			fail_msg("row %zu: %s", i, scene_output(scene));
		scene_assert_unchanged(scene, before);
	}
}

/* Images and networks stay on purpose: they are taken away before the scene looks for leftovers. */
static int close_shop(void **state)
{
	struct scene *scene = *state;
	struct error err;
	scene_run(scene, NULL, "wherry", "system", "reset", "--force", NULL);
	int r = tree_remove(scene_instance(scene)->lib, &err);
	return scene_tear_down(state) < 0 || r < 0 ? -1 : 0;
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, scene_set_up, close_shop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_run_that_cannot_be_leaves_nothing),
		SCENE_TEST(verbs_name_what_is_not_there),
		SCENE_TEST(a_full_range_says_so),
		SCENE_TEST(a_port_of_a_host_process_is_refused),
		SCENE_TEST(a_dockerfile_is_told_by_its_line),
		SCENE_TEST(without_privileges_or_bpffs_it_says_what_is_needed),
		SCENE_TEST(a_full_disk_leaves_no_image),
		SCENE_TEST(a_broken_plugin_call_is_an_error_object),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
