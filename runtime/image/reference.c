/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * References to images: [host[:port]/]path[:tag]. The normal form has a tag
 * and leaves out Docker's default registry and library.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "runtime/image.h"

#define REFERENCE_MAX 255 /* bytes of the name, as registries have it */
#define TAG_MAX 128

static bool is_lower_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Lower-case words, joined by one '.', one or two '_', or any number of '-'. */
static bool is_component(const char *text, size_t size)
{
	size_t i = 0;
	while (i < size) {
		size_t word = i;
		while (i < size && is_lower_alnum(text[i]))
			i++;
		if (i == word)
			return false;
		if (i == size)
			return true;
		size_t run = i;
		while (i < size && text[i] == text[run])
			i++;
		size_t length = i - run;
		if (!(text[run] == '-' || (text[run] == '.' && length == 1) ||
		      (text[run] == '_' && length <= 2)))
			return false;
	}
	return false;
}

static bool is_host(const char *text, size_t size)
{
	size_t i = 0;
	while (i < size && (isalnum((unsigned char)text[i]) || text[i] == '.' || text[i] == '-'))
		i++;
	if (i == 0)
		return false;
	if (i < size && text[i] == ':')
		for (i++; i < size && isdigit((unsigned char)text[i]);)
			i++;
	return i == size;
}

/* As Docker tells a registry from the first part of a path. */
static bool has_host(const char *text, size_t size)
{
	return memchr(text, '.', size) || memchr(text, ':', size) ||
	       (size == 9 && memcmp(text, "localhost", 9) == 0);
}

static bool is_path(const char *text, size_t size)
{
	bool first = true;
	while (size > 0) {
		const char *slash = memchr(text, '/', size);
		size_t length = slash ? (size_t)(slash - text) : size;
		bool host = first && slash && has_host(text, length);
		if (host ? !is_host(text, length) : !is_component(text, length))
			return false;
		if (!slash)
			return true;
		first = false;
		text += length + 1;
		size -= length + 1;
	}
	return false;
}

static bool is_tag(const char *text)
{
	size_t size = strlen(text);
	if (size == 0 || size > TAG_MAX || !(isalnum((unsigned char)*text) || *text == '_'))
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("_.-", *text))
			return false;
	return true;
}

int image_reference_normalise(const char *reference, char **ret_name, struct error *err)
{
	const char *slash = strrchr(reference, '/');
	const char *colon = strrchr(slash ? slash : reference, ':');
	size_t size = colon ? (size_t)(colon - reference) : strlen(reference);
	const char *tag = colon ? colon + 1 : "latest";
	if (strchr(reference, '@'))
		return error_set(err, EINVAL,
				 "image name \"%.100s\": a digest is no part of a name here "
				 "(name[:tag] or an id is)",
				 reference);
	if (size > REFERENCE_MAX || !is_path(reference, size) || !is_tag(tag))
		return error_set(err, EINVAL,
				 "image name \"%.100s\" is not [host/]name[:tag] in lower case",
				 reference);
	const char *name = reference;
	if (text_starts_with(name, "docker.io/"))
		name += strlen("docker.io/");
	if (name != reference && text_starts_with(name, "library/"))
		name += strlen("library/");
	return text_format(ret_name, err, "%.*s:%s", (int)(size - (size_t)(name - reference)), name,
			   tag);
}
