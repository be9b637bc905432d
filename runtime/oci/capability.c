/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's calls are used bare: capset and prctl are all there is to it,
 * and a name that this build does not know is still dropped by its number.
 */
#include "capability.h"

#include <errno.h>
#include <linux/capability.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

static const char *const names[] = {
	"CAP_CHOWN",
	"CAP_DAC_OVERRIDE",
	"CAP_DAC_READ_SEARCH",
	"CAP_FOWNER",
	"CAP_FSETID",
	"CAP_KILL",
	"CAP_SETGID",
	"CAP_SETUID",
	"CAP_SETPCAP",
	"CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE",
	"CAP_NET_BROADCAST",
	"CAP_NET_ADMIN",
	"CAP_NET_RAW",
	"CAP_IPC_LOCK",
	"CAP_IPC_OWNER",
	"CAP_SYS_MODULE",
	"CAP_SYS_RAWIO",
	"CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE",
	"CAP_SYS_PACCT",
	"CAP_SYS_ADMIN",
	"CAP_SYS_BOOT",
	"CAP_SYS_NICE",
	"CAP_SYS_RESOURCE",
	"CAP_SYS_TIME",
	"CAP_SYS_TTY_CONFIG",
	"CAP_MKNOD",
	"CAP_LEASE",
	"CAP_AUDIT_WRITE",
	"CAP_AUDIT_CONTROL",
	"CAP_SETFCAP",
	"CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN",
	"CAP_SYSLOG",
	"CAP_WAKE_ALARM",
	"CAP_BLOCK_SUSPEND",
	"CAP_AUDIT_READ",
	"CAP_PERFMON",
	"CAP_BPF",
	"CAP_CHECKPOINT_RESTORE",
};
_Static_assert(ARRAY_SIZE(names) == CAP_CHECKPOINT_RESTORE + 1, "a name for each capability");

int capability_parse(const char *name, uint64_t *ret_bit, struct error *err)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcasecmp(name, names[i]) == 0 ||
		    strcasecmp(name, names[i] + sizeof "CAP_" - 1) == 0) {
			*ret_bit = CAPABILITY_BIT(i);
			return 0;
		}
	}
	return error_set(err, EINVAL, "unknown capability \"%s\"", name);
}

const char *capability_name(unsigned int number)
{
	return number < ARRAY_SIZE(names) ? names[number] : NULL;
}

uint64_t capability_defaults(void)
{
	return CAPABILITY_BIT(CAP_CHOWN) | CAPABILITY_BIT(CAP_DAC_OVERRIDE) |
	       CAPABILITY_BIT(CAP_FSETID) | CAPABILITY_BIT(CAP_FOWNER) | CAPABILITY_BIT(CAP_MKNOD) |
	       CAPABILITY_BIT(CAP_NET_RAW) | CAPABILITY_BIT(CAP_SETGID) |
	       CAPABILITY_BIT(CAP_SETUID) | CAPABILITY_BIT(CAP_SETFCAP) |
	       CAPABILITY_BIT(CAP_SETPCAP) | CAPABILITY_BIT(CAP_NET_BIND_SERVICE) |
	       CAPABILITY_BIT(CAP_SYS_CHROOT) | CAPABILITY_BIT(CAP_KILL) |
	       CAPABILITY_BIT(CAP_AUDIT_WRITE);
}

static int read_permitted(uint64_t *ret_set, struct error *err)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	if (syscall(SYS_capget, &header, data) < 0)
		return error_set_errno(err, errno, "reading capabilities");
	*ret_set = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	return 0;
}

int capability_all(uint64_t *ret_set, struct error *err)
{
	return read_permitted(ret_set, err);
}

int capability_drop_bounding(uint64_t keep, struct error *err)
{
	for (unsigned int i = 0; i < 64; i++) {
		if (keep & CAPABILITY_BIT(i))
			continue;
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0) {
			if (errno == EINVAL) /* past the last that this kernel knows */
				return 0;
			return error_set_errno(err, errno, "dropping capability %u", i);
		}
	}
	return 0;
}

int capability_apply(uint64_t set, uint64_t ambient, struct error *err)
{
	uint64_t permitted = 0;
	int r = read_permitted(&permitted, err);
	if (r < 0)
		return r;
	/* What we lack ourselves cannot be given: the container gets what there is. */
	set &= permitted;
	ambient &= set;
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	for (unsigned int i = 0; i < 2; i++) {
		uint32_t part = (uint32_t)(set >> (32 * i));
		data[i].effective = data[i].permitted = part;
		data[i].inheritable = (uint32_t)(ambient >> (32 * i));
	}
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &header, data) < 0)
		return error_set_errno(err, errno, "setting capabilities");
	for (unsigned int i = 0; i < 64; i++)
		if ((ambient & CAPABILITY_BIT(i)) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
			return error_set_errno(err, errno, "raising ambient capability %u", i);
	return 0;
}
