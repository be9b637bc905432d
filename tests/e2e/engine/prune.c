/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nobody uses goes, and nothing else; what there is, is told. */
#include "kit.h"

#define MADE                                                                                   \
	"wherry network create n1 && wherry network create n2 && "                             \
	"wherry run -d --name up --network n1 -v named:/a -v /anon busybox sleep 1000 && "     \
	"wherry create --name idle -l keep=no --network none -v /anon busybox true && "        \
	"wherry create --name kept -l keep=yes --network none busybox true && "                \
	"wherry run --name c --network none busybox sh -c 'echo x >/f' && wherry commit c || " \
	"exit 1; "

static void each_prune_takes_only_its_own(void **state)
{
	struct scene *scene = *state;
	done(scene, MADE "wherry rm c");
	expect(scene,
	       "wherry container prune -f --filter label=keep=no | wc -l; "
	       "wherry ps -a --format '{{.Names}}' | sort",
	       0, "4\nkept\nup\n");
	expect(scene, "wherry container prune -f --filter until=1h", 0,
	       "Total reclaimed space: 0B\n");
	expect(scene, "wherry container prune -f --filter 'label!=keep' | tail -1", 0,
	       "Total reclaimed space: 0B\n");
	expect(scene, "echo n | wherry container prune", 0,
	       "This removes all containers that do not run. Go on? [y/N] ");
	expect(scene, "wherry network prune -f; wherry network ls --format '{{.Name}}'", 0,
	       "Deleted Networks:\nn2\n\nn1\n");
	expect(scene, "wherry image prune -f | grep -c deleted: ; wherry images -q | wc -l", 0,
	       "1\n1\n");
	expect(scene, "wherry image prune -a -f; wherry images -q | wc -l", 0,
	       "Total reclaimed space: 0B\n1\n");
	expect(scene, "wherry volume prune -f | grep -c '^[0-9a-f]'; wherry volume ls -q | wc -l",
	       0, "1\n2\n");
	expect_error(scene, "wherry container prune -f --filter colour=red", 1,
		     "wherry: container prune: --filter colour=red: known are label=, label!=, "
		     "until=\n");
}

static void system_prune_takes_all_that_nobody_uses(void **state)
{
	struct scene *scene = *state;
	done(scene, MADE "printf 'FROM busybox\\nRUN echo 1 >/1\\nRUN false\\n' >$D/Dockerfile; "
			 "wherry build -q $D; :");
	expect(scene, "wherry system df --format '{{.Type}} {{.TotalCount}} {{.Active}}'", 0,
	       "Images 2 1\nContainers 4 1\nLocal Volumes 3 3\nBuild Cache 1 0\n");
	done(scene, "wherry system df | grep -Eq 'TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE' && "
		    "wherry system df -v | grep -q 'VOLUME NAME' && "
		    "wherry system df -o json | grep -q SizeBytes");
	done(scene, "wherry system prune -f --volumes");
	expect(scene,
	       "wherry system df --format '{{.Type}} {{.TotalCount}} {{.Active}}'; "
	       "wherry volume ls -q | grep -c named; wherry network ls --format '{{.Name}}'",
	       0,
	       "Images 1 1\nContainers 1 1\nLocal Volumes 2 2\nBuild Cache 0 0\n1\nbridge\nn1\n");
	done(scene, "wherry rm -f up && wherry system prune -a -f");
	expect(scene, "wherry images -q; wherry ps -aq; wherry volume ls -q | wc -l", 0, "2\n");
}

static void instance_and_version_are_told(void **state)
{
	struct scene *scene = *state;
	done(scene, "wherry run -d --network none busybox sleep 1000 && "
		    "wherry create --network none busybox true");
	expect(scene,
	       "wherry info --format '{{.Containers}} {{.ContainersRunning}} "
	       "{{.ContainersStopped}} {{.Images}}'",
	       0, "2 1 1 1\n");
	done(scene, "wherry info | grep -q '^Kernel Version: [0-9]' && "
		    "wherry info -o json | grep -q '\"NCPU\":[0-9]'");
	expect(scene,
	       "[ \"wherry $(wherry version --format '{{.Server.Version}}')\" = "
	       "\"$(wherry --version)\" ]; echo $?; "
	       "wherry version | head -1 | grep -c '^wherry [0-9]'",
	       0, "0\n1\n");
	expect_error(scene, "wherry version -o xml", 1,
		     "wherry: version: -o xml: is neither text nor json\n");
}

static void nouns_are_second_names(void **state)
{
	struct scene *scene = *state;
	expect(scene,
	       "wherry container create --name c --network none busybox true >/dev/null; "
	       "wherry container ls -a --format '{{.Names}}'; wherry image ls -q | wc -l; "
	       "wherry container rm c; wherry network list -q; wherry system info "
	       "--format '{{.OSType}}'",
	       0, "c\n1\nc\nlinux\n");
	expect_error(
		scene, "wherry container", 1,
		"wherry: container: a further word is missing; `wherry help` lists the verbs\n");
	expect_error(scene, "wherry image fly", 1,
		     "wherry: image fly: no such verb; `wherry help` lists them\n");
	expect(scene,
	       "wherry images --filter dangling=false --filter 'reference=busy*:*' "
	       "--format '{{.Repository}}'; wherry images -f dangling=true -q; "
	       "wherry images nosuch -q; wherry images busybox --format '{{.Tag}}'",
	       0, "busybox\nlatest\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE(each_prune_takes_only_its_own),
		ENGINE(system_prune_takes_all_that_nobody_uses),
		ENGINE(instance_and_version_are_told),
		ENGINE(nouns_are_second_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
