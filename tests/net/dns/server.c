/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The DNS server on real sockets, in a network namespace of its own, with two
 * upstream servers that misbehave (upstream.h). 127.0.1.1 is the gateway, 127.0.2.1
 * and 127.0.2.2 are the upstreams.
 */
#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "address.h"
#include "packets.h"
#include "upstream.h"

#define GATEWAY "127.0.1.1"
#define GATEWAY6 "::1"
#define OUTSIDER "10.99.0.1" /* an address of this host, not of the network */
#define CHOOSY "127.0.1.9"   /* a client with a server of its own */
#define WAIT_MS 8000         /* more than any answer may take */

static struct ip ip_of(const char *text)
{
	struct ip ip;
	struct error err;
	assert_int_equal(ip_parse(text, &ip, &err), 0);
	return ip;
}

/* --- the server, in a process of its own ------------------------------------ */

static int test_resolve(void *context, const char *network, struct ip client, const char *name,
			struct ip *ret_ips, size_t max, struct error *err)
{
	(void)context;
	(void)network;
	(void)client;
	(void)err;
	if (strcasecmp(name, "web") == 0)
		ret_ips[0] = ip_of("10.1.0.2");
	if (strcasecmp(name, "web") == 0)
		return 1;
	if (strcasecmp(name, "web6") == 0)
		ret_ips[0] = ip_of("fd01::2");
	if (strcasecmp(name, "web6") == 0)
		return 1;
	if (strcasecmp(name, "many") != 0)
		return 0;
	for (size_t i = 0; i < max; i++)
		ret_ips[i] = ip_add(ip_of("10.2.0.1"), i);
	return (int)max;
}

static int test_reverse(void *context, const char *network, struct ip address, char *ret_name,
			size_t size, struct error *err)
{
	(void)context;
	(void)network;
	(void)err;
	snprintf(ret_name, size, ip_is_v4(address) ? "web" : "web6");
	return ip_equal(address, ip_of("10.1.0.2")) || ip_equal(address, ip_of("fd01::2"));
}

static int test_owns(void *context, struct ip address)
{
	(void)context;
	(void)address;
	return 0;
}

/* One client has a server of its own. */
static int test_servers(void *context, const char *network, struct ip client, struct ip *ret_ips,
			size_t max, struct error *err)
{
	(void)context;
	(void)network;
	(void)max;
	(void)err;
	ret_ips[0] = ip_of("127.0.2.2");
	return ip_equal(client, ip_of(CHOOSY));
}

static const struct dns_source source = {
	.resolve = test_resolve,
	.reverse = test_reverse,
	.owns = test_owns,
	.servers = test_servers,
};

static void run_server(const char *const *upstreams, int ready_fd)
{
	struct error err;
	struct loop *loop;
	struct dns_server *server;
	struct prefix clients;
	struct dns_settings settings = { .source = &source };
	for (; upstreams[settings.upstream_count]; settings.upstream_count++)
		settings.upstreams[settings.upstream_count] =
			ip_of(upstreams[settings.upstream_count]);
	prefix_parse("127.0.1.0/24", &clients, &err);
	struct dns_listen listen = {
		.network = "front", .address = ip_of(GATEWAY), .clients = clients, .forwards = true
	};
	struct dns_listen listen6 = listen;
	listen6.address = ip_of(GATEWAY6);
	prefix_parse("fd01::/64", &listen6.clients, &err);
	if (loop_create(&loop, &err) < 0 || dns_server_create(loop, &settings, &server, &err) < 0 ||
	    dns_server_listen(server, &listen, &err) < 0 ||
	    dns_server_listen(server, &listen6, &err) < 0) {
		fprintf(stderr, "server: %s\n", err.text);
		_exit(1);
	}
	if (write(ready_fd, "", 1) != 1)
		_exit(1);
	loop_run(loop);
}

struct fixture {
	pid_t server, upstream;
};

/* Starts both; returns when both listen. */
static void start(struct fixture *fixture, const char *const *upstreams)
{
	int ready[2];
	char byte;
	fixture->upstream = upstream_start(ip_of("127.0.2.1"), ip_of("127.0.2.2"));
	assert_true(fixture->upstream > 0);
	assert_int_equal(pipe(ready), 0);
	fixture->server = fork();
	if (fixture->server == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		run_server(upstreams, ready[1]);
		_exit(0);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
}

static void stop(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

static int set_up(void **state)
{
	static const char *const upstreams[] = { "127.0.2.1", "127.0.2.2", NULL };
	struct fixture *fixture = calloc(1, sizeof *fixture);
	start(fixture, upstreams);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	stop(&fixture->server);
	stop(&fixture->upstream);
	free(fixture);
	return 0;
}

/* --- the client --------------------------------------------------------------- */

static int connect_to_gateway(enum dns_transport transport)
{
	int fd;
	struct dns_address gateway = dns_address_make(ip_of(GATEWAY), DNS_PORT, 0);
	assert_int_equal(dns_socket_connect(&gateway, transport, &fd), 0);
	return fd;
}

static bool wait_for(int fd, int timeout_ms)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	return poll(&wait, 1, timeout_ms) == 1;
}

static void receive_whole(int fd, uint8_t *data, size_t size)
{
	for (size_t got = 0; got < size;) {
		assert_true(wait_for(fd, WAIT_MS));
		ssize_t r = recv(fd, data + got, size - got, 0);
		assert_true(r > 0);
		got += (size_t)r;
	}
}

static void receive(int fd, enum dns_transport transport, struct packet *packet)
{
	uint8_t length[2];
	if (transport == DNS_TCP) {
		receive_whole(fd, length, sizeof length);
		packet->size = dns_get16(length);
		receive_whole(fd, packet->data, packet->size);
		return;
	}
	assert_true(wait_for(fd, WAIT_MS));
	ssize_t size = recv(fd, packet->data, sizeof packet->data, 0);
	assert_true(size > 0);
	packet->size = (size_t)size;
}

static void send_query_of(int fd, enum dns_transport transport, const char *name,
			  enum dns_type type, unsigned edns)
{
	struct packet packet, framed;
	packet_query(&packet, name, type, edns);
	if (transport == DNS_UDP) {
		assert_int_equal(send(fd, packet.data, packet.size, 0), packet.size);
		return;
	}
	dns_set16(framed.data, (uint16_t)packet.size);
	memcpy(framed.data + 2, packet.data, packet.size);
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	assert_int_equal(poll(&wait, 1, WAIT_MS), 1);
	assert_int_equal(send(fd, framed.data, packet.size + 2, 0), packet.size + 2);
}

static void send_query(int fd, enum dns_transport transport, const char *name, unsigned edns)
{
	send_query_of(fd, transport, name, DNS_TYPE_A, edns);
}

/* Asks for an A record; the answer as text. Returns how long it took. */
static uint64_t ask(enum dns_transport transport, const char *name, unsigned edns, char *text,
		    size_t size)
{
	static struct packet packet;
	auto_fd fd = connect_to_gateway(transport);
	uint64_t start_ms = clock_monotonic_ms();
	send_query(fd, transport, name, edns);
	receive(fd, transport, &packet);
	assert_int_equal(dns_get16(packet.data), 0x1234);
	packet_describe(packet.data, packet.size, text, size);
	return clock_monotonic_ms() - start_ms;
}

#define assert_answer(transport, name, edns, wanted)             \
	do {                                                     \
		char text_[512];                                 \
		ask(transport, name, edns, text_, sizeof text_); \
		assert_string_equal(text_, wanted);              \
	} while (0)

/* --- tests ----------------------------------------------------------------------- */

static void local_names_are_answered_over_udp_and_tcp(void **state)
{
	(void)state;
	assert_answer(DNS_UDP, "web", 0, "NOERROR aa: web A 10.1.0.2");
	assert_answer(DNS_TCP, "web", 0, "NOERROR aa: web A 10.1.0.2");
	assert_answer(DNS_UDP, "Web.Front", 1232, "NOERROR aa: Web.Front A 10.1.0.2");
}

static void the_gateway_of_ipv6_answers_as_well(void **state)
{
	static const char reverse[] =
		"2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.d.f.ip6.arpa";
	static const struct {
		const char *name;
		enum dns_type type;
		const char *wanted;
	} rows[] = {
		{ "web6", DNS_TYPE_AAAA, "NOERROR aa: web6 AAAA fd01::2" },
		{ "web", DNS_TYPE_A, "NOERROR aa: web A 10.1.0.2" },
		{ "ok.example", DNS_TYPE_A, "NOERROR: ok.example A 192.0.2.1" },
		{ reverse, DNS_TYPE_PTR, NULL },
	};
	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		static struct packet packet;
		char text[512], pointer[512];
		size_t row = i / 2;
		enum dns_transport transport = i % 2 ? DNS_TCP : DNS_UDP;
		struct dns_address gateway = dns_address_make(ip_of(GATEWAY6), DNS_PORT, 0);
		auto_fd fd = -1;
		assert_int_equal(dns_socket_connect(&gateway, transport, &fd), 0);
		send_query_of(fd, transport, rows[row].name, rows[row].type, 0);
		receive(fd, transport, &packet);
		packet_describe(packet.data, packet.size, text, sizeof text);
		snprintf(pointer, sizeof pointer, "NOERROR aa: %s PTR web6", reverse);
		assert_string_equal(text, rows[row].wanted ? rows[row].wanted : pointer);
	}
}

static void count_listener(struct dns_server *server, const char *network, struct ip address,
			   void *context)
{
	(void)server;
	(void)address;
	assert_string_equal(network, "back");
	++*(size_t *)context;
}

static void each_family_of_a_network_has_a_listener_of_its_own(void **state)
{
	static const struct {
		const char *address;
		bool listen;
		size_t count;
	} rows[] = {
		{ "127.0.3.1", true, 1 }, { "fd77::1", true, 2 },    { "fd77::1", true, 2 },
		{ "fd77::2", true, 2 },   { "127.0.3.9", false, 1 }, { "127.0.3.9", false, 1 },
		{ "fd77::2", false, 0 },
	};
	struct error err;
	struct loop *loop;
	struct dns_server *server;
	struct dns_settings settings = { .source = &source };
	(void)state;
	assert_int_equal(loop_create(&loop, &err), 0);
	assert_int_equal(dns_server_create(loop, &settings, &server, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct dns_listen listen = { .network = "back", .address = ip_of(rows[i].address) };
		size_t count = 0;
		if (!rows[i].listen)
			dns_server_stop_listening(server, "back", listen.address);
		else if (dns_server_listen(server, &listen, &err) < 0)
			fail_msg("row %zu: %s", i, err.text);
		dns_server_each(server, count_listener, &count);
		CHECK_ROW(i, count == rows[i].count);
	}
	dns_server_free(server);
	loop_free(loop);
}

static void other_names_are_passed_on_with_the_clients_spelling(void **state)
{
	(void)state;
	assert_answer(DNS_UDP, "ok.eXample", 0, "NOERROR: ok.eXample A 192.0.2.1");
	assert_answer(DNS_TCP, "ok.example", 4096, "NOERROR: ok.example A 192.0.2.1");
}

static void a_client_s_own_servers_are_asked_and_local_names_still_known(void **state)
{
	static const struct {
		const char *name, *wanted;
	} rows[] = {
		{ "ok.example", "NOERROR: ok.example A 192.0.2.2" },
		{ "web", "NOERROR aa: web A 10.1.0.2" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		static struct packet packet;
		char text[512];
		struct dns_address own = dns_address_make(ip_of(CHOOSY), 0, 0);
		struct dns_address gateway = dns_address_make(ip_of(GATEWAY), DNS_PORT, 0);
		auto_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		assert_int_equal(bind(fd, &own.any, own.size), 0);
		assert_int_equal(connect(fd, &gateway.any, gateway.size), 0);
		send_query(fd, DNS_UDP, rows[i].name, 0);
		receive(fd, DNS_UDP, &packet);
		packet_describe(packet.data, packet.size, text, sizeof text);
		assert_string_equal(text, rows[i].wanted);
	}
}

static void second_server_answers_when_the_first_does_not(void **state)
{
	static const char *const names[] = { "drop1.example", "late1.example", "wrongid1.example",
					     "wrongname.example" };
	struct fixture *fixture = *state;
	static const char *const upstreams[] = { "127.0.2.1", "127.0.2.2", NULL };
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		char text[512], wanted[512];
		uint64_t took_ms = ask(DNS_UDP, names[i], 0, text, sizeof text);
		snprintf(wanted, sizeof wanted, "NOERROR: %s A 192.0.2.2", names[i]);
		assert_string_equal(text, wanted);
		CHECK_ROW(i, took_ms >= 200 && took_ms < 1500);
		/* From now on the second is asked first. */
		took_ms = ask(DNS_UDP, names[i], 0, text, sizeof text);
		assert_string_equal(text, wanted);
		CHECK_ROW(i, took_ms < 200);
		stop(&fixture->server);
		stop(&fixture->upstream);
		start(fixture, upstreams);
	}
}

static void stray_answer_does_not_hide_the_right_one(void **state)
{
	(void)state;
	assert_answer(DNS_UDP, "strayid.example", 0, "NOERROR: strayid.example A 192.0.2.1");
}

static void server_that_fails_is_passed_over_at_once(void **state)
{
	char text[512];
	(void)state;
	uint64_t took_ms = ask(DNS_UDP, "fail1.example", 0, text, sizeof text);
	assert_string_equal(text, "NOERROR: fail1.example A 192.0.2.2");
	assert_true(took_ms < 200);
}

static void silence_ends_with_servfail_and_its_cause(void **state)
{
	char text[512];
	(void)state;
	uint64_t took_ms = ask(DNS_UDP, "drop12.example", 1232, text, sizeof text);
	assert_string_equal(text, "SERVFAIL: ede 22");
	assert_true(took_ms < 5000); /* before a stub resolver gives up */
}

static void local_names_do_not_wait_for_silent_servers(void **state)
{
	auto_fd busy = connect_to_gateway(DNS_UDP);
	(void)state;
	for (int i = 0; i < 20; i++)
		send_query(busy, DNS_UDP, "drop12.example", 0);
	for (int i = 0; i < 100; i++) {
		char text[512];
		assert_true(ask(DNS_UDP, "web", 0, text, sizeof text) < 100);
	}
}

static void flood_of_one_client_is_bounded(void **state)
{
	static struct packet packet;
	auto_fd fd = connect_to_gateway(DNS_UDP);
	char text[512];
	(void)state;
	/* Those over the limit are refused at once, in order. */
	for (int i = 0; i < 200; i++) {
		send_query(fd, DNS_UDP, "drop12.example", 1232);
		if (i < 128)
			continue;
		receive(fd, DNS_UDP, &packet);
		packet_describe(packet.data, packet.size, text, sizeof text);
		assert_string_equal(text, "SERVFAIL: ede 0");
	}
}

static void cut_answer_is_fetched_whole_for_clients_on_tcp(void **state)
{
	static struct packet packet;
	(void)state;
	auto_fd udp = connect_to_gateway(DNS_UDP);
	send_query(udp, DNS_UDP, "big.example", 0);
	receive(udp, DNS_UDP, &packet);
	assert_true(dns_get16(packet.data + 2) & DNS_FLAG_TRUNCATED);

	auto_fd tcp = connect_to_gateway(DNS_TCP);
	send_query(tcp, DNS_TCP, "big.example", 0);
	receive(tcp, DNS_TCP, &packet);
	assert_int_equal(dns_get16(packet.data + 6), 200);
}

static void server_that_is_not_there_ends_at_once(void **state)
{
	struct fixture *fixture = *state;
	static const char *const nobody[] = { "127.0.2.9", NULL };
	static const char *const ourselves[] = { GATEWAY, NULL };
	char text[512];

	stop(&fixture->server);
	stop(&fixture->upstream);
	start(fixture, nobody);
	assert_true(ask(DNS_UDP, "ok.example", 1232, text, sizeof text) < 1000);
	assert_string_equal(text, "SERVFAIL: ede 22");

	stop(&fixture->server);
	stop(&fixture->upstream);
	start(fixture, ourselves);
	assert_true(ask(DNS_UDP, "ok.example", 1232, text, sizeof text) < 1000);
	assert_string_equal(text, "SERVFAIL: ede 14");
}

static void queries_on_one_connection_need_not_wait(void **state)
{
	static struct packet packet;
	struct packet query;
	uint8_t stream[1024];
	size_t size = 0;
	auto_fd fd = connect_to_gateway(DNS_TCP);
	(void)state;
	for (int i = 0; i < 10; i++) {
		packet_query(&query, i % 2 ? "many" : "ok.example", DNS_TYPE_A, 0);
		dns_set16(query.data, (uint16_t)i);
		dns_set16(stream + size, (uint16_t)query.size);
		memcpy(stream + size + 2, query.data, query.size);
		size += 2 + query.size;
	}
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	assert_int_equal(poll(&wait, 1, WAIT_MS), 1);
	/* In pieces that cut lengths and messages apart. */
	for (size_t at = 0; at < size; at += 7) {
		size_t piece = size - at < 7 ? size - at : 7;
		assert_int_equal(send(fd, stream + at, piece, 0), piece);
	}
	unsigned seen = 0;
	for (int i = 0; i < 10; i++) {
		receive(fd, DNS_TCP, &packet);
		unsigned id = dns_get16(packet.data);
		assert_int_equal(dns_get16(packet.data + 6), id % 2 ? 64 : 1);
		seen |= 1u << id;
	}
	assert_int_equal(seen, (1 << 10) - 1);
}

static void connections_of_one_client_are_bounded(void **state)
{
	int fds[17];
	char byte;
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = connect_to_gateway(DNS_TCP);
	/* The last is closed, the first still answers. */
	assert_true(wait_for(fds[16], WAIT_MS));
	assert_true(recv(fds[16], &byte, 1, 0) <= 0);
	static struct packet packet;
	send_query(fds[0], DNS_TCP, "web", 0);
	receive(fds[0], DNS_TCP, &packet);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

static void others_than_the_networks_clients_get_no_answer(void **state)
{
	struct dns_address from = dns_address_make(ip_of(OUTSIDER), 0, 0);
	auto_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct dns_address gateway = dns_address_make(ip_of(GATEWAY), DNS_PORT, 0);
	(void)state;
	assert_int_equal(bind(fd, &from.any, from.size), 0);
	assert_int_equal(connect(fd, &gateway.any, gateway.size), 0);
	send_query(fd, DNS_UDP, "web", 0);
	/* One who may ask, after him: when that answer is here, his would be, too. */
	char text[512];
	ask(DNS_UDP, "web", 0, text, sizeof text);
	assert_false(wait_for(fd, 0));
}

static int set_up_namespace(void **state)
{
	(void)state;
	if (unshare(CLONE_NEWNET) < 0) {
		print_message("skipped: no network namespace: %s\n", strerror(errno));
		exit(77);
	}
	auto_fd fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo" };
	struct dns_address address = dns_address_make(ip_of("127.0.0.1"), 0, 0);
	memcpy(&request.ifr_addr, &address.v4, sizeof address.v4);
	if (ioctl(fd, SIOCSIFADDR, &request) < 0)
		return -1;
	struct ifreq second = { .ifr_name = "lo:1" };
	address = dns_address_make(ip_of(OUTSIDER), 0, 0);
	memcpy(&second.ifr_addr, &address.v4, sizeof address.v4);
	if (ioctl(fd, SIOCSIFADDR, &second) < 0)
		return -1;
	struct ifreq flags = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	return ioctl(fd, SIOCSIFFLAGS, &flags);
}

#define net_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		net_test(local_names_are_answered_over_udp_and_tcp),
		net_test(the_gateway_of_ipv6_answers_as_well),
		net_test(each_family_of_a_network_has_a_listener_of_its_own),
		net_test(other_names_are_passed_on_with_the_clients_spelling),
		net_test(a_client_s_own_servers_are_asked_and_local_names_still_known),
		net_test(second_server_answers_when_the_first_does_not),
		net_test(stray_answer_does_not_hide_the_right_one),
		net_test(server_that_fails_is_passed_over_at_once),
		net_test(silence_ends_with_servfail_and_its_cause),
		net_test(local_names_do_not_wait_for_silent_servers),
		net_test(flood_of_one_client_is_bounded),
		net_test(cut_answer_is_fetched_whole_for_clients_on_tcp),
		net_test(server_that_is_not_there_ends_at_once),
		net_test(queries_on_one_connection_need_not_wait),
		net_test(connections_of_one_client_are_bounded),
		net_test(others_than_the_networks_clients_get_no_answer),
	};
	return cmocka_run_group_tests(tests, set_up_namespace, NULL);
}
