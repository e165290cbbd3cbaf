#define _GNU_SOURCE
#include "CImageCodecs.h"

#include <string.h>

int fovea_holds(const uint8_t *data, size_t count, const uint8_t *part, size_t part_count) {
    return memmem(data, count, part, part_count) != NULL;
}
