/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Limits of bandwidth: as much passes as was asked for, whoever sends and whatever
 * way it comes, and small flows find their place beside large ones.
 */
#include "world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/process.h"
#include "base/text.h"

#define PORT 9000
#define FLOWS_MAX 16
#define RATE 20000000    /* bit/s */
#define BURST (RATE / 4) /* a quarter of a second: that long may everybody be late */
#define SEGMENT 1448.0   /* bytes of data in a frame of 1,514 */
#define FRAME 1514.0
#define WARM (BURST / 8 * 2) /* bytes */

struct page {
	volatile uint64_t received; /* bytes of data */
};

static bool is_long(void)
{
	const char *text = getenv("WHERRY_TEST_LONG");
	return text && text[0];
}

/* --- a flood, and where it ends --------------------------------------------------- */

static int open_sink(void *context, struct error *err)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
	    bind(fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(fd, FLOWS_MAX) < 0)
		return error_set_errno(err, errno, "sink");
	*(int *)context = fd;
	return 0;
}

static void drain(int listener, struct page *page)
{
	static char data[1 << 16];
	struct pollfd ends[1 + FLOWS_MAX] = { { .fd = listener, .events = POLLIN } };
	nfds_t count = 1;
	while (poll(ends, count, -1) > 0) {
		for (nfds_t i = 1; i < count; i++) {
			ssize_t size = ends[i].revents ? recv(ends[i].fd, data, sizeof data, 0) : 0;
			if (size > 0)
				page->received += (uint64_t)size;
			else if (ends[i].revents)
				ends[i].fd = -1;
		}
		if (ends[0].revents && count < ARRAY_SIZE(ends))
			ends[count++] = (struct pollfd){ .fd = accept(listener, NULL, NULL),
							 .events = POLLIN };
	}
}

static pid_t start_sink(struct world *world, const char *host, struct page *page)
{
	struct error err = { 0 };
	int fd = -1;
	world_claim(netns_run(scene_netns_fd(world->scene, host), open_sink, &fd, &err), &err);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		drain(fd, page);
		_exit(0);
	}
	close(fd);
	return pid;
}

struct flood {
	const char *address;
	uint16_t port;
	unsigned flows;
};

static int flood_in_namespace(void *context, struct error *err)
{
	static const char data[1 << 15];
	const struct flood *flood = context;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(flood->port) };
	struct pollfd ends[FLOWS_MAX];
	inet_pton(AF_INET, flood->address, &to.sin_addr);
	for (unsigned i = 0; i < flood->flows; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(fd, (struct sockaddr *)&to, sizeof to) < 0)
			return error_set_errno(err, errno, "connect to %s", flood->address);
		ends[i] = (struct pollfd){ .fd = fd, .events = POLLOUT };
	}
	while (poll(ends, flood->flows, -1) > 0)
		for (unsigned i = 0; i < flood->flows; i++)
			if (ends[i].revents &&
			    send(ends[i].fd, data, sizeof data, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
			    errno != EAGAIN)
				return error_set_errno(err, errno, "send");
	return 0;
}

static pid_t start_flood(struct world *world, const char *host, const struct flood *flood)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct error err = { 0 };
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (netns_run(scene_netns_fd(world->scene, host), flood_in_namespace,
			      (void *)(uintptr_t)flood, &err) < 0)
			fprintf(stderr, "flood from %s: %s\n", host, err.text);
		_exit(1);
	}
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* --- a container with limits -------------------------------------------------------- */

static int add_limited(struct world *world, const char *name, const char *address,
		       struct rate_limit ingress, struct rate_limit egress, struct error *err)
{
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct publish_spec publish = {
		.host_port = PORT, .container_port = PORT, .count = 1, .protocol = PROTOCOL_TCP
	};
	scene_container(world->scene, name);
	struct endpoint_spec spec = { .container_id = name,
				      .interface = "eth0",
				      .network = "web",
				      .netns_path = scene_netns_path(world->scene, name),
				      .netns_fd = scene_netns_fd(world->scene, name),
				      .publish = &publish,
				      .publish_count = 1,
				      .publish_policy = PUBLISH_IGNORE_LISTENERS,
				      .default_route = true,
				      .ingress = ingress,
				      .egress = egress,
				      .owner = "test" };
	world_claim(prefix_parse(address, &spec.address, err), err);
	world_claim(ip_parse("10.1.0.1", &spec.gateway, err), err);
	return endpoint_add(world->dataplane, &spec, &info, err);
}

static void skip_without_tbf(struct world *world)
{
	scene_host(world->scene, "probe");
	int r = scene_run(world->scene, "probe", "tc", "qdisc", "add", "dev", "lo", "root", "tbf",
			  "rate", "1mbit", "burst", "10k", "limit", "10k", NULL);
	scene_run(world->scene, "probe", "tc", "qdisc", "del", "dev", "lo", "root", NULL);
	if (r == 0)
		return;
	print_message("no tbf in this kernel\n");
	skip();
}

/* Requests that must not wait behind the flood; how long the slowest took. */
static void assert_small_flows_live(struct world *world, const char *from, const char *to,
				    uint16_t port)
{
	struct scene_reply reply;
	uint64_t slowest_ms = 0;
	int fd = scene_tcp_open(world->scene, from, to, port, &reply);
	assert_true(fd >= 0);
	for (int i = 0; i < 10; i++) {
		uint64_t start_ms = clock_monotonic_ms();
		assert_int_equal(scene_tcp_echo(fd, "small", SCENE_WAIT_MS), 0);
		uint64_t took_ms = clock_monotonic_ms() - start_ms;
		slowest_ms = took_ms > slowest_ms ? took_ms : slowest_ms;
	}
	close(fd);
	print_message("  small flows: %llu ms at most\n", (unsigned long long)slowest_ms);
}

static const struct way {
	const char *name;
	const char *from, *to; /* hosts */
	struct flood flood;
	const char *small_to; /* a server on 7 behind the same limit; NULL: none */
} ways[] = {
	{ "published, received", "client", "c1", { "10.99.0.1", PORT, 1 }, NULL },
	{ "a neighbour, received", "c2", "c1", { "10.1.0.2", PORT, 16 }, "10.1.0.2" },
	{ "the host, received", "node", "c1", { "10.1.0.2", PORT, 1 }, NULL },
	{ "to outside, sent", "c1", "client", { "10.99.0.2", PORT, 1 }, NULL },
	{ "to outside, sent", "c1", "client", { "10.99.0.2", PORT, 16 }, "10.99.0.2" },
};

static void run_way(struct world *world, const struct way *way)
{
	int window_ms = is_long() ? 5000 : 1500;
	double allowed = is_long() ? 0.03 : 0.20;
	struct page *page =
		mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t sink = start_sink(world, way->to, page);
	pid_t sender = start_flood(world, way->from, &way->flood);
	/* Until what may pass at once has passed. */
	uint64_t begin_ms = clock_monotonic_ms();
	while (page->received < WARM && clock_monotonic_ms() - begin_ms < 4 * SCENE_WAIT_MS)
		poll(NULL, 0, 10);
	uint64_t first = page->received, start_ms = clock_monotonic_ms();
	if (way->small_to)
		assert_small_flows_live(world, way->from, way->small_to, 7);
	while (clock_monotonic_ms() - start_ms < (uint64_t)window_ms)
		poll(NULL, 0, 10);
	double bytes = (double)(page->received - first) * FRAME / SEGMENT;
	double seconds = (double)(clock_monotonic_ms() - start_ms) / 1000;
	double ratio = bytes * 8 / seconds / RATE;
	print_message("%s, %u flows: %.3f of the limit\n", way->name, way->flood.flows, ratio);
	end(sender);
	end(sink);
	munmap(page, sizeof *page);
	if (ratio < 1 - allowed || ratio > 1 + allowed)
		fail_msg("%s: %.3f of the limit", way->name, ratio);
}

static void as_much_passes_as_the_limit_says(void **state)
{
	struct world *world = *state;
	struct error err = { 0 };
	struct rate_limit limit = { .rate_bit_s = RATE, .burst_bits = BURST };
	skip_without_tbf(world);
	world_network(world, "web", "10.1.0.0/24");
	world_claim(add_limited(world, "c1", "10.1.0.2/24", limit, limit, &err), &err);
	world_container(world, "c2", "web", "10.1.0.3/24");
	scene_tcp_server(world->scene, "c1", 7);
	scene_tcp_server(world->scene, "client", 7);
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++)
		run_way(world, &ways[i]);
}

static void a_limit_that_is_taken_away_is_named_and_put_back(void **state)
{
	static const struct {
		const char *host, *device, *finding;
	} rows[] = {
		{ "node", NULL, "the limit of what it receives is gone" },
		{ "c1", "eth0", "the limit of what it sends is gone" },
	};
	struct world *world = *state;
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct error err = { 0 };
	struct rate_limit limit = { .rate_bit_s = RATE };
	skip_without_tbf(world);
	world_network(world, "web", "10.1.0.0/24");
	world_claim(add_limited(world, "c1", "10.1.0.2/24", limit, limit, &err), &err);
	world_claim(endpoint_find(dataplane_store(world->dataplane), "c1", "eth0", &info, &err),
		    &err);
	world_claim(endpoint_check(world->dataplane, "c1", "eth0", &err), &err);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *device = rows[i].device ? rows[i].device : info.host_device;
		assert_int_equal(scene_run(world->scene, rows[i].host, "tc", "qdisc", "del", "dev",
					   device, "root", NULL),
				 0);
		assert_true(endpoint_check(world->dataplane, "c1", "eth0", &err) < 0);
		assert_non_null(strstr(err.text, rows[i].finding));
		world_claim(dataplane_reconcile(world->dataplane, &err), &err);
		world_claim(endpoint_check(world->dataplane, "c1", "eth0", &err), &err);
	}
}

static void limits_that_no_queue_keeps_are_refused(void **state)
{
	static const struct {
		struct rate_limit ingress, egress;
		const char *text;
	} rows[] = {
		{ { 0, 8000 }, { 0, 0 }, "ingress limit: a burst needs a rate" },
		{ { 0, 0 }, { 100, 0 }, "egress limit: 100 bit/s is less than the least, 8000" },
	};
	struct world *world = *state;
	world_network(world, "web", "10.1.0.0/24");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error err = { 0 };
		char name[8];
		snprintf(name, sizeof name, "c%zu", i);
		assert_int_equal(add_limited(world, name, "10.1.0.2/24", rows[i].ingress,
					     rows[i].egress, &err),
				 -EINVAL);
		assert_string_equal(err.text, rows[i].text);
	}
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(as_much_passes_as_the_limit_says),
		SCENE_TEST(a_limit_that_is_taken_away_is_named_and_put_back),
		SCENE_TEST(limits_that_no_queue_keeps_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
