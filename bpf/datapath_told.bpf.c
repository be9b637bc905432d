/* SPDX-License-Identifier: (GPL-2.0-or-later OR BSD-2-Clause) */
/* The same programs for simulations: they tell each step (lib/trace.h). */
#define WHERRY_TOLD 1
#include "datapath.bpf.c"
