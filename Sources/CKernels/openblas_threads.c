// OpenBLAS starts a thread for each core while the system loads it. Fovea never uses these threads, because its own
// pool calls OpenBLAS on one thread each. Where the system refuses them (ulimit -u), OpenBLAS ends the process before
// main.
//
// While it is loaded, OpenBLAS asks the environment how many threads it shall start. All libraries of the process call
// this `getenv` in place of the C library's. It answers OpenBLAS's question, and looks up everything else.
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

char *getenv(const char *name) {
    static char one[] = "1";
    if (strcmp(name, "OPENBLAS_NUM_THREADS") == 0) return one;
    size_t length = strlen(name);
    if (length == 0 || environ == NULL) return NULL;
    for (char **entry = environ; *entry != NULL; entry++) {
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') return *entry + length + 1;
    }
    return NULL;
}
