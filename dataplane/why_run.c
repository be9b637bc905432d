/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A packet is put before the program that meets it, and followed: what the host forwards into a
 * network meets the gateway device's program next.
 */
#include "why_run.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "attach.h"
#include "craft.h"
#include "dataplane/connections.h"
#include "entry_text.h"
#include "why_change.h"
#include "why_place.h"

const char *why_verdict_name(enum why_verdict verdict)
{
	static const char *const names[] = { "delivered", "leaves", "host", "answered", "dropped" };
	return names[verdict];
}

static const char *reason_name(uint32_t number, const char **ret_meaning)
{
	static const struct {
		const char *name, *meaning;
	} reasons[] = {
#define X(number_, symbol, text, meaning_) [number_] = { text, meaning_ },
		DROP_REASONS(X)
#undef X
	};
	if (number >= ARRAY_SIZE(reasons) || !reasons[number].name)
		number = DROP_INTERNAL_ERROR;
	*ret_meaning = reasons[number].meaning;
	return reasons[number].name;
}

static void describe_frame(const struct frame *frame, char *ret_text, size_t size)
{
	struct craft_view view = craft_look(frame->bytes, frame->size);
	const char *word = view.protocol == IPPROTO_TCP    ? "tcp"
			   : view.protocol == IPPROTO_UDP  ? "udp"
			   : view.protocol == IPPROTO_SCTP ? "sctp"
							   : "icmp";
	snprintf(ret_text, size, "%s %s:%u -> %s:%u", word, ip_format(view.source).text,
		 view.source_port, ip_format(view.destination).text, view.destination_port);
}

/* --- reading what a run has told ---------------------------------------------------- */

void inquiry_tell(struct inquiry *inquiry, const char *stage, const char *text)
{
	struct why_answer *answer = inquiry->answer;
	if (answer->step_count == WHY_STEPS_MAX)
		return;
	struct why_step *step = &answer->steps[answer->step_count++];
	snprintf(step->stage, sizeof step->stage, "%s", stage);
	snprintf(step->text, sizeof step->text, "%s", text);
}

static void describe_way_out(const struct trace_event *event, char *ret_text, size_t size)
{
	static const char *const ways[] = { [TRACE_REDIRECT] = "redirect to",
					    [TRACE_REDIRECT_PEER] = "into the container behind",
					    [TRACE_REDIRECT_NEIGH] = "to the next hop by" };
	char device[IF_NAMESIZE] = "?";
	if_indextoname((uint32_t)event->result, device);
	snprintf(ret_text, size, "%s %s", ways[event->kind], device);
}

static void take_drop(struct why_answer *answer, const struct trace_event *event)
{
	uint32_t reason;
	if (!entry_is_of(event, "drops"))
		return;
	memcpy(&reason, event->key, sizeof reason);
	answer->reason = reason_name(reason, &answer->meaning);
}

/* Writes the steps down; the last entry that decides is the one that decided. */
static const struct trace_event *read_events(struct inquiry *inquiry, const char *program)
{
	struct why_answer *answer = inquiry->answer;
	const struct trace_event *way_out = NULL;
	char text[WHY_TEXT_MAX];
	snprintf(answer->stage, sizeof answer->stage, "%s", program);
	answer->reason = answer->meaning = "";
	for (uint32_t i = 0; i < inquiry->run.event_count; i++) {
		const struct trace_event *event = &inquiry->run.events[i];
		if (event->kind == TRACE_TAIL) {
			simulator_tail_name(inquiry->simulator, event, answer->stage,
					    sizeof answer->stage);
			continue;
		}
		if (event->kind >= TRACE_REDIRECT && event->kind <= TRACE_REDIRECT_NEIGH) {
			way_out = event;
			describe_way_out(event, text, sizeof text);
			inquiry_tell(inquiry, answer->stage, text);
			continue;
		}
		take_drop(answer, event);
		if (!entry_decides(event))
			continue;
		entry_describe(inquiry->directory, event, text, sizeof text);
		inquiry_tell(inquiry, answer->stage, text);
		snprintf(answer->entry, sizeof answer->entry, "%s", text);
	}
	return way_out;
}

/* --- where it goes --------------------------------------------------------------------- */

static const struct directory_entry *entry_at(const struct inquiry *inquiry, uint32_t ifindex)
{
	const struct directory_entry *entry;
	for (size_t i = 0; (entry = directory_at(inquiry->directory, i)); i++)
		if (entry->host_ifindex == ifindex)
			return entry;
	return NULL;
}

static void conclude_redirect(struct inquiry *inquiry, const struct trace_event *way_out)
{
	struct why_answer *answer = inquiry->answer;
	uint32_t ifindex = way_out ? (uint32_t)way_out->result : 0;
	const struct directory_entry *entry = entry_at(inquiry, ifindex);
	uint32_t uplink[64];
	struct error ignored;
	char device[IF_NAMESIZE] = "?";
	if_indextoname(ifindex, device);
	describe_frame(&inquiry->run.frame, answer->became, sizeof answer->became);
	if (entry && way_out->kind == TRACE_REDIRECT && ifindex == inquiry->run.ifindex) {
		answer->verdict = WHY_ANSWERED;
		snprintf(answer->target, sizeof answer->target, "back to container %.64s",
			 entry->name);
	} else if (entry) {
		answer->verdict = WHY_DELIVERED;
		snprintf(answer->target, sizeof answer->target, "container %.64s by %s",
			 entry->name, device);
	} else if (map_get(&inquiry->dataplane->maps, MAP_UPLINKS, &ifindex, uplink, &ignored) ==
		   1) {
		answer->verdict = WHY_LEAVES;
		snprintf(answer->target, sizeof answer->target, "out by %s", device);
	} else {
		answer->verdict = WHY_HOST;
		snprintf(answer->target, sizeof answer->target, "the host by %s", device);
	}
}

static void conclude_drop(struct inquiry *inquiry)
{
	struct why_answer *answer = inquiry->answer;
	answer->verdict = WHY_DROPPED;
	snprintf(answer->target, sizeof answer->target, "nowhere");
	change_describe(answer->reason, &inquiry->from, &inquiry->to, answer->change,
			sizeof answer->change);
}

static int run_program(struct inquiry *inquiry, const char *program, struct error *err)
{
	int r = simulator_run(inquiry->simulator, program, &inquiry->run, err);
	if (r < 0)
		return r;
	const struct trace_event *way_out = read_events(inquiry, program);
	if (inquiry->run.verdict == TC_ACT_REDIRECT) {
		conclude_redirect(inquiry, way_out);
		return 1;
	}
	if (inquiry->run.verdict == TC_ACT_SHOT) {
		conclude_drop(inquiry);
		return 1;
	}
	return 0;
}

static int match_network(const struct network_info *info, void *context, struct error *err)
{
	struct network_search *search = context;
	(void)err;
	if (!prefix_contains(info->spec.subnet, search->address) ||
	    ip_equal(info->spec.gateway, search->address))
		return 0;
	search->info = *info;
	search->found = true;
	return 1;
}

int inquiry_find_network(struct inquiry *inquiry, struct ip address,
			 struct network_search *ret_search, struct error *err)
{
	*ret_search = (struct network_search){ .address = address };
	int r = network_each(dataplane_store(inquiry->dataplane), match_network, ret_search, err);
	return r < 0 ? r : 0;
}

/* What the host's stack got and sends on into a network meets the gateway device's program. */
static int follow_into_network(struct inquiry *inquiry, struct error *err)
{
	struct why_answer *answer = inquiry->answer;
	struct craft_view view = craft_look(inquiry->run.frame.bytes, inquiry->run.frame.size);
	struct network_search search;
	int r = inquiry_find_network(inquiry, view.destination, &search, err);
	if (r < 0)
		return r;
	if (search.found) {
		if (inquiry->from.kind == PLACE_OUTSIDE)
			inquiry_tell(inquiry, "host",
				     "the host's forward rules decide on it (not simulated)");
		inquiry->run.ingress_ifindex = inquiry->run.ifindex;
		inquiry->run.ifindex = search.info.device_ifindex;
		r = run_program(inquiry, PROGRAM_TO_CONTAINER, err);
		if (r != 0)
			return r < 0 ? r : 0;
	}
	answer->verdict = WHY_HOST;
	snprintf(answer->target, sizeof answer->target, "the host's own stack, untouched");
	if (inquiry->from.kind == PLACE_OUTSIDE)
		snprintf(answer->change, sizeof answer->change,
			 "no container has published this port: wherry run -p %u:PORT …",
			 inquiry->to.port);
	return 0;
}

int inquiry_run(struct inquiry *inquiry, const char *program, struct error *err)
{
	describe_frame(&inquiry->run.frame, inquiry->answer->packet,
		       sizeof inquiry->answer->packet);
	int r = inquiry->simulator ? 0
				   : simulator_create(inquiry->dataplane, &inquiry->simulator, err);
	if (r == 0)
		r = run_program(inquiry, program, err);
	if (r != 0)
		return r < 0 ? r : 0;
	return follow_into_network(inquiry, err);
}

int inquiry_create(struct dataplane *dataplane, struct why_answer *answer,
		   struct inquiry **ret_inquiry, struct error *err)
{
	AUTO(inquiry) inquiry = calloc(1, sizeof *inquiry);
	if (!inquiry)
		return error_set(err, ENOMEM, "no memory for a simulation");
	inquiry->dataplane = dataplane;
	inquiry->answer = answer;
	*answer = (struct why_answer){ .reason = "", .meaning = "" };
	int r = directory_load(dataplane_store(dataplane), &inquiry->directory, err);
	if (r == 0)
		*ret_inquiry = TAKE(inquiry);
	return r;
}

void inquiry_free(struct inquiry *inquiry)
{
	if (!inquiry)
		return;
	simulator_free(inquiry->simulator);
	directory_free(inquiry->directory);
	free(inquiry);
}
