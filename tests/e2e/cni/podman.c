/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debian's podman with its CNI back end as the client: its own configuration,
 * storage and networks, inside the scene's node. Skipped where podman, runc or
 * busybox-static lack, or podman is one of those (5 and later) without CNI.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/file.h"
#include "runtime.h"

#define IMAGE "localhost/busybox:latest"

static bool has_podman(void)
{
	static const char *const programs[] = { "/usr/bin/podman", "/usr/bin/conmon",
						"/bin/busybox" };
	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (!path_exists(programs[i]))
			return false;
	return path_exists("/usr/sbin/runc") || path_exists("/usr/bin/runc");
}

static void write_file(struct scene *scene, const char *name, const char *text)
{
	char path[1024];
	struct error err = { 0 };

	snprintf(path, sizeof path, "%s/%s", scene_folder(scene), name);
	if (file_replace(path, text, strlen(text), 0644, FILE_NO_SYNC, &err) < 0)
		fail_msg("%s", err.text);
}

static void write_dual_network(struct scene *scene)
{
	char text[2048];

	snprintf(text, sizeof text,
		 "{\"cniVersion\":\"0.4.0\",\"name\":\"dual\",\"plugins\":[{\"type\":"
		 "\"wherry-cni\",\"root\":\"%s\",\"bridge\":\"br83\",\"isGateway\":true,"
		 "\"ipMasq\":true,\"hairpinMode\":true,\"capabilities\":{\"portMappings\":true,"
		 "\"ips\":true},\"ipam\":{\"type\":\"host-local\",\"routes\":[{\"dst\":"
		 "\"0.0.0.0/0\"},{\"dst\":\"::/0\"}],\"ranges\":[[{\"subnet\":"
		 "\"10.83.0.0/24\",\"gateway\":\"10.83.0.1\"}],[{\"subnet\":\"fd83::/64\","
		 "\"gateway\":\"fd83::1\"}]]}}]}",
		 scene_instance(scene)->root);
	write_file(scene, "cni/dual.conflist", text);
}

static void write_network(struct scene *scene, const char *name, int subnet)
{
	char file[64], text[2048];

	snprintf(file, sizeof file, "cni/%s.conflist", name);
	snprintf(text, sizeof text,
		 "{\"cniVersion\":\"0.4.0\",\"name\":\"%s\",\"plugins\":[{\"type\":\"wherry-cni\","
		 "\"root\":\"%s\",\"bridge\":\"br%d\",\"isDefaultGateway\":true,\"ipMasq\":true,"
		 "\"capabilities\":{\"portMappings\":true,\"ips\":true,\"mac\":true,"
		 "\"aliases\":true},\"ipam\":{\"type\":\"wherry-ipam\",\"ranges\":[[{\"subnet\":"
		 "\"10.%d.0.0/24\"}]]}}]}",
		 name, scene_instance(scene)->root, subnet, subnet);
	write_file(scene, file, text);
}

/* The defaults that podman writes itself are refused where hard limits are lower. */
static void write_settings(struct scene *scene)
{
	char text[2048];

	snprintf(text, sizeof text,
		 "[containers]\ndefault_ulimits=[\"nofile=1024:1024\",\"nproc=1024:1024\"]\n"
		 "[network]\nnetwork_backend=\"cni\"\ncni_plugin_dirs=[\"%s\"]\n"
		 "network_config_dir=\"%s/cni\"\ndefault_network=\"a\"\n"
		 "[engine]\nruntime=\"runc\"\ncgroup_manager=\"cgroupfs\"\n"
		 "events_logger=\"none\"\n",
		 getenv("WHERRY_BIN"), scene_folder(scene));
	write_file(scene, "containers.conf", text);
}

/* Runs a shell line with P as podman on the scene's own folders; gives its output. */
static const char *shell(struct scene *scene, const char *line)
{
	char script[4096];

	snprintf(script, sizeof script,
		 "D=%s; export CONTAINERS_CONF=$D/containers.conf; P=\"podman --root $D/store "
		 "--runroot $D/run --tmpdir $D/tmp\"; %s",
		 scene_folder(scene), line);
	if (scene_run(scene, "node", "/bin/sh", "-c", script, NULL) != 0)
		fail_msg("%s: %s%s", line, scene_output(scene), scene_errors(scene));
	return scene_output(scene);
}

static bool podman_speaks_cni(struct scene *scene)
{
	unsigned major = 0;

	if (scene_run(scene, "node", "/usr/bin/podman", "--version", NULL) != 0)
		return true; /* what follows says what is wrong */
	sscanf(scene_output(scene), "podman version %u", &major);
	if (major >= 5)
		print_message("skipped: podman %u knows netavark only\n", major);
	return major < 5;
}

static void set_up_podman(struct scene *scene)
{
	char path[1024];

	if (!has_podman() || !podman_speaks_cni(scene))
		skip();
	snprintf(path, sizeof path, "%s/cni", scene_folder(scene));
	assert_int_equal(mkdir(path, 0755), 0);
	mkdir("/run/netns", 0755);
	assert_int_equal(mount("tmpfs", "/run/netns", "tmpfs", 0, NULL), 0);
	write_settings(scene);
	write_network(scene, "a", 81);
	write_network(scene, "b", 82);
	write_dual_network(scene);
	shell(scene, "\"$WHERRY_SOURCE\"/tests/tools/busybox-image $D/bb.tar >/dev/null && "
		     "$P load -q -i $D/bb.tar && rm $D/bb.tar");
}

static void end_podman(struct scene *scene)
{
	shell(scene, "$P rm -f -a -t 0 && $P rmi -f -a && $P system prune -f >/dev/null; "
		     "umount $D/store/overlay 2>/dev/null; umount $D/store/overlay-containers/*/"
		     "userdata/shm 2>/dev/null; find /sys/fs/cgroup -depth -type d -path "
		     "'*/libpod_parent*' -exec rmdir {} + 2>/dev/null; true");
	assert_int_equal(umount2("/run/netns", MNT_DETACH), 0);
}

static void cni_120_podman_publishes_and_inspects(void **state)
{
	struct scene *scene = *state;

	set_up_podman(scene);
	shell(scene, "$P run -d --name web --network a -p 8080:80 -p 9000-9002:9000-9002 " IMAGE
		     " sh -c 'while true; do echo hello | nc -l -p 80; done'");
	assert_string_equal(shell(scene, "$P inspect web --format "
					 "'{{range .NetworkSettings.Networks}}{{.IPAddress}} "
					 "{{.Gateway}} {{.MacAddress}}{{end}}'"),
			    "10.81.0.2 10.81.0.1 02:42:0a:51:00:02\n");
	assert_string_equal(shell(scene, "timeout 20 sh -c 'until busybox nc -w 1 127.0.0.1 8080 "
					 "</dev/null; do :; done'"),
			    "hello\n");
	shell(scene, "$P rm -f -t 0 web");
	assert_false(scene_has_device(scene, "node", "wherry"));
	end_podman(scene);
}

static void cni_120_podman_asks_for_addresses_and_connects(void **state)
{
	struct scene *scene = *state;

	set_up_podman(scene);
	assert_non_null(
		strstr(shell(scene, "$P run --rm --network a --ip 10.81.0.77 "
				    "--mac-address 02:00:00:00:00:77 " IMAGE " ip addr show eth0"),
		       "10.81.0.77/24"));
	assert_non_null(strstr(scene_output(scene), "02:00:00:00:00:77"));
	shell(scene, "$P run -d --name web --network a " IMAGE " sleep 600");
	shell(scene, "$P network connect b web");
	assert_non_null(strstr(shell(scene, "$P exec web ip addr show eth1"), "10.82.0.2/24"));
	shell(scene, "$P network disconnect b web");
	assert_null(strstr(shell(scene, "$P exec web ip addr"), "10.82.0.2"));
	end_podman(scene);
}

/* As `podman network create --ipv6` writes them, with another type. */
static void cni_120_podman_has_both_families(void **state)
{
	struct scene *scene = *state;

	set_up_podman(scene);
	shell(scene, "$P run -d --name web --network dual -p 8080:80 -p [::]:8081:80 " IMAGE
		     " sh -c 'while true; do echo hello | nc -l -p 80; done'");
	static const char *const asked[] = { "127.0.0.1 8080", "::1 8080", "::1 8081" };
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		char line[256];
		snprintf(line, sizeof line,
			 "timeout 20 sh -c 'until busybox nc -w 1 %s </dev/null; do :; done'",
			 asked[i]);
		assert_string_equal(shell(scene, line), "hello\n");
	}
	assert_string_equal(shell(scene, "$P inspect web --format '{{range .NetworkSettings."
					 "Networks}}{{.IPAddress}} {{.GlobalIPv6Address}} "
					 "{{.GlobalIPv6PrefixLen}} {{.IPv6Gateway}}{{end}}'"),
			    "10.83.0.2 fd83::2 64 fd83::1\n");
	shell(scene, "$P run --rm --network dual " IMAGE " ping -6 -c 1 -W 5 fd83::2");
	shell(scene, "$P run --rm --network dual " IMAGE " ping -4 -c 1 -W 5 10.83.0.2");
	assert_non_null(strstr(shell(scene, "$P run --rm --network dual --ip6 fd83::77 " IMAGE
					    " ip addr show eth0"),
			       "fd83::77/64"));
	assert_non_null(strstr(scene_output(scene), "10.83.0."));
	assert_non_null(strstr(shell(scene, "$P exec web ip -6 route"), "default via fd83::1"));
	end_podman(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(cni_120_podman_publishes_and_inspects),
		SCENE(cni_120_podman_asks_for_addresses_and_connects),
		SCENE(cni_120_podman_has_both_families),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
