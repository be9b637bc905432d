/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The witness against Wherry: every point of the checklist with --long, a
 * sample of them otherwise. Whatever fails must be a difference that
 * docs/cni-differences.md gives a reason for.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"

#define CONFLIST(ranges, routes)                                                          \
	"{\"cniVersion\":\"1.1.0\",\"name\":\"front\",\"plugins\":[{\"type\":\"wherry\"," \
	"\"isGateway\":true,\"ipMasq\":true,\"capabilities\":{\"portMappings\":true,"     \
	"\"ips\":true,\"mac\":true},\"ipam\":{\"type\":\"host-local\",\"ranges\":"        \
	"[[{\"subnet\":\"10.20.0.0/16\"}]" ranges "],\"routes\":[{\"dst\":"               \
	"\"0.0.0.0/0\"}" routes "]}}]}"

/* One of each kind, so that a fault anywhere shows; the rest with --long. */
static const char *const sample[] = { "38", "59", "112", "1",  "5",  "7",  "10", "11",
				      "16", "19", "21",  "26", "27", "75", "117" };

/* Of IPv4, and of both families: the same claims hold. */
static const struct {
	const char *text;
	size_t sample_count; /* how many of the sample are enough */
} lists[] = {
	{ CONFLIST("", ""), ARRAY_SIZE(sample) },
	{ CONFLIST(",[{\"subnet\":\"fd20::/64\"}]", ",{\"dst\":\"::/0\"}"), 3 },
};

/* The plugins under the names that configurations call them by. */
static int make_plugins(const char *folder, struct error *err)
{
	static const char *const names[][2] = { { "wherry", "wherry-cni" },
						{ "wherry-ipam", "wherry-ipam" } };
	int r = directory_make(folder, 0755, err);

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(names); i++) {
		char link[512], target[512];
		snprintf(link, sizeof link, "%s/%s", folder, names[i][0]);
		snprintf(target, sizeof target, "%s/%s", getenv("WHERRY_BIN"), names[i][1]);
		if (symlink(target, link) < 0)
			return error_set_errno(err, errno, "%s", link);
	}
	return r;
}

static int build_arguments(const char *folder, size_t sample_count, struct words *ret,
			   struct error *err)
{
	const char *bin = getenv("WHERRY_BIN"), *source = getenv("WHERRY_SOURCE");
	int r = words_append_format(ret, err, "%s/cni-conformance", bin);

	if (r == 0)
		r = words_append(ret, "--quiet", err);
	if (r == 0)
		r = words_append_format(ret, err, "--path=%s/bin:/usr/lib/cni", folder);
	if (r == 0)
		r = words_append_format(ret, err, "--known=%s/docs/cni-differences.md", source);
	if (r == 0)
		r = words_append(ret, "--ipam=wherry-ipam", err);
	if (r == 0)
		r = words_append(ret, "--drop-in=bridge,portmap,firewall,bandwidth,tuning", err);
	if (getenv("WHERRY_TEST_LONG"))
		r = words_append(ret, "--long", err);
	for (size_t i = 0; r == 0 && !getenv("WHERRY_TEST_LONG") && i < sample_count; i++)
		r = words_append_format(ret, err, "--point=%s", sample[i]);
	return r < 0 ? r : words_append_format(ret, err, "%s/wherry.conflist", folder);
}

static int run(const char *folder, size_t list, struct error *err)
{
	char conflist[512];
	auto_words arguments = { 0 };
	const char *text = lists[list].text;
	int status = 1;

	snprintf(conflist, sizeof conflist, "%s/wherry.conflist", folder);
	int r = file_replace(conflist, text, strlen(text), 0644, FILE_NO_SYNC, err);
	if (r == 0)
		r = build_arguments(folder, lists[list].sample_count, &arguments, err);
	if (r < 0)
		return r;
	pid_t pid = fork();
	if (pid == 0) {
		execv(arguments.items[0], arguments.items);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return error_set_errno(err, errno, "cni-conformance");
	return status ? error_set(err, EPROTO, "points failed: see above") : 0;
}

int main(void)
{
	char folder[] = "/tmp/wherry-conformance-XXXXXX", plugins[512];
	struct error err = { 0 }, ignored = { 0 };

	if (geteuid() != 0) {
		printf("SKIP: namespaces need root\n");
		return 77;
	}
	if (!mkdtemp(folder))
		return 1;
	snprintf(plugins, sizeof plugins, "%s/bin", folder);
	int r = make_plugins(plugins, &err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(lists); i++)
		r = run(folder, i, &err);
	tree_remove(folder, &ignored);
	if (r < 0)
		printf("%s\n", err.text);
	return r < 0 ? 1 : 0;
}
