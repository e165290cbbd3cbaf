// Chooses the instruction set once.
#include "fovea_kernels.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

extern const fovea_kernel_table fovea_table_default;
#if defined(__x86_64__)
extern const fovea_kernel_table fovea_table_v3, fovea_table_v4;
#endif

static const fovea_kernel_table *chosen;
static const char *problem;

static void choose(void) {
    const fovea_kernel_table *known[3] = {&fovea_table_default, NULL, NULL};
    int runs[3] = {1, 0, 0};
    int best = 0;
#if defined(__x86_64__)
    known[1] = &fovea_table_v3;
    known[2] = &fovea_table_v4;
    __builtin_cpu_init();
    runs[1] = __builtin_cpu_supports("x86-64-v3") != 0;
    runs[2] = __builtin_cpu_supports("x86-64-v4") != 0;
    best = runs[2] ? 2 : runs[1] ? 1 : 0;
#endif
    chosen = known[best];
    const char *wanted = getenv("FOVEA_ISA");
    if (!wanted || !*wanted) return;
    for (int i = 0; i < 3; i++)
        if (known[i] && strcmp(wanted, known[i]->name) == 0) {
            if (runs[i]) chosen = known[i];
            else problem = "FOVEA_ISA names an instruction set that this CPU does not have";
            return;
        }
    problem = "FOVEA_ISA is not one of default, v3, v4";
}

const fovea_kernel_table *fovea_kernels(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, choose);
    return chosen;
}

const char *fovea_isa_problem(void) {
    fovea_kernels();
    return problem;
}
