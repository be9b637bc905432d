/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What Docker's tutorial has its readers type, with `docker` as a second name of
 * wherry: build, run, update, share files, keep data, join containers, look,
 * clean up. An app of busybox stands for the tutorial's; what needs a registry
 * is left out.
 */
#include "kit.h"

/* As `alias docker=wherry` in an interactive shell. */
#define DOCKER                                                                   \
	"mkdir -p $D/alias && ln -sf \"$WHERRY_BIN/wherry\" $D/alias/docker && " \
	"ln -sf \"$WHERRY_BIN/wherry-monitor\" $D/alias/wherry-monitor && "      \
	"ln -sf \"$WHERRY_BIN/wherry\" $D/alias/wherry && PATH=$D/alias:$PATH && "
#define APP                                                                                       \
	"mkdir -p $D/app/src && cd $D/app && echo 'You have no todo items yet!' >src/index.html " \
	"&& "                                                                                     \
	"printf '# syntax=docker/dockerfile:1\\nFROM busybox\\nWORKDIR /app\\nCOPY . .\\n"        \
	"RUN mkdir -p /etc/todos\\nCMD [\"httpd\", \"-f\", \"-p\", \"3000\", \"-h\", \"src\"]\\n" \
	"EXPOSE 3000\\n' >Dockerfile && "
#define ANSWER(text)                                                                             \
	"timeout 30 sh -c 'until wget -qO- http://127.0.0.1:3000/index.html 2>/dev/null | grep " \
	"-q "                                                                                    \
	"\"" text "\"; do :; done'"

static void part_2_containerizes_an_application(void **state)
{
	struct scene *scene = *state;
	done(scene, DOCKER APP
	     "docker build -t getting-started . && "
	     "docker run -dp 127.0.0.1:3000:3000 getting-started && " ANSWER("no todo items"));
	done(scene, DOCKER "docker ps | grep -Eq 'getting-started +\"httpd -f -p 3000 -h.*Up .* "
			   "127.0.0.1:3000->3000/tcp'");
	/* Part 3: update the application. */
	done(scene,
	     DOCKER "cd $D/app && sed -i 's/no todo/nothing/' src/index.html && "
		    "docker build -t getting-started . && ! docker run -dp 127.0.0.1:3000:3000 "
		    "getting-started && docker ps -q >$D/id && docker stop -t 0 $(cat $D/id) && "
		    "docker rm $(cat $D/id) && docker run -dp 127.0.0.1:3000:3000 getting-started "
		    "&& " ANSWER("nothing items"));
	done(scene, DOCKER "docker rm -f $(docker ps -q)");
}

static void part_4_shares_the_application(void **state)
{
	struct scene *scene = *state;
	done(scene,
	     DOCKER APP "docker build -t getting-started . && "
			"docker tag getting-started you/getting-started && docker image ls | "
			"grep -Eq '^you/getting-started +latest'");
}

static void part_5_persists_the_database(void **state)
{
	struct scene *scene = *state;
	done(scene,
	     DOCKER "docker run -d busybox sh -c 'shuf -i 1-10000 -n 1 -o /data.txt && tail -f "
		    "/dev/null' && until docker exec $(docker ps -q) cat /data.txt; do :; done && "
		    "! docker run --rm busybox ls /data.txt && docker rm -f $(docker ps -q)");
	done(scene, DOCKER APP
	     "docker build -t getting-started . && docker volume create todo-db && "
	     "docker run -dp 127.0.0.1:3000:3000 --mount "
	     "type=volume,src=todo-db,target=/etc/todos getting-started && "
	     "docker exec $(docker ps -q) sh -c 'echo milk >/etc/todos/list' && "
	     "docker rm -f $(docker ps -q) && docker run -dp 127.0.0.1:3000:3000 "
	     "--mount type=volume,src=todo-db,target=/etc/todos getting-started && "
	     "docker exec $(docker ps -q) cat /etc/todos/list | grep -qx milk && "
	     "docker volume inspect todo-db | grep -q '\"Mountpoint\": \"/.*/todo-db/_data\"'");
	done(scene, DOCKER "docker rm -f $(docker ps -q)");
}

static void part_6_uses_bind_mounts(void **state)
{
	struct scene *scene = *state;
	done(scene, DOCKER APP
	     "{ echo 'pwd; ls; cd src; touch myfile.txt; exit'; } | timeout 60 script -qec "
	     "\"docker run -it --rm --mount type=bind,src=$D/app,target=/src busybox sh\" "
	     "/dev/null; "
	     "docker run --rm -v $D/app:/src busybox touch /src/myfile.txt && [ -e myfile.txt ] && "
	     "docker run -dp 127.0.0.1:3000:3000 -w /app --mount type=bind,src=.,target=/app "
	     "busybox "
	     "sh -c 'echo Listening on port 3000; exec httpd -f -p 3000 -h src' && " ANSWER(
		     "no todo items") " && docker logs $(docker ps -q) | grep -qx 'Listening on "
				      "port "
				      "3000' && sed -i 's/no todo/live/' src/index.html && " ANSWER(
					      "live items"));
	done(scene, DOCKER "docker rm -f $(docker ps -q)");
}

static void part_7_joins_two_containers(void **state)
{
	struct scene *scene = *state;
	done(scene, DOCKER
	     "docker network create todo-app && docker run -d --network todo-app --network-alias "
	     "mysql "
	     "-v todo-mysql-data:/var/lib/mysql -e MYSQL_ROOT_PASSWORD=secret -e "
	     "MYSQL_DATABASE=todos "
	     "busybox sh -c 'echo $MYSQL_DATABASE >/var/lib/mysql/db; exec httpd -f -p 3306 -h "
	     "/var/lib/mysql' && docker run --rm --network todo-app busybox nslookup mysql && "
	     "timeout 30 sh -c 'until docker run --rm --network todo-app -e MYSQL_HOST=mysql "
	     "busybox sh "
	     "-c \"wget -qO- http://\\$MYSQL_HOST:3306/db\" | grep -qx todos; do :; done'");
	done(scene, DOCKER "docker exec $(docker ps -q) cat /var/lib/mysql/db | grep -qx todos && "
			   "docker rm -f $(docker ps -q) && docker network rm todo-app");
}

static void part_9_looks_at_images_and_cleans_up(void **state)
{
	struct scene *scene = *state;
	done(scene, DOCKER APP
	     "docker build -t getting-started . && docker image history getting-started | grep -q "
	     "'EXPOSE 3000' && docker image history --no-trunc getting-started && "
	     "docker build -t getting-started . 2>&1 | grep -q 'Using cache'");
	done(scene,
	     DOCKER "docker info && docker version && docker stats --no-stream && "
		    "docker system df && docker container prune -f && docker image prune -af && "
		    "docker system prune -f --volumes");
	expect(scene, DOCKER "docker ps -aq; docker images -q; docker volume ls -q", 0, "");
	expect_error(scene, DOCKER "docker pull busybox", 1,
		     "wherry: pull: no such verb; `wherry help` lists the verbs\n");
	done(scene, "wherry load -q -i $D/busybox.tar");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ENGINE(part_2_containerizes_an_application),
		ENGINE(part_4_shares_the_application),
		ENGINE(part_5_persists_the_database),
		ENGINE(part_6_uses_bind_mounts),
		ENGINE(part_7_joins_two_containers),
		ENGINE(part_9_looks_at_images_and_cleans_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
