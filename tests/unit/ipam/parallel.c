/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 64 processes take and release leases of one network at the same time, and
 * every third is killed somewhere in the middle. Afterwards no address has two
 * holders, none is lost, and the store can be written.
 */
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "kit.h"

#define CALLERS 64
#define ROUNDS 40
#define SUBNET "10.1.0.0/20"
#define HOSTS 4096

/* Shared with the children: who holds an address as its owner knows it. */
struct board {
	_Atomic int holder[HOSTS]; /* 0: nobody */
	_Atomic int twice;         /* addresses that were given while held */
	_Atomic int rounds[CALLERS];
};

static unsigned host_of(struct ip ip)
{
	return (unsigned)ip_distance(kit_ip("10.1.0.0"), ip);
}

/* One round: take, note, release. The board is cleared before the release. */
static void one_round(struct kit *kit, struct board *board, const struct ipam_config *config,
		      int caller)
{
	struct lease lease;
	struct error err = { 0 };
	char id[16];
	int nobody = 0;

	snprintf(id, sizeof id, "c%d", caller);
	if (kit_take(kit, config, id, NULL, &lease, &err) < 0)
		_exit(2);
	_Atomic int *holder = &board->holder[host_of(lease.ip)];
	if (!atomic_compare_exchange_strong(holder, &nobody, caller + 1))
		board->twice++;
	*holder = 0;
	if (kit_release(kit, id) != 1)
		_exit(3);
	board->rounds[caller]++;
}

static _Noreturn void caller_main(const struct kit *parent, struct board *board, int caller)
{
	struct kit kit = *parent;
	struct ipam_config config = kit_config(SUBNET);

	kit_open(&kit);
	for (int i = 0; i < ROUNDS; i++)
		one_round(&kit, board, &config, caller);
	store_free(kit.store);
	_exit(0);
}

static bool is_victim(int caller)
{
	return caller % 3 == 0;
}

static bool has_ended(pid_t pid)
{
	siginfo_t info = { .si_pid = 0 };
	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid != 0;
}

/* Kills each victim after it has shown some life, at a moment of chance. */
static void kill_victims(const pid_t *pids, struct board *board)
{
	for (int i = 0; i < CALLERS; i++) {
		if (!is_victim(i))
			continue;
		while (board->rounds[i] < 1 + i % 7 && !has_ended(pids[i]))
			sched_yield();
		kill(pids[i], SIGKILL);
	}
}

static void check_exits(const pid_t *pids)
{
	for (int i = 0; i < CALLERS; i++) {
		int status;
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		if (!is_victim(i) && status != 0)
			fail_msg("caller %d ended with status %#x", i, status);
	}
}

static int count_lease(struct ip ip, const char *id, const char *interface, int64_t taken_at_ns,
		       void *context, struct error *err)
{
	(void)ip, (void)interface, (void)taken_at_ns, (void)err;
	++*(int *)context;
	/* Only one that was killed may have left a lease. */
	assert_true(is_victim((int)strtol(id + 1, NULL, 10)));
	return 0;
}

static int count_leases(struct kit *kit)
{
	struct error err = { 0 };
	AUTO(store_txn) txn = NULL;
	int count = 0;

	if (store_begin(kit->store, STORE_READ, &txn, &err) < 0 ||
	    lease_each(txn, "net", count_lease, &count, &err) < 0)
		fail_msg("%s", err.text);
	return count;
}

/* Every address of the range but the gateway can be given once: none is lost. */
static void check_nothing_lost(struct kit *kit)
{
	struct ipam_config config = kit_config(SUBNET);
	struct error err = { 0 };
	struct lease lease;
	AUTO(store_txn) txn = NULL;
	int r = store_begin(kit->store, STORE_WRITE, &txn, &err), given = 0;

	for (; r == 0; given++) {
		char id[16];
		struct lease_owner owner = { id, "eth0" };
		snprintf(id, sizeof id, "all%d", given);
		r = lease_take(txn, "net", &config, &owner, NULL, 0, &lease, &err);
	}
	assert_int_equal(given - 1, HOSTS - 3);
}

static void no_lease_is_given_twice_and_none_is_lost_among_killed_callers(void **state)
{
	struct kit *kit = *state;
	struct board *board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pids[CALLERS];

	assert_true(board != MAP_FAILED);
	store_free(TAKE(kit->store)); /* a store does not cross a fork */
	for (int i = 0; i < CALLERS; i++) {
		pids[i] = fork();
		assert_true(pids[i] >= 0);
		if (pids[i] == 0)
			caller_main(kit, board, i);
	}
	kill_victims(pids, board);
	check_exits(pids);
	kit_open(kit);
	assert_int_equal(board->twice, 0);
	assert_true(count_leases(kit) <= (CALLERS + 2) / 3);
	for (int i = 0; i < CALLERS; i++) { /* DEL of those that were killed */
		char id[16];
		snprintf(id, sizeof id, "c%d", i);
		kit_release(kit, id);
	}
	assert_int_equal(count_leases(kit), 0);
	check_nothing_lost(kit);
	munmap(board, sizeof *board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			no_lease_is_given_twice_and_none_is_lost_among_killed_callers, kit_setup,
			kit_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
