/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <linux/tcp.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/process.h"

#define LOST_MS 5000 /* an answer later than this is none, on however loaded a machine */
#define TICK_MS 20
#define PAUSE_MS 200 /* between a connection's questions, unless the run is long */
#define ROUND_WAIT_MS 30000
#define EVENTS_MAX 256

struct load_page {
	volatile uint64_t rounds, udp_sent, udp_lost, tcp_sent, tcp_again;
	volatile unsigned broken;
	volatile bool ready, stop;
};

/* One socket that asks. */
struct asker {
	int fd;
	bool udp, waits, broken;
	uint64_t sent_ms;
};

static void die_with_parent(void)
{
	struct rlimit limit;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static struct sockaddr_in address_of(const char *text, uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
	if (text)
		inet_pton(AF_INET, text, &address.sin_addr);
	return address;
}

static void watch(int epoll, int fd, void *data)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = data };
	epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

/* --- who answers ---------------------------------------------------------------- */

static void answer_datagrams(int fd)
{
	char data[2048];
	struct sockaddr_in peer;
	socklen_t length = sizeof peer;
	for (ssize_t size; (size = recvfrom(fd, data, sizeof data, MSG_DONTWAIT,
					    (struct sockaddr *)&peer, &length)) >= 0;
	     length = sizeof peer)
		(void)sendto(fd, data, (size_t)size, 0, (struct sockaddr *)&peer, length);
}

static void answer_stream(int fd)
{
	char data[2048];
	ssize_t size = recv(fd, data, sizeof data, MSG_DONTWAIT);
	if (size > 0)
		(void)send(fd, data, (size_t)size, MSG_NOSIGNAL);
	else if (size == 0 || errno != EAGAIN)
		close(fd);
}

static void answer_for_ever(int listener, int datagrams, int ready_fd)
{
	struct epoll_event events[EVENTS_MAX];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	watch(epoll, listener, (void *)(intptr_t)listener);
	watch(epoll, datagrams, (void *)(intptr_t)datagrams);
	(void)!write(ready_fd, "", 1);
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS_MAX, -1);
		for (int i = 0; i < count; i++) {
			int fd = (int)(intptr_t)events[i].data.ptr, peer;
			if (fd == datagrams)
				answer_datagrams(fd);
			else if (fd != listener)
				answer_stream(fd);
			else if ((peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
				watch(epoll, peer, (void *)(intptr_t)peer);
		}
	}
}

static int open_answerers(void *context, struct error *err)
{
	int *fds = context;
	struct sockaddr_in tcp = address_of(NULL, LOAD_TCP_PORT),
			   udp = address_of(NULL, LOAD_UDP_PORT);
	fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fds[1] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (bind(fds[0], (struct sockaddr *)&tcp, sizeof tcp) < 0 || listen(fds[0], 4096) < 0 ||
	    bind(fds[1], (struct sockaddr *)&udp, sizeof udp) < 0)
		return error_set_errno(err, errno, "answerer");
	return 0;
}

pid_t load_answer(struct world *world, const char *host)
{
	struct error err = { 0 };
	int fds[2] = { -1, -1 }, ready[2];
	char byte;
	world_claim(netns_run(scene_netns_fd(world->scene, host), open_answerers, fds, &err), &err);
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		die_with_parent();
		answer_for_ever(fds[0], fds[1], ready[1]);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	close(fds[0]);
	close(fds[1]);
	return pid;
}

void load_end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* --- who asks -------------------------------------------------------------------- */

struct asking {
	struct load_page *page;
	const struct load_spec *spec;
	struct asker *askers;
	unsigned count, waiting; /* connections without an answer in this round */
	int epoll;
	bool hurries; /* asks as fast as it can */
};

static bool open_asker(const struct load_spec *spec, struct asker *asker)
{
	struct sockaddr_in to =
		address_of(spec->address, asker->udp ? LOAD_UDP_PORT : LOAD_TCP_PORT);
	asker->fd = socket(AF_INET, (asker->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	return connect(asker->fd, (struct sockaddr *)&to, sizeof to) == 0;
}

static void ask(struct asking *asking, struct asker *asker)
{
	if (asker->broken)
		return;
	asker->sent_ms = clock_monotonic_ms();
	asker->waits = true;
	if (asker->udp)
		asking->page->udp_sent++;
	else
		asking->waiting++;
	(void)send(asker->fd, "question", 8, MSG_NOSIGNAL);
}

static void begin_round(struct asking *asking)
{
	for (unsigned i = 0; i < asking->count; i++)
		if (!asking->askers[i].udp)
			ask(asking, &asking->askers[i]);
}

static void hear(struct asking *asking, struct asker *asker)
{
	char data[64];
	ssize_t size = recv(asker->fd, data, sizeof data, MSG_DONTWAIT);
	if (size < 0 && (errno == EAGAIN || asker->udp))
		return;
	if (size <= 0) {
		asker->broken = true;
		asking->page->broken++;
		epoll_ctl(asking->epoll, EPOLL_CTL_DEL, asker->fd, NULL);
	}
	if (asker->udp && asking->hurries)
		ask(asking, asker);
	else if (!asker->udp && asker->waits && --asking->waiting == 0)
		asking->page->rounds++;
	if (!asker->udp || !asking->hurries)
		asker->waits = false;
}

static void look_for_lost(struct asking *asking)
{
	uint64_t now_ms = clock_monotonic_ms();
	for (unsigned i = 0; i < asking->count; i++) {
		struct asker *asker = &asking->askers[i];
		if (!asker->udp)
			continue;
		if (asker->waits && now_ms - asker->sent_ms >= LOST_MS)
			asking->page->udp_lost++;
		else if (asker->waits)
			continue;
		ask(asking, asker);
	}
}

static void sum_up(struct asking *asking)
{
	for (unsigned i = 0; i < asking->count; i++) {
		struct tcp_info info = { 0 };
		socklen_t size = sizeof info;
		if (asking->askers[i].udp ||
		    getsockopt(asking->askers[i].fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
			continue;
		asking->page->tcp_sent += info.tcpi_segs_out;
		asking->page->tcp_again += info.tcpi_total_retrans;
	}
}

static void ask_until_stopped(struct asking *asking)
{
	struct epoll_event events[EVENTS_MAX];
	uint64_t tick_ms = clock_monotonic_ms(), round_ms = tick_ms;
	begin_round(asking);
	for (unsigned i = 0; i < asking->count; i++)
		if (asking->askers[i].udp)
			ask(asking, &asking->askers[i]);
	while (!asking->page->stop) {
		int count = epoll_wait(asking->epoll, events, EVENTS_MAX, TICK_MS);
		for (int i = 0; i < count; i++)
			hear(asking, events[i].data.ptr);
		if (clock_monotonic_ms() - tick_ms < TICK_MS)
			continue;
		tick_ms = clock_monotonic_ms();
		look_for_lost(asking);
		if (asking->waiting || (!asking->hurries && tick_ms - round_ms < PAUSE_MS))
			continue;
		round_ms = tick_ms;
		begin_round(asking);
	}
	sum_up(asking);
}

static int ask_in_namespace(void *context, struct error *err)
{
	struct asking *asking = context;
	const struct load_spec *spec = asking->spec;
	asking->count = spec->connections + spec->udp_flows;
	asking->askers = calloc(asking->count, sizeof *asking->askers);
	asking->epoll = epoll_create1(EPOLL_CLOEXEC);
	for (unsigned i = 0; i < asking->count; i++) {
		asking->askers[i].udp = i >= spec->connections;
		if (!open_asker(spec, &asking->askers[i]))
			return error_set_errno(err, errno, "connection %u", i);
		watch(asking->epoll, asking->askers[i].fd, &asking->askers[i]);
	}
	ask_until_stopped(asking);
	return 0;
}

void load_begin(struct world *world, const struct load_spec *spec, struct load *ret_load)
{
	struct load_page *page =
		mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(page != MAP_FAILED);
	*ret_load = (struct load){ .page = page, .pid = fork() };
	if (ret_load->pid == 0) {
		struct error err = { 0 };
		const char *is_long = getenv("WHERRY_TEST_LONG");
		struct asking asking = { .page = page,
					 .spec = spec,
					 .hurries = is_long && is_long[0] };
		die_with_parent();
		int r = netns_run(scene_netns_fd(world->scene, spec->host), ask_in_namespace,
				  &asking, &err);
		if (r < 0)
			fprintf(stderr, "load from %s: %s\n", spec->host, err.text);
		_exit(r < 0);
	}
	load_wait_for_round(ret_load);
}

void load_wait_for_round(struct load *load)
{
	/* The round that runs may have been answered in part before the call. */
	uint64_t wanted = load->page->rounds + 2, start_ms = clock_monotonic_ms();
	while (load->page->rounds < wanted) {
		if (clock_monotonic_ms() - start_ms > ROUND_WAIT_MS ||
		    waitpid(load->pid, NULL, WNOHANG) != 0)
			fail_msg("no round was answered: %u of the connections broke",
				 load->page->broken);
		poll(NULL, 0, 1);
	}
}

struct load_counts load_stop(struct load *load)
{
	load->page->stop = true;
	waitpid(load->pid, NULL, 0);
	struct load_counts counts = { .broken = load->page->broken,
				      .rounds = load->page->rounds,
				      .tcp_sent = load->page->tcp_sent,
				      .tcp_again = load->page->tcp_again,
				      .udp_sent = load->page->udp_sent,
				      .udp_lost = load->page->udp_lost };
	munmap(load->page, sizeof *load->page);
	return counts;
}
