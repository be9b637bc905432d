/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Libseccomp's table, and what it lacks.
 */
#include "filter_calls.h"

#include <seccomp.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "runtime/oci.h"

/* From 424 on a call has the same number everywhere: those younger than libseccomp 2.5.4. */
static const struct {
	const char *name;
	int number;
} young_calls[] = {
	{ "cachestat", 451 },         { "fchmodat2", 452 },        { "map_shadow_stack", 453 },
	{ "futex_wake", 454 },        { "futex_wait", 455 },       { "futex_requeue", 456 },
	{ "statmount", 457 },         { "listmount", 458 },        { "lsm_get_self_attr", 459 },
	{ "lsm_set_self_attr", 460 }, { "lsm_list_modules", 461 }, { "mseal", 462 },
	{ "setxattrat", 463 },        { "getxattrat", 464 },       { "listxattrat", 465 },
	{ "removexattrat", 466 },     { "open_tree_attr", 467 },   { "file_getattr", 468 },
	{ "file_setattr", 469 },
};

/* Calls of i386 that libseccomp sees only as parts of socketcall and ipc. */
static const struct {
	const char *name;
	int number;
} direct_calls[] = {
	{ "socket", 359 },      { "socketpair", 360 }, { "bind", 361 },
	{ "connect", 362 },     { "listen", 363 },     { "accept4", 364 },
	{ "getsockopt", 365 },  { "setsockopt", 366 }, { "getsockname", 367 },
	{ "getpeername", 368 }, { "sendto", 369 },     { "sendmsg", 370 },
	{ "recvfrom", 371 },    { "recvmsg", 372 },    { "shutdown", 373 },
	{ "semget", 393 },      { "semctl", 394 },     { "shmget", 395 },
	{ "shmctl", 396 },      { "shmat", 397 },      { "shmdt", 398 },
	{ "msgget", 399 },      { "msgsnd", 400 },     { "msgrcv", 401 },
	{ "msgctl", 402 },
};

int filter_call_number(uint32_t arch, const char *name)
{
	int number = seccomp_syscall_resolve_name_arch(arch, name);
	if (number >= 0)
		return number;
	for (size_t i = 0; i < ARRAY_SIZE(young_calls); i++)
		if (strcmp(young_calls[i].name, name) == 0)
			return young_calls[i].number;
	for (size_t i = 0; arch == SCMP_ARCH_X86 && i < ARRAY_SIZE(direct_calls); i++)
		if (strcmp(direct_calls[i].name, name) == 0)
			return direct_calls[i].number;
	return -1; /* not on this architecture (libseccomp's pseudo numbers are negative, too) */
}

struct oci_version_text oci_seccomp_version(void)
{
	struct oci_version_text version;
	const struct scmp_version *numbers = seccomp_version();
	snprintf(version.text, sizeof version.text, "%u.%u.%u", numbers->major, numbers->minor,
		 numbers->micro);
	return version;
}
