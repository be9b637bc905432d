/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `wherry commit`: a container becomes an image that `run` takes. */
#include "kit.h"

static void a_container_becomes_an_image_that_runs(void **state)
{
	static const char *const makers[] = { "run -d", "create" };
	struct scene *scene = *state;
	for (size_t i = 0; i < ARRAY_SIZE(makers); i++) {
		char line[512];
		snprintf(
			line, sizeof line,
			"wherry %s --name c --network none -e A=1 -l l=m -w /tmp -u app -v v:/data "
			"busybox sleep 1000",
			makers[i]);
		done(scene, line);
		done(scene,
		     "echo new >$D/f && wherry cp $D/f c:/etc/new && wherry cp $D/f c:/data");
		if (i == 0)
			done(scene, "wherry exec -u 0 c sh -c 'rm /etc/group; rm -r /var/www; "
				    "mkdir /var/www; echo x >/var/www/x; ln /etc/new /etc/newer'");
		done(scene, "wherry commit -a me -m why -c 'ENV B=2' -c 'CMD [\"env\"]' "
			    "-c 'EXPOSE 80' c kept:v1 | grep -Eqx 'sha256:[0-9a-f]{64}'");
		expect(scene,
		       "wherry run --rm --network none kept:v1 | grep -E '^[AB]='; "
		       "wherry run --rm --network none kept:v1 sh -c 'id -un; pwd; cat /etc/new'",
		       0, "A=1\nB=2\napp\n/tmp\nnew\n");
		if (i == 0)
			expect(scene,
			       "wherry run --rm kept:v1 sh -c 'ls /etc/group /var/www 2>&1; ls "
			       "/data'",
			       0, "ls: /etc/group: No such file or directory\n/var/www:\nx\n");
		expect(scene, "wherry ps -a --format '{{.State}}' | head -1", 0,
		       i ? "created\n" : "running\n");
		done(scene, "wherry rm -f -v c && wherry volume rm v && wherry rmi kept:v1");
	}
	expect(scene, "wherry images -q | wc -l; ls $WHERRY_ROOT/var/lib/wherry/layers | wc -l", 0,
	       "1\n1\n");
}

static void a_commit_of_a_commit_has_all(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry run --name a --network none busybox sh -c 'echo 1 >/one' && "
		    "wherry commit a one && "
		    "wherry run --name b --network none one sh -c 'echo 2 >/two' && "
		    "wherry commit b two:b");
	expect(scene, "wherry run --rm --network none two:b cat /one /two", 0, "1\n2\n");
}

static void what_cannot_be_committed_leaves_no_image(void **state)
{
	static const struct {
		const char *words, *error;
	} rows[] = {
		{ "ghost", "no such container: ghost" },
		{ "c Bad/../Name", NULL },
		{ "-c 'FLY away' c", NULL },
		{ "-c 'RUN true' c", "--change \"RUN true\": RUN is none of CMD, ENTRYPOINT, ENV, "
				     "EXPOSE, LABEL, USER, VOLUME, WORKDIR, STOPSIGNAL, "
				     "HEALTHCHECK" },
		{ "-c 'EXPOSE many' c", "--change \"EXPOSE many\": \"many\" is not "
					"PORT[-PORT][/tcp|udp|sctp]" },
	};
	struct scene *scene = *state;
	done(scene, "wherry create --name c --network none busybox true");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[256], error[512];
		snprintf(line, sizeof line, "wherry commit %s", rows[i].words);
		snprintf(error, sizeof error, "wherry: commit: %s\n",
			 rows[i].error ? rows[i].error : "");
		if (rows[i].error)
			expect_error(scene, line, 1, error);
		else
			assert_int_equal(shell(scene, line), 1);
	}
	expect(scene, "wherry images -q | wc -l; ls $WHERRY_ROOT/var/lib/wherry/layers | wc -l", 0,
	       "1\n1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE(a_container_becomes_an_image_that_runs),
		ENGINE(a_commit_of_a_commit_has_all),
		ENGINE(what_cannot_be_committed_leaves_no_image),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
