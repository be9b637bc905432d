/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images that leave and come back: save and load, export and import; and what is told of them. */
#include "kit.h"

#define BUILD                                                                              \
	"printf 'FROM busybox\\nRUN echo 1 >/one\\nENV A=b\\nCMD [\"cat\", \"/one\"]\\n' " \
	">$D/Dockerfile && wherry build -q --network none -t made:1 $D && "

static void a_saved_image_is_the_same_when_it_comes_back(void **state)
{
	static const char *const ways[] = {
		"wherry load -q -i $D/a.tar", "wherry load -q <$D/a.tar",
		("mkdir $D/l && tar -xf $D/a.tar -C $D/l && rm $D/l/manifest.json && "
		 "tar -C $D/l -cf $D/b.tar . && wherry load -q -i $D/b.tar")
	};
	struct scene *scene = *state;
	done(scene,
	     BUILD "wherry save -o $D/a.tar made:1 busybox && wherry save made:1 | tar -tf - | "
		   "grep -qx manifest.json");
	done(scene, "wherry images --no-trunc -q made >$D/id");
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		done(scene, "wherry rmi made:1 busybox");
		done(scene, ways[i]);
		expect(scene, "wherry images --no-trunc -q | grep -c -f $D/id", 0, "1\n");
		if (i < 2)
			expect(scene,
			       "wherry run --rm --network none made:1; wherry images made -q | wc "
			       "-l",
			       0, "1\n1\n");
		else
			done(scene,
			     "wherry tag $(cat $D/id) made:1; wherry tag busybox:x busybox; :");
	}
	expect_error(scene, "wherry save -o $D/no.tar ghost; ls $D/no.tar 2>&-", 2,
		     "wherry: save: no image ghost\n");
}

static void an_exported_root_is_an_image_again(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry run --name c --network none busybox sh -c 'echo hello >/hello' && "
		    "wherry export c | gzip | wherry import -m why -c 'CMD [\"cat\", \"/hello\"]' "
		    "- flat:1");
	expect(scene,
	       "wherry run --rm --network none flat:1; "
	       "wherry image inspect -f '{{len .RootFS.Layers}} {{.Comment}}' flat:1",
	       0, "hello\n1 why\n");
	expect_error(scene,
		     "echo no >$D/x; wherry import $D/x 2>&1 >&- | grep -c '^wherry: import: ' >&2",
		     0, "1\n");
	expect_error(scene, "wherry import /nothere", 1,
		     "wherry: import: /nothere: No such file or directory\n");
}

static void history_and_inspect_tell_of_an_image(void **state)
{
	struct scene *scene = *state;
	done(scene, BUILD ":");
	expect(scene,
	       "wherry history --format '{{.CreatedBy}}' made:1 | head -3; "
	       "wherry history made:1 | head -1 | tr -s ' '",
	       0,
	       "CMD [\"cat\", \"/one\"]\nENV A=b\nRUN echo 1 >/one\n"
	       "IMAGE CREATED CREATED BY SIZE COMMENT\n");
	expect(scene,
	       "wherry history -q made:1 | sort -u | wc -l; "
	       "wherry image inspect -f '{{join .Config.Cmd \" \"}} {{.RepoTags}} {{.Os}}' made:1; "
	       "wherry inspect --type image -f '{{index .Config.Env 1}}' made:1",
	       0, "2\ncat /one [made:1] linux\nA=b\n");
	expect_error(scene, "wherry history ghost", 1, "wherry: history: no image ghost\n");
	expect_error(scene, "wherry image inspect ghost", 1,
		     "wherry: image inspect: no image ghost\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE(a_saved_image_is_the_same_when_it_comes_back),
		ENGINE(an_exported_root_is_an_image_again),
		ENGINE(history_and_inspect_tell_of_an_image),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
