/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wherry cp`: Docker's rules of names, and no way out of a container by its links. */
#include "kit.h"

/* Both kinds of container: one that runs, one that never did. */
static const char *const makers[] = {
	"wherry run -d --name c --network none -v v:/data busybox sleep 1000",
	"wherry create --name c --network none -v v:/data busybox true",
};

static void each_container(void **state, void (*check)(struct scene *scene))
{
	struct scene *scene = *state;
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		done(scene, "rm -rf $D/h && mkdir -p $D/h/dir/sub && echo one >$D/h/one && "
			    "echo two >$D/h/dir/two && echo three >$D/h/dir/sub/three && "
			    "ln -s two $D/h/dir/link && chmod 4711 $D/h/one");
		done(scene, makers[i]);
		check(scene);
		done(scene, "wherry rm -f -v c; wherry volume rm v; "
			    "! ls $WHERRY_ROOT/var/lib/wherry/containers/* 2>&- | grep view");
	}
}

#define LIST "wherry cp c:/t - | tar -tf - | sort"

static void check_names(struct scene *scene)
{
	done(scene, "cd $D/h && wherry cp one c:/tmp && wherry cp one c:/tmp/uno && "
		    "wherry cp dir c:/t && wherry cp dir c:/t && wherry cp dir/. c:/t/ && "
		    "wherry cp dir/sub/ c:/t");
	expect(scene, LIST, 0,
	       "t\nt/dir\nt/dir/link\nt/dir/sub\nt/dir/sub/three\nt/dir/two\nt/link\nt/sub\n"
	       "t/sub/three\nt/two\n");
	expect(scene,
	       "wherry cp c:/tmp/one $D/h/back && wherry cp c:/tmp/uno $D/h/dir && "
	       "cat $D/h/back $D/h/dir/uno && wherry cp c:/t $D/h/new && "
	       "wherry cp c:/t $D/h/new && find $D/h/new -type f | sort | sed \"s,$D/h,,\"",
	       0,
	       "one\none\n/new/dir/sub/three\n/new/dir/two\n/new/sub/three\n"
	       "/new/t/dir/sub/three\n/new/t/dir/two\n/new/t/sub/three\n/new/t/two\n/new/two\n");
	expect_error(scene, "wherry cp $D/h/dir c:/tmp/one", 1,
		     "wherry: cp: /tmp/one: is a file, not a directory\n");
	expect_error(scene, "wherry cp $D/h/one c:/nothere/", 1,
		     "wherry: cp: /nothere/: there is no such directory\n");
	expect_error(scene, "wherry cp $D/h/one c:/no/where", 1,
		     "wherry: cp: /no/where: No such file or directory\n");
	expect_error(scene, "wherry cp c:/nothing $D/h", 1,
		     "wherry: cp: /nothing: No such file or directory\n");
	expect_error(scene, "mkdir $D/h/two; wherry cp $D/h/two c:/t/two; wherry cp $D/h/two c:/t",
		     1,
		     "wherry: cp: /t/two: is a file, not a directory\n"
		     "wherry: cp: \"two\": there is a file, which no directory can take the place "
		     "of\n");
}

static void copies_get_the_names_that_docker_gives(void **state)
{
	each_container(state, check_names);
}

static void check_volume(struct scene *scene)
{
	expect(scene,
	       "wherry cp $D/h/one c:/data/ && "
	       "cat $(wherry volume inspect -f '{{.Mountpoint}}' v)/one && "
	       "wherry cp c:/data $D/h/out && cat $D/h/out/one",
	       0, "one\none\n");
}

static void what_is_mounted_is_copied_to_and_from(void **state)
{
	each_container(state, check_volume);
}

static void check_owner(struct scene *scene)
{
	expect(scene,
	       "chown 1000:1000 $D/h/one; chmod 4711 $D/h/one; wherry cp $D/h/one c:/a; "
	       "wherry cp -a $D/h/one c:/b; "
	       "wherry cp c:/b $D/h/c; wherry cp -a c:/b $D/h/d; stat -c '%u %a' $D/h/c $D/h/d; "
	       "wherry cp c:/a - | tar -tvf - --numeric-owner | cut -c1-14",
	       0, "0 711\n1000 4711\n-rws--x--x 0/0\n");
	expect(scene,
	       "touch -d @1000000000 $D/h/dir/sub $D/h/dir/two; wherry cp $D/h/dir c:/times; "
	       "wherry cp c:/times $D/h/t2; stat -c %Y $D/h/t2/sub $D/h/t2/two",
	       0, "1000000000\n1000000000\n");
}

static void owners_are_kept_only_when_asked_for(void **state)
{
	each_container(state, check_owner);
}

static void check_streams(struct scene *scene)
{
	done(scene, "tar -C $D/h -cf - dir | wherry cp - c:/tmp");
	done(scene, "tar -C $D/h -czf - one | wherry cp - c:/tmp");
	expect(scene, "wherry cp c:/tmp - | tar -xOf - tmp/dir/two tmp/one", 0, "two\none\n");
	expect(scene, "wherry cp c:/tmp/. - | tar -tf - | grep -c dir/sub/three", 0, "1\n");
	expect_error(scene, "echo no archive | wherry cp - c:/tmp 2>&1 >&- | grep -c wherry >&2", 0,
		     "1\n");
	expect_error(scene, "wherry cp - c:/none </dev/null", 1,
		     "wherry: cp: /none: No such file or directory\n");
	expect_error(scene, "cd $D/h/dir && tar -Pcf - ../one | wherry cp - c:/tmp", 1,
		     "wherry: cp: entry \"../one\" climbs out with \"..\"\n");
}

static void archives_come_and_go_by_standard_streams(void **state)
{
	each_container(state, check_streams);
}

/* In the container, links lead to places of the host that are watched. */
static void check_hostile(struct scene *scene)
{
	done(scene, "mkdir -p $D/w && echo secret >$D/w/key && "
		    "mkdir -p $D/e && cd $D/e && ln -sfn $D/w out && ln -sfn $D/w/key file && "
		    "ln -sfn ../../../../../../../../..$D/w up && ln -sfn out twice && "
		    "tar -cf - . | wherry cp - c:/tmp");
	static const char *const reads[] = { "out/key", "twice/key", "up/key", "up/.", "out/" };
	for (size_t i = 0; i < ARRAY_SIZE(reads); i++) {
		char line[256];
		snprintf(line, sizeof line,
			 "wherry cp c:/tmp/%s - 2>&- | tar -xOf - 2>&- | grep -c secret", reads[i]);
		expect(scene, line, 1, "0\n");
	}
	expect(scene, "wherry cp -L c:/tmp/file - 2>&- | grep -c secret", 1, "0\n");
	static const char *const writes[] = { "out/new", "twice/new", "up/new", "out",
					      "file",    "up/",       "out/" };
	for (size_t i = 0; i < ARRAY_SIZE(writes); i++) {
		char line[256];
		snprintf(line, sizeof line, "wherry cp $D/h/one c:/tmp/%s 2>&-; :", writes[i]);
		done(scene, line);
	}
	done(scene,
	     "mkdir -p $D/x/out $D/x/up && echo bad >$D/x/out/key && echo bad >$D/x/up/key && "
	     "tar -C $D/x -cf - . | wherry cp - c:/tmp; :");
	expect(scene, "ls $D/w; cat $D/w/key", 0, "key\nsecret\n");
}

static void links_in_a_container_lead_nowhere_on_the_host(void **state)
{
	each_container(state, check_hostile);
}

/* The first copy leaves a link on the host; the second has a directory of that name. */
static void check_second_copy(struct scene *scene)
{
	done(scene,
	     "mkdir -p $D/w2 $D/s1/d $D/s2/d/out && ln -sfn $D/w2 $D/s1/d/out && "
	     "echo bad >$D/s2/d/out/f && wherry cp $D/s1/d c:/d && wherry cp c:/d $D/h/got && "
	     "[ -L $D/h/got/out ] && wherry cp $D/s2/d c:/e");
	expect_error(scene, "wherry cp c:/e/. $D/h/got", 1,
		     "wherry: cp: \"out\": there is a file, which no directory can take the place "
		     "of\n");
	expect(scene, "ls $D/w2", 0, "");
}

static void a_link_left_on_the_host_is_not_followed_later(void **state)
{
	each_container(state, check_second_copy);
}

static void a_root_that_is_read_only_stays_so(void **state)
{
	struct scene *scene = *state;
	static const char *const ro[] = { "run -d", "create" };
	for (size_t i = 0; i < ARRAY_SIZE(ro); i++) {
		char line[256];
		snprintf(line, sizeof line,
			 "wherry %s --name c --read-only -v v:/data --network none busybox sleep "
			 "100",
			 ro[i]);
		done(scene, line);
		expect_error(scene, "echo x >$D/x1; wherry cp $D/x1 c:/tmp", 1,
			     "wherry: cp: \"x1\": Read-only file system\n");
		if (i == 0)
			done(scene, "wherry cp $D/x1 c:/data");
		done(scene, "wherry rm -f c");
	}
}

static void what_cannot_be_copied_is_named(void **state)
{
	static const struct {
		const char *line, *error;
	} rows[] = {
		{ "cp a b", "a and b: one of them must be CONTAINER:PATH" },
		{ "cp a:/x b:/y", "a:/x and b:/y: one of them must be a path of the host" },
		{ "cp :/x b", ":/x: a container's name is missing before the colon" },
		{ "cp ghost:/x b", "no such container: ghost" },
		{ "cp c: b", "a path is empty" },
		{ "cp c:/etc/passwd/x b", "/etc/passwd/x: Not a directory" },
		{ "cp c:/etc/passwd/ b", "/etc/passwd/: Not a directory" },
	};
	struct scene *scene = *state;
	done(scene, "wherry create --name c --network none busybox true");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[256], error[256];
		snprintf(line, sizeof line, "wherry %s", rows[i].line);
		snprintf(error, sizeof error, "wherry: cp: %s\n", rows[i].error);
		expect_error(scene, line, 1, error);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE(copies_get_the_names_that_docker_gives),
		ENGINE(what_is_mounted_is_copied_to_and_from),
		ENGINE(owners_are_kept_only_when_asked_for),
		ENGINE(archives_come_and_go_by_standard_streams),
		ENGINE(links_in_a_container_lead_nowhere_on_the_host),
		ENGINE(a_link_left_on_the_host_is_not_followed_later),
		ENGINE(a_root_that_is_read_only_stays_so),
		ENGINE(what_cannot_be_copied_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
