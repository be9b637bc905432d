/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once
/* An image as `inspect` shows it. */
#include "each.h"

/** A show_word: keys Id, RepoTags, Created, Config, Architecture, Os, Size, RootFS. */
show_word image_show;
