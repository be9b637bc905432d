/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images that try to reach out of their root while it is being made.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/file.h"
#include "kit.h"

static void link_in_root(struct box *box, const char *to, const char *name)
{
	char path[PATH_MAX];
	box_path(box, name, path, sizeof path);
	(void)rmdir(path);
	assert_int_equal(symlink(to, path), 0);
}

/* A directory of the host with one file, besides the root. */
static void make_source(struct box *box, char *ret_path, size_t size)
{
	char file[PATH_MAX];
	snprintf(ret_path, size, "%s/source", box->directory);
	assert_int_equal(mkdir(ret_path, 0755), 0);
	snprintf(file, sizeof file, "%s/marker", ret_path);
	MUST(file_replace(file, "here\n", 5, 0644, FILE_NO_SYNC, &box->err), box->err);
}

static void mounts_on_links_stay_inside(void **state)
{
	static const struct {
		const char *link, *to, *destination, *inside;
	} rows[] = {
		{ "a", "../../../../../../tmp", "/a/wherry-target", "/tmp/wherry-target" },
		{ "b", "/etc", "/b/wherry-up", "/etc/wherry-up" },
		{ "c", "/proc/self/root/tmp", "/c/wherry-target", NULL }, /* a magic one: refused */
		{ "d", "/new/place", "/d", "/new/place" },                /* dangling */
	};
	struct box *box = *state;
	char source[PATH_MAX], command[PATH_MAX], host[PATH_MAX];
	make_source(box, source, sizeof source);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		link_in_root(box, rows[i].to, rows[i].link);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		size_t before = box->spec.mount_count;
		MUST(oci_spec_add_mount(&box->spec, "bind", source, rows[i].destination, "bind,ro",
					&box->err),
		     box->err);
		snprintf(command, sizeof command, "show %s/marker",
			 rows[i].inside ? rows[i].inside : "");
		box_command(box, command);
		int r = box_run(box);
		CHECK_ROW(i, rows[i].link, r == (rows[i].inside ? 0 : -ELOOP));
		CHECK_ROW(i, rows[i].link, r < 0 || strcmp(box->output, "here\n") == 0);
		snprintf(host, sizeof host, "%s",
			 rows[i].inside ? rows[i].inside : "/tmp/wherry-target");
		CHECK_ROW(i, rows[i].link, !path_exists(host));
		/* The mount goes again, so that rows do not meet. */
		struct oci_mount *mount = &box->spec.mounts[--box->spec.mount_count];
		assert_int_equal(box->spec.mount_count, before);
		free(mount->type);
		free(mount->source);
		free(mount->destination);
		words_free(&mount->options);
	}
}

static void system_directories_that_are_links_stay_inside(void **state)
{
	static const char *const names[] = { "dev", "proc", "sys" };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct box *box = *state;
		char path[PATH_MAX];
		link_in_root(box, "../../../../tmp", names[i]);
		box_command(box, "id");
		(void)box_run(box); /* may be refused, may work: the host must not change */
		CHECK_ROW(i, names[i],
			  !path_exists("/tmp/pts") && !path_exists("/tmp/null") &&
				  !path_exists("/tmp/sys"));
		box_path(box, names[i], path, sizeof path);
		assert_int_equal(unlink(path), 0);
		assert_int_equal(mkdir(path, 0755), 0);
	}
}

static void a_loop_of_links_is_refused(void **state)
{
	struct box *box = *state;
	char source[PATH_MAX];
	make_source(box, source, sizeof source);
	link_in_root(box, "/m", "l");
	link_in_root(box, "/l", "m");
	MUST(oci_spec_add_mount(&box->spec, "bind", source, "/l/x", "bind", &box->err), box->err);
	box_command(box, "id");
	assert_int_equal(box_run(box), -ELOOP);
	assert_non_null(strstr(box->err.text, "mount /l/x"));
}

/* CVE-2024-21626: a descriptor of the runtime as the working directory. */
static void a_working_directory_outside_is_refused(void **state)
{
	struct box *box = *state;
	auto_fd leak = open("/", O_RDONLY | O_DIRECTORY); /* without close-on-exec */
	for (int fd = 3; fd < 16; fd++) {
		free(box->spec.process.cwd);
		MUST(text_format(&box->spec.process.cwd, &box->err, "/proc/self/fd/%d", fd),
		     box->err);
		box_command(box, "list ..");
		int r = box_run(box);
		CHECK_ROW(fd, box->spec.process.cwd, r < 0);
	}
	assert_true(leak >= 0);
}

static void a_missing_working_directory_is_made(void **state)
{
	struct box *box = *state;
	free(box->spec.process.cwd);
	box->spec.process.cwd = strdup("/srv/app");
	assert_string_equal(box_output(box, "cwd"), "/srv/app\n");
}

static void a_file_is_bound_read_only(void **state)
{
	struct box *box = *state;
	char source[PATH_MAX];
	make_source(box, source, sizeof source);
	size_t length = strlen(source);
	snprintf(source + length, sizeof source - length, "/marker");
	MUST(oci_spec_add_mount(&box->spec, "bind", source, "/etc/resolv.conf", "bind,ro",
				&box->err),
	     box->err);
	link_in_root(box, "../run/resolve/stub.conf",
		     "etc/resolv.conf"); /* as Debian's images have */
	assert_string_equal(box_output(box, "show /etc/resolv.conf"), "here\n");
	assert_string_equal(box_output(box, "write /etc/resolv.conf"), "EROFS\n");
}

static void many_layers_are_stacked(void **state)
{
	enum { LAYERS = 100 };
	struct box *box = *state;
	for (int i = 0; i < LAYERS; i++) {
		char path[PATH_MAX];
		snprintf(path, sizeof path,
			 "%s/layer-with-a-name-as-long-as-a-digest-0123456789abcdef0123456789-%d",
			 box->directory, i);
		assert_int_equal(mkdir(path, 0755), 0);
		MUST(words_append(&box->spec.overlay_lower, path, &box->err), box->err);
	}
	assert_string_equal(box_output(box, "id"), "0 0 1\n");
}

static void sysctls_of_the_host_are_refused(void **state)
{
	struct box *box = *state;
	words_free(&box->spec.sysctls);
	MUST(words_append(&box->spec.sysctls, "kernel.panic=1", &box->err), box->err);
	box_command(box, "id");
	assert_int_equal(box_run(box), -EINVAL);
	assert_string_equal(box->err.text, "sysctl kernel.panic=1: belongs to the whole host");
	words_free(&box->spec.sysctls);
	MUST(words_append(&box->spec.sysctls, "net.ipv4.ip_forward=1", &box->err), box->err);
	assert_string_equal(box_output(box, "show /proc/sys/net/ipv4/ip_forward"), "1\n");
	words_free(&box->spec.sysctls);
	MUST(words_append(&box->spec.sysctls, "net.ipv4.ip_forward=1", &box->err), box->err);
	box->spec.namespaces[OCI_NS_NETWORK].use = OCI_NS_HOST;
	box_command(box, "id");
	assert_int_equal(box_run(box), -EINVAL);
}

int main(int argc, char **argv)
{
	(void)argc;
	kit_begin(argv);
#define ROW(name) cmocka_unit_test_setup_teardown(name, box_setup, box_teardown)
	const struct CMUnitTest tests[] = {
		ROW(mounts_on_links_stay_inside),
		ROW(system_directories_that_are_links_stay_inside),
		ROW(a_loop_of_links_is_refused),
		ROW(a_working_directory_outside_is_refused),
		ROW(a_missing_working_directory_is_made),
		ROW(a_file_is_bound_read_only),
		ROW(many_layers_are_stacked),
		ROW(sysctls_of_the_host_are_refused),
	};
	return cmocka_run_group_tests_name("oci-hostile", tests, NULL, NULL);
}
