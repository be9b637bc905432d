/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Terminals come from the container's own /dev/pts. A running container may
 * have put anything there: the file must be a devpts master, and the other end
 * is asked of the master itself, not looked up by name.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/file.h"
#include "launch.h"
#include "mount.h"
#include "target.h"

static int open_master(int *ret_fd, struct error *err)
{
	auto_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd fd = -1;
	int r = file_open_in_root(root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC, 0, &fd,
				  err);
	if (r < 0)
		return r;
	struct statfs status;
	int unlocked = 0;
	if (fstatfs(fd, &status) < 0 || status.f_type != DEVPTS_SUPER_MAGIC)
		return error_set(err, EPERM, "/dev/pts/ptmx is no terminal master");
	if (ioctl(fd, TIOCSPTLCK, &unlocked) < 0)
		return error_set_errno(err, errno, "unlocking");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int put_console(int slave, struct error *err)
{
	static const struct mount_options plain = { 0 };
	auto_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd target = -1, clone = -1;
	int r = target_make(root, "/dev/console", TARGET_FILE, &target, err);
	if (r == 0)
		r = mount_clone(slave, "", &plain, &clone, err);
	return r < 0 ? r : mount_put(clone, target, "/dev/console", err);
}

int terminal_open(const struct oci_process *process, enum terminal_console console, int *ret_master,
		  struct error *err)
{
	auto_fd master = -1;
	int r = open_master(&master, err);
	if (r < 0)
		return error_wrap(err, "terminal");
	auto_fd slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return error_set_errno(err, errno, "terminal");
	struct winsize size = { .ws_row = process->terminal_rows,
				.ws_col = process->terminal_columns };
	if (size.ws_row && size.ws_col)
		(void)ioctl(master, TIOCSWINSZ, &size);
	if (fchown(slave, process->uid, (gid_t)-1) < 0)
		return error_set_errno(err, errno, "owner of the terminal");
	if (console == TERMINAL_AND_CONSOLE)
		r = put_console(slave, err);
	if (r < 0)
		return error_wrap(err, "terminal");
	for (int fd = 0; fd < 3; fd++)
		if (dup2(slave, fd) < 0)
			return error_set_errno(err, errno, "terminal");
	if (ioctl(0, TIOCSCTTY, 0) < 0)
		return error_set_errno(err, errno, "terminal as the controlling one");
	*ret_master = TAKE_FD(master);
	return 0;
}
