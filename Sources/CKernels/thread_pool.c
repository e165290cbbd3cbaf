// One pool of worker threads for the process.
//
// The caller cuts the work by the problem's shape, so a result never depends on which thread runs which piece.
// A caller that finds the pool busy (also a nested call) runs its pieces itself.
#define _GNU_SOURCE
#include "fovea_kernels.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// The time between two operations is tens of microseconds. Falling asleep and waking up would take as long, so workers
// spin first.
enum { MAX_THREADS = 256, SPINS = 8000 };

static struct {
    pthread_mutex_t busy;  // held by the caller whose work is running
    pthread_mutex_t lock;  // guards what follows
    pthread_cond_t work_ready;
    pthread_cond_t work_done;
    long workers_started;
    long threads;  // callers and workers together; 0: not yet decided
    fovea_task task;
    void *context;
    long count;
    atomic_long running;  // workers inside the current work
    atomic_long next;
    atomic_ulong generation;
} pool = {
    .busy = PTHREAD_MUTEX_INITIALIZER,
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .work_ready = PTHREAD_COND_INITIALIZER,
    .work_done = PTHREAD_COND_INITIALIZER};

static void pause_briefly(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void run_pieces(fovea_task task, void *context, long count) {
    for (;;) {
        long index = atomic_fetch_add_explicit(&pool.next, 1, memory_order_relaxed);
        if (index >= count) return;
        task(context, index);
    }
}

static void *worker(void *argument) {
    long number = (long)(intptr_t)argument;
    unsigned long seen = 0;
    for (;;) {
        for (int spin = 0; spin < SPINS && atomic_load_explicit(&pool.generation, memory_order_acquire) == seen; spin++)
            pause_briefly();
        pthread_mutex_lock(&pool.lock);
        while (pool.generation == seen) pthread_cond_wait(&pool.work_ready, &pool.lock);
        seen = pool.generation;
        // The count is 0 where the work has ended already. Threads beyond the wanted number do not take part.
        if (pool.count == 0 || number >= pool.threads) {
            pthread_mutex_unlock(&pool.lock);
            continue;
        }
        fovea_task task = pool.task;
        void *context = pool.context;
        long count = pool.count;
        pool.running++;
        pthread_mutex_unlock(&pool.lock);
        run_pieces(task, context, count);
        pthread_mutex_lock(&pool.lock);
        pool.running--;
        if (pool.running == 0) pthread_cond_signal(&pool.work_done);
        pthread_mutex_unlock(&pool.lock);
    }
    return NULL;
}

/// The cgroup's CPU quota in whole cores, rounded up; MAX_THREADS where there is no quota.
static long quota_cores(void) {
    long quota = -1, period = 0;
    FILE *file = fopen("/sys/fs/cgroup/cpu.max", "r");
    if (file) {
        if (fscanf(file, "%ld %ld", &quota, &period) != 2) quota = -1;  // "max 100000"
        fclose(file);
    } else {
        FILE *quota_file = fopen("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "r");
        FILE *period_file = fopen("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "r");
        if (!quota_file || fscanf(quota_file, "%ld", &quota) != 1) quota = -1;
        if (!period_file || fscanf(period_file, "%ld", &period) != 1) period = 0;
        if (quota_file) fclose(quota_file);
        if (period_file) fclose(period_file);
    }
    if (quota <= 0 || period <= 0) return MAX_THREADS;
    long cores = (quota + period - 1) / period;
    return cores < 1 ? 1 : cores;
}

long fovea_available_cores(void) {
    long cores = 1;
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) cores = CPU_COUNT(&set);
    long quota = quota_cores();
    if (quota < cores) cores = quota;
    return cores < 1 ? 1 : cores > MAX_THREADS ? MAX_THREADS : cores;
}

/// The caller must hold pool.lock.
static void start_workers(void) {
    if (pool.threads == 0) pool.threads = fovea_available_cores();
    while (pool.workers_started < pool.threads - 1) {
        pthread_t thread;
        long number = pool.workers_started + 1;
        if (pthread_create(&thread, NULL, worker, (void *)(intptr_t)number) != 0) break;  // fewer threads, same result
        pthread_detach(thread);
        pool.workers_started = number;
    }
}

static void *wait_for_gate(void *gate) {
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

long fovea_startable_threads(long count) {
    pthread_t *threads = calloc((size_t)(count > 0 ? count : 1), sizeof *threads);
    if (threads == NULL) return 0;
    // The threads live until all were started, because a limit counts those that live at the same time.
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&gate);
    long started = 0;
    while (started < count && pthread_create(&threads[started], NULL, wait_for_gate, &gate) == 0) started++;
    pthread_mutex_unlock(&gate);
    for (long number = 0; number < started; number++) pthread_join(threads[number], NULL);
    pthread_mutex_destroy(&gate);
    free(threads);
    return started;
}

long fovea_thread_count(void) {
    pthread_mutex_lock(&pool.lock);
    if (pool.threads == 0) pool.threads = fovea_available_cores();
    long threads = pool.threads;
    pthread_mutex_unlock(&pool.lock);
    return threads;
}

void fovea_set_thread_count(long threads) {
    pthread_mutex_lock(&pool.lock);
    pool.threads = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads;
    pthread_mutex_unlock(&pool.lock);
}

void fovea_parallel_for(long count, fovea_task task, void *context) {
    if (count <= 0) return;
    if (count == 1 || pthread_mutex_trylock(&pool.busy) != 0) {
        for (long index = 0; index < count; index++) task(context, index);
        return;
    }
    pthread_mutex_lock(&pool.lock);
    start_workers();
    pool.task = task;
    pool.context = context;
    pool.count = count;
    atomic_store(&pool.next, 0);
    atomic_fetch_add(&pool.generation, 1);
    if (pool.threads > 1) pthread_cond_broadcast(&pool.work_ready);
    pthread_mutex_unlock(&pool.lock);

    run_pieces(task, context, count);

    pthread_mutex_lock(&pool.lock);
    pool.count = 0;  // workers that wake late find no work
    pthread_mutex_unlock(&pool.lock);
    for (int spin = 0; spin < SPINS && atomic_load_explicit(&pool.running, memory_order_acquire) > 0; spin++)
        pause_briefly();
    pthread_mutex_lock(&pool.lock);
    while (pool.running > 0) pthread_cond_wait(&pool.work_done, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
    pthread_mutex_unlock(&pool.busy);
}

float *fovea_thread_scratch(int slot, size_t floats) {
    static _Thread_local struct {
        float *buffer;
        size_t floats;
    } scratch[4];
    if (scratch[slot].floats < floats) {
        free(scratch[slot].buffer);
        size_t bytes = (floats * sizeof(float) + 4095) / 4096 * 4096;
        scratch[slot].buffer = aligned_alloc(64, bytes);
        if (!scratch[slot].buffer) {
            fprintf(stderr, "fovea: out of memory: %zu bytes of scratch for one thread\n", bytes);
            abort();
        }
        scratch[slot].floats = bytes / sizeof(float);
    }
    return scratch[slot].buffer;
}
