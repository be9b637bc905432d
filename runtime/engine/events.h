/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* What the engine's own files tell the log of events. Never fails: a verb is not undone for it. */
#include "record.h"

/** key NULL: no attribute beside image, name and labels. */
void event_container(struct engine *engine, const struct container *container, const char *action,
		     const char *key, const char *value);
/** Of a network: attribute "container" too, unless NULL. */
void event_network(struct engine *engine, const char *id, const char *name, const char *action,
		   const char *container_id);
void event_volume(struct engine *engine, const char *name, const char *action);
