// The loops, compiled for arch=x86-64-v4.
#include "fovea_kernels.h"
#include <string.h>

#if defined(__x86_64__)
#define FN(name) fovea_##name##_v4
#define FOVEA_TILE_V4
#define FOVEA_WIDTH 16
#define ISA_NAME "v4"
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"))), apply_to = function)
#pragma clang attribute push(__attribute__((min_vector_width(512))), apply_to = function)
#include "loops.h"
#include "normals.h"
#include "products.h"
#include "winograd.h"
#pragma clang attribute pop
#pragma clang attribute pop
#include "table.h"
#endif
