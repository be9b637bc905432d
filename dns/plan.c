/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "plan.h"

#include <string.h>
#include <strings.h>

/* One query on its way through the plan. */
struct work {
	const struct dns_asker *asker;
	const struct dns_source *source;
	const struct dns_message *query;
	uint8_t *reply;
	size_t limit;
	size_t *ret_size;
};

static enum dns_fate refuse(const struct work *work, enum dns_parse parsed,
			    const struct dns_verdict *verdict)
{
	*work->ret_size = dns_write_verdict(work->reply, work->limit, work->query, parsed, verdict);
	return DNS_FATE_REPLY;
}

static enum dns_fate refuse_rcode(const struct work *work, enum dns_rcode rcode)
{
	struct dns_verdict verdict = { .rcode = rcode, .cause = DNS_CAUSE_NONE };
	return refuse(work, DNS_PARSE_OK, &verdict);
}

static enum dns_fate fail(const struct work *work, const struct error *err)
{
	struct dns_verdict verdict = { .rcode = DNS_RCODE_SERVER_FAILURE,
				       .cause = DNS_CAUSE_OTHER,
				       .text = err->text };
	return refuse(work, DNS_PARSE_OK, &verdict);
}

/* NODATA (rcode 0) or NXDOMAIN, with the SOA that says how long this holds. */
static enum dns_fate answer_nothing(const struct work *work, enum dns_rcode rcode,
				    enum dns_cause cause)
{
	struct dns_writer writer;
	struct dns_verdict verdict = { .rcode = rcode,
				       .flags = DNS_FLAG_AUTHORITATIVE,
				       .cause = cause };
	dns_writer_start(&writer, work->reply, work->limit, work->query, DNS_PARSE_OK);
	dns_write_soa(&writer, &work->query->name, DNS_LOCAL_TTL_S);
	*work->ret_size = dns_writer_finish(&writer, work->query, &verdict);
	return DNS_FATE_REPLY;
}

static bool is_asked(const struct dns_message *query, struct ip ip)
{
	enum dns_type type = ip_is_v4(ip) ? DNS_TYPE_A : DNS_TYPE_AAAA;
	return query->type == type || query->type == DNS_TYPE_ANY;
}

static enum dns_fate answer_addresses(const struct work *work, const struct ip *ips, size_t count)
{
	struct dns_writer writer;
	struct dns_verdict verdict = { .flags = DNS_FLAG_AUTHORITATIVE, .cause = DNS_CAUSE_NONE };
	bool any = false;

	dns_writer_start(&writer, work->reply, work->limit, work->query, DNS_PARSE_OK);
	for (size_t i = 0; i < count; i++) {
		struct ip ip = ips[(i + work->asker->rotation) % count];
		if (!is_asked(work->query, ip))
			continue;
		any = true;
		if (!dns_write_address(&writer, &work->query->name, ip, DNS_LOCAL_TTL_S))
			break;
	}
	if (!any)
		return answer_nothing(work, DNS_RCODE_OK, DNS_CAUSE_NONE);
	*work->ret_size = dns_writer_finish(&writer, work->query, &verdict);
	return DNS_FATE_REPLY;
}

static enum dns_fate answer_pointer(const struct work *work, const char *text)
{
	struct dns_writer writer;
	struct dns_verdict verdict = { .flags = DNS_FLAG_AUTHORITATIVE, .cause = DNS_CAUSE_NONE };
	struct dns_name target;
	struct error err;

	if (dns_name_parse(text, &target, &err) < 0)
		return fail(work, &err);
	dns_writer_start(&writer, work->reply, work->limit, work->query, DNS_PARSE_OK);
	dns_write_ptr(&writer, &work->query->name, &target, DNS_LOCAL_TTL_S);
	*work->ret_size = dns_writer_finish(&writer, work->query, &verdict);
	return DNS_FATE_REPLY;
}

static enum dns_fate pass_on(const struct work *work)
{
	if (work->asker->forwards)
		return DNS_FATE_FORWARD;
	/* Not REFUSED: musl waits out its whole time for any code but 0 and 3. */
	return answer_nothing(work, DNS_RCODE_NO_NAME, DNS_CAUSE_PROHIBITED);
}

static enum dns_fate plan_reverse(const struct work *work, struct ip ip)
{
	char name[DNS_NAME_TEXT_MAX];
	struct error err;
	int found = work->source->reverse(work->source->context, work->asker->network, ip, name,
					  sizeof name, &err);
	if (found < 0)
		return fail(work, &err);
	if (found == 0)
		return work->source->owns(work->source->context, ip)
			       ? answer_nothing(work, DNS_RCODE_NO_NAME, DNS_CAUSE_NONE)
			       : pass_on(work);
	if (work->query->type != DNS_TYPE_PTR && work->query->type != DNS_TYPE_ANY)
		return answer_nothing(work, DNS_RCODE_OK, DNS_CAUSE_NONE);
	return answer_pointer(work, name);
}

/* "web.NETWORK" also names web: cuts the network off; false if the name does not end so. */
static bool cut_network(char *name, const char *network)
{
	size_t size = strlen(name), tail = strlen(network);
	if (size < tail + 2 || name[size - tail - 1] != '.' ||
	    strcasecmp(name + size - tail, network) != 0)
		return false;
	name[size - tail - 1] = '\0';
	return true;
}

static int resolve(const struct work *work, const char *name, struct ip ips[DNS_ADDRESSES_MAX],
		   struct error *err)
{
	int count = work->source->resolve(work->source->context, work->asker->network,
					  work->asker->ip, name, ips, DNS_ADDRESSES_MAX, err);
	return count > DNS_ADDRESSES_MAX ? DNS_ADDRESSES_MAX : count;
}

static enum dns_fate plan_name(const struct work *work)
{
	char name[DNS_NAME_TEXT_MAX];
	struct ip ips[DNS_ADDRESSES_MAX];
	struct error err;

	dns_name_format(&work->query->name, name);
	int count = resolve(work, name, ips, &err);
	if (count == 0 && cut_network(name, work->asker->network))
		count = resolve(work, name, ips, &err);
	if (count < 0)
		return fail(work, &err);
	return count > 0 ? answer_addresses(work, ips, (size_t)count) : pass_on(work);
}

static enum dns_fate plan_question(const struct work *work)
{
	const struct dns_message *query = work->query;
	struct ip ip;

	if (query->has_edns && query->edns_version != 0)
		return refuse_rcode(work, DNS_RCODE_BAD_VERSION);
	if (query->type == DNS_TYPE_OPT)
		return refuse_rcode(work, DNS_RCODE_FORMAT);
	if (query->class != DNS_CLASS_IN || query->type == DNS_TYPE_AXFR ||
	    query->type == DNS_TYPE_IXFR)
		return refuse_rcode(work, DNS_RCODE_REFUSED);
	if (dns_name_to_address(&query->name, &ip))
		return plan_reverse(work, ip);
	return plan_name(work);
}

enum dns_fate dns_plan(const uint8_t *data, size_t size, const struct dns_asker *asker,
		       const struct dns_source *source, struct dns_message *ret_query,
		       uint8_t *reply, size_t *ret_size)
{
	enum dns_parse parsed = dns_message_parse(data, size, ret_query);
	struct work work = { .asker = asker,
			     .source = source,
			     .query = ret_query,
			     .reply = reply,
			     .limit = DNS_UDP_SIZE_PLAIN,
			     .ret_size = ret_size };

	if (parsed == DNS_PARSE_SHORT || ret_query->flags & DNS_FLAG_RESPONSE)
		return DNS_FATE_DROP;
	if (parsed != DNS_PARSE_OK) {
		struct dns_verdict verdict = { .rcode = parsed == DNS_PARSE_OPCODE
								? DNS_RCODE_NOT_IMPLEMENTED
								: DNS_RCODE_FORMAT,
					       .cause = DNS_CAUSE_NONE };
		return refuse(&work, parsed, &verdict);
	}
	work.limit = asker->transport == DNS_TCP ? DNS_MESSAGE_SIZE_MAX : dns_udp_size(ret_query);
	return plan_question(&work);
}
