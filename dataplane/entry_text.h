/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* Entries of the kernel's tables in words: what a simulation looked at. */
#include "dataplane/directory.h"
#include "simulate.h"

/** "wh1_ports *:8080/tcp -> 10.21.0.2:80 of web", "wh1_endpoints 10.21.0.9 in network 1: none". */
void entry_describe(const struct directory *directory, const struct trace_event *event,
		    char *ret_text, size_t size);
/** Whether it is about this table ("flows" for wh1_flows). */
bool entry_is_of(const struct trace_event *event, const char *map);
/** Tables that decide something: not counters, switches and working memory. */
bool entry_decides(const struct trace_event *event);
