/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wherry events`: each verb leaves its line, and followers hear it. */
#include "kit.h"

#define PAST "wherry events --since 1h --until 0s "
#define SHORT "--format '{{.Type}} {{.Action}} {{.Actor.Attributes.name}}' "

static void each_verb_leaves_its_event(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry network create n && wherry volume create v && "
		    "wherry run -d --name c --network n -l k=1 busybox sleep 1000 && "
		    "wherry pause c && wherry unpause c && wherry exec c true && "
		    "wherry rename c d && wherry cp d:/etc/passwd $D/x && wherry commit d i && "
		    "wherry network disconnect n d && wherry stop -t 0 d && wherry rm d && "
		    "wherry network rm n && wherry volume rm v && wherry rmi i");
	expect(scene, PAST SHORT "-f type=container", 0,
	       "container create c\ncontainer start c\ncontainer pause c\ncontainer unpause c\n"
	       "container exec_start c\ncontainer exec_die c\ncontainer rename d\n"
	       "container archive-path d\ncontainer pause d\ncontainer unpause d\n"
	       "container commit d\ncontainer kill d\ncontainer die d\n"
	       "container stop d\ncontainer destroy d\n");
	expect(scene, PAST "-f type=network -f type=volume --format '{{.Type}} {{.Action}}'", 0,
	       "network create\nvolume create\nnetwork disconnect\nnetwork destroy\n"
	       "volume destroy\n");
	expect(scene, PAST SHORT "-f type=image -f event=untag", 0, "image untag i:latest\n");
	expect(scene, PAST "-f event=die --format '{{.Actor.Attributes.exitCode}}'", 0, "137\n");
	expect(scene, PAST "-f label=k=1 -f event=create --format '{{.from}}'", 0, "busybox\n");
	expect(scene, PAST "-f label=k=2", 0, "");
	done(scene, PAST "-f container=d | grep -Eqx '[0-9T:.Z-]+ container stop [0-9a-f]{64} "
			 "\\(k=1, image=busybox, name=d\\)'");
	done(scene, PAST "-o json | grep -q '\"Action\":\"create\"'");
	expect(scene, "wherry events --until 2000-01-01", 0, "");
	expect(scene, "wherry events --since 4102444800 --until 0s", 0, "");
}

static void a_follower_hears_what_happens(void **state)
{
	struct scene *scene = *state;
	done(scene, "mkfifo $D/fifo; timeout 60 wherry events -f event=destroy "
		    "--format '{{.Actor.Attributes.name}}' >$D/fifo & exec 3<$D/fifo; "
		    "until grep -q inotify /proc/$!/fdinfo/* 2>&-; do :; done; "
		    "for i in 1 2 3; do wherry run --rm --name c$i --network none busybox true; "
		    "read line <&3; [ \"$line\" = c$i ] || exit 1; done; kill $!");
}

/* Two files of a megabyte, whatever happens; and a follower goes on into the new one. */
static void the_log_is_bounded(void **state)
{
	struct scene *scene = *state;
	done(scene, "E=$WHERRY_ROOT/run/wherry/events; wherry volume create a; "
		    "head -c 1048577 /dev/zero | tr '\\0' '\\n' >>$E/log; wherry volume create b; "
		    "wherry volume create c; [ $(stat -c %s $E/log) -lt 2000 ]; ls $E");
	expect(scene, PAST "-f type=volume --format '{{.Actor.ID}}'", 0, "a\nb\nc\n");
	expect(scene, "wherry volume rm a b c >/dev/null; ls $WHERRY_ROOT/run/wherry/events", 0,
	       "lock\nlog\nlog.1\n");
}

static void wrong_words_are_named(void **state)
{
	struct scene *scene = *state;
	expect_error(scene, "wherry events --since yesterday", 1,
		     "wherry: events: --since yesterday: is neither an age such as 10m nor a time "
		     "such as 2026-01-31T12:00:00Z or 1700000000\n");
	expect_error(scene, "wherry events -f colour=red", 1,
		     "wherry: events: --filter colour=red: known are type=, event=, container=, "
		     "image=, network=, volume=, label=\n");
	expect_error(scene, "wherry events -o xml", 1,
		     "wherry: events: -o xml: is neither text nor json\n");
	expect_error(scene,
		     "wherry volume create a >/dev/null; wherry events --since 1h --until 0s "
		     "--format '{{.Nope}}'; wherry volume rm a >/dev/null",
		     0, "wherry: events: --format: {{.Nope}}: there is no field Nope\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE(each_verb_leaves_its_event),
		ENGINE(a_follower_hears_what_happens),
		ENGINE(the_log_is_bounded),
		ENGINE(wrong_words_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
