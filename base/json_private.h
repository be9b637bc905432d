/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * Jansson beside our own names. Its macros are taken away again where they
 * would hide the functions of base/json.h.
 */
#include "base/json.h"

#include <jansson.h>

#undef json_is_object
#undef json_is_array
#undef json_is_string
#undef JSON_COMPACT

#define JANSSON_COMPACT 0x20 /* what jansson calls JSON_COMPACT */
