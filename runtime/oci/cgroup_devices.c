/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One list of rules (asked for, then the devices that every container has)
 * becomes either lines for devices.allow or BPF instructions. The last rule
 * that matches counts: the program asks them backwards and ends at the first.
 */
#include "cgroup_devices.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "base/file.h"

#define DEVICE_RULES_MAX 128
#define INSTRUCTIONS_PER_RULE 8

static const struct oci_device_rule default_rules[] = {
	/* Making a node is harmless where it cannot be opened; package managers do it. */
	{ true, 'c', -1, -1, "m" },    { true, 'b', -1, -1, "m" },
	{ true, 'c', 1, 3, "rwm" },    /* null */
	{ true, 'c', 1, 5, "rwm" },    /* zero */
	{ true, 'c', 1, 7, "rwm" },    /* full */
	{ true, 'c', 1, 8, "rwm" },    /* random */
	{ true, 'c', 1, 9, "rwm" },    /* urandom */
	{ true, 'c', 5, 0, "rwm" },    /* tty */
	{ true, 'c', 5, 2, "rwm" },    /* ptmx */
	{ true, 'c', 136, -1, "rwm" }, /* pts */
};

struct rules {
	struct oci_device_rule items[DEVICE_RULES_MAX];
	size_t count;
};

static int add_rule(struct rules *rules, const struct oci_device_rule *rule, struct error *err)
{
	if (rules->count == DEVICE_RULES_MAX)
		return error_set(err, E2BIG, "more than %d device rules", DEVICE_RULES_MAX);
	rules->items[rules->count++] = *rule;
	return 0;
}

static int collect(const struct oci_spec *spec, struct rules *ret, struct error *err)
{
	int r = 0;
	ret->count = 0;
	for (size_t i = 0; r == 0 && i < spec->device_rule_count; i++)
		r = add_rule(ret, &spec->device_rules[i], err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(default_rules); i++)
		r = add_rule(ret, &default_rules[i], err);
	for (size_t i = 0; r == 0 && i < spec->device_count; i++) {
		const struct oci_device *device = &spec->devices[i];
		struct oci_device_rule rule = { true, device->type, device->major, device->minor,
						"rwm" };
		r = add_rule(ret, &rule, err);
	}
	return r;
}

static void format_number(int64_t number, char *text, size_t size)
{
	if (number < 0)
		snprintf(text, size, "*");
	else
		snprintf(text, size, "%" PRId64, number);
}

static int write_rule(int group_fd, const struct oci_device_rule *rule, struct error *err)
{
	char line[64], major[24], minor[24];
	format_number(rule->major, major, sizeof major);
	format_number(rule->minor, minor, sizeof minor);
	if (rule->type == 'a')
		snprintf(line, sizeof line, "a");
	else
		snprintf(line, sizeof line, "%c %s:%s %s", rule->type, major, minor, rule->access);
	const char *file = rule->allow ? "devices.allow" : "devices.deny";
	auto_fd fd = openat(group_fd, file, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		return error_set_errno(err, errno, "device rule \"%s\" to %s", line, file);
	return 0;
}

static int write_list(int group_fd, const struct rules *rules, struct error *err)
{
	static const struct oci_device_rule nothing = { false, 'a', -1, -1, "rwm" };
	int r = write_rule(group_fd, &nothing, err);
	for (size_t i = 0; r == 0 && i < rules->count; i++)
		r = write_rule(group_fd, &rules->items[i], err);
	return r;
}

/* --- BPF ---------------------------------------------------------------------- */

struct program {
	struct bpf_insn code[DEVICE_RULES_MAX * INSTRUCTIONS_PER_RULE + 8];
	size_t count;
};

enum { TYPE = BPF_REG_2, ACCESS = BPF_REG_3, MAJOR = BPF_REG_4, MINOR = BPF_REG_5 };

static void emit(struct program *program, uint8_t code, unsigned int to, unsigned int from,
		 int16_t offset, int32_t value)
{
	program->code[program->count++] = (struct bpf_insn){
		.code = code,
		.dst_reg = to & 15,
		.src_reg = from & 15,
		.off = offset,
		.imm = value,
	};
}

/* Registers from struct bpf_cgroup_dev_ctx: access_type is access << 16 | type. */
static void emit_start(struct program *program)
{
	const uint8_t load = BPF_LDX | BPF_MEM | BPF_W;
	emit(program, load, TYPE, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, access_type), 0);
	emit(program, BPF_ALU | BPF_MOV | BPF_X, ACCESS, TYPE, 0, 0);
	emit(program, BPF_ALU | BPF_RSH | BPF_K, ACCESS, 0, 0, 16);
	emit(program, BPF_ALU | BPF_AND | BPF_K, TYPE, 0, 0, 0xffff);
	emit(program, load, MAJOR, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, major), 0);
	emit(program, load, MINOR, BPF_REG_1, offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
}

static int32_t access_bits(const char *access)
{
	int32_t bits = 0;
	for (; *access; access++)
		bits |= *access == 'r'   ? BPF_DEVCG_ACC_READ
			: *access == 'w' ? BPF_DEVCG_ACC_WRITE
					 : BPF_DEVCG_ACC_MKNOD;
	return bits;
}

static void emit_rule(struct program *program, const struct oci_device_rule *rule)
{
	const uint8_t unequal = BPF_JMP32 | BPF_JNE | BPF_K;
	size_t jumps[4], jump_count = 0;
	if (rule->type != 'a') {
		jumps[jump_count++] = program->count;
		emit(program, unequal, TYPE, 0, 0,
		     rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
		if (rule->major >= 0) {
			jumps[jump_count++] = program->count;
			emit(program, unequal, MAJOR, 0, 0, (int32_t)rule->major);
		}
		if (rule->minor >= 0) {
			jumps[jump_count++] = program->count;
			emit(program, unequal, MINOR, 0, 0, (int32_t)rule->minor);
		}
		/* An allowing rule must give all that is asked; a denying one, any of it. */
		int32_t bits = access_bits(rule->access);
		emit(program, BPF_ALU | BPF_MOV | BPF_X, BPF_REG_0, ACCESS, 0, 0);
		emit(program, BPF_ALU | BPF_AND | BPF_K, BPF_REG_0, 0, 0,
		     rule->allow ? ~bits : bits);
		jumps[jump_count++] = program->count;
		emit(program, rule->allow ? unequal : BPF_JMP32 | BPF_JEQ | BPF_K, BPF_REG_0, 0, 0,
		     0);
	}
	emit(program, BPF_ALU | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, rule->allow);
	emit(program, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	for (size_t i = 0; i < jump_count; i++)
		program->code[jumps[i]].off = (int16_t)(program->count - jumps[i] - 1);
}

static int load(const struct program *program, struct error *err)
{
	union bpf_attr attr = { 0 };
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uint64_t)(uintptr_t)program->code;
	attr.insn_cnt = (uint32_t)program->count;
	attr.license = (uint64_t)(uintptr_t) "GPL";
	snprintf(attr.prog_name, sizeof attr.prog_name, "wherry_devices");
	int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
	return fd < 0 ? error_set_errno(err, errno, "loading the device program") : fd;
}

static int attach_rules(int group_fd, const struct rules *rules, struct error *err)
{
	struct program program = { .count = 0 };
	emit_start(&program);
	static const struct oci_device_rule nothing = { false, 'a', -1, -1, "rwm" };
	bool ended = false; /* by a rule for all devices: the kernel refuses dead code */
	for (size_t i = rules->count; i-- > 0 && !ended;) {
		emit_rule(&program, &rules->items[i]);
		ended = rules->items[i].type == 'a';
	}
	if (!ended)
		emit_rule(&program, &nothing);
	auto_fd program_fd = load(&program, err);
	if (program_fd < 0)
		return program_fd;
	union bpf_attr attr = { 0 };
	attr.target_fd = (uint32_t)group_fd;
	attr.attach_bpf_fd = (uint32_t)program_fd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof attr) < 0)
		return error_set_errno(err, errno, "attaching the device program");
	return 0;
}

int cgroup_attach_device_program(int group_fd, const struct oci_spec *spec, struct error *err)
{
	struct rules rules;
	int r = collect(spec, &rules, err);
	return r < 0 ? r : attach_rules(group_fd, &rules, err);
}

int cgroup_set_devices(const struct cgroup_layout *layout, const struct oci_spec *spec,
		       struct error *err)
{
	const struct cgroup_hierarchy *hierarchy = cgroup_find(layout, CGROUP_DEVICES);
	if (!hierarchy)
		return 0;
	struct rules rules;
	auto_free char *path = NULL;
	int r = collect(spec, &rules, err);
	if (r == 0)
		r = cgroup_file(hierarchy, spec->cgroup_path, "", &path, err);
	if (r < 0)
		return r;
	auto_fd group = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (group < 0)
		return error_set_errno(err, errno, "%s", path);
	return hierarchy->unified ? attach_rules(group, &rules, err)
				  : write_list(group, &rules, err);
}
