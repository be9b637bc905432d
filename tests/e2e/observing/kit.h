/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A data path to look at: the network "front" 10.21.0.0/24 with "web" 10.21.0.2, whose port 80
 * is published as 8080, and "shop" 10.21.0.3; the network "back" 10.22.0.0/24 with "store"
 * 10.22.0.2; and "client" 10.99.0.2 behind the uplink up0 10.99.0.1.
 */
#include "dataplane/dataplane.h"
#include "scene/scene.h"

#define WEB_ID "aaaaaaaaaaaa0001"
#define SHOP_ID "bbbbbbbbbbbb0002"
#define STORE_ID "cccccccccccc0003"

/** Makes all of it; fails the test with the library's text. */
void kit_build(struct scene *scene);
/** Claims that a verb's output has this text in it. */
void kit_assert_told(struct scene *scene, const char *text);
void kit_assert_not_told(struct scene *scene, const char *text);
/** The device at the host's end of a container's eth0. */
void kit_host_device(struct scene *scene, const char *id, char ret_device[DEVICE_NAME_MAX]);
