/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "why_place.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "link/address.h"
#include "map_walk.h"

#define WORD_MAX 320

/* --- addresses of the host ------------------------------------------------------- */

struct owning {
	struct ip address;
	bool found;
};

static int compare_address(const struct address *address, void *context, struct error *err)
{
	struct owning *owning = context;
	(void)err;
	owning->found |= ip_equal(address->prefix.ip, owning->address);
	return 0;
}

static int is_own(struct dataplane *dataplane, struct ip address, bool *ret_own, struct error *err)
{
	struct owning owning = { .address = address, .found = ip_is_loopback(address) };
	int r = address_each(dataplane->netlink, compare_address, &owning, err);
	*ret_own = owning.found;
	return r;
}

/* --- words --------------------------------------------------------------------------- */

static int place_of_address(struct dataplane *dataplane, const struct directory *directory,
			    struct ip address, struct place *ret_place, struct error *err)
{
	bool own = false;
	ret_place->address = address;
	ret_place->entry = directory_by_address(directory, address, NULL);
	ret_place->kind = PLACE_CONTAINER;
	if (ret_place->entry)
		return 0;
	int r = is_own(dataplane, address, &own, err);
	ret_place->kind = own ? PLACE_HOST : PLACE_OUTSIDE;
	return r;
}

int place_parse(struct dataplane *dataplane, const struct directory *directory, const char *word,
		struct place *ret_place, struct error *err)
{
	struct place place = { .kind = PLACE_CONTAINER };
	struct error ignored;
	struct ip address;
	int r = 0;
	place.entry = directory_by_word(directory, word, NULL);
	if (place.entry)
		place.address = place.entry->address;
	else if (text_equal(word, "host"))
		place.kind = PLACE_HOST;
	else if (text_equal(word, "outside"))
		place.kind = PLACE_OUTSIDE;
	else if (ip_parse(word, &address, &ignored) == 0)
		r = place_of_address(dataplane, directory, address, &place, err);
	else
		return error_set(err, ENOENT,
				 "%s is no container, no address, and neither host nor outside",
				 word);
	if (r == 0)
		*ret_place = place;
	return r;
}

static int take_protocol(char *word, uint8_t *ret_protocol, struct error *err)
{
	static const struct {
		const char *name;
		uint8_t number;
	} names[] = { { "tcp", IPPROTO_TCP },
		      { "udp", IPPROTO_UDP },
		      { "sctp", IPPROTO_SCTP },
		      { "icmp", IPPROTO_ICMP } };
	char *slash = strrchr(word, '/');
	*ret_protocol = 0;
	if (!slash)
		return 0;
	*slash = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (text_equal(slash + 1, names[i].name))
			*ret_protocol = names[i].number;
	return *ret_protocol ? 0
			     : error_set(err, EINVAL, "/%s is none of /tcp, /udp, /sctp, /icmp",
					 slash + 1);
}

/* Cuts ":PORT" off; an address with several colons has one only behind a bracket. */
static int take_port(char *word, uint16_t *ret_port, struct error *err)
{
	uint64_t port = 0;
	char *colon = strrchr(word, ':'), *bracket = strchr(word, ']');
	*ret_port = 0;
	if (colon && (bracket ? colon > bracket : strchr(word, ':') == colon)) {
		*colon = '\0';
		if (text_to_unsigned(colon + 1, 1, UINT16_MAX, &port) < 0)
			return error_set(err, EINVAL, ":%s is no port (1-65535)", colon + 1);
	}
	if (bracket && word[0] == '[') {
		*bracket = '\0';
		memmove(word, word + 1, strlen(word + 1) + 1);
	}
	*ret_port = (uint16_t)port;
	return 0;
}

int goal_parse(struct dataplane *dataplane, const struct directory *directory, const char *text,
	       struct goal *ret_goal, struct error *err)
{
	char word[WORD_MAX];
	struct goal goal = { .protocol = 0 };
	if (strlen(text) >= sizeof word)
		return error_set(err, EINVAL, "%.32s…: is too long", text);
	snprintf(word, sizeof word, "%s", text);
	int r = take_protocol(word, &goal.protocol, err);
	if (r == 0)
		r = take_port(word, &goal.port, err);
	if (r == 0 && !goal.protocol)
		goal.protocol = goal.port ? IPPROTO_TCP : IPPROTO_ICMP;
	if (r == 0 && goal.protocol != IPPROTO_ICMP && !goal.port)
		r = error_set(err, EINVAL, "%s: a port is missing (%s:PORT)", text, word);
	if (r == 0)
		r = place_parse(dataplane, directory, word, &goal.place, err);
	if (r == 0)
		*ret_goal = goal;
	return r;
}

int end_parse(const char *text, struct ip *ret_address, uint16_t *ret_port, struct error *err)
{
	char word[WORD_MAX];
	if (strlen(text) >= sizeof word)
		return error_set(err, EINVAL, "%.32s…: is too long", text);
	snprintf(word, sizeof word, "%s", text);
	int r = take_port(word, ret_port, err);
	if (r == 0 && !*ret_port)
		return error_set(err, EINVAL, "%s: is no ADDRESS:PORT", text);
	return r < 0 ? r : ip_parse(word, ret_address, err);
}

/* --- uplinks ------------------------------------------------------------------------------ */

struct choosing {
	struct ip wanted;
	struct uplink_choice best;
	bool found, exact;
};

static int choose(const void *key, const void *value, void *context, struct error *err)
{
	struct choosing *choosing = context;
	struct uplink uplink;
	(void)err;
	memcpy(&uplink, value, sizeof uplink);
	struct ip address = ip_of_abi(uplink.masquerade);
	bool exact = ip_equal(address, choosing->wanted);
	if (choosing->found && !exact)
		return 0;
	memcpy(&choosing->best.ifindex, key, sizeof choosing->best.ifindex);
	memcpy(choosing->best.mac.bytes, uplink.mac, MAC_SIZE);
	choosing->best.address = address;
	choosing->found = true;
	return exact;
}

int uplink_choose(struct dataplane *dataplane, struct ip address, struct uplink_choice *ret_uplink,
		  struct error *err)
{
	struct choosing choosing = { .wanted = address };
	int r = map_walk(&dataplane->maps, MAP_UPLINKS, choose, &choosing, err);
	if (r < 0)
		return r;
	if (!choosing.found)
		return error_set(err, ENOENT,
				 "this host has no uplink: no device with a global "
				 "address leads outside");
	*ret_uplink = choosing.best;
	return 0;
}
