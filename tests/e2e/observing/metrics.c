/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Metrics as Prometheus reads them, printed by the verb and served by wherryd. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/file.h"
#include "kit.h"

static void metrics_are_printed_in_the_text_format(void **state)
{
	static const char *const lines[] = {
		"# TYPE wherry_build_info gauge\n",
		"wherry_network_endpoints{network=\"front\"} 2\n",
		"wherry_endpoint_transmit_packets_total{container=\"shop\",network=\"front\"} ",
		"wherry_network_receive_bytes_total{network=\"front\"} ",
		"wherry_dropped_packets_total{reason=\"isolated\",network=\"front\"} ",
		"wherry_table_entries{table=\"wh1_ports\"} 1\n",
		"wherry_table_entries_max{table=\"wh1_ports\"} 131072\n",
		"# TYPE wherry_add_duration_seconds histogram\n",
		"wherry_add_duration_seconds_bucket{le=\"+Inf\"} 3\n",
		"wherry_add_duration_seconds_count 3\n",
		"wherry_add_failures_total 0\n",
	};
	struct scene *scene = *state;
	kit_build(scene);
	scene_assert_ping(scene, "shop", "10.21.0.2");
	scene_assert_no_ping(scene, "shop", "10.22.0.2");
	assert_int_equal(scene_run(scene, NULL, "wherry", "metrics", NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		kit_assert_told(scene, lines[i]);
}

static int connect_unix(struct scene *scene)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	auto_fd run = open(scene_instance(scene)->run, O_PATH | O_CLOEXEC);
	snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/metrics.sock", run);
	auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ? -errno : TAKE_FD(fd);
}

static int connect_inet(struct scene *scene)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(9464),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	auto_fd fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	(void)scene;
	return connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ? -errno : TAKE_FD(fd);
}

/* Until the daemon listens. */
static int connect_soon(struct scene *scene, int (*try)(struct scene *scene))
{
	int fd = -1;
	for (int i = 0; fd < 0 && i < SCENE_WAIT_MS * 4 / 20; i++) {
		fd = try(scene);
		if (fd < 0)
			poll(NULL, 0, 20);
	}
	assert_true(fd >= 0);
	return fd;
}

static void assert_served(int fd)
{
	static const char request[] = "GET /metrics HTTP/1.1\r\nHost: node\r\n\r\n";
	static char page[1 << 20];
	size_t size = 0;
	ssize_t part;
	assert_int_equal(send(fd, request, sizeof request - 1, 0), sizeof request - 1);
	while ((part = recv(fd, page + size, sizeof page - 1 - size, 0)) > 0)
		size += (size_t)part;
	page[size] = '\0';
	assert_ptr_equal(strstr(page, "HTTP/1.1 200 OK\r\n"), page);
	assert_non_null(strstr(page, "\r\n\r\n# HELP wherry_build_info "));
	assert_non_null(strstr(page, "wherry_network_endpoints{network=\"back\"} 1\n"));
	assert_non_null(strstr(page, "wherry_add_failures_total 0\n"));
}

static void daemon_serves_metrics_at_socket_and_port(void **state)
{
	static const char config[] = "{ \"metrics\": \"127.0.0.1:9464\" }";
	struct scene *scene = *state;
	const struct instance *instance = scene_instance(scene);
	char path[INSTANCE_PATH_MAX + 32];
	struct error err;
	kit_build(scene);
	snprintf(path, sizeof path, "%s/config.json", instance->config);
	assert_int_equal(directory_make(instance->config, 0755, &err), 0);
	assert_int_equal(file_replace(path, config, sizeof config - 1, 0644, FILE_NO_SYNC, &err),
			 0);
	pid_t daemon = scene_start(scene, NULL, "wherryd", NULL);
	auto_fd at_socket = connect_soon(scene, connect_unix);
	assert_served(at_socket);
	auto_fd at_port = connect_soon(scene, connect_inet);
	assert_served(at_port);
	scene_stop(scene, daemon, SIGTERM);
	assert_int_equal(unlink(path), 0);
}

#define scene_test(name) cmocka_unit_test_setup_teardown(name, scene_set_up, scene_tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		scene_test(metrics_are_printed_in_the_text_format),
		scene_test(daemon_serves_metrics_at_socket_and_port),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
