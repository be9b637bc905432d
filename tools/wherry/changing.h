/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What verbs that stay with a container's terminal share. */
#define DETACH_KEYS_HELP "Leave it by these (default: ctrl-p,ctrl-q)"
