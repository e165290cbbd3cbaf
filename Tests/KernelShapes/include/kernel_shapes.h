// The kernels as an AVX-512 machine cuts them, in instructions that every machine has: for tests.
#pragma once
#include "fovea_kernels.h"

extern const fovea_kernel_table fovea_table_wide;
