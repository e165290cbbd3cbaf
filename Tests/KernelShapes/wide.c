// The tiles and widths of isa_v4.c, compiled for the architecture's baseline with fused multiply-adds written out.
#include "kernel_shapes.h"
#include <string.h>

#define FN(name) fovea_##name##_wide
#define FOVEA_TILE_V4
#define FOVEA_WIDTH 16
#define ISA_NAME "wide"
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#endif
#include "../../Sources/CKernels/loops.h"
#include "../../Sources/CKernels/normals.h"
#include "../../Sources/CKernels/products.h"
#include "../../Sources/CKernels/winograd.h"
#if defined(__x86_64__)
#pragma clang attribute pop
#endif
#include "../../Sources/CKernels/table.h"
