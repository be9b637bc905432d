/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "version.h"

#include <errno.h>

#include "base/text.h"

static const char *const texts[] = {
	"0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"
};
_Static_assert(ARRAY_SIZE(texts) == CNI_VERSION_COUNT, "a text for each version");

const char *cni_version_text(enum cni_version version)
{
	return texts[version];
}

int cni_version_parse(const char *text, enum cni_version *ret_version, struct error *err)
{
	if (!text)
		text = texts[CNI_0_1_0];
	for (int v = 0; v < CNI_VERSION_COUNT; v++)
		if (text_equal(text, texts[v])) {
			*ret_version = (enum cni_version)v;
			return 0;
		}
	return error_set(err, EINVAL,
			 "cniVersion \"%.32s\" is not supported: "
			 "0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0 and 1.1.0 are",
			 text);
}

struct json_t *cni_version_document(const char *version)
{
	struct json_t *document = json_new_object(), *list = json_new_array();

	for (int v = 0; v < CNI_VERSION_COUNT; v++)
		json_append(list, json_new_string(texts[v]));
	json_put_string(document, "cniVersion", version);
	json_put(document, "supportedVersions", list);
	return document;
}
