/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kit.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

static const char *const directories[] = { "lower",      "lower/bin", "lower/etc",
					   "lower/proc", "lower/sys", "lower/dev",
					   "lower/tmp",  "upper",     "work" };

void kit_begin(char **argv)
{
	struct error err = { 0 };
	if (getuid() != 0) {
		printf("skipped: not root\n");
		exit(77);
	}
	if (oci_protect_self(argv, &err) < 0) {
		printf("%s\n", err.text);
		exit(1);
	}
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) {
		printf("skipped: no mount namespace: %s\n", strerror(errno));
		exit(77);
	}
}

static void copy_program(const char *to)
{
	auto_free char *data = NULL;
	size_t size;
	struct error err = { 0 };
	MUST(file_read(INSIDE, 64u << 20, &data, &size, &err), err);
	MUST(file_replace(to, data, size, 0755, FILE_NO_SYNC, &err), err);
}

int box_setup(void **state)
{
	struct box *box = calloc(1, sizeof *box);
	assert_non_null(box);
	snprintf(box->directory, sizeof box->directory, "/tmp/wherry-oci-test.XXXXXX");
	assert_non_null(mkdtemp(box->directory));
	assert_int_equal(mount("tmpfs", box->directory, "tmpfs", 0, NULL), 0);
	char path[PATH_MAX];
	for (size_t i = 0; i < ARRAY_SIZE(directories); i++) {
		snprintf(path, sizeof path, "%s/%s", box->directory, directories[i]);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	box_path(box, "bin/inside", path, sizeof path);
	copy_program(path);
	char id[32];
	snprintf(id, sizeof id, "test-%d", (int)getpid());
	struct oci_spec *spec = &box->spec;
	MUST(oci_spec_default(id, spec, &box->err), box->err);
	free(spec->cgroup_path);
	MUST(text_format(&spec->cgroup_path, &box->err, "wherry-%s/c", id), box->err);
	snprintf(path, sizeof path, "%s/lower", box->directory);
	MUST(words_append(&spec->overlay_lower, path, &box->err), box->err);
	MUST(text_format(&spec->overlay_upper, &box->err, "%s/upper", box->directory), box->err);
	MUST(text_format(&spec->overlay_work, &box->err, "%s/work", box->directory), box->err);
	MUST(words_append(&spec->process.env, "PATH=/bin", &box->err), box->err);
	*state = box;
	return 0;
}

bool kit_group_exists(const char *path)
{
	char pattern[PATH_MAX];
	glob_t found = { 0 };
	snprintf(pattern, sizeof pattern, "/sys/fs/cgroup/*/%s", path);
	int r = glob(pattern, 0, NULL, &found);
	globfree(&found);
	snprintf(pattern, sizeof pattern, "/sys/fs/cgroup/%s", path);
	return r == 0 || path_exists(pattern);
}

int box_teardown(void **state)
{
	struct box *box = *state;
	char group[64];
	snprintf(group, sizeof group, "wherry-test-%d", (int)getpid());
	bool left = kit_group_exists(group);
	oci_spec_release(&box->spec);
	(void)umount2(box->directory, MNT_DETACH);
	(void)rmdir(box->directory);
	free(box);
	if (left)
		print_error("cgroup %s is left\n", group);
	return left ? -1 : 0;
}

void box_path(const struct box *box, const char *path, char *ret_path, size_t size)
{
	snprintf(ret_path, size, "%s/lower/%s", box->directory, path);
}

void box_command(struct box *box, const char *words)
{
	struct words parts = { 0 };
	words_free(&box->spec.process.args);
	MUST(words_append(&box->spec.process.args, "inside", &box->err), box->err);
	MUST(words_split(words, ' ', &parts, &box->err), box->err);
	for (size_t i = 0; i < parts.count; i++)
		MUST(words_append(&box->spec.process.args, parts.items[i], &box->err), box->err);
	words_free(&parts);
}

void box_read(struct box *box, int fd)
{
	size_t size = 0;
	for (ssize_t n; size < sizeof box->output - 1; size += (size_t)n) {
		n = read(fd, box->output + size, sizeof box->output - 1 - size);
		if (n <= 0)
			break;
	}
	box->output[size] = '\0';
}

int box_run(struct box *box)
{
	int ends[2];
	struct oci_container container;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	int stdio[3] = { -1, ends[1], 2 };
	int r = oci_create(&box->spec, stdio, &container, &box->err);
	close(ends[1]);
	if (r == 0) {
		r = oci_start(&container, &box->err);
		box_read(box, ends[0]);
		assert_int_equal(waitpid(container.pid, &box->status, 0), container.pid);
		oci_container_close(&container);
		struct error err = { 0 };
		MUST(oci_cleanup(&box->spec, &err), err);
	}
	close(ends[0]);
	return r;
}

const char *box_output(struct box *box, const char *words)
{
	box_command(box, words);
	MUST(box_run(box), box->err);
	return box->output;
}
