/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs in a container and tells what it sees. Each verb prints plain lines.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void print_errno(long result)
{
	printf("%s\n", result < 0 ? strerrorname_np(errno) : "0");
}

static void namespaces(void)
{
	static const char *const names[] = { "mnt", "pid", "uts", "ipc", "net", "cgroup" };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char path[64], link[64] = "";
		snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
		if (readlink(path, link, sizeof link - 1) > 0)
			printf("%s\n", link);
	}
}

/* Lines of /proc/self/status that begin with one of these. */
static void status(void)
{
	char line[256];
	FILE *file = fopen("/proc/self/status", "r");
	while (file && fgets(line, sizeof line, file))
		if (strncmp(line, "Cap", 3) == 0 || strncmp(line, "NoNew", 5) == 0 ||
		    strncmp(line, "Seccomp:", 8) == 0 || strncmp(line, "Groups", 6) == 0)
			fputs(line, stdout);
}

static void call(const char *name)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1
	};
	char clone_args[64] = { 0 };
	const struct {
		const char *name;
		long number, a, b, c;
	} calls[] = {
		{ "unshare", SYS_unshare, CLONE_NEWNS, 0, 0 },
		{ "unshare-user", SYS_unshare, CLONE_NEWUSER, 0, 0 },
		{ "keyctl", SYS_keyctl, 0, -3, 0 },
		{ "add_key", SYS_add_key, (long)"user", (long)"x", (long)"y" },
		{ "request_key", SYS_request_key, (long)"user", (long)"x", 0 },
		{ "bpf", SYS_bpf, BPF_MAP_CREATE, (long)&attr, sizeof attr },
		{ "setns", SYS_setns, 0, 0, 0 },
		{ "clone3", SYS_clone3, (long)clone_args, 8, 0 },
		{ "clone-newns", SYS_clone, CLONE_NEWNS | SIGCHLD, 0, 0 },
		{ "personality-other", SYS_personality, 0x0400000, 0, 0 },
		{ "personality-ask", SYS_personality, 0xffffffff, 0, 0 },
		{ "vsock", SYS_socket, 40, SOCK_STREAM, 0 },
		{ "inet", SYS_socket, AF_INET, SOCK_STREAM, 0 },
		{ "perf_event_open", SYS_perf_event_open, 0, 0, -1 },
		{ "userfaultfd", SYS_userfaultfd, 0, 0, 0 },
		{ "kexec_load", SYS_kexec_load, 0, 0, 0 },
		{ "reboot", SYS_reboot, 0, 0, 0 },
		{ "swapon", SYS_swapon, (long)"/x", 0, 0 },
		{ "init_module", SYS_init_module, 0, 0, (long)"" },
		{ "open_by_handle_at", SYS_open_by_handle_at, -1, 0, 0 },
		{ "io_uring_setup", SYS_io_uring_setup, 0, 0, 0 },
		{ "fsopen", SYS_fsopen, (long)"tmpfs", 0, 0 },
		{ "settimeofday", SYS_settimeofday, 0, 0, 0 },
		{ "syslog", SYS_syslog, 3, 0, 0 },
		{ "getpid", SYS_getpid, 0, 0, 0 },
		{ "unknown", 2000, 0, 0, 0 },
		{ "x32", 0x40000000 | SYS_unshare, CLONE_NEWNS, 0, 0 },
	};
	if (strcmp(name, "mount") == 0) {
		print_errno(mount("x", "/tmp", "tmpfs", 0, NULL));
		return;
	}
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
		if (strcmp(calls[i].name, name) == 0) {
			print_errno(syscall(calls[i].number, calls[i].a, calls[i].b, calls[i].c, -1,
					    0));
			return;
		}
	printf("?\n");
}

static void list(const char *path)
{
	DIR *dir = opendir(path);
	if (!dir) {
		print_errno(-1);
		return;
	}
	for (struct dirent *entry; (entry = readdir(dir));)
		if (entry->d_name[0] != '.')
			printf("%s\n", entry->d_name);
}

/* Descriptors that are open, but for the one that looks. */
static void descriptors(void)
{
	for (int fd = 0; fd < 4096; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			printf("%d\n", fd);
}

static void node(const char *path, const char *type, const char *major, const char *minor)
{
	mode_t mode = (type[0] == 'b' ? S_IFBLK : S_IFCHR) | 0600;
	(void)mknod(path, mode, makedev(strtoul(major, NULL, 10), strtoul(minor, NULL, 10)));
	print_errno(open(path, O_RDONLY));
}

/* How many of n children could be had. */
static void children(int n)
{
	int made = 0;
	for (int i = 0; i < n; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			pause();
			_exit(0);
		}
		made += pid > 0;
	}
	printf("%d\n", made);
	fflush(stdout);
	kill(0, SIGKILL);
}

static void eat(size_t mebibytes)
{
	for (size_t i = 0; i < mebibytes; i++) {
		char *memory = malloc(1 << 20);
		if (memory)
			memset(memory, (int)i + 1, 1 << 20);
		__asm__ volatile("" : : "r"(memory) : "memory");
	}
	printf("eaten\n");
}

/* State letter of a process; 0: gone. */
static char state_of(pid_t pid)
{
	char path[64], text[512] = "";
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return 0;
	(void)!read(fd, text, sizeof text - 1);
	close(fd);
	char *end = strrchr(text, ')');
	return end ? end[2] : 0;
}

/* Leaves a grandchild without a parent, which ends; then tells what becomes of it. */
static void orphan(void)
{
	int ends[2];
	pid_t grandchild = 0;
	if (pipe(ends) < 0)
		return;
	pid_t child = fork();
	if (child == 0) {
		pid_t pid = fork();
		if (pid == 0) {
			while (getppid() != 1) /* until it is pid 1's */
				sched_yield();
			_exit(0);
		}
		(void)!write(ends[1], &pid, sizeof pid);
		_exit(0);
	}
	(void)!read(ends[0], &grandchild, sizeof grandchild);
	waitpid(child, NULL, 0);
	char state = state_of(grandchild);
	while (state && state != 'Z') {
		sched_yield();
		state = state_of(grandchild);
	}
	/* An init needs a moment; without one it stays for good. */
	for (int i = 0; i < 5000 && state_of(grandchild); i++)
		sched_yield();
	printf("%s\n", state_of(grandchild) ? "zombie" : "reaped");
}

static void on_signal(int number)
{
	(void)number;
}

static void wait_for_term(void)
{
	sigset_t set;
	int number;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	printf("ready\n");
	fflush(stdout);
	sigwait(&set, &number);
	printf("signal %d\n", number);
}

static void show(const char *path)
{
	char bytes[4096];
	int fd = open(path, O_RDONLY);
	if (fd < 0) {
		print_errno(-1);
		return;
	}
	for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0;)
		(void)!write(1, bytes, (size_t)n);
}

static void terminal(void)
{
	struct stat console, in;
	printf("%d%d%d\n", isatty(0), isatty(1), isatty(2));
	printf("%s\n", open("/dev/tty", O_RDWR) >= 0 ? "controlling" : "none");
	printf("%s\n", stat("/dev/console", &console) == 0 && fstat(0, &in) == 0 &&
				       console.st_rdev == in.st_rdev
			       ? "console"
			       : "no console");
}

static void limit(void)
{
	struct rlimit value;
	getrlimit(RLIMIT_NOFILE, &value);
	printf("%lu %lu\n", (unsigned long)value.rlim_cur, (unsigned long)value.rlim_max);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	const char *a = argc > 2 ? argv[2] : "";
	signal(SIGUSR1, on_signal);
	if (strcmp(verb, "namespaces") == 0)
		namespaces();
	else if (strcmp(verb, "status") == 0)
		status();
	else if (strcmp(verb, "calls") == 0)
		for (int i = 2; i < argc; i++)
			call(argv[i]);
	else if (strcmp(verb, "list") == 0)
		list(a);
	else if (strcmp(verb, "write") == 0)
		print_errno(open(a, O_WRONLY));
	else if (strcmp(verb, "make") == 0)
		print_errno(open(a, O_WRONLY | O_CREAT, 0600));
	else if (strcmp(verb, "show") == 0)
		show(a);
	else if (strcmp(verb, "descriptors") == 0)
		descriptors();
	else if (strcmp(verb, "node") == 0 && argc == 6)
		node(a, argv[3], argv[4], argv[5]);
	else if (strcmp(verb, "children") == 0)
		children((int)strtol(a, NULL, 10));
	else if (strcmp(verb, "eat") == 0)
		eat(strtoul(a, NULL, 10));
	else if (strcmp(verb, "orphan") == 0)
		orphan();
	else if (strcmp(verb, "term") == 0)
		wait_for_term();
	else if (strcmp(verb, "terminal") == 0)
		terminal();
	else if (strcmp(verb, "limit") == 0)
		limit();
	else if (strcmp(verb, "id") == 0)
		printf("%u %u %ld\n", getuid(), getgid(), (long)getpid());
	else if (strcmp(verb, "cwd") == 0)
		printf("%s\n", getcwd((char[4096]){ 0 }, 4096));
	else if (strcmp(verb, "exit") == 0)
		return (int)strtol(a, NULL, 10);
	else if (strcmp(verb, "pause") == 0)
		pause();
	else
		printf("inside: %s?\n", verb);
	return 0;
}
