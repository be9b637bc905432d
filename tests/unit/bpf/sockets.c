/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The hooks on sockets, attached to a cgroup of this test alone. The "container"
 * is a listener on 127.0.0.2: what counts is where connect leads.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/in.h>

#include "base/cleanup.h"
#include "base/process.h"
#include "datapath.skel.h"
#include "bpf/abi.h"

#include <cmocka.h>

#define BACKEND "127.0.0.2"
enum { BACKEND_PORT = 9000 };

struct hooks {
	struct wherry_datapath *bpf;
	char mount[64], cgroup[96];
	int tcp, udp; /* the "container's" */
};

static struct abi_addr address(const char *text)
{
	struct abi_addr out = { .words = { 0, 0, htonl(0xffff), 0 } };

	assert_int_equal(inet_pton(AF_INET, text, &out.words[3]), 1);
	return out;
}

static struct sockaddr_in at(const char *text, uint16_t port)
{
	struct sockaddr_in out = { .sin_family = AF_INET, .sin_port = htons(port) };

	assert_int_equal(inet_pton(AF_INET, text, &out.sin_addr), 1);
	return out;
}

static int listener(int type)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	struct sockaddr_in own = at(BACKEND, BACKEND_PORT);

	assert_int_equal(bind(fd, (struct sockaddr *)&own, sizeof own), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static void join_cgroup(struct hooks *hooks)
{
	char path[128];

	assert_non_null(mkdtemp(hooks->mount));
	if (mount("none", hooks->mount, "cgroup2", 0, NULL) < 0) {
		rmdir(hooks->mount);
		print_message("SKIP: no cgroup2: %s\n", strerror(errno));
		exit(77);
	}
	snprintf(hooks->cgroup, sizeof hooks->cgroup, "%s/wherry-test-%d", hooks->mount, getpid());
	assert_int_equal(mkdir(hooks->cgroup, 0755), 0);
	snprintf(path, sizeof path, "%s/cgroup.procs", hooks->cgroup);
	auto_fd procs = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(procs, "0", 1), 1);
}

static void attach(struct hooks *hooks)
{
	auto_fd cgroup = open(hooks->cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct {
		struct bpf_program *program;
		enum bpf_attach_type type;
	} rows[] = {
		{ hooks->bpf->progs.socket_connect4, BPF_CGROUP_INET4_CONNECT },
		{ hooks->bpf->progs.socket_sendmsg4, BPF_CGROUP_UDP4_SENDMSG },
		{ hooks->bpf->progs.socket_recvmsg4, BPF_CGROUP_UDP4_RECVMSG },
		{ hooks->bpf->progs.socket_getpeername4, BPF_CGROUP_INET4_GETPEERNAME },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(
			bpf_prog_attach(bpf_program__fd(rows[i].program), cgroup, rows[i].type, 0),
			0);
}

static void bring_lo_up(void)
{
	char words[][8] = { "ip", "link", "set", "lo", "up" };
	char *argv[] = { words[0], words[1], words[2], words[3], words[4], NULL };
	const char *path = access("/sbin/ip", X_OK) == 0 ? "/sbin/ip" : "/bin/ip";
	struct process_spec spec = { path, argv, NULL, -1, -1, 2 };
	struct error err = { 0 };
	int pidfd = -1, status = -1;
	pid_t pid;

	assert_int_equal(process_start(&spec, &pid, &pidfd, &err), 0);
	assert_int_equal(process_wait(pid, &status, &err), 0);
	close(pidfd);
	assert_int_equal(status, 0);
}

static uint64_t own_cookie(void)
{
	struct error err = { 0 };
	uint64_t cookie = 0;
	auto_fd netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	assert_int_equal(netns_cookie(netns, &cookie, &err), 0);
	return cookie;
}

static void publish(struct hooks *hooks, const char *host, uint16_t port)
{
	for (int i = 0; i < 2; i++) {
		struct port_key key = { .address = address(host),
					.port = htons(port),
					.protocol = i ? IPPROTO_UDP : IPPROTO_TCP };
		struct publication publication = { .address = address(BACKEND),
						   .slot = 1,
						   .generation = 1,
						   .port = htons(BACKEND_PORT) };

		assert_int_equal(bpf_map__update_elem(hooks->bpf->maps.wh1_ports, &key, sizeof key,
						      &publication, sizeof publication, BPF_ANY),
				 0);
	}
}

static int setup(void **state)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0) {
		print_message("SKIP: namespaces cannot be made: %s\n", strerror(errno));
		exit(77);
	}
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	bring_lo_up();
	struct hooks *hooks = test_calloc(1, sizeof *hooks);
	snprintf(hooks->mount, sizeof hooks->mount, "/tmp/wherry-cgroup.XXXXXX");
	join_cgroup(hooks);
	hooks->bpf = wherry_datapath__open();
	assert_non_null(hooks->bpf);
	hooks->bpf->rodata->host_netns_cookie = own_cookie();
	assert_int_equal(wherry_datapath__load(hooks->bpf), 0);
	attach(hooks);
	hooks->tcp = listener(SOCK_STREAM);
	hooks->udp = listener(SOCK_DGRAM);
	struct slot slot = { .generation = 1, .network = 1 };
	uint32_t one = 1;
	struct abi_addr own = address("127.0.0.5"); /* stands for an address of the host */
	assert_int_equal(bpf_map__update_elem(hooks->bpf->maps.wh1_slots, &one, sizeof one, &slot,
					      sizeof slot, BPF_ANY),
			 0);
	assert_int_equal(bpf_map__update_elem(hooks->bpf->maps.wh1_locals, &own, sizeof own, &one,
					      sizeof one, BPF_ANY),
			 0);
	publish(hooks, "0.0.0.0", 8080);
	publish(hooks, "127.0.0.1", 8081);
	*state = hooks;
	return 0;
}

static int teardown(void **state)
{
	struct hooks *hooks = *state;
	char path[128];

	snprintf(path, sizeof path, "%s/cgroup.procs", hooks->mount);
	int procs = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(procs, "0", 1), 1);
	close(procs);
	rmdir(hooks->cgroup);
	umount(hooks->mount);
	rmdir(hooks->mount);
	close(hooks->tcp);
	close(hooks->udp);
	wherry_datapath__destroy(hooks->bpf);
	test_free(hooks);
	return 0;
}

/* 0, or the errno of connect. */
static int try_connect(int type, const char *host, uint16_t port, struct sockaddr_in *ret_peer)
{
	auto_fd fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	struct sockaddr_in target = at(host, port);
	socklen_t size = sizeof *ret_peer;

	if (connect(fd, (struct sockaddr *)&target, sizeof target) < 0)
		return errno;
	return getpeername(fd, (struct sockaddr *)ret_peer, &size) < 0 ? errno : 0;
}

static void connect_leads_to_the_container_and_peer_looks_as_asked(void **state)
{
	static const struct {
		const char *host;
		uint16_t port;
		int result;
	} rows[] = {
		{ "127.0.0.1", 8080, 0 },
		{ "127.0.0.9", 8080, 0 },
		{ "127.0.0.1", 8081, 0 },
		{ "127.0.0.9", 8081, ECONNREFUSED },
		{ "127.0.0.1", 8082, ECONNREFUSED },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct sockaddr_in peer = { 0 }, asked = at(rows[i].host, rows[i].port);
		int result = try_connect(SOCK_STREAM, rows[i].host, rows[i].port, &peer);

		if (result != rows[i].result ||
		    (!result && (peer.sin_port != asked.sin_port ||
				 peer.sin_addr.s_addr != asked.sin_addr.s_addr)))
			fail_msg("row %zu: result %d, peer %s:%u", i, result,
				 inet_ntoa(peer.sin_addr), ntohs(peer.sin_port));
	}
}

static void datagrams_are_led_and_their_answers_look_as_asked(void **state)
{
	struct hooks *hooks = *state;
	auto_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in target = at("127.0.0.1", 8080), from = { 0 };
	socklen_t size = sizeof from;
	char byte = 'x';

	assert_int_equal(sendto(fd, &byte, 1, 0, (struct sockaddr *)&target, sizeof target), 1);
	assert_int_equal(recvfrom(hooks->udp, &byte, 1, 0, (struct sockaddr *)&from, &size), 1);
	assert_int_equal(sendto(hooks->udp, &byte, 1, 0, (struct sockaddr *)&from, size), 1);
	size = sizeof from;
	assert_int_equal(recvfrom(fd, &byte, 1, 0, (struct sockaddr *)&from, &size), 1);
	assert_int_equal(from.sin_port, htons(8080));
	assert_string_equal(inet_ntoa(from.sin_addr), "127.0.0.1");
}

/* Runs in a child with a network namespace of its own; its exit code is the result. */
static int in_other_namespace(struct hooks *hooks, bool is_container)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (unshare(CLONE_NEWNET) < 0)
			_exit(99);
		bring_lo_up();
		uint64_t cookie = own_cookie();
		struct netns netns = { .resolver = address("127.0.0.3"), .slot = 1 };
		struct sockaddr_in peer;

		if (is_container)
			bpf_map__update_elem(hooks->bpf->maps.wh1_netns, &cookie, sizeof cookie,
					     &netns, sizeof netns, BPF_ANY);
		/* Nobody listens here: whatever is refused was not led elsewhere. */
		if (try_connect(SOCK_STREAM, "127.0.0.1", 8080, &peer) != ECONNREFUSED)
			_exit(1);
		int resolver = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		struct sockaddr_in own = at("127.0.0.3", 53);
		if (bind(resolver, (struct sockaddr *)&own, sizeof own) < 0 ||
		    listen(resolver, 1) < 0)
			_exit(2);
		_exit(try_connect(SOCK_STREAM, "127.0.0.11", 53, &peer) == 0 ? 10 : 11);
	}
	int status = 0;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void other_namespaces_are_left_alone(void **state)
{
	assert_int_equal(in_other_namespace(*state, false), 11);
}

static void containers_resolver_is_their_gateway(void **state)
{
	assert_int_equal(in_other_namespace(*state, true), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connect_leads_to_the_container_and_peer_looks_as_asked),
		cmocka_unit_test(datagrams_are_led_and_their_answers_look_as_asked),
		cmocka_unit_test(other_namespaces_are_left_alone),
		cmocka_unit_test(containers_resolver_is_their_gateway),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
