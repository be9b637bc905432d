/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dataplane/masquerade.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "dataplane/dataplane.h"

#define FILTERING_STRICT "address-and-port" /* RFC 4787, REQ-8 */
#define FILTERING_OPEN "endpoint-independent"

bool masquerade_options_are_set(const struct masquerade_options *options)
{
	return options->except_count || options->endpoint_independent || options->open ||
	       !ip_is_unset(options->source) || !ip_is_unset(options->source6);
}

bool masquerade_options_equal(const struct masquerade_options *a,
			      const struct masquerade_options *b)
{
	if (a->except_count != b->except_count || !ip_equal(a->source, b->source) ||
	    !ip_equal(a->source6, b->source6) ||
	    a->endpoint_independent != b->endpoint_independent || a->open != b->open)
		return false;
	for (size_t i = 0; i < a->except_count; i++)
		if (!prefix_equal(a->except[i], b->except[i]))
			return false;
	return true;
}

static int take_except(const char *text, struct masquerade_options *options, struct error *err)
{
	if (options->except_count == MASQUERADE_EXCEPTS_MAX)
		return error_set(err, E2BIG, "at most %d prefixes", MASQUERADE_EXCEPTS_MAX);
	int r = publish_from_parse(text, &options->except[options->except_count], err);
	if (r == 0)
		options->except_count++;
	return r;
}

static int take_source(const char *text, struct masquerade_options *options, struct error *err)
{
	struct ip address;
	struct error why = { 0 };
	if (ip_parse(text, &address, &why) < 0)
		return error_set(err, EINVAL, "\"%s\" is no address", text);
	struct ip *place = ip_is_v4(address) ? &options->source : &options->source6;
	if (!ip_is_unset(*place))
		return error_set(err, EINVAL, "%s is a second address of its family", text);
	if (ip_is_loopback(address) || ip_is_multicast(address) || ip_is_unset(address))
		return error_set(err, EINVAL, "%s is nothing that outside could answer to", text);
	*place = address;
	return 0;
}

static int take_filtering(const char *text, struct masquerade_options *options, struct error *err)
{
	options->open = text_equal(text, FILTERING_OPEN);
	if (options->open || text_equal(text, FILTERING_STRICT))
		return 0;
	return error_set(err, EINVAL, "\"%s\" is neither " FILTERING_STRICT " nor " FILTERING_OPEN,
			 text);
}

static int take_independent(const char *text, struct masquerade_options *options, struct error *err)
{
	options->endpoint_independent = text_equal(text, "true");
	if (options->endpoint_independent || text_equal(text, "false"))
		return 0;
	return error_set(err, EINVAL, "\"%s\" is neither true nor false", text);
}

static const struct {
	const char *key;
	bool is_list;
	int (*take)(const char *text, struct masquerade_options *options, struct error *err);
} rows[] = {
	{ "except", true, take_except },
	{ "source", true, take_source },
	{ "endpoint-independent", false, take_independent },
	{ "filtering", false, take_filtering },
};

int masquerade_options_take(const char *key, const char *value, struct masquerade_options *options,
			    struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_words words = { 0 };
		if (!text_equal(key, rows[i].key))
			continue;
		int r = rows[i].is_list ? words_split(value, ',', &words, err)
					: words_append(&words, value, err);
		for (size_t k = 0; r == 0 && k < words.count; k++)
			r = rows[i].take(words.items[k], options, err);
		return r;
	}
	return error_set(err, ENOENT,
			 "unknown; known are masquerade.{except,source,endpoint-independent,"
			 "filtering}");
}

static int read_list(const struct json_at *object, const char *key,
		     int (*take)(const char *text, struct masquerade_options *options,
				 struct error *err),
		     struct masquerade_options *options, struct error *err)
{
	struct json_at list;
	int r = json_get_array(object, key, JSON_OPTIONAL, &list, err);
	for (size_t i = 0; r == 0 && i < json_count(&list); i++) {
		struct json_at element = json_element(&list, i);
		struct error why = { 0 };
		const char *text;
		r = json_as_string(&element, &text, err);
		if (r == 0 && take(text, options, &why) < 0)
			r = json_error(&element, err, EINVAL, "%s", why.text);
	}
	return r;
}

int masquerade_options_read(const struct json_at *object, struct masquerade_options *ret_options,
			    struct error *err)
{
	struct masquerade_options options = { .open = false };
	struct error why = { 0 };
	const char *filtering = NULL;
	int r = read_list(object, "except", take_except, &options, err);
	if (r == 0)
		r = read_list(object, "source", take_source, &options, err);
	if (r == 0)
		r = json_get_bool(object, "endpointIndependent", JSON_OPTIONAL,
				  &options.endpoint_independent, err);
	if (r == 0)
		r = json_get_string(object, "filtering", JSON_OPTIONAL, &filtering, err);
	struct json_at place = json_member(object, "filtering");
	if (r == 0 && filtering && take_filtering(filtering, &options, &why) < 0)
		r = json_error(&place, err, EINVAL, "%s", why.text);
	if (r == 0)
		*ret_options = options;
	return r;
}

struct json_t *masquerade_options_json(const struct masquerade_options *options)
{
	struct json_t *object = json_new_object(), *except = json_new_array(),
		      *source = json_new_array();
	for (size_t i = 0; i < options->except_count; i++)
		json_append(except, json_new_string(prefix_format(options->except[i]).text));
	if (!ip_is_unset(options->source))
		json_append(source, json_new_string(ip_format(options->source).text));
	if (!ip_is_unset(options->source6))
		json_append(source, json_new_string(ip_format(options->source6).text));
	json_put(object, "except", except);
	json_put(object, "source", source);
	json_put_bool(object, "endpointIndependent", options->endpoint_independent);
	json_put_string(object, "filtering", options->open ? FILTERING_OPEN : FILTERING_STRICT);
	return object;
}
