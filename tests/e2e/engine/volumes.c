/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a volume holds at its first mount, and what it keeps. */
#include "kit.h"

#define VOLUMES "$WHERRY_ROOT/var/lib/wherry/volumes"
#define LIST "sh -c 'cd /data; stat -c \"%n %a %u:%g\" . *; cat f; readlink l'"
#define LISTED ". 1770 1000:1000\nf 640 12:34\nl 777 0:0\ntext\nf\n"

static void make_image(struct scene *scene)
{
	done(scene, "mkdir -p $D/c && printf 'FROM busybox\\nRUN mkdir /data && cd /data && "
		    "echo text >f && chmod 640 f && chown 12:34 f && ln -s f l && "
		    "chown 1000:1000 . && chmod 1770 .\\n' >$D/c/Dockerfile && "
		    "wherry build -q -t full $D/c");
}

static void a_new_volume_has_the_images_content(void **state)
{
	struct scene *scene = *state;
	make_image(scene);
	expect(scene, "wherry run --rm --network none -v v:/data full " LIST, 0, LISTED);
	expect(scene, "wherry run --rm --network none -v /data full " LIST, 0, LISTED);
	expect(scene, "wherry run --rm --network none -v v:/data:ro busybox " LIST, 0, LISTED);
	expect(scene, "wherry run --rm --network none -v n:/data:nocopy full ls /data", 0, "");
	expect(scene, "wherry run --rm --network none -v w:/missing full ls /missing", 0, "");
	expect(scene, "ls " VOLUMES, 0, "n\nv\nw\n");
}

static void a_volume_with_content_keeps_it(void **state)
{
	struct scene *scene = *state;
	make_image(scene);
	done(scene, "wherry run --rm --network none -v v:/data busybox touch /data/own");
	expect(scene, "wherry run --rm --network none -v v:/data full ls /data", 0, "own\n");
}

static void a_volume_that_a_crash_left_half_filled_is_filled_anew(void **state)
{
	struct scene *scene = *state;
	make_image(scene);
	done(scene, "wherry run --rm --network none -v v:/data full true && cd " VOLUMES "/v && "
		    "echo cut >_data/f && touch _data/rest filling");
	expect(scene, "wherry run --rm --network none -v v:/data full " LIST, 0, LISTED);
	expect(scene, "ls " VOLUMES "/v", 0, "_data\nlock\n");
}

static void volumes_are_made_listed_shown_and_removed(void **state)
{
	struct scene *scene = *state;
	expect(scene, "wherry volume create --label app=shop v", 0, "v\n");
	expect(scene, "wherry volume create v", 0, "v\n");
	done(scene, "wherry create --name c --network none -v v:/data -v /made busybox && "
		    "wherry volume create");
	expect(scene, "wherry volume ls -q | wc -l", 0, "3\n");
	expect(scene, "wherry volume ls -f label=app=shop", 0,
	       "DRIVER   VOLUME NAME\nlocal    v\n");
	expect(scene, "wherry volume ls -qf dangling=true | wc -l", 0, "1\n");
	expect(scene, "wherry volume inspect -f '{{.Name}} {{.Labels.app}}' v", 0, "v shop\n");
	expect_error(scene, "wherry volume rm v", 1,
		     "wherry: volume rm: volume v: container c has it: remove that first\n");
	done(scene, "wherry volume prune -f && wherry rm c");
	expect(scene, "wherry volume ls -q | wc -l", 0, "2\n");
	done(scene, "wherry volume prune -f --all");
	expect(scene, "wherry volume ls -q", 0, "");
	expect_error(scene, "wherry volume rm v", 1, "wherry: volume rm: no such volume: v\n");
	expect_error(scene, "wherry volume create ../x", 1,
		     "wherry: volume create: volume name ../x: is not of "
		     "[a-zA-Z0-9][a-zA-Z0-9_.-]*\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE(a_new_volume_has_the_images_content),
		ENGINE(a_volume_with_content_keeps_it),
		ENGINE(a_volume_that_a_crash_left_half_filled_is_filled_anew),
		ENGINE(volumes_are_made_listed_shown_and_removed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
