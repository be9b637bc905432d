/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "background.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"

#define LOG_SIZE_MAX (4 << 20) /* bytes; a longer log is put aside at the next start */

/* What the daemon says at the end of its start: code 0 for ready. */
struct report {
	int code;
	char text[ERROR_TEXT_MAX];
};

static int wait_for_report(int fd, pid_t child, struct error *err)
{
	struct report report = { 0 };
	ssize_t size;
	do
		size = read(fd, &report, sizeof report);
	while (size < 0 && errno == EINTR);
	if (size == sizeof report && report.code == 0)
		return 1;
	(void)waitpid(child, NULL, 0);
	if (size != sizeof report)
		return error_set(err, ECHILD, "wherryd ended before it was ready");
	report.text[sizeof report.text - 1] = '\0';
	return error_set(err, report.code, "%s", report.text);
}

int background_start(int *ret_ready_fd, struct error *err)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_set_errno(err, errno, "pipe");
	auto_fd read_end = ends[0];
	auto_fd write_end = ends[1];
	pid_t child = fork();
	if (child < 0)
		return error_set_errno(err, errno, "fork");
	if (child > 0) {
		close(TAKE_FD(write_end));
		return wait_for_report(read_end, child, err);
	}
	setsid();
	signal(SIGHUP, SIG_IGN);
	*ret_ready_fd = TAKE_FD(write_end);
	return 0;
}

static int open_log(const char *path, int *ret_fd, struct error *err)
{
	struct stat status;
	char old[4096];
	if (stat(path, &status) == 0 && status.st_size > LOG_SIZE_MAX) {
		snprintf(old, sizeof old, "%s.old", path);
		(void)rename(path, old);
	}
	*ret_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	return *ret_fd < 0 ? error_set_errno(err, errno, "%s", path) : 0;
}

int background_ready(int *ready_fd, const char *log_path, struct error *err)
{
	struct report report = { 0 };
	auto_fd log_fd = -1;
	auto_fd null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int r = null_fd < 0 ? error_set_errno(err, errno, "/dev/null")
			    : open_log(log_path, &log_fd, err);
	if (r < 0)
		return r;
	if (dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0 ||
	    dup2(log_fd, STDERR_FILENO) < 0 || chdir("/") < 0)
		return error_set_errno(err, errno, "cannot leave the terminal");
	r = fd_write_all(*ready_fd, &report, sizeof report);
	close(TAKE_FD(*ready_fd));
	return r < 0 ? error_set_errno(err, -r, "cannot tell the parent") : 0;
}

void background_end(int *ready_fd, const struct error *err)
{
	struct report report = { 0 };
	if (err) {
		report.code = err->code ? err->code : EIO;
		snprintf(report.text, sizeof report.text, "%s", err->text);
	}
	(void)fd_write_all(*ready_fd, &report, sizeof report);
	close(TAKE_FD(*ready_fd));
}
