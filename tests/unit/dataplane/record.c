/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record.h"

#include <errno.h>

#include "fixture.h"

#define OPTIONS_SIZE 34 /* bytes behind the record of a network, without exceptions */

static struct endpoint_info full_endpoint(void)
{
	struct error err = { 0 };
	struct endpoint_info info = endpoint_named("c1", "10.1.0.2");
	info.publish_count = 2;
	info.publish = calloc(2, sizeof *info.publish);
	info.publish[1] = (struct publish_spec){ .host_ip = ip_of("192.0.2.1"),
						 .host_port = 65535,
						 .container_port = 1,
						 .count = 1,
						 .protocol = PROTOCOL_UDP,
						 .family = PUBLISH_IPV4 };
	info.publish_reserves = true;
	info.publish_from_count = 1;
	info.publish_from = calloc(1, sizeof *info.publish_from);
	info.publish_from[0] = (struct prefix){ .length = 64 };
	info.link_count = 1;
	info.links = calloc(1, sizeof *info.links);
	snprintf(info.links[0].name, sizeof info.links[0].name, "db");
	snprintf(info.links[0].target, sizeof info.links[0].target, "c2");
	assert_int_equal(words_append(&info.names, "web", &err), 0);
	assert_int_equal(words_append(&info.names, "www", &err), 0);
	info.slot = 65535;
	info.generation = 0xfffffffe;
	info.netns_cookie = 1ull << 63;
	return info;
}

static void an_endpoint_reads_as_it_was_written(void **state)
{
	(void)state;
	struct error err = { 0 };
	auto_text first = { 0 }, second = { 0 };
	struct endpoint_info info = full_endpoint(), read = { 0 };
	assert_int_equal(endpoint_encode(&info, &first, &err), 0);
	assert_int_equal(endpoint_decode(bytes_of(first.data, first.size), &read, &err), 0);
	assert_int_equal(endpoint_encode(&read, &second, &err), 0);
	assert_int_equal(first.size, second.size);
	assert_memory_equal(first.data, second.data, first.size);
	assert_string_equal(read.names.items[1], "www");
	assert_int_equal(read.publish[1].host_port, 65535);
	assert_int_equal(read.netns_cookie, 1ull << 63);
	assert_true(read.publish_reserves);
	assert_int_equal(read.publish_from[0].length, 64);
	endpoint_info_release(&info);
	endpoint_info_release(&read);
}

/* The record of version 2, which an instance that is upgraded has. */
static void ports_of_an_older_record_are_of_ipv4(void **state)
{
	(void)state;
	struct error err = { 0 };
	auto_text text = { 0 };
	struct endpoint_info info = endpoint_named("c1", "10.1.0.2"), read = { 0 };
	struct publish_spec publish = { .host_port = 80,
					.container_port = 80,
					.count = 1,
					.protocol = PROTOCOL_TCP,
					.family = 0xee };
	info.publish_count = 1;
	info.publish = &publish;
	assert_int_equal(endpoint_encode(&info, &text, &err), 0);
	char *family = memchr(text.data, 0xee, text.size);
	assert_non_null(family);
	memmove(family, family + 1, (size_t)(text.data + text.size - family - 1));
	text.data[0] = 2;
	assert_int_equal(endpoint_decode(bytes_of(text.data, text.size - 1), &read, &err), 0);
	assert_int_equal(read.publish[0].family, PUBLISH_IPV4);
	assert_int_equal(read.publish[0].protocol, PROTOCOL_TCP);
	endpoint_info_release(&read);
}

static void a_cut_endpoint_is_refused_at_every_length(void **state)
{
	(void)state;
	struct error err = { 0 };
	auto_text whole = { 0 };
	struct endpoint_info info = full_endpoint();
	assert_int_equal(endpoint_encode(&info, &whole, &err), 0);
	for (size_t size = 0; size < whole.size; size++) {
		struct endpoint_info read = { 0 };
		assert_int_equal(endpoint_decode(bytes_of(whole.data, size), &read, &err),
				 -EBADMSG);
		assert_null(read.publish);
	}
	endpoint_info_release(&info);
}

static void a_record_of_another_version_is_refused(void **state)
{
	(void)state;
	struct error err = { 0 };
	struct endpoint_info endpoint;
	struct network_info network;
	assert_int_equal(endpoint_decode(bytes_of("\x09", 1), &endpoint, &err), -EBADMSG);
	assert_string_equal(err.text, "an endpoint's record has version 9, not 3");
	assert_int_equal(network_decode(bytes_of("\x09", 1), &network, &err), -EBADMSG);
}

static void a_network_reads_as_it_was_written(void **state)
{
	(void)state;
	struct error err = { 0 };
	auto_text text = { 0 };
	struct network_info info = { .spec = { .name = "web",
					       .device = "br-web",
					       .subnet = { ip_of("10.1.0.0"), 24 },
					       .gateway = ip_of("10.1.0.1"),
					       .mtu = 1400,
					       .internal = true,
					       .dns = true },
				     .id = 4095,
				     .device_ifindex = 7 },
			    read;
	assert_int_equal(network_encode(&info, &text, &err), 0);
	assert_int_equal(network_decode(bytes_of(text.data, text.size), &read, &err), 0);
	assert_string_equal(read.spec.device, "br-web");
	assert_true(read.spec.internal && read.spec.dns && !read.spec.masquerade);
	assert_true(prefix_equal(read.spec.subnet, info.spec.subnet));
	assert_int_equal(read.id, 4095);
	for (size_t size = 0; size < text.size - OPTIONS_SIZE; size++)
		assert_int_equal(network_decode(bytes_of(text.data, size), &read, &err), -EBADMSG);
}

/* As a version without them wrote it; and such a version reads ours, since it stops there. */
static void a_network_without_options_of_masquerading_is_read(void **state)
{
	(void)state;
	struct error err = { 0 };
	auto_text text = { 0 };
	struct network_info info = { .spec = { .name = "web", .device = "br-web" }, .id = 7 }, read;
	info.spec.masquerade_options = (struct masquerade_options){
		.source = ip_of("192.0.2.7"),
		.except = { { ip_of("10.0.0.0"), 8 }, { ip_of("fd00::"), 8 } },
		.except_count = 2,
		.endpoint_independent = true,
	};
	assert_int_equal(network_encode(&info, &text, &err), 0);
	assert_int_equal(network_decode(bytes_of(text.data, text.size), &read, &err), 0);
	assert_true(masquerade_options_equal(&read.spec.masquerade_options,
					     &info.spec.masquerade_options));
	size_t old = text.size - OPTIONS_SIZE - 2 * 17;
	assert_int_equal(network_decode(bytes_of(text.data, old), &read, &err), 0);
	assert_false(masquerade_options_are_set(&read.spec.masquerade_options));
	for (size_t size = old + 1; size < text.size; size++)
		assert_int_equal(network_decode(bytes_of(text.data, size), &read, &err), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_endpoint_reads_as_it_was_written),
		cmocka_unit_test(ports_of_an_older_record_are_of_ipv4),
		cmocka_unit_test(a_cut_endpoint_is_refused_at_every_length),
		cmocka_unit_test(a_record_of_another_version_is_refused),
		cmocka_unit_test(a_network_reads_as_it_was_written),
		cmocka_unit_test(a_network_without_options_of_masquerading_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
