// Winograd F(4x4, 3x3), Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016: the four small
// transforms and their adjoints. 16 channels at a time. Included once by each isa_*.c.

typedef float FN(v16) __attribute__((ext_vector_type(16), aligned(4)));

/// B^T d for one line of six.
static inline void FN(line_input)(const FN(v16) d[6], FN(v16) t[6]) {
    FN(v16) even = d[4] - 4.0f * d[2], odd = d[3] - 4.0f * d[1];
    FN(v16) difference = d[4] - d[2], twice = 2.0f * (d[3] - d[1]);
    t[0] = 4.0f * d[0] - 5.0f * d[2] + d[4];
    t[1] = even + odd;
    t[2] = even - odd;
    t[3] = difference + twice;
    t[4] = difference - twice;
    t[5] = 4.0f * d[1] - 5.0f * d[3] + d[5];
}

/// A^T m for one line of six.
static inline void FN(line_output)(const FN(v16) m[6], FN(v16) y[4]) {
    FN(v16) sum12 = m[1] + m[2], difference12 = m[1] - m[2];
    FN(v16) sum34 = m[3] + m[4], difference34 = m[3] - m[4];
    y[0] = m[0] + sum12 + sum34;
    y[1] = difference12 + 2.0f * difference34;
    y[2] = sum12 + 4.0f * sum34;
    y[3] = difference12 + 8.0f * difference34 + m[5];
}

/// A y for one line of four.
static inline void FN(line_output_adjoint)(const FN(v16) y[4], FN(v16) m[6]) {
    FN(v16) even = y[0] + y[2], odd = y[1] + y[3];
    FN(v16) even4 = y[0] + 4.0f * y[2], odd4 = 2.0f * y[1] + 8.0f * y[3];
    m[0] = y[0];
    m[1] = even + odd;
    m[2] = even - odd;
    m[3] = even4 + odd4;
    m[4] = even4 - odd4;
    m[5] = y[3];
}

/// Where tile number `tile` lies.
static inline void FN(locate)(const fovea_tiling *t, long tile, long *image, long *y, long *x) {
    long per_image = t->tiles_high * t->tiles_wide;
    long within = tile % per_image;
    *image = tile / per_image;
    *y = within / t->tiles_wide * 4;
    *x = within % t->tiles_wide * 4;
}

static void FN(winograd_input)(const fovea_tiling *t, const float *x, long first_tile, long block, float *v) {
    const long channels = t->channels, plane = block * channels;
    const long tiles = t->images * t->tiles_high * t->tiles_wide;
    for (long b = 0; b < block; b++) {
        float *target = v + b * channels;
        if (first_tile + b >= tiles) {
            for (int k = 0; k < 36; k++) memset(target + k * plane, 0, (size_t)channels * sizeof(float));
            continue;
        }
        long image, y0, x0;
        FN(locate)(t, first_tile + b, &image, &y0, &x0);
        const float *picture = x + image * t->height * t->width * channels;
        for (long c = 0; c < channels; c += 16) {
            FN(v16) rows[6][6];  // B^T applied along x, by row
            for (int i = 0; i < 6; i++) {
                long row = y0 - 1 + i;
                FN(v16) d[6];
                for (int j = 0; j < 6; j++) {
                    long column = x0 - 1 + j;
                    int inside = row >= 0 && row < t->height && column >= 0 && column < t->width;
                    d[j] = inside ? *(const FN(v16) *)(picture + (row * t->width + column) * channels + c) : (FN(v16))0.0f;
                }
                FN(line_input)(d, rows[i]);
            }
            for (int j = 0; j < 6; j++) {
                FN(v16) d[6], column[6];
                for (int i = 0; i < 6; i++) d[i] = rows[i][j];
                FN(line_input)(d, column);
                for (int i = 0; i < 6; i++) *(FN(v16) *)(target + (i * 6 + j) * plane + c) = column[i];
            }
        }
    }
}

static void FN(winograd_output)(
    const fovea_tiling *t, const float *m, const float *bias, long first_tile, long block, float *y) {
    const long channels = t->channels, plane = block * channels;
    const long tiles = t->images * t->tiles_high * t->tiles_wide;
    for (long b = 0; b < block && first_tile + b < tiles; b++) {
        const float *source = m + b * channels;
        long image, y0, x0;
        FN(locate)(t, first_tile + b, &image, &y0, &x0);
        float *picture = y + image * t->height * t->width * channels;
        for (long c = 0; c < channels; c += 16) {
            FN(v16) columns[4][6];
            for (int j = 0; j < 6; j++) {
                FN(v16) line[6], out[4];
                for (int i = 0; i < 6; i++) line[i] = *(const FN(v16) *)(source + (i * 6 + j) * plane + c);
                FN(line_output)(line, out);
                for (int i = 0; i < 4; i++) columns[i][j] = out[i];
            }
            FN(v16) offset = bias ? *(const FN(v16) *)(bias + c) : (FN(v16))0.0f;
            for (int i = 0; i < 4 && y0 + i < t->height; i++) {
                FN(v16) out[4];
                FN(line_output)(columns[i], out);
                for (int j = 0; j < 4 && x0 + j < t->width; j++)
                    *(FN(v16) *)(picture + ((y0 + i) * t->width + x0 + j) * channels + c) = out[j] + offset;
            }
        }
    }
}

static void FN(winograd_output_adjoint)(const fovea_tiling *t, const float *dy, long first_tile, long block, float *z) {
    const long channels = t->channels, plane = block * channels;
    const long tiles = t->images * t->tiles_high * t->tiles_wide;
    for (long b = 0; b < block; b++) {
        float *target = z + b * channels;
        if (first_tile + b >= tiles) {
            for (int k = 0; k < 36; k++) memset(target + k * plane, 0, (size_t)channels * sizeof(float));
            continue;
        }
        long image, y0, x0;
        FN(locate)(t, first_tile + b, &image, &y0, &x0);
        const float *picture = dy + image * t->height * t->width * channels;
        for (long c = 0; c < channels; c += 16) {
            FN(v16) rows[4][6];
            for (int i = 0; i < 4; i++) {
                FN(v16) d[4];
                for (int j = 0; j < 4; j++) {
                    int inside = y0 + i < t->height && x0 + j < t->width;
                    d[j] = inside ? *(const FN(v16) *)(picture + ((y0 + i) * t->width + x0 + j) * channels + c) : (FN(v16))0.0f;
                }
                FN(line_output_adjoint)(d, rows[i]);
            }
            for (int j = 0; j < 6; j++) {
                FN(v16) d[4], column[6];
                for (int i = 0; i < 4; i++) d[i] = rows[i][j];
                FN(line_output_adjoint)(d, column);
                for (int i = 0; i < 6; i++) *(FN(v16) *)(target + (i * 6 + j) * plane + c) = column[i];
            }
        }
    }
}

static void FN(winograd_weight)(long first, long count, long stride, const float *restrict w, float *restrict u) {
    const float sixth = 1.0f / 6, twelfth = 1.0f / 12, twentyfourth = 1.0f / 24;
    for (long e = first; e < first + count; e++) {
        float half[6][3];
        for (int j = 0; j < 3; j++) {
            float g0 = w[(0 + j) * stride + e], g1 = w[(3 + j) * stride + e], g2 = w[(6 + j) * stride + e];
            half[0][j] = 0.25f * g0;
            half[1][j] = -sixth * (g0 + g1 + g2);
            half[2][j] = -sixth * (g0 - g1 + g2);
            half[3][j] = twentyfourth * g0 + twelfth * g1 + sixth * g2;
            half[4][j] = twentyfourth * g0 - twelfth * g1 + sixth * g2;
            half[5][j] = g2;
        }
        for (int i = 0; i < 6; i++) {
            float g0 = half[i][0], g1 = half[i][1], g2 = half[i][2];
            float *line = u + (i * 6) * stride + e;
            line[0 * stride] = 0.25f * g0;
            line[1 * stride] = -sixth * (g0 + g1 + g2);
            line[2 * stride] = -sixth * (g0 - g1 + g2);
            line[3 * stride] = twentyfourth * g0 + twelfth * g1 + sixth * g2;
            line[4 * stride] = twentyfourth * g0 - twelfth * g1 + sixth * g2;
            line[5 * stride] = g2;
        }
    }
}

static void FN(winograd_weight_adjoint)(
    long first, long count, long stride, const float *restrict du, float *restrict dw) {
    const float sixth = 1.0f / 6, twelfth = 1.0f / 12, twentyfourth = 1.0f / 24;
    for (long e = first; e < first + count; e++) {
        float half[6][3];
        for (int i = 0; i < 6; i++) {
            const float *line = du + (i * 6) * stride + e;
            float u0 = line[0], u1 = line[stride], u2 = line[2 * stride], u3 = line[3 * stride], u4 = line[4 * stride],
                  u5 = line[5 * stride];
            half[i][0] = 0.25f * u0 - sixth * (u1 + u2) + twentyfourth * (u3 + u4);
            half[i][1] = sixth * (u2 - u1) + twelfth * (u3 - u4);
            half[i][2] = sixth * (u3 + u4 - u1 - u2) + u5;
        }
        for (int j = 0; j < 3; j++) {
            float u0 = half[0][j], u1 = half[1][j], u2 = half[2][j], u3 = half[3][j], u4 = half[4][j], u5 = half[5][j];
            dw[(0 + j) * stride + e] = 0.25f * u0 - sixth * (u1 + u2) + twentyfourth * (u3 + u4);
            dw[(3 + j) * stride + e] = sixth * (u2 - u1) + twelfth * (u3 - u4);
            dw[(6 + j) * stride + e] = sixth * (u3 + u4 - u1 - u2) + u5;
        }
    }
}
