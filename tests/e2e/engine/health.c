/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Health checks of flags and Dockerfiles: who is healthy, and who hears of it. */
#include "kit.h"

#define UNTIL(status) \
	"timeout 30 sh -c 'until wherry ps -f health=" status " -q | grep -q .; do :; done'"

static void a_check_tells_who_is_healthy(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry run -d --name c --health-cmd 'test -e /good && echo fine' "
		    "--health-interval 100ms --health-retries 2 --network none busybox sleep 1000");
	done(scene,
	     "wherry ps --format '{{.Status}}' | grep -Eq '\\((health: starting|unhealthy)\\)$'");
	done(scene, UNTIL("unhealthy"));
	done(scene, "wherry exec c touch /good && " UNTIL("healthy"));
	done(scene, "wherry ps --format '{{.Status}}' | grep -q '(healthy)$'");
	expect(scene,
	       "wherry inspect -f '{{.State.Health.Status}} {{.State.Health.FailingStreak}} "
	       "{{json .Config.Healthcheck.Test}}' c",
	       0, "healthy 0 [\"CMD-SHELL\",\"test -e /good && echo fine\"]\n");
	expect(scene, "wherry events --since 1h --until 0s --format '{{.Action}}' | grep health", 0,
	       "health_status: unhealthy\nhealth_status: healthy\n");
	expect(scene, "wherry stop -t 0 c; wherry ps -a --format '{{.Status}}' | grep -c health", 1,
	       "c\n0\n");
}

static void a_check_that_hangs_has_failed(void **state)
{
	struct scene *scene = *state;
	done(scene,
	     "wherry run -d --name c --health-cmd 'sleep 1000' --health-interval 100ms "
	     "--health-timeout 100ms --health-retries 1 --network none busybox sleep 1000; " UNTIL(
		     "unhealthy"));
	done(scene, "wherry inspect -f '{{(index .State.Health.Log 0).Output}}' c | grep -q 'over "
		    "100 ms'");
	done(scene, "wherry rm -f c");
}

static void a_dockerfile_brings_its_check(void **state)
{
	struct scene *scene = *state;
	done(scene,
	     "printf 'FROM busybox\\nHEALTHCHECK --interval=100ms --retries=1 CMD false\\n"
	     "CMD [\"sleep\", \"1000\"]\\n' >$D/Dockerfile && wherry build -q -t checked $D && "
	     "wherry run -d --name c --network none checked && " UNTIL("unhealthy"));
	done(scene, "wherry run -d --name d --health-cmd true --network none checked && " UNTIL(
			    "healthy"));
	expect(scene,
	       "wherry run -d --name e --no-healthcheck --network none checked >/dev/null; "
	       "wherry ps -f health=none --format '{{.Names}} {{.Health}}'",
	       0, "e none\n");
}

static void failures_at_the_start_do_not_count(void **state)
{
	struct scene *scene = *state;
	done(scene,
	     "wherry run -d --name c --health-cmd false --health-interval 50ms "
	     "--health-retries 1 --health-start-period 1h --network none busybox sleep 1000; "
	     "timeout 30 sh -c 'until [ $(wherry inspect -f \"{{len .State.Health.Log}}\" c) = 5 "
	     "]; "
	     "do :; done'");
	expect(scene,
	       "wherry inspect -f '{{.State.Health.Status}} {{.State.Health.FailingStreak}}' c", 0,
	       "starting 0\n");
}

static void wrong_flags_are_named(void **state)
{
	static const struct {
		const char *flags, *error;
	} rows[] = {
		{ "--health-cmd true --health-interval often",
		  "--health-interval often: must be a time such as 30s" },
		{ "--health-cmd true --no-healthcheck",
		  "--no-healthcheck and --health-…: only one of them" },
		{ "--health-interval 1s",
		  "--health-…: the image has no HEALTHCHECK: --health-cmd is needed" },
	};
	struct scene *scene = *state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[256], error[256];
		snprintf(line, sizeof line, "wherry create %s busybox true", rows[i].flags);
		snprintf(error, sizeof error, "wherry: create: %s\n", rows[i].error);
		expect_error(scene, line, 1, error);
	}
	expect(scene, "wherry ps -aq", 0, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE(a_check_tells_who_is_healthy),  ENGINE(a_check_that_hangs_has_failed),
		ENGINE(a_dockerfile_brings_its_check), ENGINE(failures_at_the_start_do_not_count),
		ENGINE(wrong_flags_are_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
