// The loops, compiled for the architecture's baseline.
#include "fovea_kernels.h"
#include <string.h>

#define FN(name) fovea_##name##_default
#define FOVEA_WIDTH 4
#define ISA_NAME "default"
#include "loops.h"
#include "normals.h"
#include "products.h"
#include "winograd.h"
#include "table.h"
