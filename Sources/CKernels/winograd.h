// Winograd F(4x4, 3x3), Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016: the four small
// transforms and their adjoints. 16 channels at a time. Included once by each isa_*.c.

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

/// Finds the tile of row `row` of a block; 0 where the row holds none.
static inline int FN(locate)(const fovea_tiling *t, const fovea_tile_block *block, long row, long *image, long *y, long *x) {
    const long per_image = t->tiles_high * t->tiles_wide;
    const long tile = block->first_tile + (block->slots ? row % block->slots : row);
    *image = block->first_image + (block->slots ? row / block->slots : tile / per_image);
    const long within = block->slots ? tile : tile % per_image;
    *y = within / t->tiles_wide * 4;
    *x = within % t->tiles_wide * 4;
    return *image < t->images && within < per_image;
}

static void FN(winograd_input)(const fovea_tiling *t, const float *x, const fovea_tile_block *block, float *v) {
    const long channels = t->channels, plane = block->plane_rows * channels;
    for (long b = 0; b < block->rows; b++) {
        float *target = v + b * channels;
        long image, y0, x0;
        if (!FN(locate)(t, block, b, &image, &y0, &x0)) {
            for (int k = 0; k < 36; k++) memset(target + k * plane, 0, (size_t)channels * sizeof(float));
            continue;
        }
        const float *picture = x + image * t->height * t->width * channels;
        const int is_inside = y0 > 0 && x0 > 0 && y0 + 5 <= t->height && x0 + 5 <= t->width;
        for (long c = 0; c < channels; c += 16) {
            FN(v16) rows[6][6];  // B^T applied along x, by row
            if (is_inside) {
                const float *corner = picture + ((y0 - 1) * t->width + x0 - 1) * channels + c;
                for (int i = 0; i < 6; i++) {
                    FN(v16) d[6];
                    for (int j = 0; j < 6; j++) d[j] = *(const FN(v16) *)(corner + (i * t->width + j) * channels);
                    FN(line_input)(d, rows[i]);
                }
            } else
                for (int i = 0; i < 6; i++) {
                    long row = y0 - 1 + i;
                    FN(v16) d[6];
                    for (int j = 0; j < 6; j++) {
                        long column = x0 - 1 + j;
                        int inside = row >= 0 && row < t->height && column >= 0 && column < t->width;
                        d[j] = inside ? *(const FN(v16) *)(picture + (row * t->width + column) * channels + c)
                                      : (FN(v16))0.0f;
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
    const fovea_tiling *t, const float *m, const float *bias, const fovea_tile_block *block, float *y) {
    const long channels = t->channels, plane = block->plane_rows * channels;
    for (long b = 0; b < block->rows; b++) {
        const float *source = m + b * channels;
        long image, y0, x0;
        if (!FN(locate)(t, block, b, &image, &y0, &x0)) continue;
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

static void FN(winograd_output_adjoint)(const fovea_tiling *t, const float *dy, const fovea_tile_block *block, float *z) {
    const long channels = t->channels, plane = block->plane_rows * channels;
    for (long b = 0; b < block->rows; b++) {
        float *target = z + b * channels;
        long image, y0, x0;
        if (!FN(locate)(t, block, b, &image, &y0, &x0)) {
            for (int k = 0; k < 36; k++) memset(target + k * plane, 0, (size_t)channels * sizeof(float));
            continue;
        }
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

/// G g for one line of three.
static inline void FN(line_weight)(const FN(v16) g[3], FN(v16) u[6]) {
    const float sixth = 1.0f / 6, twelfth = 1.0f / 12, twentyfourth = 1.0f / 24;
    const FN(v16) g0 = g[0], g1 = g[1], g2 = g[2];
    FN(v16) outer = -sixth * (g0 + g2), middle = sixth * g1;
    FN(v16) far = twentyfourth * g0 + sixth * g2, near = twelfth * g1;
    u[0] = 0.25f * g0;
    u[1] = outer - middle;
    u[2] = outer + middle;
    u[3] = far + near;
    u[4] = far - near;
    u[5] = g2;
}

/// G^T u for one line of six.
static inline void FN(line_weight_adjoint)(const FN(v16) u[6], FN(v16) g[3]) {
    const float sixth = 1.0f / 6, twelfth = 1.0f / 12, twentyfourth = 1.0f / 24;
    FN(v16) sum12 = u[1] + u[2], sum34 = u[3] + u[4];
    g[0] = 0.25f * u[0] - sixth * sum12 + twentyfourth * sum34;
    g[1] = sixth * (u[2] - u[1]) + twelfth * (u[3] - u[4]);
    g[2] = sixth * (sum34 - sum12) + u[5];
}

static void FN(winograd_weight)(long first, long count, long stride, const float *w, float *u) {
    for (long e = first; e < first + count; e += 16) {
        FN(v16) half[3][6];
        for (int j = 0; j < 3; j++) {
            FN(v16) g[3];
            for (int k = 0; k < 3; k++) g[k] = *(const FN(v16) *)(w + (3 * k + j) * stride + e);
            FN(line_weight)(g, half[j]);
        }
        for (int i = 0; i < 6; i++) {
            FN(v16) g[3], line[6];
            for (int j = 0; j < 3; j++) g[j] = half[j][i];
            FN(line_weight)(g, line);
            for (int j = 0; j < 6; j++) *(FN(v16) *)(u + (i * 6 + j) * stride + e) = line[j];
        }
    }
}

static void FN(winograd_weight_adjoint)(long first, long count, long stride, const float *du, float *dw) {
    for (long e = first; e < first + count; e += 16) {
        FN(v16) half[6][3];
        for (int i = 0; i < 6; i++) {
            FN(v16) line[6];
            for (int j = 0; j < 6; j++) line[j] = *(const FN(v16) *)(du + (i * 6 + j) * stride + e);
            FN(line_weight_adjoint)(line, half[i]);
        }
        for (int j = 0; j < 3; j++) {
            FN(v16) column[6], g[3];
            for (int i = 0; i < 6; i++) column[i] = half[i][j];
            FN(line_weight_adjoint)(column, g);
            for (int k = 0; k < 3; k++) *(FN(v16) *)(dw + (3 * k + j) * stride + e) = g[k];
        }
    }
}
