/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/*
 * A fuzz target is this one function. Under the preset `fuzz` libFuzzer calls it;
 * elsewhere replay.c calls it for each file of the corpus.
 */
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
