/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each cell of the access matrix is as it is written; see matrix.h. */
#include "matrix.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>

#include "world.h"

static const struct {
	uint8_t number;
	const char *name;
	uint16_t container_ports[PORT_COUNT];
} protocols[] = {
	{ PROTOCOL_TCP, "tcp", { 80, 80, 80, 80 } },
	{ PROTOCOL_UDP, "udp", { 53, 53, 53, 53 } },
	/* Not every kernel lets the port of an SCTP packet change. */
	{ PROTOCOL_SCTP, "sctp", { 80, 8080, 8081, 8082 } },
};
static const uint16_t host_ports[PORT_COUNT] = { 0, 8080, 8081, 8082 };
static const char *const port_places[PORT_COUNT] = { NULL, NULL, "second", "loopback" };

#define REASONS_MAX 64
#define PUBLISH_MAX 32
#define DROPPED "dropped: "
#define LOST "lost"
#define REFUSED "refused"
#define UNASKED "-"
#define SOON_MS 50 /* no answer: the reason is looked for */
#define STEP_MS 10
#define LOST_MS 200 /* what should not happen would have by then */

struct sight {
	char text[256];
};

static const struct matrix_place *place(const char *name)
{
	for (size_t i = 0; i < matrix_place_count; i++)
		if (text_equal(matrix_places[i].name, name))
			return &matrix_places[i];
	fail_msg("no place %s", name);
	return NULL;
}

static const char *address_at(const char *name, bool v6)
{
	return place(name)->addresses[v6];
}

static const struct matrix_client *client_named(const char *name)
{
	for (size_t i = 0; i < matrix_client_count; i++)
		if (text_equal(matrix_clients[i].name, name))
			return &matrix_clients[i];
	fail_msg("no client %s", name);
	return NULL;
}

static const char *name_of(const char *address, bool v6)
{
	for (size_t i = 0; i < matrix_place_count; i++)
		if (text_equal(matrix_places[i].addresses[v6], address))
			return matrix_places[i].name;
	return address;
}

/* --- the world ------------------------------------------------------------------------- */

/* How many addresses a port is published on; ::1 is not for nf_tables. */
static int families_of(enum matrix_port port)
{
	if (port == PORT_LOOPBACK && text_equal(WORLD_BACKEND, "nft"))
		return 1;
	return port_places[port] ? 2 : 1;
}

/* All ports of all protocols; returns how many. */
static size_t list_ports(struct publish_spec publish[PUBLISH_MAX])
{
	struct error err = { 0 };
	size_t count = 0;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++)
		for (int port = PORT_EVERY; port < PORT_COUNT; port++)
			for (int v6 = 0; v6 < families_of((enum matrix_port)port); v6++) {
				struct publish_spec *spec = &publish[count++];
				*spec = (struct publish_spec){
					.host_port = host_ports[port],
					.container_port = protocols[i].container_ports[port],
					.count = 1,
					.protocol = protocols[i].number,
				};
				if (port_places[port])
					world_claim(ip_parse(address_at(port_places[port], v6),
							     &spec->host_ip, &err),
						    &err);
			}
	return count;
}

static void attach(struct world *world, const struct matrix *matrix)
{
	struct publish_spec publish[PUBLISH_MAX];
	struct endpoint_info info __attribute__((cleanup(endpoint_info_release))) = { 0 };
	struct network_info network;
	struct prefix from[2] = { 0 };
	struct error err = { 0 };
	size_t count = list_ports(publish);
	world_claim(network_find(dataplane_store(world->dataplane), "web", &network, &err), &err);
	struct endpoint_spec spec = { .container_id = "container",
				      .interface = "eth0",
				      .network = "web",
				      .netns_path = scene_netns_path(world->scene, "container"),
				      .netns_fd = scene_netns_fd(world->scene, "container"),
				      .gateway = network.spec.gateway,
				      .gateway6 = network.spec.gateway6,
				      .publish = publish,
				      .publish_count = count,
				      .publish_policy = PUBLISH_IGNORE_LISTENERS,
				      .publish_from = from,
				      .publish_from_count = matrix->publish_from[0] ? 2 : 0,
				      .default_route = !matrix->network.internal,
				      .owner = "test" };
	world_claim(prefix_parse("10.1.0.2/24", &spec.address, &err), &err);
	world_claim(prefix_parse("fd01::2/64", &spec.address6, &err), &err);
	for (size_t i = 0; i < spec.publish_from_count; i++)
		world_claim(publish_from_parse(matrix->publish_from[i], &from[i], &err), &err);
	world_claim(endpoint_add(world->dataplane, &spec, &info, &err), &err);
}

static void serve(struct world *world)
{
	scene_tcp_server(world->scene, "container", 80);
	scene_udp_server(world->scene, "container", 53);
	scene_tcp_server(world->scene, "client", 80);
	scene_udp_server(world->scene, "client", 53);
	scene_sctp_server(world->scene, "client", 80);
	for (int port = PORT_OWN; port < PORT_COUNT; port++)
		scene_sctp_server(world->scene, "container", protocols[2].container_ports[port]);
}

static void run_in(struct world *world, const char *host, const char *command)
{
	char netns[300];
	snprintf(netns, sizeof netns, "--net=%s", scene_netns_path(world->scene, host));
	scene_assert_run(world->scene, "nsenter", netns, "sh", "-c", command, NULL);
}

/*
 * The node forwards, as one with another container engine does, and tells all that
 * is refused. The other host knows the way to the containers, and even sends it
 * what belongs on nobody's wire.
 */
static void make_world(struct world *world)
{
	scene_address(world->scene, "node", "up0", "10.99.0.7/24");
	scene_address(world->scene, "node", "up0", "fd99::7/64");
	world_network(world, "db", "10.2.0.0/24,fd02::/64");
	world_container(world, "far", "db", "10.2.0.3/24,fd02::3/64");
	scene_container(world->scene, "container");
	scene_container(world->scene, "near");
	run_in(world, "node",
	       "echo 1 > /proc/sys/net/ipv4/conf/up0/forwarding;"
	       "echo 1 > /proc/sys/net/ipv6/conf/all/forwarding;"
	       "echo 0 > /proc/sys/net/ipv4/icmp_ratelimit;"
	       "echo 0 > /proc/sys/net/ipv6/icmp/ratelimit");
	run_in(world, "client",
	       "echo 1 > /proc/sys/net/ipv4/conf/eth0/route_localnet;"
	       "ip route del table local local 127.0.0.0/8;"
	       "ip route del table local local 127.0.0.1;"
	       "ip route add 127.0.0.1 via 10.99.0.1 src 10.99.0.2;"
	       "ip -6 route del local ::1 table local;"
	       "ip -6 route del ::1;"
	       "ip -6 route add ::1 via fd99::1 dev eth0 src fd99::2");
	scene_route(world->scene, "client", "10.1.0.0/24", "10.99.0.1");
	scene_route(world->scene, "client", "fd01::/64", "fd99::1");
	serve(world);
}

static void make_network(struct world *world, const struct matrix *matrix)
{
	struct error err = { 0 };
	world_network_as(world, "web", "10.1.0.0/24,fd01::/64", matrix->network);
	attach(world, matrix);
	world_claim(world_try(world, "near", "web", "10.1.0.3/24,fd01::3/64", NULL,
			      PUBLISH_IGNORE_LISTENERS, &err),
		    &err);
}

static void take_network(struct world *world)
{
	struct error err = { 0 };
	world_delete(world, "container");
	world_delete(world, "near");
	world_claim(network_delete(world->dataplane, "web", &err), &err);
}

/* --- a cell ------------------------------------------------------------------------------ */

struct tally {
	uint64_t packets[REASONS_MAX];
	const char *names[REASONS_MAX];
	size_t count;
};

static int add_row(const struct drop_row *row, void *context, struct error *err)
{
	struct tally *tally = context;
	size_t i = 0;
	(void)err;
	while (i < tally->count && !text_equal(tally->names[i], row->reason))
		i++;
	if (i == REASONS_MAX)
		return 0;
	if (i == tally->count)
		tally->names[tally->count++] = row->reason;
	tally->packets[i] += row->packets;
	return 0;
}

static struct tally count_drops(struct world *world)
{
	struct tally tally = { 0 };
	struct error err = { 0 };
	world_claim(drops_each(world->dataplane, add_row, &tally, &err), &err);
	return tally;
}

static uint64_t packets_of(const struct tally *tally, const char *reason)
{
	for (size_t i = 0; i < tally->count; i++)
		if (text_equal(tally->names[i], reason))
			return tally->packets[i];
	return 0;
}

/* The reason that is wanted, if it was one; else the first. NULL: none. */
static const char *reason_of_loss(struct world *world, const struct tally *before,
				  const char *wanted)
{
	struct tally after = count_drops(world);
	const char *found = NULL;
	for (size_t i = 0; i < after.count; i++) {
		if (after.packets[i] == packets_of(before, after.names[i]))
			continue;
		if (!found || (text_starts_with(wanted, DROPPED) &&
			       text_equal(wanted + strlen(DROPPED), after.names[i])))
			found = after.names[i];
	}
	return found;
}

/* The same, once the reason that is wanted has had its time: a slow machine counts late. */
static const char *await_loss(struct world *world, const struct tally *before, const char *wanted)
{
	const char *reason = NULL;
	for (int left_ms = SCENE_WAIT_MS; left_ms > 0; left_ms -= STEP_MS) {
		reason = reason_of_loss(world, before, wanted);
		if (reason && text_ends_with(wanted, reason))
			break;
		poll(NULL, 0, STEP_MS);
	}
	return reason;
}

static struct sight sight_of(int r, const struct scene_reply *reply, bool v6)
{
	struct sight sight;
	if (r == 0)
		snprintf(sight.text, sizeof sight.text, "as %s", name_of(reply->peer, v6));
	else if (r == -ECONNREFUSED)
		snprintf(sight.text, sizeof sight.text, REFUSED);
	else if (r == -EINVAL || r == -ENETUNREACH)
		snprintf(sight.text, sizeof sight.text, "no way");
	else
		snprintf(sight.text, sizeof sight.text, "%s", strerror(-r));
	return sight;
}

static const char *wanted_of(const struct matrix_row *row, size_t protocol, bool v6)
{
	const char *const wanted[] = { row->tcp, row->udp, row->sctp };
	if (wanted[protocol] && text_equal(wanted[protocol], UNASKED))
		return UNASKED;
	bool nft = text_equal(WORLD_BACKEND, "nft");
	if (v6 && nft && row->nft6)
		return row->nft6;
	if (v6 && row->v6)
		return row->v6;
	if (nft && row->nft)
		return row->nft;
	return wanted[protocol] ? wanted[protocol] : row->tcp;
}

static int patience(const char *wanted)
{
	if (text_equal(wanted, LOST))
		return LOST_MS;
	return text_starts_with(wanted, DROPPED) ? SOON_MS : SCENE_WAIT_MS;
}

static struct sight look(struct world *world, const struct matrix_row *row, size_t protocol,
			 bool v6)
{
	const struct matrix_client *client = client_named(row->client);
	const char *wanted = wanted_of(row, protocol, v6);
	const char *server = text_equal(row->asks, "outside") ? "client" : "container";
	struct scene_reply reply;
	struct scene_question question = {
		.host = client->host,
		.address = address_at(row->asks, v6),
		.port = row->port == PORT_OWN ? protocols[protocol].container_ports[PORT_OWN]
					      : host_ports[row->port],
		.protocol = protocols[protocol].number,
		.from = client->bound ? address_at(client->bound, v6) : NULL,
		.timeout_ms = patience(wanted),
		.own_ms = text_equal(wanted, REFUSED) ? SOON_MS : 0,
	};
	if (text_equal(wanted, UNASKED))
		return (struct sight){ UNASKED };
	struct tally before = count_drops(world);
	int r = scene_ask(world->scene, &question, &reply);
	struct sight sight = sight_of(r, &reply, v6);
	if (r == 0 && !text_equal(reply.server, server))
		snprintf(sight.text, sizeof sight.text, "answered by %s", reply.server);
	if (r == -ETIMEDOUT) {
		/* Whatever else is dropped meanwhile is not about this question. */
		const char *reason =
			text_equal(wanted, LOST) ? NULL : await_loss(world, &before, wanted);
		snprintf(sight.text, sizeof sight.text, reason ? DROPPED "%s" : LOST, reason);
	}
	return sight;
}

/* --- the table ----------------------------------------------------------------------------- */

/* Returns how many cells of the row are not as they are written. */
static size_t look_at_row(struct world *world, const struct matrix_row *row, bool v6)
{
	struct sight sights[ARRAY_SIZE(protocols)];
	size_t wrong = 0;
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		sights[i] = look(world, row, i, v6);
		if (text_equal(sights[i].text, wanted_of(row, i, v6)))
			continue;
		wrong++;
		print_error("%s asks %s (%s), port %s, by %s: expected: %s; seen: %s\n",
			    row->client, row->asks, address_at(row->asks, v6),
			    matrix_port_names[row->port], protocols[i].name, wanted_of(row, i, v6),
			    sights[i].text);
	}
	print_message("| IPv%d | %-24s | %-12s | %-27s | %-24s | %-24s | %-24s |\n", v6 ? 6 : 4,
		      row->client, row->asks, matrix_port_names[row->port], sights[0].text,
		      sights[1].text, sights[2].text);
	return wrong;
}

static size_t look_at_matrix(struct world *world, const struct matrix *matrix)
{
	size_t wrong = 0;
	make_network(world, matrix);
	print_message("\n%s\n|      | %-24s | %-12s | %-27s | %-24s | %-24s | %-24s |\n",
		      matrix->title, "client", "asks", "port", "tcp", "udp", "sctp");
	for (size_t i = 0; i < 2 * matrix->count; i++)
		wrong += look_at_row(world, &matrix->rows[i / 2], i % 2);
	take_network(world);
	return wrong;
}

static void each_cell_is_as_it_is_written(void **state)
{
	struct world *world = *state;
	size_t wrong = 0;
	make_world(world);
	for (size_t i = 0; i < matrix_count; i++)
		if (!matrices[i].publish_from[0] || !text_equal(WORLD_BACKEND, "nft"))
			wrong += look_at_matrix(world, &matrices[i]);
	if (wrong)
		fail_msg("%zu cells are not as they are written", wrong);
}

int main(void)
{
#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up_dual, world_tear_down)
	const struct CMUnitTest tests[] = {
		SCENE_TEST(each_cell_is_as_it_is_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
