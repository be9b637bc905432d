/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "alias.h"

#include "base/cleanup.h"

const struct verb_alias verb_aliases[] = {
	{ "container attach", "attach" },   { "container commit", "commit" },
	{ "container cp", "cp" },           { "container create", "create" },
	{ "container diff", "diff" },       { "container exec", "exec" },
	{ "container export", "export" },   { "container inspect", "inspect" },
	{ "container kill", "kill" },       { "container logs", "logs" },
	{ "container pause", "pause" },     { "container port", "port" },
	{ "container rename", "rename" },   { "container restart", "restart" },
	{ "container rm", "rm" },           { "container run", "run" },
	{ "container start", "start" },     { "container stats", "stats" },
	{ "container stop", "stop" },       { "container top", "top" },
	{ "container unpause", "unpause" }, { "container update", "update" },
	{ "container wait", "wait" },       { "container ls", "ps" },
	{ "container list", "ps" },         { "container ps", "ps" },
	{ "container remove", "rm" },       { "image ls", "images" },
	{ "image list", "images" },         { "image rm", "rmi" },
	{ "image remove", "rmi" },          { "image build", "build" },
	{ "image load", "load" },           { "image tag", "tag" },
	{ "image save", "save" },           { "image history", "history" },
	{ "image import", "import" },       { "builder build", "build" },
	{ "network list", "network ls" },   { "network remove", "network rm" },
	{ "volume list", "volume ls" },     { "volume remove", "volume rm" },
	{ "system info", "info" },          { "system events", "events" },
};
const size_t verb_alias_count = ARRAY_SIZE(verb_aliases);
