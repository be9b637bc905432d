/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as config.json. What must hold: what is accepted can be saved, and
 * what was saved is accepted again, with the same text.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "fuzz.h"
#include "runtime/oci.h"

static char *save(const struct oci_spec *spec, struct json_t **ret_json)
{
	struct error err = { 0 };
	char *text = NULL;
	if (oci_spec_save(spec, ret_json, &err) < 0 ||
	    json_format(*ret_json, JSON_COMPACT, &text, &err) < 0)
		abort();
	return text;
}

static void check_again(const struct oci_spec *spec)
{
	struct error err = { 0 };
	auto_oci_spec again = { 0 };
	auto_json first = NULL;
	auto_json second = NULL;
	auto_free char *first_text = save(spec, &first);
	struct json_at root = json_root(first, "saved");
	if (oci_spec_load(&root, &again, &err) < 0)
		abort();
	auto_free char *second_text = save(&again, &second);
	assert(strcmp(first_text, second_text) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct error err = { 0 };
	auto_json config = NULL;
	auto_oci_spec spec = { 0 };
	if (json_parse("config.json", (const char *)data, size, &config, &err) < 0)
		return 0;
	struct json_at root = json_root(config, "config.json");
	if (oci_spec_read(&root, "fuzz", "/bundle", &spec, &err) < 0) {
		assert(err.code > 0 && err.text[0]);
		return 0;
	}
	check_again(&spec);
	return 0;
}
