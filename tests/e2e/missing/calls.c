/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A kernel that lacks a system call: one line that names it, and nothing is left. */
#include "kit.h"

#define RUN "wherry run --network none busybox true"
#define ATTACH "wherry run busybox true"
#define CREATE "wherry network create more"
#define FAILED 125

/* Without BPF nf_tables would carry the packets: not if the administrator wants BPF. */
static void want_bpf(struct scene *scene)
{
	done(scene, "mkdir -p \"$WHERRY_ROOT/etc/wherry\"");
	done(scene, "echo '{\"backend\":\"bpf\"}' > \"$WHERRY_ROOT/etc/wherry/config.json\"");
}

static void forget_config(struct scene *scene)
{
	done(scene, "rm -r \"$WHERRY_ROOT/etc\"");
}

static void without_bpf_the_rules_of_nf_tables_do(void **state)
{
	struct scene *scene = *state;
	done(scene, "\"" WITHOUT "\" bpf ENOSYS wherry run -d --name web -p 8080:80 busybox "
		    "httpd -f -p 80");
	done(scene, "\"" WITHOUT "\" bpf ENOSYS wherry run --rm busybox "
		    "sh -c 'nslookup web && wget -O /dev/null http://web/none; test $? = 1'");
	done(scene, "\"" WITHOUT "\" bpf ENOSYS wherry doctor | grep -q 'backend.*nft'");
	done(scene, "wherry rm -f web");
}

static void what_the_kernel_lacks_is_named_and_nothing_is_left(void **state)
{
	static const struct {
		const char *call, *line, *says;
		int status;
	} rows[] = {
		{ "bpf ENOSYS", ATTACH, "has no bpf(2)", FAILED },
		{ "bpf EPERM", ATTACH, "needs root (CAP_BPF, CAP_NET_ADMIN)", FAILED },
		{ "bpf ENOSYS", CREATE, "has no bpf(2)", 1 },
		{ "bpf EPERM", CREATE, "needs root (CAP_BPF, CAP_NET_ADMIN)", 1 },
		{ "pidfd_open ENOSYS", RUN, "has no pidfd_open(2)", FAILED },
		{ "openat2 ENOSYS", RUN, "has no openat2(2)", FAILED },
		{ "pivot_root ENOSYS", RUN, "pivot_root: this kernel does not have", FAILED },
		{ "seccomp ENOSYS", RUN, "seccomp filter: this kernel does not have", FAILED },
		{ "seccomp ENOSYS", ATTACH, "seccomp filter: this kernel does not have", FAILED },
	};
	struct scene *scene = *state;
	want_bpf(scene);
	done(scene, "wherry run --rm --network none busybox true");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		/* The data path is loaded at its first use, and stays: then a call may be lacking.
		 */
		if (i == ARRAY_SIZE(rows) - 1)
			done(scene, "wherry run --rm busybox true");
		auto_free char *line = NULL;
		struct error err;
		assert_int_equal(text_format(&line, &err, "\"" WITHOUT "\" %s %s", rows[i].call,
					     rows[i].line),
				 0);
		/* The first try makes what stays on purpose: stores and locks. */
		(void)shell(scene, line);
		settle_links(scene);
		auto_free char *before = scene_snapshot(scene);
		int status = shell(scene, line);
		const char *errors = scene_errors(scene), *end = strchr(errors, '\n');
		if (status != rows[i].status || !strstr(errors, rows[i].says) || !end || end[1])
			fail_msg("row %zu: status %d: %s", i, status, errors);
		settle_links(scene);
		scene_assert_unchanged(scene, before);
	}
	forget_config(scene);
}

static void a_plugin_without_bpf_says_so_and_leaves_nothing(void **state)
{
	static const struct {
		const char *call, *says;
	} rows[] = { { "bpf ENOSYS", "has no bpf(2)" },
		     { "bpf EPERM", "needs root (CAP_BPF, CAP_NET_ADMIN)" } };
	struct scene *scene = *state;
	want_bpf(scene);
	scene_container(scene, "c1");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_free char *line = NULL;
		struct error err;
		assert_int_equal(
			text_format(&line, &err,
				    "echo '{\"cniVersion\":\"1.0.0\",\"name\":\"n\",\"type\":"
				    "\"wherry-cni\",\"ipam\":{\"ranges\":[[{\"subnet\":"
				    "\"10.3.0.0/24\"}]]}}' | CNI_COMMAND=ADD CNI_CONTAINERID=c1 "
				    "CNI_IFNAME=eth0 CNI_PATH=/nowhere CNI_NETNS=%s \"" WITHOUT
				    "\" %s wherry-cni",
				    scene_netns_path(scene, "c1"), rows[i].call),
			0);
		(void)shell(scene, line);
		auto_free char *before = scene_snapshot(scene);
		assert_int_equal(shell(scene, line), 1);
		if (!strstr(scene_output(scene), rows[i].says))
			fail_msg("row %zu: %s", i, scene_output(scene));
		scene_assert_unchanged(scene, before);
	}
	forget_config(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE(what_the_kernel_lacks_is_named_and_nothing_is_left),
		ENGINE(without_bpf_the_rules_of_nf_tables_do),
		ENGINE(a_plugin_without_bpf_says_so_and_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
