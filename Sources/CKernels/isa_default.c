// The loops, compiled for the architecture\'s baseline.
#include "fovea_kernels.h"
#include <string.h>

#define FN(name) fovea_##name##_default
#define ISA_NAME "default"
#include "loops.h"
#include "winograd.h"
#include "table.h"
