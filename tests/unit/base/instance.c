/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/instance.h"

static void the_default_root_has_the_usual_paths(void **state)
{
	static const char *const roots[] = { "", "/", "//", "/./" };
	struct instance instance;
	struct error err;
	(void)state;
	unsetenv("WHERRY_BPFFS");
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++) {
		MUST(instance_init(roots[i], &instance, &err), err);
		assert_string_equal(instance.root, "");
		assert_string_equal(instance.run, "/run/wherry");
		assert_string_equal(instance.lib, "/var/lib/wherry");
		assert_string_equal(instance.config, "/etc/wherry");
		assert_string_equal(instance.bpf, "/sys/fs/bpf/wherry");
		assert_string_equal(instance.tag, "");
	}
}

/* Two spellings of one folder must not be two instances, whether it exists yet or not. */
static void one_root_is_one_instance_however_it_is_spelled(void **state)
{
	char folder[32], wanted[64];
	struct instance first;
	struct error err;
	(void)state;
	make_folder(folder);
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(mkdir("real", 0755), 0);
	assert_int_equal(symlink("real", "link"), 0);
	snprintf(wanted, sizeof wanted, "%s/real/new", folder);
	MUST(instance_init(wanted, &first, &err), err);
	assert_string_equal(first.root, wanted);
	assert_int_equal(strlen(first.tag), 8);
	static const char *const spellings[] = { "real/new", "./real//new/", "link/new",
						 "real/./new" };
	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < ARRAY_SIZE(spellings); i++) {
			struct instance instance;
			MUST(instance_init(spellings[i], &instance, &err), err);
			CHECK_ROW(i, spellings[i], strcmp(instance.root, wanted) == 0);
			CHECK_ROW(i, spellings[i], strcmp(instance.tag, first.tag) == 0);
		}
		mkdir("real/new", 0755);
	}
	assert_int_equal(instance_init("none/../x", &first, &err), -EINVAL);
	assert_int_equal(chdir("/"), 0);
	MUST(tree_remove(folder, &err), err);
}

static void the_environment_says_what_no_option_says(void **state)
{
	struct instance instance;
	struct error err;
	(void)state;
	setenv("WHERRY_ROOT", "/tmp", 1);
	setenv("WHERRY_BPFFS", "/elsewhere", 1);
	MUST(instance_init(NULL, &instance, &err), err);
	assert_string_equal(instance.run, "/tmp/run/wherry");
	assert_memory_equal(instance.bpf, "/elsewhere/wherry-", 18);
	MUST(instance_init("/", &instance, &err), err);
	assert_string_equal(instance.run, "/run/wherry");
	assert_string_equal(instance.bpf, "/elsewhere/wherry");
	unsetenv("WHERRY_ROOT");
	unsetenv("WHERRY_BPFFS");
}

static void roots_that_are_too_long_are_refused(void **state)
{
	char root[INSTANCE_PATH_MAX + 10];
	struct instance instance;
	struct error err;
	(void)state;
	for (size_t i = 0; i < sizeof root; i++)
		root[i] = i % 100 == 0 ? '/' : 'x';
	root[sizeof root - 1] = '\0';
	assert_int_equal(instance_init(root, &instance, &err), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_default_root_has_the_usual_paths),
		cmocka_unit_test(one_root_is_one_instance_however_it_is_spelled),
		cmocka_unit_test(the_environment_says_what_no_option_says),
		cmocka_unit_test(roots_that_are_too_long_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
