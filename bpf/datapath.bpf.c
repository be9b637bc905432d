/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/*
 * The attach points as one object, so that shared maps exist once and are
 * loaded once. (Linked from four by bpftool they would be the same, but the
 * linker of libbpf 1.1 refuses a kernel function that two objects name.)
 */
#include "from_container.bpf.c"
#include "container_flow.bpf.c"
#include "container_chosen.bpf.c"
#include "from_uplink.bpf.c"
#include "uplink_judge.bpf.c"
#include "sockets.bpf.c"
#include "bind.bpf.c"
#include "to_container.bpf.c"
#include "host_loopback.bpf.c"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
