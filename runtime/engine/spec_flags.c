/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --ulimit, --device, --cpuset-… and the like: what a flag says becomes a part of the spec. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "spec.h"

#define OOM_SCORE_MAX 1000
#define CPU_SHARES_MIN 2
#define CPU_SHARES_MAX 262144
#define QUOTA_MIN_US 1000
#define PERIOD_MAX_US 1000000

static int read_limit(const char *text, const char *flag, uint64_t *ret, struct error *err)
{
	if (text_equal(text, "-1") || text_equal(text, "unlimited")) {
		*ret = RLIM_INFINITY;
		return 0;
	}
	if (text_to_unsigned(text, 0, INT64_MAX, ret) < 0)
		return error_set(
			err, EINVAL,
			"--ulimit %s: the form is NAME=SOFT[:HARD], such as nofile=1024:2048",
			flag);
	return 0;
}

/* "nofile=1024:2048" */
static int add_ulimit(struct oci_process *process, const char *text, struct error *err)
{
	char name[32] = "RLIMIT_";
	size_t size = strcspn(text, "="), begin = strlen(name);
	struct oci_rlimit limit = { .explicit_request = true };
	for (size_t i = 0; i < size && begin + i + 1 < sizeof name; i++)
		name[begin + i] = (char)toupper((unsigned char)text[i]);
	limit.resource = oci_rlimit_number(name);
	if (!text[size] || limit.resource < 0)
		return error_set(err, EINVAL, "--ulimit %s: %s", text,
				 text[size] ? "there is no such limit"
					    : "the form is NAME=SOFT[:HARD]");
	auto_words values = { 0 };
	int r = words_split(text + size + 1, ':', &values, err);
	if (r == 0)
		r = read_limit(values.items[0], text, &limit.soft, err);
	limit.hard = limit.soft;
	if (r == 0 && values.count > 1)
		r = read_limit(values.items[1], text, &limit.hard, err);
	if (r < 0)
		return r;
	if (limit.soft > limit.hard || values.count > 2)
		return error_set(err, EINVAL, "--ulimit %s: the soft limit is over the hard one",
				 text);
	for (size_t i = 0; i < process->rlimit_count; i++)
		if (process->rlimits[i].resource == limit.resource) {
			process->rlimits[i] = limit;
			return 0;
		}
	void *more = reallocarray(process->rlimits, process->rlimit_count + 1, sizeof limit);
	if (!more)
		return error_set(err, ENOMEM, "no memory for limits");
	process->rlimits = more;
	process->rlimits[process->rlimit_count++] = limit;
	return 0;
}

/* "/dev/fuse[:/dev/inside[:rwm]]": the node, and the right to use it. */
static int add_device(struct oci_spec *spec, const char *text, struct error *err)
{
	auto_words words = { 0 };
	struct stat st;
	int r = words_split(text, ':', &words, err);
	if (r < 0)
		return r;
	const char *inside = words.count > 1 && words.items[1][0] ? words.items[1] : words.items[0];
	const char *access = words.count > 2 ? words.items[2] : "rwm";
	if (words.count > 3 || words.items[0][0] != '/' || inside[0] != '/' ||
	    strspn(access, "rwm") != strlen(access) || !*access || strlen(access) > 3)
		return error_set(err, EINVAL,
				 "--device %s: the form is /DEVICE[:/DEVICE_INSIDE[:rwm]]", text);
	if (stat(words.items[0], &st) < 0)
		return error_set_errno(err, errno, "--device %s", words.items[0]);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return error_set(err, EINVAL, "--device %s: is no device", words.items[0]);
	struct oci_device device = { .type = S_ISCHR(st.st_mode) ? 'c' : 'b',
				     .major = major(st.st_rdev),
				     .minor = minor(st.st_rdev),
				     .mode = st.st_mode & 07777,
				     .uid = st.st_uid,
				     .gid = st.st_gid };
	struct oci_device_rule rule = {
		.allow = true, .type = device.type, .major = device.major, .minor = device.minor
	};
	snprintf(rule.access, sizeof rule.access, "%s", access);
	struct oci_device *devices =
		reallocarray(spec->devices, spec->device_count + 1, sizeof device);
	if (devices)
		spec->devices = devices;
	struct oci_device_rule *rules =
		reallocarray(spec->device_rules, spec->device_rule_count + 1, sizeof rule);
	if (rules)
		spec->device_rules = rules;
	if (!devices || !rules)
		return error_set(err, ENOMEM, "no memory for devices");
	r = text_copy(inside, &device.path, err);
	if (r < 0)
		return r;
	spec->devices[spec->device_count++] = device;
	spec->device_rules[spec->device_rule_count++] = rule;
	return 0;
}

static int replace(char **to, const char *from, const char *flag, struct error *err)
{
	if (!from)
		return 0;
	if (!*from || strspn(from, "0123456789,-") != strlen(from))
		return error_set(err, EINVAL, "%s %s: the form is 0-3,5", flag, from);
	free(*to);
	*to = NULL;
	return text_copy(from, to, err);
}

int spec_set_cpu(struct oci_resources *resources, const struct container_options *options,
		 struct error *err)
{
	int r = replace(&resources->cpuset_cpus, options->cpuset_cpus, "--cpuset-cpus", err);
	if (r == 0)
		r = replace(&resources->cpuset_mems, options->cpuset_mems, "--cpuset-mems", err);
	if (r < 0)
		return r;
	if (options->cpus && (options->cpu_quota_us || options->cpu_period_us))
		return error_set(err, EINVAL, "--cpus and --cpu-quota, --cpu-period: only one way");
	if (options->cpu_shares &&
	    (options->cpu_shares < CPU_SHARES_MIN || options->cpu_shares > CPU_SHARES_MAX))
		return error_set(err, EINVAL, "--cpu-shares %lld: is not in %d to %d",
				 (long long)options->cpu_shares, CPU_SHARES_MIN, CPU_SHARES_MAX);
	if (options->cpu_shares)
		resources->cpu_shares = options->cpu_shares;
	if (options->cpu_quota_us && options->cpu_quota_us < QUOTA_MIN_US)
		return error_set(err, EINVAL, "--cpu-quota: the least is %d", QUOTA_MIN_US);
	if (options->cpu_period_us &&
	    (options->cpu_period_us < QUOTA_MIN_US || options->cpu_period_us > PERIOD_MAX_US))
		return error_set(err, EINVAL, "--cpu-period: is not in %d to %d", QUOTA_MIN_US,
				 PERIOD_MAX_US);
	if (options->cpu_quota_us)
		resources->cpu_quota_us = options->cpu_quota_us;
	if (options->cpu_period_us)
		resources->cpu_period_us = options->cpu_period_us;
	return 0;
}

int spec_set_flags(struct oci_spec *spec, const struct container_options *options,
		   struct error *err)
{
	int64_t score;
	int r = 0;
	for (size_t i = 0; r == 0 && i < options->ulimits.count; i++)
		r = add_ulimit(&spec->process, options->ulimits.items[i], err);
	for (size_t i = 0; r == 0 && i < options->devices.count; i++)
		r = add_device(spec, options->devices.items[i], err);
	if (r < 0 || !options->oom_score_adj)
		return r;
	if (text_to_signed(options->oom_score_adj, -OOM_SCORE_MAX, OOM_SCORE_MAX, &score) < 0)
		return error_set(err, EINVAL, "--oom-score-adj %s: is not in -1000 to 1000",
				 options->oom_score_adj);
	spec->process.oom_score_adj = (int)score;
	spec->process.have_oom_score_adj = true;
	return 0;
}
