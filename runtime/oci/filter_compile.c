/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules to BPF. For each architecture: the rules' calls by number, sorted;
 * neighbours with the same outcome become one span; the spans become a binary
 * tree of "is the number at least N"; its leaves return, or compare arguments.
 *
 *	arch? -> [x86-64: number < 0x40000000 ? tree : ENOSYS] [i386: tree] else kill
 *
 * The x32 way of calling is "not there", as on kernels without it (Debian's,
 * unless booted otherwise): a third table would make each start slower.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "filter.h"
#include "filter_calls.h"

#define RULES_MAX 8192
#define CODE_MAX BPF_MAXINSNS /* what the kernel takes: 4096 */
#define X32_BIT 0x40000000u

/* Calls of one architecture, by number. */
struct entry {
	uint32_t number;
	uint32_t rule; /* index */
};
/* Numbers first.. up to the next span's have one outcome. */
struct span {
	uint32_t first;
	uint32_t action;     /* where there are no conditions */
	uint32_t from, upto; /* entries to ask, in order; from == upto: plain */
};
struct compiler {
	const struct filter_rules *rules;
	struct sock_filter *code;
	size_t count;
	struct entry *entries;
	size_t entry_count;
	struct span *spans;
	size_t span_count;
	bool overflow;
};

static int compare_entries(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;
	if (left->number != right->number)
		return left->number < right->number ? -1 : 1;
	return (left->rule > right->rule) - (left->rule < right->rule);
}

static void add_span(struct compiler *compiler, uint32_t first, uint32_t action, uint32_t from,
		     uint32_t upto)
{
	struct span *last =
		compiler->span_count ? &compiler->spans[compiler->span_count - 1] : NULL;
	if (last && last->first == first)
		compiler->span_count--; /* an empty one */
	last = compiler->span_count ? &compiler->spans[compiler->span_count - 1] : NULL;
	if (last && last->from == last->upto && from == upto && last->action == action)
		return;
	compiler->spans[compiler->span_count++] = (struct span){ first, action, from, upto };
}

/* The first unconditional rule of a call's, or the default, is what holds when no condition does.
 */
static uint32_t action_at_end(const struct compiler *compiler, size_t from, size_t upto,
			      bool *ret_conditional)
{
	uint32_t action = compiler->rules->default_action;
	bool found = false;
	*ret_conditional = false;
	for (size_t i = from; i < upto; i++) {
		const struct filter_rule *rule = &compiler->rules->items[compiler->entries[i].rule];
		if (rule->condition_count)
			*ret_conditional = true;
		else if (!found) {
			action = rule->action;
			found = true;
		}
	}
	return action;
}

static void find_entries(struct compiler *compiler, uint32_t arch)
{
	const struct filter_rules *rules = compiler->rules;
	compiler->entry_count = 0;
	for (size_t i = 0; i < rules->count; i++) {
		int number = filter_call_number(arch, rules->items[i].name);
		if (number >= 0)
			compiler->entries[compiler->entry_count++] =
				(struct entry){ (uint32_t)number, (uint32_t)i };
	}
	qsort(compiler->entries, compiler->entry_count, sizeof *compiler->entries, compare_entries);
}

/* Calls that neither we nor the profile know are "not there", so that programs fall back. */
static void make_spans(struct compiler *compiler)
{
	uint32_t fallback = compiler->rules->default_action;
	compiler->span_count = 0;
	add_span(compiler, 0, fallback, 0, 0);
	for (size_t i = 0; i < compiler->entry_count;) {
		size_t upto = i;
		uint32_t number = compiler->entries[i].number;
		while (upto < compiler->entry_count && compiler->entries[upto].number == number)
			upto++;
		bool conditional;
		uint32_t action = action_at_end(compiler, i, upto, &conditional);
		add_span(compiler, number, action, conditional ? (uint32_t)i : 0,
			 conditional ? (uint32_t)upto : 0);
		add_span(compiler, number + 1, fallback, 0, 0);
		i = upto;
	}
	if ((fallback & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO &&
	    compiler->spans[compiler->span_count - 1].first <= FILTER_YOUNGEST_CALL + 1)
		add_span(compiler, FILTER_YOUNGEST_CALL + 1, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);
}

/* --- instructions ------------------------------------------------------------- */

static size_t emit(struct compiler *compiler, uint16_t code, uint32_t value)
{
	if (compiler->count == CODE_MAX) {
		compiler->overflow = true;
		return 0;
	}
	compiler->code[compiler->count] = (struct sock_filter){ .code = code, .k = value };
	return compiler->count++;
}

static void emit_load(struct compiler *compiler, size_t offset)
{
	emit(compiler, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

/* Jumps with 8-bit distances get a long jump behind them: "if not, over the next". */
static size_t emit_unless(struct compiler *compiler, uint16_t comparison, uint32_t value)
{
	size_t jump = emit(compiler, BPF_JMP | BPF_K | comparison, value);
	compiler->code[jump].jt = 1;
	return emit(compiler, BPF_JMP | BPF_JA, 0);
}

static void land(struct compiler *compiler, size_t jump)
{
	compiler->code[jump].k = (uint32_t)(compiler->count - jump - 1);
}

/* Arguments have 64 bits, the machine 32: the upper half decides, and if equal the lower. */
struct misses {
	size_t jumps[FILTER_CONDITIONS_MAX * 4];
	size_t count;
};

static void miss_unless(struct compiler *compiler, struct misses *misses, uint16_t comparison,
			uint32_t value)
{
	misses->jumps[misses->count++] = emit_unless(compiler, comparison, value);
}

#define ARGUMENT_LOW(n) (offsetof(struct seccomp_data, args) + (n)*8)
#define ARGUMENT_HIGH(n) (ARGUMENT_LOW(n) + 4)

static void emit_equal(struct compiler *compiler, const struct filter_condition *condition,
		       struct misses *misses)
{
	bool masked = condition->compare == FILTER_MASKED_EQUAL;
	uint64_t mask = masked ? condition->value : UINT64_MAX;
	uint64_t value = masked ? condition->value_two : condition->value;
	const size_t halves[] = { ARGUMENT_HIGH(condition->argument),
				  ARGUMENT_LOW(condition->argument) };
	for (unsigned int i = 0; i < 2; i++) {
		emit_load(compiler, halves[i]);
		if (masked)
			emit(compiler, BPF_ALU | BPF_AND | BPF_K, (uint32_t)(mask >> (i ? 0 : 32)));
		miss_unless(compiler, misses, BPF_JEQ, (uint32_t)(value >> (i ? 0 : 32)));
	}
}

static void emit_not_equal(struct compiler *compiler, const struct filter_condition *condition,
			   struct misses *misses)
{
	emit_load(compiler, ARGUMENT_HIGH(condition->argument));
	size_t differs = emit_unless(compiler, BPF_JEQ, (uint32_t)(condition->value >> 32));
	emit_load(compiler, ARGUMENT_LOW(condition->argument));
	size_t jump = emit(compiler, BPF_JMP | BPF_K | BPF_JEQ, (uint32_t)condition->value);
	compiler->code[jump].jf = 1;
	misses->jumps[misses->count++] = emit(compiler, BPF_JMP | BPF_JA, 0);
	land(compiler, differs);
}

/* a > v and a >= v; "less" is the same with the outcome turned round. */
static void emit_order(struct compiler *compiler, const struct filter_condition *condition,
		       struct misses *misses)
{
	enum filter_compare compare = condition->compare;
	bool negate = compare == FILTER_LESS || compare == FILTER_LESS_EQUAL;
	bool or_equal = compare == FILTER_GREATER_EQUAL || compare == FILTER_LESS;
	uint32_t high = (uint32_t)(condition->value >> 32), low = (uint32_t)condition->value;
	emit_load(compiler, ARGUMENT_HIGH(condition->argument));
	size_t not_above = emit_unless(compiler, BPF_JGT, high);
	size_t above = emit(compiler, BPF_JMP | BPF_JA, 0);
	land(compiler, not_above);
	size_t below = emit_unless(compiler, BPF_JEQ, high);
	emit_load(compiler, ARGUMENT_LOW(condition->argument));
	size_t low_miss = emit_unless(compiler, or_equal ? BPF_JGE : BPF_JGT, low);
	if (!negate) {
		misses->jumps[misses->count++] = below;
		misses->jumps[misses->count++] = low_miss;
		land(compiler, above);
		return;
	}
	misses->jumps[misses->count++] = emit(compiler, BPF_JMP | BPF_JA, 0);
	misses->jumps[misses->count++] = above;
	land(compiler, below);
	land(compiler, low_miss);
}

static void emit_rule(struct compiler *compiler, const struct filter_rule *rule)
{
	struct misses misses = { .count = 0 };
	for (unsigned int i = 0; i < rule->condition_count; i++) {
		const struct filter_condition *condition = &rule->conditions[i];
		switch (condition->compare) {
		case FILTER_EQUAL:
		case FILTER_MASKED_EQUAL:
			emit_equal(compiler, condition, &misses);
			break;
		case FILTER_NOT_EQUAL:
			emit_not_equal(compiler, condition, &misses);
			break;
		default:
			emit_order(compiler, condition, &misses);
			break;
		}
	}
	emit(compiler, BPF_RET | BPF_K, rule->action);
	for (size_t i = 0; i < misses.count; i++)
		land(compiler, misses.jumps[i]);
}

static void emit_leaf(struct compiler *compiler, const struct span *span)
{
	for (uint32_t i = span->from; i < span->upto; i++) {
		const struct filter_rule *rule = &compiler->rules->items[compiler->entries[i].rule];
		if (rule->condition_count)
			emit_rule(compiler, rule);
	}
	emit(compiler, BPF_RET | BPF_K, span->action);
}

/* The number is in the accumulator. Depth is log2 of the spans: recursion is shallow. */
static void emit_tree(struct compiler *compiler, size_t from, size_t upto)
{
	if (upto - from == 1) {
		emit_leaf(compiler, &compiler->spans[from]);
		return;
	}
	size_t middle = from + (upto - from) / 2;
	uint32_t pivot = compiler->spans[middle].first;
	size_t jump = emit(compiler, BPF_JMP | BPF_K | BPF_JGE, pivot);
	emit_tree(compiler, middle, upto);
	size_t distance = compiler->count - jump - 1;
	if (distance <= UINT8_MAX) {
		compiler->code[jump].jf = (uint8_t)distance;
	} else { /* near the top the way is too long for a short jump: once more, with a long one */
		compiler->count = jump;
		size_t lower = emit_unless(compiler, BPF_JGE, pivot);
		emit_tree(compiler, middle, upto);
		land(compiler, lower);
	}
	emit_tree(compiler, from, middle);
}

static void emit_architecture(struct compiler *compiler, uint32_t arch)
{
	find_entries(compiler, arch);
	make_spans(compiler);
	emit_load(compiler, offsetof(struct seccomp_data, nr));
	emit_tree(compiler, 0, compiler->span_count);
}

static void emit_all(struct compiler *compiler)
{
	uint32_t native = seccomp_arch_native();
	emit_load(compiler, offsetof(struct seccomp_data, arch));
	size_t foreign = emit_unless(compiler, BPF_JEQ, native);
	if (native == SCMP_ARCH_X86_64) {
		emit_load(compiler, offsetof(struct seccomp_data, nr));
		size_t not_x32 = emit_unless(compiler, BPF_JGE, X32_BIT);
		emit(compiler, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
		land(compiler, not_x32);
	}
	emit_architecture(compiler, native);
	land(compiler, foreign);
	uint32_t narrow = native == SCMP_ARCH_X86_64    ? SCMP_ARCH_X86
			  : native == SCMP_ARCH_AARCH64 ? SCMP_ARCH_ARM
							: 0;
	if (narrow && !compiler->rules->native_only) {
		foreign = emit_unless(compiler, BPF_JEQ, narrow);
		emit_architecture(compiler, narrow);
		land(compiler, foreign);
	}
	emit(compiler, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
}

int filter_compile(const struct filter_rules *rules, struct filter_program *ret, struct error *err)
{
	auto_free struct entry *entries = calloc(rules->count + 1, sizeof *entries);
	auto_free struct span *spans = calloc(2 * rules->count + 4, sizeof *spans);
	auto_free struct sock_filter *code = calloc(CODE_MAX, sizeof *code);
	if (!entries || !spans || !code)
		return error_set(err, ENOMEM, "no memory for a seccomp filter");
	struct compiler compiler = {
		.rules = rules, .code = code, .entries = entries, .spans = spans
	};
	emit_all(&compiler);
	if (compiler.overflow)
		return error_set(err, E2BIG, "seccomp profile: over %d instructions", CODE_MAX);
	*ret = (struct filter_program){ TAKE(code), compiler.count, rules->flags };
	return 0;
}

int filter_rules_add(struct filter_rules *rules, const struct filter_rule *rule, struct error *err)
{
	if (rules->count == RULES_MAX)
		return error_set(err, E2BIG, "seccomp profile: over %d rules", RULES_MAX);
	if (rules->count == rules->capacity) {
		size_t capacity = rules->capacity ? 2 * rules->capacity : 512;
		struct filter_rule *items = realloc(rules->items, capacity * sizeof *items);
		if (!items)
			return error_set(err, ENOMEM, "no memory for seccomp rules");
		rules->items = items;
		rules->capacity = capacity;
	}
	rules->items[rules->count++] = *rule;
	return 0;
}

void filter_rules_release(struct filter_rules *rules)
{
	free(rules->items);
	rules->items = NULL;
	rules->count = rules->capacity = 0;
}

void filter_program_release(struct filter_program *program)
{
	free(program->code);
	*program = (struct filter_program){ 0 };
}

int filter_load(const struct filter_program *program, struct error *err)
{
	if (program->count == 0)
		return 0;
	struct sock_fprog filter = { .len = (unsigned short)program->count,
				     .filter = program->code };
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, program->flags, &filter) < 0)
		return error_set_errno(err, errno, "loading the seccomp filter");
	return 0;
}
