/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report.h"

#include <errno.h>
#include <string.h>

struct report {
	FILE *file;
	enum report_style style;
	const struct point *point;
	bool is_named; /* REPORT_FAILURES: the point's title is out */
	size_t counts[4];
	const struct words *known;
	size_t line; /* TAP: of the last claim */
	struct json_t *points, *claims;
};

static const char *const verdict_words[] = { "pass", "fail", "skip", "known" };

int report_create(FILE *file, enum report_style style, const struct settings *settings,
		  struct report **ret, struct error *err)
{
	struct report *report = calloc(1, sizeof *report);
	if (!report)
		return error_set(err, ENOMEM, "no memory for a report");
	*report = (struct report){
		.file = file, .style = style, .points = json_new_array(), .known = &settings->known
	};
	if (style == REPORT_TAP)
		fprintf(file, "TAP version 14\n");
	if (style == REPORT_TEXT)
		fprintf(file, "%s, plugins of %s\n", settings->conf_path, settings->plugin_path);
	*ret = report;
	return 0;
}

void report_free(struct report *report)
{
	if (report)
		json_free(report->points);
	free(report);
}

static void name_point(struct report *report)
{
	fprintf(report->file, "\n%d. %s\n", report->point->number, report->point->title);
	report->is_named = true;
}

void report_point(struct report *report, const struct point *point)
{
	struct json_t *one = json_new_object();
	report->point = point;
	report->is_named = false;
	report->claims = json_new_array();
	json_put_integer(one, "point", point->number);
	json_put_string(one, "title", point->title);
	json_put(one, "claims", report->claims);
	json_append(report->points, one);
	if (report->style == REPORT_TEXT)
		name_point(report);
	if (report->style == REPORT_TAP)
		fprintf(report->file, "# %d. %s\n", point->number, point->title);
}

static void print_tap(struct report *report, enum verdict verdict, const char *text,
		      const char *detail)
{
	fprintf(report->file, "%sok %zu - %d: ",
		verdict == VERDICT_FAIL || verdict == VERDICT_KNOWN ? "not " : "", ++report->line,
		report->point->number);
	/* '#' would begin a directive. */
	for (const char *c = text; *c; c++)
		fputc(*c == '#' || *c == '\n' ? ' ' : *c, report->file);
	fprintf(report->file, "%s\n",
		verdict == VERDICT_SKIP    ? " # SKIP"
		: verdict == VERDICT_KNOWN ? " # "
					     "TO"
					     "DO known"
					   : "");
	if (detail) {
		fprintf(report->file, "  ---\n  detail: ");
		auto_json value = json_new_array();
		auto_free char *quoted = NULL;
		struct error err;
		json_append(value, json_new_string(detail));
		if (json_format(value, JSON_COMPACT, &quoted, &err) == 0)
			fprintf(report->file, "%s", quoted);
		fprintf(report->file, "\n  ...\n");
	}
}

static void print_text(struct report *report, enum verdict verdict, const char *text,
		       const char *detail)
{
	static const char *const marks[] = { "ok  ", "FAIL", "skip", "diff" };
	if (report->style == REPORT_FAILURES && verdict != VERDICT_FAIL)
		return;
	if (!report->is_named)
		name_point(report);
	fprintf(report->file, "   %s %s\n", marks[verdict], text);
	if (detail && detail[0]) {
		fprintf(report->file, "        ");
		for (const char *c = detail; *c; c++)
			fputc((unsigned char)*c < ' ' ? ' ' : *c, report->file);
		fputc('\n', report->file);
	}
}

static bool is_known(const struct report *report, const char *text)
{
	for (size_t i = 0; i < report->known->count; i++) {
		char number[16];
		const char *line = report->known->items[i];
		snprintf(number, sizeof number, "%d: ", report->point->number);
		if (text_starts_with(line, number) && text_starts_with(text, line + strlen(number)))
			return true;
	}
	return false;
}

void report_claim(struct report *report, enum verdict verdict, const char *text, const char *detail)
{
	struct json_t *one = json_new_object();
	if (verdict == VERDICT_FAIL && is_known(report, text))
		verdict = VERDICT_KNOWN;
	report->counts[verdict]++;
	json_put_string(one, "verdict", verdict_words[verdict]);
	json_put_string(one, "text", text);
	if (detail)
		json_put_string(one, "detail", detail);
	json_append(report->claims, one);
	if (report->style == REPORT_TAP)
		print_tap(report, verdict, text, detail);
	if (report->style == REPORT_TEXT || report->style == REPORT_FAILURES)
		print_text(report, verdict, text, detail);
	fflush(report->file);
}

static void print_json(struct report *report)
{
	auto_json whole = json_new_object();
	auto_free char *text = NULL;
	struct error err;
	for (size_t i = 0; i < ARRAY_SIZE(verdict_words); i++)
		json_put_integer(whole, verdict_words[i], (int64_t)report->counts[i]);
	json_put(whole, "points", TAKE(report->points));
	if (json_format(whole, JSON_INDENTED, &text, &err) == 0)
		fprintf(report->file, "%s\n", text);
}

size_t report_finish(struct report *report)
{
	if (report->style == REPORT_JSON)
		print_json(report);
	else if (report->style == REPORT_TAP)
		fprintf(report->file, "1..%zu\n", report->line);
	else
		fprintf(report->file,
			"\n%zu claims held, %zu failed, %zu differ knowingly, %zu skipped\n",
			report->counts[VERDICT_PASS], report->counts[VERDICT_FAIL],
			report->counts[VERDICT_KNOWN], report->counts[VERDICT_SKIP]);
	fflush(report->file);
	return report->counts[VERDICT_FAIL];
}
