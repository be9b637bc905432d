/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verbs that explain packets: nothing is sent, and no table changes. */
#include <errno.h>
#include <string.h>

#include "observe_why.h"
#include "verbs.h"

#define FRAME_MAX 2048

struct why_options {
	const char *output, *from, *to, *hex;
	bool steps;
};
#define WHY(member) offsetof(struct why_options, member)
#define OUTPUT_ROW                                                       \
	{                                                                \
		"output", 'o', OPTION_TEXT, WHY(output), "FORMAT",       \
			"Print as text (table) or json (default: table)" \
	}
#define STEPS_ROW                                                                             \
	{                                                                                     \
		"steps", 's', OPTION_FLAG, WHY(steps), NULL, "Show each table that was asked" \
	}
static const struct option_spec why_rows[] = {
	{ "from", 0, OPTION_TEXT, WHY(from), "A",
	  "Who sends: a container, an address, host or outside" },
	{ "to", 0, OPTION_TEXT, WHY(to), "B:PORT",
	  "Where to: as --from, with :PORT and /tcp, /udp, /sctp or /icmp" },
	STEPS_ROW,
	OUTPUT_ROW,
};
static const struct option_spec trace_rows[] = {
	{ "from", 0, OPTION_TEXT, WHY(from), "A",
	  "With --hex: who sends the frame, a container or outside" },
	{ "hex", 0, OPTION_TEXT, WHY(hex), "DIGITS",
	  "An Ethernet frame, in place of a flow; blanks and colons are skipped" },
	STEPS_ROW,
	OUTPUT_ROW,
};

static int run_why(struct cli *cli, const void *data, const struct words *words, struct error *err)
{
	const struct why_options *options = data;
	AUTO(dataplane) dataplane = NULL;
	enum listing_format format;
	(void)words;
	if (!options->from || !options->to)
		return error_set(err, EINVAL, "--from A and --to B:PORT are needed");
	auto_free struct why_answer *answer = calloc(1, sizeof *answer);
	if (!answer)
		return error_set(err, ENOMEM, "no memory for an answer");
	struct why_request request = { .from = options->from, .to = options->to };
	int r = listing_format_parse(options->output, &format, err);
	if (r == 0)
		r = dataplane_open(&cli->instance, &dataplane, err);
	if (r == 0)
		r = why_ask(dataplane, &request, answer, err);
	return r < 0 ? r : observe_answers(answer, 1, format, options->steps, stdout, err);
}

static int hex_digit(char letter)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	const char *found = letter ? strchr(digits, letter) : NULL;
	int value = found ? (int)(found - digits) : -1;
	return value > 15 ? value - 6 : value;
}

/* Gate: hexadecimal digits, in pairs, with blanks and colons between them. */
static int parse_hex(const char *text, uint8_t ret_bytes[FRAME_MAX], size_t *ret_size,
		     struct error *err)
{
	size_t digits = 0;
	memset(ret_bytes, 0, FRAME_MAX);
	for (; *text; text++) {
		if (strchr(" :\n\t", *text))
			continue;
		int digit = hex_digit(*text);
		if (digit < 0)
			return error_set(err, EINVAL, "--hex: '%c' is no hexadecimal digit", *text);
		if (digits == 2 * FRAME_MAX)
			return error_set(err, EINVAL, "--hex: is over %d bytes", FRAME_MAX);
		ret_bytes[digits / 2] = (uint8_t)(ret_bytes[digits / 2] << 4 | digit);
		digits++;
	}
	if (digits % 2)
		return error_set(err, EINVAL, "--hex: ends in half a byte");
	*ret_size = digits / 2;
	return 0;
}

static int trace(struct dataplane *dataplane, const struct why_options *options,
		 const struct words *words, struct why_answer answers[2], struct error *err)
{
	uint8_t bytes[FRAME_MAX];
	size_t size = 0;
	if (!options->hex) {
		int r = why_flow(dataplane, words->items[0], words->items[1], answers, err);
		return r < 0 ? r : 2;
	}
	int r = parse_hex(options->hex, bytes, &size, err);
	if (r == 0)
		r = why_frame(dataplane, options->from, bytes, size, answers, err);
	return r < 0 ? r : 1;
}

static int run_trace(struct cli *cli, const void *data, const struct words *words,
		     struct error *err)
{
	const struct why_options *options = data;
	AUTO(dataplane) dataplane = NULL;
	enum listing_format format;
	if (options->hex ? words->count != 0 || !options->from : words->count != 2)
		return error_set(err, EINVAL,
				 "needs a flow, as CLIENT:PORT SERVER:PORT, or --hex with --from");
	auto_free struct why_answer *answers = calloc(2, sizeof *answers);
	if (!answers)
		return error_set(err, ENOMEM, "no memory for answers");
	int r = listing_format_parse(options->output, &format, err);
	if (r == 0)
		r = dataplane_open(&cli->instance, &dataplane, err);
	int count = r < 0 ? r : trace(dataplane, options, words, answers, err);
	return count < 0 ? count
			 : observe_answers(answers, (size_t)count, format, options->steps, stdout,
					   err);
}

static const struct verb verbs[] = {
	{
		.spec = { .name = "why",
			  .words = "",
			  .summary = "Tell where a packet would go, and what decides it",
			  .detail = "The programs run on a packet that is made for it, over copies "
				    "of the tables:\nnothing is sent, and nothing changes.",
			  .options = why_rows,
			  .option_count = ARRAY_SIZE(why_rows) },
		.options_size = sizeof(struct why_options),
		.run = run_why,
	},
	{
		.spec = { .name = "trace",
			  .words = "[CLIENT:PORT SERVER:PORT]",
			  .summary = "Tell where the packets of a flow go, both ways",
			  .detail = "The ends are as `wherry flows` shows them (CLIENT by its "
				    "address). Nothing is sent,\nand nothing changes.",
			  .options = trace_rows,
			  .option_count = ARRAY_SIZE(trace_rows),
			  .words_max = 2 },
		.options_size = sizeof(struct why_options),
		.run = run_trace,
	},
};

const struct verb_group verb_group_why = { "Explaining packets", verbs, ARRAY_SIZE(verbs) };
