/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disk that is full at each place that is written to: one line, and nothing is left. */
#include "kit.h"

#define LIB "$WHERRY_ROOT/var/lib/wherry"

/* A line of `wherry` on a full disk. */
static void refused(struct scene *scene, const char *line, int status)
{
	int got = shell(scene, line);
	const char *errors = scene_errors(scene), *end = strchr(errors, '\n');
	if (got != status || !end || end[1] || !strstr(errors, "No space left on device"))
		fail_msg("%s: status %d: %s", line, got, errors);
}

static void a_full_state_store_refuses_networks_and_containers(void **state)
{
	static const struct {
		const char *verb;
		int status;
	} rows[] = {
		{ "network create more", 1 },
		{ "run -d busybox sleep 100", 125 },
		{ "run --rm busybox true", 125 },
	};
	struct scene *scene = *state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[512];
		snprintf(line, sizeof line,
			 "mkdir -p $WHERRY_ROOT/run && mount -t tmpfs -o size=%dk tmpfs "
			 "$WHERRY_ROOT/run && wherry %s; S=$?; umount $WHERRY_ROOT/run; exit $S",
			 i == 0 ? 16 : 64, rows[i].verb);
		refused(scene, line, rows[i].status);
		expect(scene, "wherry ps -aq", 0, "");
	}
}

static void a_full_disk_refuses_containers_and_builds(void **state)
{
	static const struct {
		const char *verb;
		int status;
	} rows[] = {
		{ "create --network none busybox", 1 },
		{ "run --network none busybox true", 125 },
		{ "create --network none -v v:/etc busybox", 1 },
		{ "build -q $D/c", 1 },
	};
	struct scene *scene = *state;
	done(scene, "mkdir $D/c && printf 'FROM busybox\\nRUN true >/f\\n' >$D/c/Dockerfile");
	done(scene, "mkdir $D/small && mount -t tmpfs -o size=12m tmpfs $D/small && cp -a " LIB
		    "/. $D/small && mount --bind $D/small " LIB);
	done(scene, "wherry run --rm --network none busybox true");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[512];
		snprintf(line, sizeof line,
			 "dd if=/dev/zero of=" LIB "/filler bs=4k 2>/dev/null; wherry %s; S=$?; "
			 "rm " LIB "/filler; exit $S",
			 rows[i].verb);
		refused(scene, line, rows[i].status);
		expect(scene, "wherry ps -aq; ls " LIB "/containers", 0, "");
	}
	done(scene, "wherry run --rm --network none busybox true");
	done(scene, "umount " LIB "; umount $D/small");
}

static void a_full_disk_under_the_log_does_not_stop_the_container(void **state)
{
	struct scene *scene = *state;
	done(scene, "mkdir $D/small && mount -t tmpfs -o size=12m tmpfs $D/small && cp -a " LIB
		    "/. $D/small && mount --bind $D/small " LIB);
	expect(scene,
	       "{ until wherry ps -q | grep -q .; do :; done; "
	       "dd if=/dev/zero of=" LIB "/filler bs=4k 2>/dev/null; echo go; } | "
	       "wherry run -i --name c --network none busybox "
	       "sh -c 'read go; seq 100000; exit 7' 2>$D/errors | tail -n 1",
	       0, "100000\n");
	done(scene, "rm " LIB "/filler");
	expect(scene, "wherry ps -a --format '{{.Status}}' | cut -d' ' -f1,2", 0, "Exited (7)\n");
	done(scene, "wherry logs c && wherry rm c");
	done(scene, "umount " LIB "; umount $D/small");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE(a_full_state_store_refuses_networks_and_containers),
		ENGINE(a_full_disk_refuses_containers_and_builds),
		ENGINE(a_full_disk_under_the_log_does_not_stop_the_container),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
