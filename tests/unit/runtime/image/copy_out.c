/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A directory of an image, copied out whole. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "check.h"
#include "runtime/image.h"

static void run(const char *folder, const char *script)
{
	int status;
	pid_t pid = fork();
	if (pid == 0) {
		if (chdir(folder) == 0)
			execl("/bin/sh", "sh", "-ec", script, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void a_copy_is_as_the_image_has_it(void **state)
{
	struct error err = { 0 };
	char folder[] = "/tmp/wherry-copy-XXXXXX", value[8] = "";
	(void)state;
	assert_non_null(mkdtemp(folder));
	run(folder, "mkdir from to from/d && echo text >from/d/f && chmod 2751 from/d && "
		    "chmod 4711 from/d/f && ln -s ../../etc/passwd from/l && mkfifo from/p && "
		    "chown 12:34 from from/d && chmod 1770 from && "
		    "touch -h -d 2001-02-03 from/d/f from/l from/p from/d");
	char file[64];
	snprintf(file, sizeof file, "%s/from/d/f", folder);
	bool has_xattrs = setxattr(file, "user.wherry", "kept", 4, 0) == 0;
	snprintf(file, sizeof file, "%s/from", folder);
	auto_fd from = open(file, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(file, sizeof file, "%s/to", folder);
	auto_fd to = open(file, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(image_copy_directory(from, to, &err), 0);
	run(folder, "for d in from to; do (cd $d; find . | sort | xargs stat -c '%n %F %a %u %g "
		    "%s' ; stat -c %Y d d/f l p; readlink l; cat d/f) >$d.txt; done; "
		    "cmp from.txt to.txt");
	snprintf(file, sizeof file, "%s/to/d/f", folder);
	if (has_xattrs) {
		assert_int_equal(getxattr(file, "user.wherry", value, sizeof value), 4);
		assert_string_equal(value, "kept");
	}
	assert_int_equal(tree_remove(folder, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_is_as_the_image_has_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
