// The loops, compiled for arch=x86-64-v3.
#include "fovea_kernels.h"
#include <string.h>

#if defined(__x86_64__)
#define FN(name) fovea_##name##_v3
#define FOVEA_TILE_V3
#define FOVEA_WIDTH 8
#define ISA_NAME "v3"
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#include "loops.h"
#include "normals.h"
#include "products.h"
#include "winograd.h"
#pragma clang attribute pop
#include "table.h"
#endif
