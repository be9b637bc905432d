/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The "dns" of a result: the configuration's replaces that of ipam as a whole
 * if it says anything; runtimeConfig.dns replaces both.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "base/file.h"

#define RESOLV_CONF_MAX 65536 /* bytes */

/* Copies a list of strings under the result's name for it. */
static int copy_list(const struct json_at *from, const char *key, struct json_t *dns,
		     const char *as, struct error *err)
{
	struct json_at list;
	int r = json_get_array(from, key, JSON_OPTIONAL, &list, err);

	if (r < 0 || json_count(&list) == 0)
		return r;
	struct json_t *copy = json_new_array();
	for (size_t i = 0; r == 0 && i < json_count(&list); i++) {
		struct json_at item = json_element(&list, i);
		const char *text;
		r = json_as_string(&item, &text, err);
		if (r == 0)
			json_append(copy, json_new_string(text));
	}
	if (r < 0)
		json_free(copy);
	else
		json_put(dns, as, copy);
	return r;
}

static bool is_empty(const struct json_t *dns)
{
	struct json_at at = json_root(dns, "");
	return json_count(&at) == 0;
}

/* Puts a dns object in the place of the one before, if it says anything. */
static void replace_dns(struct cni_config *config, struct json_t **dns)
{
	if (is_empty(*dns))
		return;
	json_free(config->dns);
	config->dns = TAKE(*dns);
}

static int read_own(const struct json_at *root, struct cni_config *config, struct error *err)
{
	struct json_at at;
	const char *domain = NULL;
	auto_json dns = json_new_object();
	int r = json_get_object(root, "dns", JSON_OPTIONAL, &at, err);

	if (r < 0 || !at.value)
		return r;
	r = copy_list(&at, "nameservers", dns, "nameservers", err);
	if (r == 0)
		r = json_get_string(&at, "domain", JSON_OPTIONAL, &domain, err);
	if (r == 0 && domain && *domain)
		json_put_string(dns, "domain", domain);
	if (r == 0)
		r = copy_list(&at, "search", dns, "search", err);
	if (r == 0)
		r = copy_list(&at, "options", dns, "options", err);
	if (r == 0)
		replace_dns(config, &dns);
	return r;
}

static int read_runtime(const struct json_at *root, struct cni_config *config, struct error *err)
{
	struct json_at runtime = json_member(root, "runtimeConfig"), at;
	auto_json dns = json_new_object();

	if (!json_is_object(&runtime))
		return 0;
	int r = json_get_object(&runtime, "dns", JSON_OPTIONAL, &at, err);
	if (r < 0 || !at.value)
		return r;
	r = copy_list(&at, "servers", dns, "nameservers", err);
	if (r == 0)
		r = copy_list(&at, "searches", dns, "search", err);
	if (r == 0)
		r = copy_list(&at, "options", dns, "options", err);
	if (r == 0)
		replace_dns(config, &dns);
	return r;
}

struct resolv_lists {
	struct json_t *nameservers, *search, *options; /* moved into dns at the end */
};

static void read_resolv_line(const struct words *words, struct json_t *dns,
			     struct resolv_lists *lists)
{
	const char *key = words->count ? words->items[0] : "";
	struct json_t *list = text_equal(key, "nameserver") ? lists->nameservers
			      : text_equal(key, "search")   ? lists->search
			      : text_equal(key, "options")  ? lists->options
							    : NULL;
	for (size_t i = 1; i < words->count; i++) {
		if (!*words->items[i])
			continue; /* between two blanks */
		if (text_equal(key, "domain"))
			json_put_string(dns, "domain", words->items[i]);
		if (list)
			json_append(list, json_new_string(words->items[i]));
	}
}

static void put_list(struct json_t *dns, const char *key, struct json_t *list)
{
	struct json_at at = json_root(list, "");
	if (json_count(&at))
		json_put(dns, key, list);
	else
		json_free(list);
}

static int read_resolv_text(char *text, struct json_t *dns, struct error *err)
{
	struct resolv_lists lists = { json_new_array(), json_new_array(), json_new_array() };
	int r = 0;

	for (char *line = text, *end; r == 0 && line && *line; line = end) {
		auto_words words = { 0 };
		end = strchr(line, '\n');
		if (end)
			*end++ = '\0';
		for (char *at = line; *at; at++)
			if (*at == '\t' || *at == '\r')
				*at = ' ';
		r = words_split(line, ' ', &words, err);
		if (r == 0)
			read_resolv_line(&words, dns, &lists);
	}
	put_list(dns, "nameservers", lists.nameservers);
	put_list(dns, "search", lists.search);
	put_list(dns, "options", lists.options);
	return r;
}

/* ipam.resolvConf names a file in the form of resolv.conf(5). */
static int read_resolv_conf(const struct json_at *root, struct cni_config *config,
			    struct error *err)
{
	struct json_at ipam = json_member(root, "ipam");
	const char *path = NULL;
	auto_free char *text = NULL;
	size_t size;
	auto_json dns = json_new_object();

	if (!json_is_object(&ipam) || config->ipam_kind == IPAM_FOREIGN)
		return 0;
	int r = json_get_string(&ipam, "resolvConf", JSON_OPTIONAL, &path, err);
	if (r < 0 || !path || !*path)
		return r;
	r = file_read(path, RESOLV_CONF_MAX, &text, &size, err);
	if (r == 0)
		r = read_resolv_text(text, dns, err);
	if (r < 0)
		return error_wrap(err, "ipam.resolvConf");
	replace_dns(config, &dns);
	return 0;
}

int cni_config_read_dns(struct cni_call *call, struct cni_config *config, struct error *err)
{
	int r = read_resolv_conf(&call->root, config, err);
	if (r == 0)
		r = read_own(&call->root, config, err);
	return r < 0 ? r : read_runtime(&call->root, config, err);
}
