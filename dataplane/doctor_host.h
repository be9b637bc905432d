/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * What the host around the data path may do to it: forwarding, reverse path filters, foreign
 * firewalls, MTUs, routes over a network's subnet. Each finding ends in the mend.
 */
#include "handle.h"

struct doctor_ear {
	int (*visit)(enum doctor_level level, const char *subject, const char *finding,
		     void *context, struct error *err);
	void *context;
};
int doctor_host(struct dataplane *dataplane, const struct doctor_ear *ear, struct error *err);
