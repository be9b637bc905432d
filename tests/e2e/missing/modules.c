/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel without a module: in the guest, whose modules are ours to take
 * away. What lacks is named by one line, and nothing is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/text.h"
#include "scene/scene.h"

#define LOADER "/proc/sys/kernel/modprobe" /* what the kernel calls to get a module */

static void write_loader(const char *path)
{
	auto_fd fd = open(LOADER, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, path, strlen(path)), strlen(path));
}

static void take_module(const char *name)
{
	if (syscall(SYS_delete_module, name, O_NONBLOCK) < 0 && errno != ENOENT)
		fail_msg("module %s: %s", name, strerror(errno));
}

static int add(struct scene *scene)
{
	static const char *const argv[] = { "wherry-cni", NULL };
	static const char config[] = "{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"type\":"
				     "\"wherry-cni\",\"ipam\":{\"ranges\":[[{\"subnet\":"
				     "\"10.3.0.0/24\"}]]}}";
	auto_free char *netns = NULL;
	struct error err;
	assert_int_equal(text_format(&netns, &err, "CNI_NETNS=%s", scene_netns_path(scene, "c1")),
			 0);
	const char *const environment[] = { "CNI_COMMAND=ADD",
					    "CNI_CONTAINERID=c1",
					    "CNI_IFNAME=eth0",
					    "CNI_PATH=/nowhere",
					    netns,
					    NULL };
	struct scene_command command = { .argv = argv,
					 .environment = environment,
					 .input = config };
	return scene_execute(scene, &command);
}

static void a_missing_module_is_named_and_nothing_is_left(void **state)
{
	static const struct {
		const char *module, *says;
	} rows[] = {
		{ "veth", "module veth" },
		{ "sch_ingress", "module sch_ingress" },
		{ "cls_bpf", "module cls_bpf" },
		{ "bridge", "module bridge" },
	};
	struct scene *scene = *state;
	struct error err;
	size_t size;
	auto_free char *loader = NULL;
	assert_int_equal(file_read(LOADER, 256, &loader, &size, &err), 0);
	scene_container(scene, "c1");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		take_module(rows[i].module);
		write_loader("/nowhere");
		/* The first try makes what stays on purpose: stores, locks, the network. */
		(void)add(scene);
		auto_free char *before = scene_snapshot(scene);
		int status = add(scene);
		if (status != 1 || !strstr(scene_output(scene), rows[i].says))
			fail_msg("row %zu: status %d: %s", i, status, scene_output(scene));
		scene_assert_unchanged(scene, before);
		write_loader(loader);
		scene_assert_run(scene, "modprobe", rows[i].module, NULL);
		scene_assert_run(scene, "wherry", "system", "reset", "--force", NULL);
	}
	assert_int_equal(add(scene), 0);
	scene_assert_run(scene, "wherry", "system", "reset", "--force", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_missing_module_is_named_and_nothing_is_left,
						scene_set_up, scene_tear_down),
	};
	if (!getenv("WHERRY_GUEST")) {
		printf("SKIP: modules are only taken from the guest's kernel\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
