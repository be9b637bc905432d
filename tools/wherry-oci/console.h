/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Where a container's terminal goes: to an engine by its console socket, or,
 * for `run` and `exec` by hand, to the terminal that we stand on.
 */
#include "base/error.h"

/** Connects to the socket at path; -errno. */
int console_connect(const char *path, int *ret_fd, struct error *err);
/** Hands the master over. */
int console_send(int socket_fd, int master_fd, struct error *err);
/** Passes bytes between our terminal and the master until the container ends. */
int console_relay(int master_fd, struct error *err);
