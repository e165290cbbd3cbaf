// Direct computation of the values that overflow in Winograd's transforms. It is rarely needed, so it is not fast.
#include "fovea_kernels.h"

/// Computes one output channel of one pixel.
static float pixel(
    const fovea_tiling *source, const float *x, const float *w, int turned, long image, long y, long x0, long o,
    long outputs) {
    const long in = source->channels;
    double sum = 0;
    for (long kh = 0; kh < 3; kh++)
        for (long kw = 0; kw < 3; kw++) {
            const long row = y + kh - 1, column = x0 + kw - 1;
            if (row < 0 || row >= source->height || column < 0 || column >= source->width) continue;
            const float *values = x + ((image * source->height + row) * source->width + column) * in;
            const float *tap = w + (turned ? 8 - kh * 3 - kw : kh * 3 + kw) * in * outputs;
            for (long c = 0; c < in; c++) sum += (double)values[c] * (turned ? tap[o * in + c] : tap[c * outputs + o]);
        }
    return (float)sum;
}

void fovea_winograd_repair(
    const fovea_tiling *source, const fovea_tiling *target, const float *x, const float *w, int turned,
    const float *bias, long bias_step, const float *residual, const fovea_tile_block *block, float *y) {
    const long outputs = target->channels, per_image = target->tiles_high * target->tiles_wide;
    for (long tile = block->first_tile; tile < block->first_tile + block->rows && tile < per_image * target->images;
         tile++) {
        const long image = tile / per_image;
        const long y0 = tile % per_image / target->tiles_wide * 4, x0 = tile % target->tiles_wide * 4;
        for (long i = y0; i < y0 + 4 && i < target->height; i++)
            for (long j = x0; j < x0 + 4 && j < target->width; j++)
                for (long o = 0; o < outputs; o++) {
                    const long at = ((image * target->height + i) * target->width + j) * outputs + o;
                    if (y[at] - y[at] == 0) continue;
                    float value = pixel(source, x, w, turned, image, i, j, o, outputs);
                    if (bias) value += bias[image * bias_step + o];
                    if (residual) value += residual[at];
                    y[at] = value;
                }
    }
}
