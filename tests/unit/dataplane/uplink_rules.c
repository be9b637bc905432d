/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "uplink_rules.h"

#include <errno.h>
#include <linux/if_arp.h>

#include "fixture.h"

static void write_config(struct instance *instance, const char *folder, const char *text)
{
	char path[600];
	struct error err = { 0 };
	*instance = (struct instance){ .tag = "" };
	snprintf(instance->config, sizeof instance->config, "%s", folder);
	snprintf(path, sizeof path, "%s/config.json", folder);
	assert_int_equal(file_replace(path, text, strlen(text), 0644, FILE_NO_SYNC, &err), 0);
}

static void a_device_is_an_uplink_by_kind_name_and_configuration(void **state)
{
	static const char only_eth[] = "{\"uplinks\": {\"include\": [\"eth*\"]}}";
	static const char no_tun[] = "{\"uplinks\": {\"exclude\": [\"tun?\", \"eth9\"]}}";
	static const char both[] =
		"{\"uplinks\": {\"include\": [\"docker0\", \"eth*\"], \"exclude\": [\"eth9\"]}}";
	static const struct {
		const char *config;
		struct device device;
		enum uplink_kind kind;
	} rows[] = {
		{ "{}", { .name = "eth0", .type = ARPHRD_ETHER }, UPLINK_WITH_ETHERNET },
		{ "{}", { .name = "veth7", .kind = "veth", .type = ARPHRD_ETHER }, 1 },
		{ "{}", { .name = "br0", .kind = "bridge", .type = ARPHRD_ETHER }, 1 },
		{ "{}", { .name = "bond0.7", .kind = "vlan", .type = ARPHRD_ETHER }, 1 },
		{ "{}", { .name = "wg0", .kind = "wireguard", .type = ARPHRD_NONE }, UPLINK_BARE },
		{ "{}", { .name = "tun0", .kind = "tun", .type = ARPHRD_NONE }, UPLINK_BARE },
		{ "{}", { .name = "tap0", .kind = "tun", .type = ARPHRD_ETHER }, 1 },
		{ "{}", { .name = "ppp0", .kind = "ppp", .type = ARPHRD_PPP }, UPLINK_BARE },
		{ "{}", { .name = "ib0", .type = ARPHRD_INFINIBAND }, UPLINK_NONE },
		{ "{}", { .name = "lo", .flags = IFF_LOOPBACK, .type = ARPHRD_LOOPBACK }, 0 },
		{ "{}", { .name = "br-1", .alias = "wherry:web", .type = ARPHRD_ETHER }, 0 },
		{ "{}", { .name = "docker0", .kind = "bridge", .type = ARPHRD_ETHER }, 0 },
		{ "{}", { .name = "br-0123456789ab", .kind = "bridge", .type = 1 }, 0 },
		{ "{}", { .name = "br-uplink", .kind = "bridge", .type = ARPHRD_ETHER }, 1 },
		{ "{}", { .name = "podman1", .kind = "bridge", .type = ARPHRD_ETHER }, 0 },
		{ "{}", { .name = "docker0", .kind = "", .type = ARPHRD_ETHER }, 1 },
		{ only_eth, { .name = "eth1", .type = ARPHRD_ETHER }, UPLINK_WITH_ETHERNET },
		{ only_eth, { .name = "wlan0", .type = ARPHRD_ETHER }, UPLINK_NONE },
		{ no_tun, { .name = "tun0", .type = ARPHRD_NONE }, UPLINK_NONE },
		{ no_tun, { .name = "tun10", .type = ARPHRD_NONE }, UPLINK_BARE },
		{ no_tun, { .name = "docker0", .kind = "bridge", .type = ARPHRD_ETHER }, 0 },
		{ both, { .name = "docker0", .kind = "bridge", .type = ARPHRD_ETHER }, 1 },
		{ both, { .name = "eth9", .type = ARPHRD_ETHER }, UPLINK_NONE },
		{ both, { .name = "eth0", .alias = "wherry:web", .type = ARPHRD_ETHER }, 0 },
	};
	struct fixture *fixture = *state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct instance instance;
		struct uplink_rules rules = { 0 };
		struct error err = { 0 };
		write_config(&instance, fixture->folder, rows[i].config);
		assert_int_equal(uplink_rules_read(&instance, &rules, &err), 0);
		enum uplink_kind kind = uplink_kind_of(&rules, &rows[i].device);
		uplink_rules_release(&rules);
		if (kind != rows[i].kind)
			fail_msg("row %zu, %s: kind %d", i, rows[i].device.name, kind);
	}
}

static void a_wrong_configuration_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *text, *says;
	} rows[] = {
		{ "{\"uplinks\": []}", "uplinks" },
		{ "{\"uplinks\": {\"include\": \"eth0\"}}", "uplinks.include" },
		{ "{\"uplinks\": {\"exclude\": [7]}}", "uplinks.exclude[0]" },
		{ "{\"uplinks\": {\"exclude\": [\"\"]}}", "matches no device" },
		{ "{\"uplinks\": {\"masqueradeSource\": []}}", "uplinks.masqueradeSource" },
		{ "{\"uplinks\": {\"masqueradeSource\": {\"eth0\": \"x\"}}}",
		  "uplinks.masqueradeSource.eth0: must be a list" },
		{ "{\"uplinks\": {\"masqueradeSource\": {\"eth0\": [\"192.0.2.7\", "
		  "\"192.0.2.8\"]}}}",
		  "masqueradeSource.eth0[1]: 192.0.2.8 is a second address of its family" },
		{ "{\"uplinks\": ", "config.json" },
	};
	struct fixture *fixture = *state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct instance instance;
		struct uplink_rules rules = { 0 };
		struct error err = { 0 };
		write_config(&instance, fixture->folder, rows[i].text);
		int r = uplink_rules_read(&instance, &rules, &err);
		if (r != -EINVAL || !strstr(err.text, rows[i].says))
			fail_msg("row %zu: %d, %s", i, r, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIXTURE_TEST(a_device_is_an_uplink_by_kind_name_and_configuration),
		FIXTURE_TEST(a_wrong_configuration_is_refused_with_its_place),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
