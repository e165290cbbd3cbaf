// Unfolding of pictures for convolutions other than 3x3 with stride 1. All channels of a pixel are copied together.
#include "fovea_kernels.h"

#include <string.h>

/// Copies the neighbourhood of one output pixel of one image.
static void unfold(const fovea_convolution *g, const float *x, long oy, long ox, float *columns) {
    for (long kh = 0; kh < g->kernel; kh++) {
        long y = oy * g->stride + kh - g->pad;
        for (long kw = 0; kw < g->kernel; kw++, columns += g->in) {
            long xx = ox * g->stride + kw - g->pad;
            if (y < 0 || y >= g->height || xx < 0 || xx >= g->width) memset(columns, 0, (size_t)g->in * sizeof(float));
            else memcpy(columns, x + (y * g->width + xx) * g->in, (size_t)g->in * sizeof(float));
        }
    }
}

void fovea_im2col(const fovea_convolution *g, const float *x, long first, long count, float *columns) {
    const long pixels = g->out_height * g->out_width, depth = g->kernel * g->kernel * g->in;
    for (long pixel = first; pixel < first + count; pixel++, columns += depth)
        unfold(
            g, x + pixel / pixels * g->height * g->width * g->in, pixel % pixels / g->out_width, pixel % g->out_width,
            columns);
}

void fovea_col2im(const fovea_convolution *g, const float *columns, long first, long rows, float *x) {
    for (long oy = first; oy < first + rows; oy++)
        for (long ox = 0; ox < g->out_width; ox++)
            for (long kh = 0; kh < g->kernel; kh++) {
                long y = oy * g->stride + kh - g->pad;
                for (long kw = 0; kw < g->kernel; kw++, columns += g->in) {
                    long xx = ox * g->stride + kw - g->pad;
                    if (y < 0 || y >= g->height || xx < 0 || xx >= g->width) continue;
                    float *target = x + (y * g->width + xx) * g->in;
                    for (long c = 0; c < g->in; c++) target[c] += columns[c];
                }
            }
}
