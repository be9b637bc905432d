/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Filters are run here, by a small machine for the few instructions that they
 * use: what each call gets is compared with what the rules say.
 */
#include "filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/syscall.h>

#include "base/json.h"
#include "unit.h"

#define EPERM_ACTION (SECCOMP_RET_ERRNO | EPERM)

static uint32_t alu(uint16_t code, uint32_t a, uint32_t k)
{
	assert_int_equal(code, BPF_ALU | BPF_AND | BPF_K);
	return a & k;
}

static bool jumps(uint16_t code, uint32_t a, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return a == k;
	case BPF_JGE:
		return a >= k;
	case BPF_JGT:
		return a > k;
	default:
		fail_msg("unknown jump %x", code);
		return false;
	}
}

static uint32_t run(const struct filter_program *program, const struct seccomp_data *data)
{
	uint32_t a = 0;
	for (size_t at = 0; at < program->count; at++) {
		const struct sock_filter *insn = &program->code[at];
		if (BPF_CLASS(insn->code) == BPF_RET)
			return insn->k;
		if (BPF_CLASS(insn->code) == BPF_LD) {
			assert_true(insn->k + 4 <= sizeof *data);
			memcpy(&a, (const char *)data + insn->k, 4);
		} else if (BPF_CLASS(insn->code) == BPF_ALU) {
			a = alu(insn->code, a, insn->k);
		} else if (BPF_OP(insn->code) == BPF_JA) {
			at += insn->k;
		} else {
			at += jumps(insn->code, a, insn->k) ? insn->jt : insn->jf;
		}
	}
	fail_msg("the program has no end");
	return 0;
}

static uint32_t ask(const struct filter_program *program, int number, uint64_t a0, uint64_t a1)
{
	struct seccomp_data data = { .nr = number, .arch = AUDIT_ARCH_X86_64, .args = { a0, a1 } };
	return run(program, &data);
}

static void read_profile(const char *text, struct filter_program *ret)
{
	auto_json document = NULL;
	struct error err = { 0 };
	MUST(json_parse("profile", text, strlen(text), &document, &err), err);
	struct json_at root = json_root(document, "profile");
	MUST(filter_read(&root, ret, &err), err);
}

static void comparisons_hold_at_their_edges(void **state)
{
	(void)state;
	static const struct {
		const char *operator;
		uint64_t value;
		uint64_t argument;
		bool holds;
	} rows[] = {
		{ "EQ", 5, 5, true },
		{ "EQ", 5, 0x100000005, false }, /* the upper half counts */
		{ "NE", 5, 5, false },
		{ "NE", 5, 0x100000005, true },
		{ "GT", 0x100000000, 0x100000000, false },
		{ "GT", 0x100000000, 0x100000001, true },
		{ "GT", 5, 0x100000000, true },
		{ "GT", 0x100000005, 6, false },
		{ "GE", 5, 5, true },
		{ "GE", 5, 4, false },
		{ "LT", 5, 4, true },
		{ "LT", 5, 5, false },
		{ "LT", 5, 0x100000000, false },
		{ "LE", 5, 5, true },
		{ "LE", 5, 6, false },
		{ "LE", 0x100000000, 0xffffffff, true },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char text[256];
		auto_filter_program program = { 0 };
		snprintf(
			text, sizeof text,
			"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\"],"
			"\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":1,\"value\":%llu,"
			"\"op\":\"SCMP_CMP_%s\"}]}]}",
			(unsigned long long)rows[i].value, rows[i].operator);
		read_profile(text, &program);
		uint32_t expected = rows[i].holds ? SECCOMP_RET_ALLOW : EPERM_ACTION;
		CHECK_ROW(i, rows[i].operator,
			  ask(&program, SYS_read, 0, rows[i].argument) == expected);
	}
}

static void all_conditions_of_a_rule_must_hold_and_any_rule_will_do(void **state)
{
	(void)state;
	auto_filter_program program = { 0 };
	read_profile("{\"defaultAction\":\"SCMP_ACT_KILL_PROCESS\",\"syscalls\":["
		     "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
		     "{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},"
		     "{\"index\":1,\"value\":2,\"op\":\"SCMP_CMP_EQ\"}]},"
		     "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":["
		     "{\"index\":0,\"value\":7,\"op\":\"SCMP_CMP_EQ\"}]}]}",
		     &program);
	assert_int_equal(ask(&program, SYS_read, 1, 2), SECCOMP_RET_ALLOW);
	assert_int_equal(ask(&program, SYS_read, 1, 3), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(ask(&program, SYS_read, 7, 9), SECCOMP_RET_ALLOW);
	assert_int_equal(ask(&program, SYS_write, 7, 9), SECCOMP_RET_KILL_PROCESS);
}

static void other_architectures_are_killed_unless_named(void **state)
{
	(void)state;
	auto_filter_program native = { 0 }, both = { 0 };
	const struct seccomp_data narrow = { .nr = 20, .arch = AUDIT_ARCH_I386 };
	const struct seccomp_data foreign = { .nr = 20, .arch = AUDIT_ARCH_PPC };
	read_profile(
		"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"SCMP_ARCH_X86_64\"]}",
		&native);
	read_profile("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":"
		     "[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\"]}",
		     &both);
	assert_int_equal(run(&native, &narrow), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(run(&both, &narrow), SECCOMP_RET_ALLOW);
	assert_int_equal(run(&both, &foreign), SECCOMP_RET_KILL_PROCESS);
}

static void the_default_profile_says_what_dockers_says(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		int number;
		uint64_t argument;
		uint32_t action;
	} rows[] = {
		{ "read", SYS_read, 0, SECCOMP_RET_ALLOW },
		{ "ptrace", SYS_ptrace, 0, SECCOMP_RET_ALLOW },
		{ "clone of a thread", SYS_clone, 0x3d0f00, SECCOMP_RET_ALLOW },
		{ "clone of a user namespace", SYS_clone, 0x10000000, EPERM_ACTION },
		{ "clone of a cgroup namespace", SYS_clone, 0x02000000, EPERM_ACTION },
		{ "clone3", SYS_clone3, 0, SECCOMP_RET_ERRNO | ENOSYS },
		{ "personality of linux", SYS_personality, 0, SECCOMP_RET_ALLOW },
		{ "personality of 32 bits", SYS_personality, 8, SECCOMP_RET_ALLOW },
		{ "personality without randomisation", SYS_personality, 0x40000, EPERM_ACTION },
		{ "socket of vsock", SYS_socket, 40, EPERM_ACTION },
		{ "socket of netlink", SYS_socket, 16, SECCOMP_RET_ALLOW },
		{ "keyctl", SYS_keyctl, 0, EPERM_ACTION },
		{ "mount", SYS_mount, 0, EPERM_ACTION },
		{ "chroot", SYS_chroot, 0, EPERM_ACTION },
		{ "mbind", SYS_mbind, 0, EPERM_ACTION },
		{ "cachestat, which libseccomp does not know", 451, 0, SECCOMP_RET_ALLOW },
		{ "a call of the future", 600, 0, SECCOMP_RET_ERRNO | ENOSYS },
	};
	auto_filter_program program = { 0 };
	struct error err = { 0 };
	MUST(filter_default(0, &program, &err), err);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_ROW(i, rows[i].name,
			  ask(&program, rows[i].number, rows[i].argument, 0) == rows[i].action);
}

static void capabilities_bring_their_calls(void **state)
{
	(void)state;
	static const struct {
		unsigned int capability;
		int number;
	} rows[] = {
		{ CAP_SYS_ADMIN, SYS_mount },
		{ CAP_SYS_ADMIN, SYS_clone3 },
		{ CAP_SYS_CHROOT, SYS_chroot },
		{ CAP_SYS_MODULE, SYS_init_module },
		{ CAP_SYS_PTRACE, SYS_kcmp },
		{ CAP_SYS_TIME, SYS_clock_settime },
		{ CAP_SYS_NICE, SYS_mbind },
		{ CAP_BPF, SYS_bpf },
		{ CAP_PERFMON, SYS_perf_event_open },
		{ CAP_SYSLOG, SYS_syslog },
		{ CAP_SYS_BOOT, SYS_reboot },
		{ CAP_SYS_PACCT, SYS_acct },
		{ CAP_SYS_RAWIO, SYS_iopl },
		{ CAP_SYS_TTY_CONFIG, SYS_vhangup },
		{ CAP_DAC_READ_SEARCH, SYS_open_by_handle_at },
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		auto_filter_program with = { 0 }, without = { 0 };
		struct error err = { 0 };
		MUST(filter_default(UINT64_C(1) << rows[i].capability, &with, &err), err);
		MUST(filter_default(0, &without, &err), err);
		CHECK_ROW(i, "with", ask(&with, rows[i].number, 0, 0) == SECCOMP_RET_ALLOW);
		CHECK_ROW(i, "without", ask(&without, rows[i].number, 0, 0) != SECCOMP_RET_ALLOW);
	}
}

/* Every number, against the table itself: no span of the tree is off by one. */
static void every_number_gets_its_own_outcome(void **state)
{
	(void)state;
	static const char *const names[] = { "read", "open", "execve", "clone", "openat2", "rseq" };
	char text[512] = "{\"defaultAction\":\"SCMP_ACT_KILL_PROCESS\",\"syscalls\":[";
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		size_t length = strlen(text);
		snprintf(text + length, sizeof text - length,
			 "%s{\"names\":[\"%s\"],\"action\":\"SCMP_ACT_ALLOW\"}", i ? "," : "",
			 names[i]);
	}
	size_t length = strlen(text);
	snprintf(text + length, sizeof text - length, "]}");
	auto_filter_program program = { 0 };
	read_profile(text, &program);
	for (int number = 0; number < 1000; number++) {
		bool named = false;
		for (size_t i = 0; i < ARRAY_SIZE(names); i++)
			named |= seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, names[i]) ==
				 number;
		CHECK_ROW(number, "number",
			  ask(&program, number, 0, 0) ==
				  (named ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS));
	}
}

int main(void)
{
	if (seccomp_arch_native() != SCMP_ARCH_X86_64) {
		print_message("skipped: the numbers here are those of x86-64\n");
		return 77;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comparisons_hold_at_their_edges),
		cmocka_unit_test(all_conditions_of_a_rule_must_hold_and_any_rule_will_do),
		cmocka_unit_test(other_architectures_are_killed_unless_named),
		cmocka_unit_test(the_default_profile_says_what_dockers_says),
		cmocka_unit_test(capabilities_bring_their_calls),
		cmocka_unit_test(every_number_gets_its_own_outcome),
	};
	return cmocka_run_group_tests_name("oci-filter", tests, NULL, NULL);
}
