/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of the nftables back end: made in one piece, filled, read, emptied, removed. */
#include <arpa/inet.h>
#include <string.h>

#include "bpf/abi.h"
#include "nft/batch.h"
#include "nft/elements.h"
#include "world.h"

#define TABLE "wherry-test"
#define PORTS 65535

struct port_entry {
	uint8_t address[16];
	uint16_t port, zero;
	uint32_t protocol;
};
struct port_value {
	uint8_t address[16];
	uint16_t port, zero;
};

static struct nft_set ports_of(int fd)
{
	return (struct nft_set){ fd, TABLE, NFT_PORTS };
}

static int open_table(void)
{
	struct error err = { 0 };
	int fd = -1;
	world_claim(nft_socket(&fd, &err), &err);
	world_claim(nft_table_load(fd, TABLE, &err), &err);
	return fd;
}

static void a_table_is_made_once_and_removed_whole(void **state)
{
	struct error err = { 0 };
	auto_fd fd = -1;
	(void)state;
	fd = open_table();
	world_claim(nft_table_load(fd, TABLE, &err), &err);
	assert_int_equal(nft_table_exists(fd, TABLE, &err), 1);
	world_claim(nft_table_unload(fd, TABLE, &err), &err);
	assert_int_equal(nft_table_exists(fd, TABLE, &err), 0);
	world_claim(nft_table_unload(fd, TABLE, &err), &err);
}

static void all_ports_at_once_are_put_replaced_and_taken_away(void **state)
{
	struct error err = { 0 };
	auto_fd fd = -1;
	(void)state;
	auto_free struct port_entry *keys = calloc(PORTS, sizeof *keys);
	auto_free struct port_value *values = calloc(PORTS, sizeof *values);
	auto_free struct publication *notes = calloc(PORTS, sizeof *notes);
	struct publication found = { .port = 0 };
	assert_true(keys && values && notes);
	for (uint32_t i = 0; i < PORTS; i++) {
		keys[i].port = htons((uint16_t)(i + 1));
		keys[i].protocol = 6;
		values[i].port = notes[i].port = htons((uint16_t)(i + 1));
	}
	fd = open_table();
	struct nft_set ports = ports_of(fd);
	struct nft_elements all = { keys, values, notes, PORTS };
	world_claim(nft_elements_put(&ports, &all, &err), &err);
	assert_int_equal(nft_element_get(&ports, &keys[8079], &found, &err), 1);
	assert_int_equal(ntohs(found.port), 8080);

	notes[8079].port = htons(81);
	struct nft_elements one = { &keys[8079], &values[8079], &notes[8079], 1 };
	world_claim(nft_elements_put(&ports, &one, &err), &err);
	assert_int_equal(nft_element_get(&ports, &keys[8079], &found, &err), 1);
	assert_int_equal(ntohs(found.port), 81);

	world_claim(nft_elements_delete(&ports, keys, 9000, &err), &err);
	assert_int_equal(nft_element_get(&ports, &keys[8079], &found, &err), 0);
	/* Some of these are gone already: the others go all the same. */
	world_claim(nft_elements_delete(&ports, &keys[8990], 20, &err), &err);
	assert_int_equal(nft_element_get(&ports, &keys[9009], &found, &err), 0);
	assert_int_equal(nft_element_get(&ports, &keys[9010], &found, &err), 1);
	world_claim(nft_table_unload(fd, TABLE, &err), &err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_table_is_made_once_and_removed_whole,
						scene_set_up, scene_tear_down),
		cmocka_unit_test_setup_teardown(all_ports_at_once_are_put_replaced_and_taken_away,
						scene_set_up, scene_tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
