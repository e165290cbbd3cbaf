// OpenBLAS starts a thread for each core while the system loads it. Fovea never uses these threads, because its own
// pool calls OpenBLAS on one thread each. Where the system refuses them (ulimit -u), OpenBLAS ends the process before
// main.
//
// So the process shows OpenBLAS a single core: for the time of loading, it may run on one core alone. The environment
// (OPENBLAS_NUM_THREADS) cannot be used, because the C library sets it up after the first function below.
#define _GNU_SOURCE
#include <sched.h>

static cpu_set_t allowed;
// Volatile, because the compiler takes a constructor for the first function that runs, and would remove it.
static volatile int is_narrowed;

/// Runs before the initialisers of all libraries.
static void narrow(void) {
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int core = 0; core < CPU_SETSIZE; core++) {
        if (!CPU_ISSET(core, &allowed)) continue;
        CPU_SET(core, &one);
        break;
    }
    is_narrowed = sched_setaffinity(0, sizeof one, &one) == 0;
}

/// Runs after the initialisers of all libraries, and before main.
__attribute__((constructor)) static void widen(void) {
    if (is_narrowed) sched_setaffinity(0, sizeof allowed, &allowed);
}

__attribute__((section(".preinit_array"), used)) static void (*const narrow_first)(void) = narrow;
