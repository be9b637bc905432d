/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The layers of a load, unpacked by as many threads as there are processors;
 * the first failure ends all.
 */
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "load.h"

#define WORKERS_MAX 16
#define PROGRESS_MS 100

struct pool {
	struct load *load;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	size_t next;
	size_t running; /* workers */
	bool failed;
	struct error error;
};

static struct load_job *take_job(struct pool *pool)
{
	struct load_job *job = NULL;
	pthread_mutex_lock(&pool->lock);
	while (!pool->failed && !job && pool->next < pool->load->job_count) {
		job = pool->load->jobs[pool->next++];
		if (job->known)
			job = NULL;
	}
	pthread_mutex_unlock(&pool->lock);
	return job;
}

static void *work(void *context)
{
	struct pool *pool = context;
	struct load_job *job;
	while ((job = take_job(pool))) {
		struct error error = { 0 };
		if (layer_unpack(&job->work, &error) >= 0)
			continue;
		error_wrap(&error, "layer %s", job->blob.member);
		pthread_mutex_lock(&pool->lock);
		if (!pool->failed)
			pool->error = error;
		pool->failed = true;
		pthread_mutex_unlock(&pool->lock);
	}
	pthread_mutex_lock(&pool->lock);
	pool->running--;
	pthread_cond_signal(&pool->ended);
	pthread_mutex_unlock(&pool->lock);
	return NULL;
}

static void report(struct load *load, const struct image_progress *progress)
{
	if (progress && progress->step)
		progress->step(progress->context, "layers", atomic_load(&load->done_bytes),
			       load->total_bytes);
}

/* Until all workers have ended; tells the caller how far it is meanwhile. */
static void wait_workers(struct pool *pool, const struct image_progress *progress)
{
	pthread_mutex_lock(&pool->lock);
	while (pool->running > 0) {
		struct timespec until;
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += PROGRESS_MS * 1000000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_nsec -= 1000000000;
			until.tv_sec++;
		}
		pthread_cond_timedwait(&pool->ended, &pool->lock, &until);
		report(pool->load, progress);
	}
	pthread_mutex_unlock(&pool->lock);
}

int load_run_jobs(struct load *load, const struct image_progress *progress, struct error *err)
{
	pthread_t threads[WORKERS_MAX];
	struct pool pool = { .load = load };
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	size_t count = processors < 1             ? 1
		       : processors > WORKERS_MAX ? WORKERS_MAX
						  : (size_t)processors;
	count = count < load->job_count ? count : load->job_count;
	pthread_mutex_init(&pool.lock, NULL);
	pthread_cond_init(&pool.ended, NULL);
	size_t started = 0;
	pool.running = count;
	while (started < count && pthread_create(&threads[started], NULL, work, &pool) == 0)
		started++;
	pthread_mutex_lock(&pool.lock);
	pool.running -= count - started;
	pthread_mutex_unlock(&pool.lock);
	wait_workers(&pool, progress);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	pthread_mutex_destroy(&pool.lock);
	pthread_cond_destroy(&pool.ended);
	if (pool.failed)
		*err = pool.error;
	else if (count > 0 && started == 0)
		return error_set(err, EAGAIN, "no thread could be started");
	return pool.failed ? -pool.error.code : 0;
}
