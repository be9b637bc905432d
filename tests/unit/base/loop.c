/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <signal.h>
#include <sys/wait.h>

#include "base/loop.h"

#define GUARD_MS 10000 /* a loop that nobody stops */

struct fixture {
	struct loop *loop;
	struct loop_source *guard, *source, *other;
	char seen[64];
};

static void note(struct fixture *fixture, const char *what)
{
	size_t used = strlen(fixture->seen);
	snprintf(fixture->seen + used, sizeof fixture->seen - used, "%s ", what);
}

static void on_guard(struct loop *loop, void *context)
{
	note(context, "late");
	loop_stop(loop);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof *fixture);
	struct error err;
	MUST(loop_create(&fixture->loop, &err), err);
	MUST(loop_add_timer(fixture->loop, GUARD_MS, 0, on_guard, fixture, &fixture->guard, &err),
	     err);
	*state = fixture;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	loop_source_free(fixture->source);
	loop_source_free(fixture->other);
	loop_source_free(fixture->guard);
	loop_free(fixture->loop);
	free(fixture);
	return 0;
}

static void on_readable(struct loop *loop, int fd, unsigned events, void *context)
{
	struct fixture *fixture = context;
	char data[8] = "";
	assert_int_equal(events, LOOP_READ);
	if (read(fd, data, 1) == 1) {
		note(fixture, data);
		return;
	}
	/* A source may be freed in its own handler. */
	loop_source_free(TAKE(fixture->source));
	note(fixture, "end");
	loop_stop(loop);
}

static void descriptors_are_watched_until_their_source_is_freed(void **state)
{
	struct fixture *fixture = *state;
	int ends[2];
	struct error err;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "ab", 2), 2);
	close(ends[1]);
	MUST(loop_add_fd(fixture->loop, ends[0], LOOP_READ, on_readable, fixture, &fixture->source,
			 &err),
	     err);
	loop_run(fixture->loop);
	assert_string_equal(fixture->seen, "a b end ");
	close(ends[0]);
}

static void on_tick(struct loop *loop, void *context)
{
	struct fixture *fixture = context;
	note(fixture, "tick");
	if (strlen(fixture->seen) > 12)
		loop_stop(loop);
}

static void timers_repeat(void **state)
{
	struct fixture *fixture = *state;
	struct error err;
	MUST(loop_add_timer(fixture->loop, 1, 1, on_tick, fixture, &fixture->source, &err), err);
	loop_run(fixture->loop);
	assert_string_equal(fixture->seen, "tick tick tick ");
}

static void on_once(struct loop *loop, void *context)
{
	note(context, "once");
	loop_stop(loop);
}

static void a_timer_is_started_anew(void **state)
{
	struct fixture *fixture = *state;
	struct error err;
	MUST(loop_add_timer(fixture->loop, 100000, 0, on_once, fixture, &fixture->source, &err),
	     err);
	loop_timer_restart(fixture->source, 1);
	loop_run(fixture->loop);
	assert_string_equal(fixture->seen, "once ");
}

static void on_signal(struct loop *loop, int number, void *context)
{
	note(context, number == SIGUSR1 ? "usr1" : "other");
	loop_stop(loop);
}

static void signals_become_events(void **state)
{
	struct fixture *fixture = *state;
	struct error err;
	MUST(loop_add_signal(fixture->loop, SIGUSR1, on_signal, fixture, &fixture->source, &err),
	     err);
	kill(getpid(), SIGUSR1);
	loop_run(fixture->loop);
	assert_string_equal(fixture->seen, "usr1 ");
}

static void on_child(struct loop *loop, pid_t pid, int status, void *context)
{
	assert_true(pid > 0);
	note(context, WIFEXITED(status) && WEXITSTATUS(status) == 7 ? "seven" : "other");
	loop_stop(loop);
}

static void ends_of_children_become_events(void **state)
{
	struct fixture *fixture = *state;
	struct error err;
	pid_t pid = fork();
	if (pid == 0)
		_exit(7);
	MUST(loop_add_child(fixture->loop, pid, on_child, fixture, &fixture->source, &err), err);
	loop_run(fixture->loop);
	assert_string_equal(fixture->seen, "seven ");
}

static void on_writable(struct loop *loop, int fd, unsigned events, void *context)
{
	struct fixture *fixture = context;
	(void)fd;
	note(fixture, events & LOOP_WRITE ? "write" : "read");
	loop_fd_set_events(fixture->source, 0);
	loop_stop(loop);
}

static void a_paused_descriptor_is_silent(void **state)
{
	struct fixture *fixture = *state;
	int ends[2];
	struct error err;
	assert_int_equal(pipe(ends), 0);
	MUST(loop_add_fd(fixture->loop, ends[1], 0, on_writable, fixture, &fixture->source, &err),
	     err);
	loop_fd_set_events(fixture->source, LOOP_WRITE);
	loop_run(fixture->loop);
	MUST(loop_add_timer(fixture->loop, 5, 0, on_once, fixture, &fixture->other, &err), err);
	loop_run(fixture->loop);
	assert_string_equal(fixture->seen, "write once ");
	close(ends[0]);
	close(ends[1]);
}

#define IN_LOOP(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_LOOP(descriptors_are_watched_until_their_source_is_freed),
		IN_LOOP(timers_repeat),
		IN_LOOP(a_timer_is_started_anew),
		IN_LOOP(signals_become_events),
		IN_LOOP(ends_of_children_become_events),
		IN_LOOP(a_paused_descriptor_is_silent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
