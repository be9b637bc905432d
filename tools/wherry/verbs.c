/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "verbs.h"

#include <string.h>

#include "alias.h"
#include "base/cleanup.h"

const struct verb_group *const verb_groups[] = {
	&verb_group_containers, &verb_group_processes,   &verb_group_stats,
	&verb_group_events,     &verb_group_prune,       &verb_group_info,
	&verb_group_changing,   &verb_group_files,       &verb_group_volumes,
	&verb_group_images,     &verb_group_image_files, &verb_group_networks,
	&verb_group_traffic,    &verb_group_why,         &verb_group_observing,
	&verb_group_cni,        &verb_group_general,     &verb_group_pages,
	&verb_group_internal,
};
const size_t verb_group_count = ARRAY_SIZE(verb_groups);

/* Words of name that argv begins with; 0 if it does not. */
static int matching_words(const char *name, int argc, char **argv)
{
	const char *second = strchr(name, ' ');
	size_t size = second ? (size_t)(second - name) : strlen(name);
	if (argc < 1 || strlen(argv[0]) != size || strncmp(argv[0], name, size) != 0)
		return 0;
	if (!second)
		return 1;
	return argc >= 2 && strcmp(argv[1], second + 1) == 0 ? 2 : 0;
}

static const struct verb *find_named(const char *name)
{
	for (size_t g = 0; g < verb_group_count; g++)
		for (size_t i = 0; i < verb_groups[g]->count; i++)
			if (text_equal(verb_groups[g]->verbs[i].spec.name, name))
				return &verb_groups[g]->verbs[i];
	return NULL;
}

static const struct verb *find_alias(int argc, char **argv, int *ret_words)
{
	for (size_t i = 0; i < verb_alias_count; i++) {
		int words = matching_words(verb_aliases[i].name, argc, argv);
		if (!words)
			continue;
		*ret_words = words;
		return find_named(verb_aliases[i].verb);
	}
	return NULL;
}

const struct verb *verb_find(int argc, char **argv, int *ret_words)
{
	for (size_t g = 0; g < verb_group_count; g++) {
		for (size_t i = 0; i < verb_groups[g]->count; i++) {
			const struct verb *verb = &verb_groups[g]->verbs[i];
			int words = matching_words(verb->spec.name, argc, argv);
			if (words) {
				*ret_words = words;
				return verb;
			}
		}
	}
	return find_alias(argc, argv, ret_words);
}

size_t verb_alias_specs(struct verb_spec *ret_specs, size_t max)
{
	size_t count = 0;
	for (size_t i = 0; i < verb_alias_count; i++) {
		const struct verb *verb = find_named(verb_aliases[i].verb);
		if (!verb || count == max)
			continue;
		ret_specs[count] = verb->spec;
		ret_specs[count++].name = verb_aliases[i].name;
	}
	return count;
}

size_t verb_specs(const struct verb_spec **ret_specs, size_t max)
{
	size_t count = 0;
	for (size_t g = 0; g < verb_group_count; g++) {
		for (size_t i = 0; i < verb_groups[g]->count; i++) {
			const struct verb *verb = &verb_groups[g]->verbs[i];
			if (verb->visibility == VERB_SHOWN && count < max)
				ret_specs[count++] = &verb->spec;
		}
	}
	return count;
}
