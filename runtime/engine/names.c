/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "names.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>

#include "base/cleanup.h"
#include "base/text.h"

/* In the order of their numbers (linux/capability.h). */
static const char *const capability_names[] = {
	"CHOWN",
	"DAC_OVERRIDE",
	"DAC_READ_SEARCH",
	"FOWNER",
	"FSETID",
	"KILL",
	"SETGID",
	"SETUID",
	"SETPCAP",
	"LINUX_IMMUTABLE",
	"NET_BIND_SERVICE",
	"NET_BROADCAST",
	"NET_ADMIN",
	"NET_RAW",
	"IPC_LOCK",
	"IPC_OWNER",
	"SYS_MODULE",
	"SYS_RAWIO",
	"SYS_CHROOT",
	"SYS_PTRACE",
	"SYS_PACCT",
	"SYS_ADMIN",
	"SYS_BOOT",
	"SYS_NICE",
	"SYS_RESOURCE",
	"SYS_TIME",
	"SYS_TTY_CONFIG",
	"MKNOD",
	"LEASE",
	"AUDIT_WRITE",
	"AUDIT_CONTROL",
	"SETFCAP",
	"MAC_OVERRIDE",
	"MAC_ADMIN",
	"SYSLOG",
	"WAKE_ALARM",
	"BLOCK_SUSPEND",
	"AUDIT_READ",
	"PERFMON",
	"BPF",
	"CHECKPOINT_RESTORE",
};

static const char *const manners[] = { "quiet", "brisk", "calm",  "eager", "gentle", "jolly",
				       "keen",  "merry", "plain", "proud", "sober",  "swift" };
static const char *const birds[] = { "heron",  "tern",  "gull", "stork", "eider",  "grebe",
				     "plover", "snipe", "rail", "coot",  "avocet", "curlew" };

int signal_parse(const char *text, int *ret_signal, struct error *err)
{
	uint64_t number;
	if (text_to_unsigned(text, 1, SIGRTMAX, &number) == 0) {
		*ret_signal = (int)number;
		return 0;
	}
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	for (int i = 1; i < SIGRTMIN; i++) {
		const char *known = sigabbrev_np(i);
		if (known && strcasecmp(known, name) == 0) {
			*ret_signal = i;
			return 0;
		}
	}
	return error_set(err, EINVAL, "%s: is no signal, such as TERM, SIGHUP or 15", text);
}

int capability_bits_parse(const char *text, uint64_t *ret_bits, struct error *err)
{
	const char *name = strncasecmp(text, "CAP_", 4) == 0 ? text + 4 : text;
	if (strcasecmp(name, "ALL") == 0) {
		*ret_bits = (1ull << ARRAY_SIZE(capability_names)) - 1;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(capability_names); i++) {
		if (strcasecmp(name, capability_names[i]) != 0)
			continue;
		*ret_bits = 1ull << i;
		return 0;
	}
	return error_set(err, EINVAL, "%s: is no capability, such as NET_ADMIN", text);
}

int container_name_make(char *ret_name, size_t size, struct error *err)
{
	uint8_t bytes[4];
	if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
		return error_set_errno(err, errno, "random bytes for a name");
	snprintf(ret_name, size, "%s-%s-%02x%02x", manners[bytes[0] % ARRAY_SIZE(manners)],
		 birds[bytes[1] % ARRAY_SIZE(birds)], bytes[2], bytes[3]);
	return 0;
}
