/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A container's life: started, stopped, restarted, killed, and whose processes die when. */
#include "kit.h"

static void a_stopped_container_starts_again_with_its_files(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry run -d --name c --init --network none busybox sh -c "
		    "'echo life >>/lives; sleep 100'");
	done(scene, "wherry stop c");
	expect(scene, "wherry ps -a --format '{{.Names}} {{.State}}'", 0, "c exited\n");
	expect(scene, "wherry inspect -f '{{.State.ExitCode}}' c", 0, "143\n");
	done(scene, "wherry start c");
	expect(scene, "wherry exec c cat /lives", 0, "life\nlife\n");
	expect_error(scene, "wherry rm c", 1,
		     "wherry: rm: container c is running: stop it first, or remove it with "
		     "--force\n");
}

static void a_failing_container_restarts_as_often_as_asked(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry run -d --name r --restart on-failure:2 busybox sh -c "
		    "'ip -4 -o addr show eth0 | grep -o 172.17.0.[0-9]*/16; exit 3'");
	expect(scene, "wherry wait r", 0, "3\n");
	/* Each life is in the network again, with the address of the first. */
	expect(scene, "wherry logs r", 0, "172.17.0.2/16\n172.17.0.2/16\n172.17.0.2/16\n");
}

static void a_stopped_container_is_not_restarted(void **state)
{
	struct scene *scene = *state;
	done(scene,
	     "wherry run -d --name r --init --network none --restart always busybox sleep 100");
	done(scene, "wherry stop r");
	expect(scene, "wherry ps -a --format '{{.State}}'", 0, "exited\n");
}

static void a_killed_cli_leaves_its_container_and_its_end_clears_up(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry run --rm --name k -p 8080:80 busybox sleep 3 & "
		    "until wherry ps -q | grep -q .; do :; done; kill -9 $!; wait $! || true");
	expect(scene, "wherry ps --format '{{.Names}}'", 0, "k\n");
	expect(scene, "wherry wait k", 0, "0\n");
	expect(scene, "wherry ps -aq", 0, "");
	expect(scene, "wherry ports -o json", 0, "[]\n");
}

static void a_killed_monitor_is_found_out_by_the_next_verb(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry run -d --name c -p 8080:80 busybox sleep 100");
	done(scene, "kill -9 $(wherry inspect -f '{{.State.MonitorPid}}' c)");
	expect(scene, "wherry ps -a --format '{{.Names}} {{.State}}'", 0, "c exited\n");
	expect(scene, "wherry ports -o json", 0, "[]\n");
	done(scene, "wherry start c && wherry exec c true");
}

static void a_monitor_killed_in_front_of_its_verb_leaves_nothing(void **state)
{
	struct scene *scene = *state;
	assert_int_equal(shell(scene,
			       "wherry run --rm --name k -p 8080:80 busybox sleep 100 & "
			       "until wherry ps -q | grep -q .; do :; done; "
			       "kill -9 $(wherry inspect -f '{{.State.MonitorPid}}' k); wait $!"),
			 125);
	expect(scene, "wherry ps -aq", 0, "");
	expect(scene, "wherry ports -o json", 0, "[]\n");
}

static void a_killed_monitor_of_a_container_with_rm_leaves_nothing(void **state)
{
	static const struct {
		const char *verb, *output;
	} rows[] = {
		{ "ps -aq", "" },
		{ "rm -f k", "k\n" },
		{ "exec k true", "wherry: exec: no such container: k\n" },
	};
	struct scene *scene = *state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[512];
		done(scene, "wherry run -d --rm --name k -p 8080:80 busybox sleep 100");
		snprintf(line, sizeof line,
			 "M=$(wherry inspect -f '{{.State.MonitorPid}}' k); kill -9 $M; "
			 "wherry %s 2>&1 | sed '/the monitor of container k was killed/d'",
			 rows[i].verb);
		expect(scene, line, 0, rows[i].output);
		expect(scene, "wherry ps -aq", 0, "");
		expect(scene, "wherry ports -o json", 0, "[]\n");
	}
}

static void many_at_once_get_names_and_addresses_of_their_own(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry run --rm busybox true");
	expect(scene,
	       "for i in 1 2 3 4 5 6 7 8; do wherry run --rm busybox ip -4 -o addr show eth0 & "
	       "done | "
	       "grep -o '172[0-9.]*/16' | sort -u | wc -l",
	       0, "8\n");
	done(scene, "for i in 1 2 3 4; do wherry create --name same --network none busybox "
		    ">/dev/null 2>&1 & done; wait");
	expect(scene, "wherry ps -a --format '{{.Names}}'", 0, "same\n");
}

static void a_boot_leaves_no_directory_of_a_container_with_rm(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry create --name kept --network none busybox && "
		    "wherry create --rm --name lost --network none busybox");
	done(scene, "rm $WHERRY_ROOT/run/wherry/containers.mdb*; cd $WHERRY_ROOT/var/lib/wherry/"
		    "containers && touch -d 2000-01-01 *");
	expect(scene, "wherry ps -a --format '{{.Names}}'", 0, "kept\n");
	expect(scene, "ls $WHERRY_ROOT/var/lib/wherry/containers | wc -l", 0, "1\n");
}

static void logs_follow_to_the_end(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry run -d --name l --network none busybox sh -c "
		    "'for i in 1 2 3; do echo line $i; sleep 0.1; done; printf rest'");
	expect(scene, "wherry logs -f l", 0, "line 1\nline 2\nline 3\nrest");
	expect(scene, "wherry logs --tail 2 l", 0, "line 3\nrest");
}

static void logs_of_a_loud_container_are_whole_and_limited(void **state)
{
	struct scene *scene = *state;
	expect(scene,
	       "wherry run --rm --network none --log-opt max-size=100k --log-opt max-file=2 "
	       "busybox sh -c 'seq 100000' | tail -1",
	       0, "100000\n");
	done(scene, "wherry run -d --name l --network none --log-opt max-size=100k --log-opt "
		    "max-file=2 busybox seq 100000 && wherry wait l");
	expect(scene, "wherry logs l | tail -1", 0, "100000\n");
	expect(scene,
	       "du -cb $WHERRY_ROOT/var/lib/wherry/containers/*/log* | awk 'END{print $1 <= "
	       "204800}'",
	       0, "1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE(a_stopped_container_starts_again_with_its_files),
		ENGINE(a_failing_container_restarts_as_often_as_asked),
		ENGINE(a_stopped_container_is_not_restarted),
		ENGINE(a_killed_cli_leaves_its_container_and_its_end_clears_up),
		ENGINE(a_killed_monitor_is_found_out_by_the_next_verb),
		ENGINE(a_monitor_killed_in_front_of_its_verb_leaves_nothing),
		ENGINE(a_killed_monitor_of_a_container_with_rm_leaves_nothing),
		ENGINE(many_at_once_get_names_and_addresses_of_their_own),
		ENGINE(a_boot_leaves_no_directory_of_a_container_with_rm),
		ENGINE(logs_follow_to_the_end),
		ENGINE(logs_of_a_loud_container_are_whole_and_limited),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
