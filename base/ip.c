/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/ip.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };

struct ip ip_from_v4(struct in_addr address)
{
	struct ip ip;
	memcpy(ip.bytes, v4_mapped, sizeof v4_mapped);
	memcpy(ip.bytes + 12, &address, 4);
	return ip;
}

struct ip ip_from_v6(const struct in6_addr *address)
{
	struct ip ip;
	memcpy(ip.bytes, address, 16);
	return ip;
}

struct in_addr ip_to_v4(struct ip ip)
{
	struct in_addr address = { 0 };
	if (ip_is_v4(ip))
		memcpy(&address, ip.bytes + 12, 4);
	return address;
}

bool ip_is_v4(struct ip ip)
{
	return memcmp(ip.bytes, v4_mapped, sizeof v4_mapped) == 0;
}

int ip_parse(const char *text, struct ip *ret_ip, struct error *err)
{
	struct in_addr v4;
	struct in6_addr v6;
	if (inet_pton(AF_INET, text, &v4) == 1) {
		*ret_ip = ip_from_v4(v4);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &v6) == 1) {
		*ret_ip = ip_from_v6(&v6);
		return 0;
	}
	return error_set(err, EINVAL, "\"%s\" is no address: 10.1.2.3 or fd00::1 would be", text);
}

struct ip_text ip_format(struct ip ip)
{
	struct ip_text out;
	if (ip_is_v4(ip))
		inet_ntop(AF_INET, ip.bytes + 12, out.text, sizeof out.text);
	else
		inet_ntop(AF_INET6, ip.bytes, out.text, sizeof out.text);
	return out;
}

bool ip_is_unset(struct ip ip)
{
	static const struct ip none;
	return ip_equal(ip, none) || (ip_is_v4(ip) && ip_to_v4(ip).s_addr == 0);
}

bool ip_is_loopback(struct ip ip)
{
	static const struct ip loopback6 = { .bytes = { [15] = 1 } };
	return ip_is_v4(ip) ? ip.bytes[12] == 127 : ip_equal(ip, loopback6);
}

bool ip_is_multicast(struct ip ip)
{
	return ip_is_v4(ip) ? (ip.bytes[12] & 0xf0) == 0xe0 : ip.bytes[0] == 0xff;
}

bool ip_equal(struct ip a, struct ip b)
{
	return ip_compare(a, b) == 0;
}

int ip_compare(struct ip a, struct ip b)
{
	return memcmp(a.bytes, b.bytes, sizeof a.bytes);
}

static unsigned __int128 number_of(struct ip ip)
{
	unsigned __int128 number = 0;
	for (size_t i = 0; i < sizeof ip.bytes; i++)
		number = number << 8 | ip.bytes[i];
	return number;
}

static struct ip ip_of(unsigned __int128 number)
{
	struct ip ip;
	for (size_t i = sizeof ip.bytes; i-- > 0; number >>= 8)
		ip.bytes[i] = (uint8_t)number;
	return ip;
}

uint64_t ip_distance(struct ip from, struct ip to)
{
	unsigned __int128 distance = number_of(to) - number_of(from);
	return distance > UINT64_MAX ? UINT64_MAX : (uint64_t)distance;
}

struct ip ip_add(struct ip ip, uint64_t offset)
{
	return ip_of(number_of(ip) + offset);
}

/* The length in the 128-bit form. */
static unsigned bits_of(struct prefix prefix)
{
	return prefix.length + (ip_is_v4(prefix.ip) ? 96u : 0u);
}

static unsigned __int128 mask_of(unsigned bits)
{
	return bits == 0 ? 0 : ~(unsigned __int128)0 << (128 - bits);
}

int prefix_parse(const char *text, struct prefix *ret_prefix, struct error *err)
{
	char address[IP_TEXT_MAX];
	const char *slash = strchr(text, '/');
	struct error inner;
	struct prefix prefix;
	uint64_t length;
	size_t size = slash ? (size_t)(slash - text) : 0;
	if (!slash || size >= sizeof address)
		return error_set(err, EINVAL, "\"%s\" is no prefix: 10.1.0.0/16 would be", text);
	memcpy(address, text, size);
	address[size] = '\0';
	if (ip_parse(address, &prefix.ip, &inner) < 0 ||
	    text_to_unsigned(slash + 1, 0, ip_is_v4(prefix.ip) ? 32 : 128, &length) < 0)
		return error_set(err, EINVAL, "\"%s\" is no prefix: 10.1.0.0/16 would be", text);
	prefix.length = (uint8_t)length;
	*ret_prefix = prefix;
	return 0;
}

struct prefix_text prefix_format(struct prefix prefix)
{
	struct prefix_text out;
	snprintf(out.text, sizeof out.text, "%s/%u", ip_format(prefix.ip).text, prefix.length);
	return out;
}

struct prefix prefix_network(struct prefix prefix)
{
	return (struct prefix){ .ip = ip_of(number_of(prefix.ip) & mask_of(bits_of(prefix))),
				.length = prefix.length };
}

struct ip prefix_last(struct prefix prefix)
{
	return ip_of(number_of(prefix.ip) | ~mask_of(bits_of(prefix)));
}

bool prefix_contains(struct prefix prefix, struct ip ip)
{
	unsigned __int128 mask = mask_of(bits_of(prefix));
	return ip_is_v4(prefix.ip) == ip_is_v4(ip) &&
	       (number_of(prefix.ip) & mask) == (number_of(ip) & mask);
}

bool prefix_overlaps(struct prefix a, struct prefix b)
{
	return a.length <= b.length ? prefix_contains(a, b.ip) : prefix_contains(b, a.ip);
}

bool prefix_equal(struct prefix a, struct prefix b)
{
	return a.length == b.length && ip_equal(a.ip, b.ip);
}

bool prefix_is_unset(struct prefix prefix)
{
	static const struct ip none;
	return prefix.length == 0 && ip_equal(prefix.ip, none);
}

struct in_addr prefix_netmask(struct prefix prefix)
{
	uint32_t mask = prefix.length == 0 ? 0 : UINT32_MAX << (32 - prefix.length);
	return (struct in_addr){ .s_addr = htonl(mask) };
}

int mac_parse(const char *text, struct mac *ret_mac, struct error *err)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	struct mac mac;
	bool good = strlen(text) == MAC_TEXT_MAX - 1;
	for (size_t i = 0; good && i < MAC_SIZE; i++) {
		const char *pair = text + 3 * i;
		good = strchr(digits, pair[0]) && strchr(digits, pair[1]) &&
		       pair[2] == (i + 1 < MAC_SIZE ? ':' : '\0');
		mac.bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	if (!good)
		return error_set(err, EINVAL, "\"%s\" is no MAC: 02:42:0a:01:00:05 would be", text);
	if (mac_is_unset(mac) || mac.bytes[0] & 1)
		return error_set(err, EINVAL, "MAC %s is %s: no device can have it", text,
				 mac.bytes[0] & 1 ? "a multicast address" : "all zero");
	*ret_mac = mac;
	return 0;
}

struct mac_text mac_format(struct mac mac)
{
	struct mac_text out;
	snprintf(out.text, sizeof out.text, "%02x:%02x:%02x:%02x:%02x:%02x", mac.bytes[0],
		 mac.bytes[1], mac.bytes[2], mac.bytes[3], mac.bytes[4], mac.bytes[5]);
	return out;
}

bool mac_is_unset(struct mac mac)
{
	static const struct mac none;
	return mac_equal(mac, none);
}

bool mac_equal(struct mac a, struct mac b)
{
	return memcmp(a.bytes, b.bytes, MAC_SIZE) == 0;
}
