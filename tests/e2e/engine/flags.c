/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flags of `run` and `exec` beyond the first ones: what each does inside. */
#include "kit.h"

#define RUN "wherry run --rm --network none "

static void mounts_are_what_they_say(void **state)
{
	struct scene *scene = *state;
	done(scene, "mkdir $D/h && echo host >$D/h/f");
	expect(scene,
	       RUN "--mount type=bind,src=$D/h,dst=/h,readonly busybox sh -c "
		   "'cat /h/f; echo x 2>&- >/h/f || echo no'; "
		   "cd $D && " RUN "--mount type=bind,src=./h,dst=/h busybox cat /h/f",
	       0, "host\nno\nhost\n");
	expect(scene,
	       RUN "--mount source=v,target=/data busybox sh -c 'echo kept >/data/f'; " RUN
		   "--mount type=volume,src=v,dst=/data,ro busybox cat /data/f",
	       0, "kept\n");
	expect(scene,
	       RUN "--mount type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=700 busybox sh -c "
		   "'stat -f -c %T /t; stat -c %a /t; df -k /t | tail -1 | tr -s \" \" | cut -d\" "
		   "\" -f2'",
	       0, "tmpfs\n700\n1024\n");
	done(scene, "wherry create --name a --network none -v v:/data -v /anon busybox true");
	expect(scene,
	       RUN "--volumes-from a busybox sh -c 'cat /data/f; ls -d /anon'; " RUN
		   "--volumes-from a:ro busybox sh -c 'echo x 2>&- >/data/f || echo no'",
	       0, "kept\n/anon\nno\n");
	expect(scene, "wherry volume ls -q | wc -l", 0, "2\n");
}

static void limits_and_devices_are_set(void **state)
{
	struct scene *scene = *state;
	expect(scene,
	       RUN "--ulimit nofile=64:128 --ulimit core=0 busybox sh -c 'ulimit -Sn; ulimit -Hn; "
		   "ulimit -c'",
	       0, "64\n128\n0\n");
	expect(scene,
	       RUN "--device /dev/null:/dev/nothing:rw busybox sh -c "
		   "'echo x >/dev/nothing && [ -c /dev/nothing ] && echo device'",
	       0, "device\n");
	expect(scene,
	       RUN "--cpuset-cpus 0 busybox nproc; " RUN
		   "--oom-score-adj 500 busybox cat /proc/self/oom_score_adj",
	       0, "1\n500\n");
	expect(scene,
	       "wherry run -d --name p --expose 7000 -P busybox sleep 1000 >/dev/null; "
	       "wherry port p | grep -c '^7000/tcp -> '",
	       0, "1\n");
}

static void wrong_values_are_named(void **state)
{
	static const struct {
		const char *flags, *error;
	} rows[] = {
		{ "--mount type=bind,src=/nowhere,dst=/x",
		  "--mount type=bind,src=/nowhere,dst=/x: source: "
		  "No such file or directory" },
		{ "--volumes-from ghost", "--volumes-from: no such container: ghost" },
		{ "--ulimit nofile", "--ulimit nofile: the form is NAME=SOFT[:HARD]" },
		{ "--ulimit colour=1", "--ulimit colour=1: there is no such limit" },
		{ "--ulimit nofile=9:1",
		  "--ulimit nofile=9:1: the soft limit is over the hard one" },
		{ "--device /etc/passwd", "--device /etc/passwd: is no device" },
		{ "--device dev", "--device dev: the form is /DEVICE[:/DEVICE_INSIDE[:rwm]]" },
		{ "--cpuset-cpus many", "--cpuset-cpus many: the form is 0-3,5" },
		{ "--cpus 1 --cpu-quota 5000",
		  "--cpus and --cpu-quota, --cpu-period: only one way" },
		{ "--cpu-shares 1", "--cpu-shares 1: is not in 2 to 262144" },
		{ "--oom-score-adj 5000", "--oom-score-adj 5000: is not in -1000 to 1000" },
		{ "--expose 80:80", "--expose 80:80: the form is PORT[-PORT][/tcp|udp|sctp]" },
		{ "--log-driver syslog", "--log-driver syslog: only json-file is there" },
	};
	static const char *const mounts[] = { "type=disk,dst=/x",
					      "dst=x",
					      "dst=/x,colour=red",
					      "type=bind,dst=/x",
					      "type=tmpfs,src=a,dst=/x",
					      "src=/etc,dst=/x",
					      "" };
	struct scene *scene = *state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char line[256], error[256];
		snprintf(line, sizeof line, "wherry create %s busybox true", rows[i].flags);
		snprintf(error, sizeof error, "wherry: create: %s\n", rows[i].error);
		expect_error(scene, line, 1, error);
	}
	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		char line[256];
		snprintf(line, sizeof line,
			 "wherry create --mount '%s' busybox true 2>&1 | grep -c 'form is type='",
			 mounts[i]);
		expect(scene, line, 0, "1\n");
	}
	expect(scene, "wherry ps -aq; wherry volume ls -q", 0, "");
}

static void exec_is_left_by_its_keys_and_goes_on(void **state)
{
	struct scene *scene = *state;
	done(scene,
	     "wherry run -d --name c --network none busybox sleep 1000; echo E=file >$D/env");
	expect(scene, "wherry exec --env-file $D/env -e F=flag c sh -c 'echo $E $F'", 0,
	       "file flag\n");
	done(scene, "{ until wherry exec c test -e /ready; do :; done; printf '\\030q'; cat; } | "
		    "timeout 60 script -qec \"wherry exec -it --detach-keys ctrl-x,q c sh -c "
		    "'touch /ready; read line; exit' \" /dev/null");
	done(scene, "wherry exec c sh -c 'ps | grep -q \"[r]ead line\"'");
	expect_error(
		scene, "wherry exec --detach-keys ctrl-1 c true", 125,
		"wherry: exec: --detach-keys ctrl-1: the form is KEY,KEY… of a letter or ctrl- "
		"and one of a-z @ [ \\ ] ^ _\n");
	done(scene, "wherry rm -f c; until ! pgrep -f 'wherry exec -i[t]'; do :; done");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE(mounts_are_what_they_say),
		ENGINE(limits_and_devices_are_set),
		ENGINE(wrong_values_are_named),
		ENGINE(exec_is_left_by_its_keys_and_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
