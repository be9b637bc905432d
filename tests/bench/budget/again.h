/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
#pragma once
/* What again.bpf.c is told: the headers of each run's frame. */
#include <linux/types.h>

#define AGAIN_BYTES 54 /* Ethernet, IPv4 and TCP */
#define AGAIN_PORT 17  /* the source port, in words of two bytes */

struct again {
	__u16 headers[AGAIN_BYTES / 2];
	__u16 unused;
	__u64 fresh; /* the next source port; 0: always the frame's own */
};
