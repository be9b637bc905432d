/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The default profile: what a container may ask of the kernel. The effect is
 * that of Docker's: calls that reach past the container's namespaces, or into
 * parts of the kernel that a container has no use for, fail with EPERM;
 * some come back with the capability that they need anyway.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>

#include "base/text.h"
#include "capability.h"
#include "filter.h"

/* In words, since a table of four hundred lines would hide what it says. */
static const char always[] =
	"accept accept4 access adjtimex alarm bind brk cachestat capget capset chdir chmod chown "
	"chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 clock_gettime "
	"clock_gettime64 clock_nanosleep clock_nanosleep_time64 close close_range connect "
	"copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_ctl_old "
	"epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve execveat exit "
	"exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate fanotify_mark fchdir "
	"fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 fdatasync fgetxattr "
	"file_getattr file_setattr "
	"flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64 fstatfs fstatfs64 "
	"fsync ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait futex_waitv "
	"futex_wake futimesat getcpu getcwd getdents getdents64 getegid getegid32 geteuid "
	"geteuid32 getgid getgid32 getgroups getgroups32 getitimer getpeername getpgid getpgrp "
	"getpid getppid getpriority getrandom getresgid getresgid32 getresuid getresuid32 "
	"getrlimit get_robust_list getrusage getsid getsockname getsockopt get_thread_area gettid "
	"gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init "
	"inotify_init1 inotify_rm_watch io_cancel ioctl io_destroy io_getevents io_pgetevents "
	"io_pgetevents_time64 ioprio_get ioprio_set io_setup io_submit ipc kill "
	"landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32 "
	"lgetxattr link linkat listen listmount listxattr listxattrat llistxattr _llseek "
	"lremovexattr lseek lsetxattr lstat lstat64 madvise map_shadow_stack membarrier "
	"memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap "
	"mmap2 mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedreceive_time64 "
	"mq_timedsend mq_timedsend_time64 mq_unlink mremap mseal msgctl msgget msgrcv msgsnd "
	"msync munlock munlockall munmap name_to_handle_at nanosleep newfstatat _newselect open "
	"openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free "
	"pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 prlimit64 "
	"process_mrelease process_vm_readv process_vm_writev pselect6 pselect6_time64 ptrace "
	"pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recv recvfrom recvmmsg "
	"recvmmsg_time64 recvmsg remap_file_pages removexattr removexattrat rename renameat "
	"renameat2 restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask "
	"rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 "
	"rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam sched_get_priority_max "
	"sched_get_priority_min sched_getscheduler sched_rr_get_interval "
	"sched_rr_get_interval_time64 sched_setaffinity sched_setattr sched_setparam "
	"sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop "
	"semtimedop_time64 send sendfile sendfile64 sendmmsg sendmsg sendto setfsgid setfsgid32 "
	"setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid setpriority "
	"setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 "
	"setrlimit set_robust_list setsid setsockopt set_thread_area set_tid_address setuid "
	"setuid32 setxattr setxattrat shmat shmctl shmdt shmget shutdown sigaltstack signalfd "
	"signalfd4 sigprocmask sigreturn socketcall socketpair splice stat stat64 statfs statfs64 "
	"statmount statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time "
	"timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime "
	"timer_settime64 timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime "
	"timerfd_settime64 times tkill truncate truncate64 ugetrlimit umask uname unlink unlinkat "
	"uretprobe utime utimensat utimensat_time64 utimes vfork vmsplice wait4 waitid waitpid "
	"write writev "
	"arch_prctl modify_ldt " /* x86 */
	"arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls "
	"riscv_flush_icache riscv_hwprobe";

static const struct {
	unsigned int capability;
	const char *names;
} with_capability[] = {
	{ CAP_DAC_READ_SEARCH, "open_by_handle_at" },
	{ CAP_SYS_ADMIN,
	  "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie "
	  "lsm_get_self_attr lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount "
	  "open_tree open_tree_attr perf_event_open quotactl quotactl_fd setdomainname "
	  "sethostname setns syslog umount umount2 unshare" },
	{ CAP_SYS_BOOT, "reboot" },
	{ CAP_SYS_CHROOT, "chroot" },
	{ CAP_SYS_MODULE, "delete_module init_module finit_module" },
	{ CAP_SYS_PACCT, "acct" },
	{ CAP_SYS_PTRACE,
	  "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace" },
	{ CAP_SYS_RAWIO, "iopl ioperm" },
	{ CAP_SYS_TIME, "settimeofday stime clock_settime clock_settime64" },
	{ CAP_SYS_TTY_CONFIG, "vhangup" },
	{ CAP_SYS_NICE, "get_mempolicy mbind set_mempolicy set_mempolicy_home_node" },
	{ CAP_SYSLOG, "syslog" },
	{ CAP_BPF, "bpf" },
	{ CAP_PERFMON, "perf_event_open" },
};

#define NEW_NAMESPACES 0x7e020000u /* all CLONE_NEW* that clone takes */
#define FAMILY_VSOCK 40            /* a way past the network namespace to the hypervisor */

/* Only ways of running that a 64-bit or a 32-bit Linux program chooses. */
static const uint32_t personalities[] = { 0x0, 0x8, 0x20000, 0x20008, 0xffffffff };

#define FAIL_WITH(code) (SECCOMP_RET_ERRNO | (code))

/* Adds each name of a blank-separated list. Words are cut in place: list is ours. */
static int allow_list(struct filter_rules *rules, char *list, struct error *err)
{
	char *save = NULL;
	for (char *name = strtok_r(list, " ", &save); name; name = strtok_r(NULL, " ", &save)) {
		struct filter_rule rule = { .name = name, .action = SECCOMP_RET_ALLOW };
		int r = filter_rules_add(rules, &rule, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int allow_if(struct filter_rules *rules, const char *name, struct filter_condition condition,
		    struct error *err)
{
	struct filter_rule rule = { .name = name,
				    .action = SECCOMP_RET_ALLOW,
				    .conditions = { condition },
				    .condition_count = 1 };
	return filter_rules_add(rules, &rule, err);
}

static int add_conditional(struct filter_rules *rules, uint64_t capabilities, struct error *err)
{
	struct filter_condition not_vsock = { 0, FILTER_NOT_EQUAL, FAMILY_VSOCK, 0 };
	int r = allow_if(rules, "socket", not_vsock, err);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(personalities); i++) {
		struct filter_condition known = { 0, FILTER_EQUAL, personalities[i], 0 };
		r = allow_if(rules, "personality", known, err);
	}
	if (r < 0 || (capabilities & CAPABILITY_BIT(CAP_SYS_ADMIN)))
		return r;
	struct filter_condition no_namespace = { 0, FILTER_MASKED_EQUAL, NEW_NAMESPACES, 0 };
	r = allow_if(rules, "clone", no_namespace, err);
	if (r < 0)
		return r;
	/* Its flags are in memory, which a filter cannot read: ENOSYS makes libraries use clone. */
	struct filter_rule clone3 = { .name = "clone3", .action = FAIL_WITH(ENOSYS) };
	return filter_rules_add(rules, &clone3, err);
}

/* All names that this profile uses, in one text that the rules point into. */
static int write_names(uint64_t capabilities, char **ret_names, struct error *err)
{
	auto_text text = { 0 };
	text_append(&text, "%s", always);
	for (size_t i = 0; i < ARRAY_SIZE(with_capability); i++)
		if (capabilities & CAPABILITY_BIT(with_capability[i].capability))
			text_append(&text, " %s", with_capability[i].names);
	return text_take(&text, ret_names, err);
}

int filter_default(uint64_t capabilities, struct filter_program *ret, struct error *err)
{
	auto_filter_rules rules = { .default_action = FAIL_WITH(EPERM) };
	auto_free char *names = NULL;
	int r = write_names(capabilities, &names, err);
	if (r == 0)
		r = allow_list(&rules, names, err);
	if (r == 0)
		r = add_conditional(&rules, capabilities, err);
	return r < 0 ? r : filter_compile(&rules, ret, err);
}
