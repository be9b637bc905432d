/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "why_change.h"

#include <stdio.h>
#include <string.h>

struct naming {
	const char *from, *from_network, *to, *to_network;
	unsigned port;
};

/* $F: who sends, $f: its network, $T: the target, $t: its network, $P: the port. */
static const struct {
	const char *reason, *text;
} changes[] = {
	{ "isolated", "wherry network connect $t $F" },
	{ "no-icc", "make the network anew without --icc=false: wherry network rm $f; "
		    "wherry network create $f" },
	{ "internal", "make the network anew without --internal: wherry network rm $f; "
		      "wherry network create $f" },
	{ "no-endpoint", "nobody has $T in $f: wherry network inspect $f shows who is there" },
	{ "direct", "publish the port: wherry run -p $P:$P … (or route the network: "
		    "wherry network create --routed)" },
	{ "publish-source", "publish with a wider --publish-from" },
	{ "host-firewall", "let the host's forward rules accept $F to $T, or publish with "
			   "--host-firewall bypass" },
	{ "host-route", "let the host forward: wherry check --repair; or publish with "
			"--host-firewall bypass" },
	{ "not-forwarded", "make this host a router: sysctl -w net.ipv4.ip_forward=1" },
	{ "no-route", "give the host a route to $T: ip route add $T via GATEWAY" },
	{ "no-uplink", "give the device that leads to $T a global address: wherry doctor names "
		       "the uplinks" },
	{ "no-source", "give the host the address: wherry network inspect $f shows the one that "
		       "was chosen" },
	{ "unknown-endpoint", "wherry check --repair" },
	{ "stale", "wherry check --repair" },
	{ "flows-full", "wherry flows shows who holds the table; wherry maps how full it is" },
	{ "ports-full", "wherry flows --address $T shows who holds the ports" },
	{ "loopback", "use the container's own loopback, or a published port of the host's "
		      "address" },
	{ "multicast", "make the network anew with multicast on" },
	{ "spoof-mac", "send from the interface's own MAC: wherry endpoints shows it" },
	{ "spoof-address", "send from the interface's own address: wherry endpoints shows it" },
	{ "too-big", "lower the MTU of the sender, or raise that of the way out" },
};

static const char *word_for(const struct naming *words, char letter, char *number, size_t size)
{
	switch (letter) {
	case 'F':
		return words->from;
	case 'f':
		return words->from_network;
	case 'T':
		return words->to;
	case 't':
		return words->to_network;
	default:
		snprintf(number, size, "%u", words->port);
		return number;
	}
}

static void fill(const char *pattern, const struct naming *words, char *ret_text, size_t size)
{
	char number[16];
	size_t at = 0;
	for (; *pattern && at + 1 < size; pattern++) {
		if (*pattern != '$') {
			ret_text[at++] = *pattern;
			continue;
		}
		const char *word = word_for(words, *++pattern, number, sizeof number);
		int written = snprintf(ret_text + at, size - at, "%s", word);
		at += (size_t)written < size - at ? (size_t)written : size - at - 1;
	}
	ret_text[at] = '\0';
}

void change_describe(const char *reason, const struct place *from, const struct goal *to,
		     char *ret_text, size_t size)
{
	struct ip_text address = ip_format(to->place.address);
	struct naming words = {
		.from = from->entry ? from->entry->name : "the sender",
		.from_network = from->entry ? from->entry->network : "NETWORK",
		.to = to->place.entry ? to->place.entry->name : address.text,
		.to_network = to->place.entry ? to->place.entry->network : "NETWORK",
		.port = to->port,
	};
	ret_text[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++)
		if (text_equal(changes[i].reason, reason))
			fill(changes[i].text, &words, ret_text, size);
}
