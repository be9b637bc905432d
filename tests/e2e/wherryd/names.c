/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wherryd as a whole: a network and containers in namespaces of their own, the real
 * daemon, and two upstream servers that misbehave (tests/net/dns/upstream.h).
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "address.h"
#include "base/file.h"
#include "base/process.h"
#include "dataplane/dataplane.h"
#include "packets.h"
#include "upstream.h"

#define WAIT_MS 8000
#define QUIET_MS 1500 /* longer than the daemon's longest timer */
#define OUTPUT_MAX 4096

struct scene {
	char root[64];
	struct instance instance;
	struct dataplane *dataplane;
	pid_t upstream;
	int web_netns, db_netns;
	bool started; /* the daemon */
};

static struct ip ip_of(const char *text)
{
	struct ip ip;
	struct error err;
	assert_int_equal(ip_parse(text, &ip, &err), 0);
	return ip;
}

#define assert_done(call, err)                                 \
	do {                                                   \
		if ((call) < 0)                                \
			fail_msg("%s: %s", #call, (err).text); \
	} while (0)

/* --- the daemon ----------------------------------------------------------------- */

/* Runs wherryd with these options and waits for the process that was started. */
static int run_wherryd(const struct scene *scene, const char *option1, const char *option2,
		       char *output, size_t size)
{
	char path[4096], file[128];
	char *argv[] = { path,
			 (char *)(uintptr_t) "--root",
			 (char *)(uintptr_t)scene->root,
			 (char *)(uintptr_t) "--upstream",
			 (char *)(uintptr_t) "127.0.2.1",
			 (char *)(uintptr_t) "--upstream",
			 (char *)(uintptr_t) "127.0.2.2",
			 (char *)(uintptr_t)option1,
			 (char *)(uintptr_t)option2,
			 NULL };
	struct error err;
	int status, pidfd;
	pid_t pid;

	snprintf(path, sizeof path, "%s/wherryd", getenv("WHERRY_BIN"));
	snprintf(file, sizeof file, "%s/output", scene->root);
	auto_fd out = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct process_spec spec = {
		.path = path, .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = out
	};
	assert_done(process_start(&spec, &pid, &pidfd, &err), err);
	close(pidfd);
	assert_done(process_wait(pid, &status, &err), err);
	ssize_t got = pread(out, output, size - 1, 0);
	output[got < 0 ? 0 : got] = '\0';
	return status;
}

static void start_wherryd(const struct scene *scene)
{
	char output[OUTPUT_MAX];
	if (run_wherryd(scene, "--background", NULL, output, sizeof output) != 0)
		fail_msg("wherryd: %s", output);
}

static pid_t wherryd_pid(const struct scene *scene)
{
	char path[INSTANCE_PATH_MAX + 32];
	auto_free char *text = NULL;
	size_t size;
	struct error err;
	snprintf(path, sizeof path, "%s/wherryd.pid", scene->instance.run);
	assert_done(file_read(path, 64, &text, &size, &err), err);
	return (pid_t)strtol(text, NULL, 10);
}

/* Ends the daemon, whose parent is gone: waited for by a pidfd. */
static void end_wherryd(const struct scene *scene, int signal)
{
	pid_t pid = wherryd_pid(scene);
	auto_fd pidfd = (int)syscall(434 /* pidfd_open */, pid, 0);
	struct pollfd wait = { .fd = pidfd, .events = POLLIN };
	assert_true(pidfd >= 0);
	assert_int_equal(kill(pid, signal), 0);
	assert_int_equal(poll(&wait, 1, WAIT_MS), 1);
}

/* --- containers ------------------------------------------------------------------- */

static int make_netns(void)
{
	auto_fd own = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_true(own >= 0);
	assert_int_equal(unshare(CLONE_NEWNET), 0);
	int made = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	assert_int_equal(setns(own, CLONE_NEWNET), 0);
	assert_true(made >= 0);
	return made;
}

static void make_network(const struct scene *scene, const char *name, const char *subnet)
{
	struct network_spec spec = { .dns = true };
	struct network_info info;
	struct error err;
	snprintf(spec.name, sizeof spec.name, "%s", name);
	assert_done(prefix_parse(subnet, &spec.subnet, &err), err);
	assert_done(network_ensure(scene->dataplane, &spec, &info, &err), err);
}

static void add_endpoint(const struct scene *scene, const char *id, const char *network,
			 int netns_fd, const char *address, const char *const *names,
			 const struct endpoint_link *link)
{
	struct endpoint_info info;
	struct error err;
	struct endpoint_spec spec = { .container_id = id,
				      .interface = "eth0",
				      .network = network,
				      .netns_path = "",
				      .netns_fd = netns_fd,
				      .names = names,
				      .links = link,
				      .link_count = link ? 1 : 0,
				      .owner = "cni" };
	assert_done(prefix_parse(address, &spec.address, &err), err);
	assert_done(endpoint_add(scene->dataplane, &spec, &info, &err), err);
	endpoint_info_release(&info);
}

static void add_second_endpoint(const struct scene *scene, const char *id, const char *network,
				int netns_fd, const char *address)
{
	struct endpoint_info info;
	struct error err;
	struct endpoint_spec spec = { .container_id = id,
				      .interface = "eth1",
				      .network = network,
				      .netns_path = "",
				      .netns_fd = netns_fd,
				      .owner = "cni" };
	assert_done(prefix_parse(address, &spec.address, &err), err);
	assert_done(endpoint_add(scene->dataplane, &spec, &info, &err), err);
	endpoint_info_release(&info);
}

/* --- the client --------------------------------------------------------------------- */

/* Asks the gateway from inside a namespace; the answer as text, or "silence". */
static void ask(int netns_fd, const char *gateway, const char *name, enum dns_type type, char *text,
		size_t size)
{
	static struct packet packet;
	struct error err;
	int fd = -1;
	struct dns_address to = dns_address_make(ip_of(gateway), DNS_PORT, 0);
	assert_done(netns_socket(netns_fd, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0, &fd, &err), err);
	auto_fd owned = fd;
	packet_query(&packet, name, type, 0);
	assert_int_equal(sendto(fd, packet.data, packet.size, 0, &to.any, to.size), packet.size);
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	snprintf(text, size, "silence");
	if (poll(&wait, 1, WAIT_MS) != 1)
		return;
	ssize_t got = recv(fd, packet.data, sizeof packet.data, 0);
	if (got > 0)
		packet_describe(packet.data, (size_t)got, text, size);
	(void)owned;
}

#define assert_answer(netns_fd, name, type, wanted)                          \
	do {                                                                 \
		char text_[512];                                             \
		ask(netns_fd, "10.21.0.1", name, type, text_, sizeof text_); \
		assert_string_equal(text_, wanted);                          \
	} while (0)

/* --- set up --------------------------------------------------------------------------- */

static void bring_up_loopback(void)
{
	auto_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
}

/* A host of the test's own: network namespace, bpffs, root folder. */
static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof *scene);
	static const char *const web_names[] = { "web", "www", NULL };
	static const char *const db_names[] = { "db", NULL };
	struct endpoint_link link = { .name = "store", .target = "dddddddddddd0001" };
	struct error err;

	*state = scene;

	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0) {
		print_message("skipped: no namespaces: %s\n", strerror(errno));
		exit(77);
	}
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL), 0);
	bring_up_loopback();
	snprintf(scene->root, sizeof scene->root, "/tmp/wherry-test-XXXXXX");
	assert_non_null(mkdtemp(scene->root));
	assert_done(instance_init(scene->root, &scene->instance, &err), err);
	assert_done(dataplane_open(&scene->instance, &scene->dataplane, &err), err);
	scene->upstream = upstream_start(ip_of("127.0.2.1"), ip_of("127.0.2.2"));
	assert_true(scene->upstream > 0);
	scene->web_netns = make_netns();
	scene->db_netns = make_netns();
	make_network(scene, "front", "10.21.0.0/24");
	add_endpoint(scene, "dddddddddddd0001", "front", scene->db_netns, "10.21.0.3/24", db_names,
		     NULL);
	add_endpoint(scene, "aaaaaaaaaaaa0001", "front", scene->web_netns, "10.21.0.2/24",
		     web_names, &link);
	start_wherryd(scene);
	scene->started = true;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;
	struct error err;
	if (scene->started)
		end_wherryd(scene, SIGTERM);
	if (scene->upstream > 0) {
		kill(scene->upstream, SIGKILL);
		waitpid(scene->upstream, NULL, 0);
	}
	dataplane_free(scene->dataplane);
	assert_done(dataplane_reset(&scene->instance, &err), err);
	close(scene->web_netns);
	close(scene->db_netns);
	assert_done(tree_remove(scene->root, &err), err);
	free(scene);
	return 0;
}

/* --- tests ------------------------------------------------------------------------------ */

static void names_aliases_and_links_are_answered_in_the_container(void **state)
{
	const struct scene *scene = *state;
	assert_answer(scene->web_netns, "db", DNS_TYPE_A, "NOERROR aa: db A 10.21.0.3");
	assert_answer(scene->db_netns, "WWW", DNS_TYPE_A, "NOERROR aa: WWW A 10.21.0.2");
	assert_answer(scene->db_netns, "web.front", DNS_TYPE_A,
		      "NOERROR aa: web.front A 10.21.0.2");
	assert_answer(scene->db_netns, "web", DNS_TYPE_AAAA, "NOERROR aa: | SOA 1");
	assert_answer(scene->web_netns, "store", DNS_TYPE_A, "NOERROR aa: store A 10.21.0.3");
	assert_answer(scene->db_netns, "2.0.21.10.in-addr.arpa", DNS_TYPE_PTR,
		      "NOERROR aa: 2.0.21.10.in-addr.arpa PTR web");
	assert_answer(scene->db_netns, "77.0.21.10.in-addr.arpa", DNS_TYPE_PTR,
		      "NXDOMAIN aa: | SOA 1");
	/* The link is web's alone: db asks the upstream, which knows every name. */
	assert_answer(scene->db_netns, "store", DNS_TYPE_A, "NOERROR: store A 192.0.2.1");
}

/* Where Docker's users expect a resolver; nothing listens there in the container. */
static void resolver_at_127_0_0_11_answers(void **state)
{
	const struct scene *scene = *state;
	char text[512];
	ask(scene->web_netns, "127.0.0.11", "db", DNS_TYPE_A, text, sizeof text);
	assert_string_equal(text, "NOERROR aa: db A 10.21.0.3");
}

static void other_names_come_from_the_upstreams(void **state)
{
	const struct scene *scene = *state;
	assert_answer(scene->web_netns, "ok.example", DNS_TYPE_A,
		      "NOERROR: ok.example A 192.0.2.1");
	assert_answer(scene->web_netns, "drop1.example", DNS_TYPE_A,
		      "NOERROR: drop1.example A 192.0.2.2");
	assert_answer(scene->web_netns, "wrongid1.example", DNS_TYPE_A,
		      "NOERROR: wrongid1.example A 192.0.2.2");
}

static void name_comes_with_add_and_goes_with_delete(void **state)
{
	const struct scene *scene = *state;
	static const char *const names[] = { "job", NULL };
	struct error err;
	int rounds = getenv("WHERRY_TEST_LONG") ? 1000 : 20;
	int netns = make_netns();
	for (int i = 0; i < rounds; i++) {
		add_endpoint(scene, "bbbbbbbbbbbb0001", "front", netns, "10.21.0.9/24", names,
			     NULL);
		assert_answer(scene->web_netns, "job", DNS_TYPE_A, "NOERROR aa: job A 10.21.0.9");
		assert_int_equal(endpoint_delete(scene->dataplane, "bbbbbbbbbbbb0001", "eth0",
						 ENDPOINT_DELETE_LINK, &err),
				 1);
		/* Now it is a name like any other: an upstream answers. */
		char text[512];
		ask(scene->web_netns, "10.21.0.1", "job", DNS_TYPE_A, text, sizeof text);
		assert_non_null(strstr(text, "job A 192.0.2."));
	}
	close(netns);
}

/* A container that dies without a DEL: its names and ports must not outlive it. */
static void endpoint_of_a_dead_namespace_is_removed(void **state)
{
	const struct scene *scene = *state;
	static const char *const names[] = { "dead", NULL };
	int netns = make_netns();
	char text[512];
	add_endpoint(scene, "eeeeeeeeeeee0001", "front", netns, "10.21.0.10/24", names, NULL);
	assert_answer(scene->web_netns, "dead", DNS_TYPE_A, "NOERROR aa: dead A 10.21.0.10");
	close(netns);
	/* Each query is one event of waiting: the daemon acts on the link's removal. */
	uint64_t end_ms = clock_monotonic_ms() + WAIT_MS;
	do
		ask(scene->web_netns, "10.21.0.1", "dead", DNS_TYPE_A, text, sizeof text);
	while (strstr(text, "10.21.0.10") && clock_monotonic_ms() < end_ms);
	assert_non_null(strstr(text, "dead A 192.0.2."));
}

static void names_are_there_again_after_the_daemon_was_killed(void **state)
{
	const struct scene *scene = *state;
	end_wherryd(scene, SIGKILL);
	start_wherryd(scene);
	assert_answer(scene->web_netns, "db", DNS_TYPE_A, "NOERROR aa: db A 10.21.0.3");
}

static void second_daemon_says_who_runs(void **state)
{
	const struct scene *scene = *state;
	char output[OUTPUT_MAX], wanted[256];
	assert_int_equal(run_wherryd(scene, "--background", NULL, output, sizeof output), 1);
	snprintf(wanted, sizeof wanted, "wherryd: wherryd runs already for root %s: process %d\n",
		 scene->root, wherryd_pid(scene));
	assert_string_equal(output, wanted);
	assert_int_equal(run_wherryd(scene, "--background", "--if-needed", output, sizeof output),
			 0);
	assert_string_equal(output, "");
}

/* As the systemd unit starts where the engine has started one before. */
static void one_that_takes_over_goes_on_in_the_place_of_the_first(void **state)
{
	const struct scene *scene = *state;
	char output[OUTPUT_MAX];
	pid_t first = wherryd_pid(scene);
	struct pollfd end = { .fd = (int)syscall(SYS_pidfd_open, first, 0), .events = POLLIN };
	assert_true(end.fd >= 0);
	if (run_wherryd(scene, "--background", "--take-over", output, sizeof output) != 0)
		fail_msg("wherryd: %s", output);
	assert_int_not_equal(wherryd_pid(scene), first);
	assert_int_equal(poll(&end, 1, WAIT_MS), 1);
	close(end.fd);
	assert_answer(scene->web_netns, "db", DNS_TYPE_A, "NOERROR aa: db A 10.21.0.3");
}

static void new_network_is_served_when_asked_for(void **state)
{
	const struct scene *scene = *state;
	static const char *const names[] = { "far", NULL };
	char output[OUTPUT_MAX], text[512];
	int netns = make_netns();
	make_network(scene, "back", "10.22.0.0/24");
	assert_int_equal(run_wherryd(scene, "--if-needed", NULL, output, sizeof output), 0);
	add_endpoint(scene, "cccccccccccc0001", "back", netns, "10.22.0.2/24", names, NULL);
	ask(netns, "10.22.0.1", "far", DNS_TYPE_A, text, sizeof text);
	assert_string_equal(text, "NOERROR aa: far A 10.22.0.2");
	/* Names of another network are none of its business. */
	ask(netns, "10.22.0.1", "db", DNS_TYPE_A, text, sizeof text);
	assert_non_null(strstr(text, "db A 192.0.2."));
	close(netns);
}

/* How often the daemon has gone to sleep, and so how often it was woken. */
static uint64_t count_sleeps(const struct scene *scene)
{
	static const char label[] = "\nvoluntary_ctxt_switches:";
	char path[64];
	auto_free char *text = NULL;
	size_t size;
	struct error err;
	snprintf(path, sizeof path, "/proc/%d/status", wherryd_pid(scene));
	assert_done(file_read(path, OUTPUT_MAX, &text, &size, &err), err);
	const char *found = strstr(text, label);
	assert_non_null(found);
	return strtoull(found + sizeof label - 1, NULL, 10);
}

static void idle_daemon_sleeps(void **state)
{
	const struct scene *scene = *state;
	uint64_t end_ms = clock_monotonic_ms() + WAIT_MS, before;
	/* What the tests before did is looked at for a second or so; then nothing happens. */
	do {
		before = count_sleeps(scene);
		(void)poll(NULL, 0, QUIET_MS);
	} while (count_sleeps(scene) != before && clock_monotonic_ms() < end_ms);
	assert_int_equal(count_sleeps(scene), before);
}

static void container_of_two_networks_finds_the_names_of_both(void **state)
{
	const struct scene *scene = *state;
	static const char *const none[] = { NULL };
	static const char *const names[] = { "side", NULL };
	int netns = make_netns(), side = make_netns();
	make_network(scene, "side", "10.23.0.0/24");
	add_endpoint(scene, "ffffffffffff0001", "front", netns, "10.21.0.11/24", none, NULL);
	add_second_endpoint(scene, "ffffffffffff0001", "side", netns, "10.23.0.3/24");
	add_endpoint(scene, "ffffffffffff0002", "side", side, "10.23.0.2/24", names, NULL);
	assert_answer(netns, "db", DNS_TYPE_A, "NOERROR aa: db A 10.21.0.3");
	assert_answer(netns, "side", DNS_TYPE_A, "NOERROR aa: side A 10.23.0.2");
	close(netns);
	close(side);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_aliases_and_links_are_answered_in_the_container),
		cmocka_unit_test(resolver_at_127_0_0_11_answers),
		cmocka_unit_test(other_names_come_from_the_upstreams),
		cmocka_unit_test(name_comes_with_add_and_goes_with_delete),
		cmocka_unit_test(endpoint_of_a_dead_namespace_is_removed),
		cmocka_unit_test(names_are_there_again_after_the_daemon_was_killed),
		cmocka_unit_test(second_daemon_says_who_runs),
		cmocka_unit_test(one_that_takes_over_goes_on_in_the_place_of_the_first),
		cmocka_unit_test(new_network_is_served_when_asked_for),
		cmocka_unit_test(container_of_two_networks_finds_the_names_of_both),
		cmocka_unit_test(idle_daemon_sleeps),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
