/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "observe_why.h"

#include "base/json.h"

static struct json_t *json_of(const struct why_answer *answer)
{
	struct json_t *object = json_new_object(), *steps = json_new_array();
	for (size_t i = 0; i < answer->step_count; i++) {
		struct json_t *step = json_new_object();
		json_put_string(step, "stage", answer->steps[i].stage);
		json_put_string(step, "text", answer->steps[i].text);
		json_append(steps, step);
	}
	json_put_string(object, "packet", answer->packet);
	json_put_string(object, "verdict", why_verdict_name(answer->verdict));
	json_put_string(object, "reason", answer->reason);
	json_put_string(object, "meaning", answer->meaning);
	json_put_string(object, "target", answer->target);
	json_put_string(object, "becomes", answer->became);
	json_put_string(object, "stage", answer->stage);
	json_put_string(object, "entry", answer->entry);
	json_put_string(object, "change", answer->change);
	json_put(object, "steps", steps);
	return object;
}

static void print_line(FILE *file, const char *title, const char *text)
{
	if (*text)
		fprintf(file, "%-9s %s\n", title, text);
}

static void print_answer(const struct why_answer *answer, bool steps, FILE *file)
{
	print_line(file, "packet", answer->packet);
	for (size_t i = 0; steps && i < answer->step_count; i++)
		fprintf(file, "  %-16s %s\n", answer->steps[i].stage, answer->steps[i].text);
	if (answer->verdict == WHY_DROPPED)
		fprintf(file, "%-9s %s: %s\n", "dropped", answer->reason, answer->meaning);
	else
		print_line(file, why_verdict_name(answer->verdict), answer->target);
	print_line(file, "becomes", answer->became);
	print_line(file, "decided", answer->stage);
	print_line(file, "by", answer->entry);
	print_line(file, "change", answer->change);
}

int observe_answers(const struct why_answer *answers, size_t count, enum listing_format format,
		    bool steps, FILE *file, struct error *err)
{
	auto_json array = json_new_array();
	auto_free char *text = NULL;
	for (size_t i = 0; i < count; i++) {
		if (format == LISTING_JSON)
			json_append(array, json_of(&answers[i]));
		else
			fputs(i ? "\n" : "", file), print_answer(&answers[i], steps, file);
	}
	if (format != LISTING_JSON)
		return 0;
	int r = json_format(array, JSON_INDENTED, &text, err);
	if (r == 0)
		fprintf(file, "%s\n", text);
	return r;
}
