/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kit.h"

#include <stdio.h>
#include <stdlib.h>

int engine_set_up(void **state)
{
	int r = scene_set_up(state);
	struct scene *scene = *state;
	if (r != 0)
		return r;
	scene_host(scene, "other");
	scene_link(scene, "other", "eth0", "192.0.2.2/24", "node", "up0", "192.0.2.1/24");
	scene_route(scene, "node", "0.0.0.0/0", "192.0.2.2");
	done(scene, "\"$WHERRY_SOURCE\"/tests/tools/busybox-image $D/busybox.tar && "
		    "wherry load -q -i $D/busybox.tar");
	return 0;
}

int engine_tear_down(void **state)
{
	struct scene *scene = *state;
	(void)shell(scene,
		    "wherry ps -aq | xargs -r wherry rm -fv; wherry network ls -q | xargs -r "
		    "wherry network rm; kill $(cat $WHERRY_ROOT/run/wherry/wherryd.pid)");
	/* What stays on purpose goes here; a directory of a container is not part of that. */
	(void)shell(scene,
		    "cd $WHERRY_ROOT/var/lib/wherry && rm -rf blobs layers work volumes images.* "
		    "engine.mdb* && rmdir containers; rm -f $WHERRY_ROOT/run/wherry/names.lock "
		    "$WHERRY_ROOT/run/wherry/containers.mdb*");
	return scene_tear_down(state);
}

int shell(struct scene *scene, const char *line)
{
	char script[8192];
	snprintf(script, sizeof script, "D='%s'; PATH=\"$WHERRY_BIN:$PATH\"; %s",
		 scene_folder(scene), line);
	return scene_run(scene, NULL, "/bin/sh", "-c", script, NULL);
}

const char *done(struct scene *scene, const char *line)
{
	int status = shell(scene, line);
	if (status != 0)
		fail_msg("%s: status %d: %s%s", line, status, scene_output(scene),
			 scene_errors(scene));
	return scene_output(scene);
}

void settle_links(struct scene *scene)
{
	done(scene, "timeout 10 sh -c 'while grep -Eq \"wh[0-9a-f]+_\" /proc/net/dev; do :; done'");
}

static void compare(struct scene *scene, const char *line, int status, int wanted_status,
		    const char *output, const char *errors)
{
	if (status == wanted_status && strcmp(scene_output(scene), output) == 0 &&
	    strcmp(scene_errors(scene), errors) == 0)
		return;
	fail_msg("%s: status %d, output \"%s\", errors \"%s\"", line, status, scene_output(scene),
		 scene_errors(scene));
}

void expect(struct scene *scene, const char *line, int status, const char *output)
{
	compare(scene, line, shell(scene, line), status, output, "");
}

void expect_error(struct scene *scene, const char *line, int status, const char *errors)
{
	compare(scene, line, shell(scene, line), status, "", errors);
}
