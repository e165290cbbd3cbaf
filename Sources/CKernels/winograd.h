// Winograd F(4x4, 3x3), Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016: the four small
// transforms and their adjoints. Included once by each isa_*.c.
//
// The planes of the 36 positions are `position_step` floats apart, a little more than they hold. Otherwise the same
// element of all 36 planes would fall into one set of the first-level cache.

/// The channels that fit into one register are computed together.
enum { FN(width) = FOVEA_WIDTH };
typedef float FN(vec) __attribute__((ext_vector_type(FOVEA_WIDTH), aligned(4)));

/// B^T d for one line of six.
static inline void FN(line_input)(const FN(vec) d[6], FN(vec) t[6]) {
    FN(vec) even = d[4] - 4.0f * d[2], odd = d[3] - 4.0f * d[1];
    FN(vec) difference = d[4] - d[2], twice = 2.0f * (d[3] - d[1]);
    t[0] = 4.0f * d[0] - 5.0f * d[2] + d[4];
    t[1] = even + odd;
    t[2] = even - odd;
    t[3] = difference + twice;
    t[4] = difference - twice;
    t[5] = 4.0f * d[1] - 5.0f * d[3] + d[5];
}

/// A^T m for one line of six.
static inline void FN(line_output)(const FN(vec) m[6], FN(vec) y[4]) {
    FN(vec) sum12 = m[1] + m[2], difference12 = m[1] - m[2];
    FN(vec) sum34 = m[3] + m[4], difference34 = m[3] - m[4];
    y[0] = m[0] + sum12 + sum34;
    y[1] = difference12 + 2.0f * difference34;
    y[2] = sum12 + 4.0f * sum34;
    y[3] = difference12 + 8.0f * difference34 + m[5];
}

/// A y for one line of four.
static inline void FN(line_output_adjoint)(const FN(vec) y[4], FN(vec) m[6]) {
    FN(vec) even = y[0] + y[2], odd = y[1] + y[3];
    FN(vec) even4 = y[0] + 4.0f * y[2], odd4 = 2.0f * y[1] + 8.0f * y[3];
    m[0] = y[0];
    m[1] = even + odd;
    m[2] = even - odd;
    m[3] = even4 + odd4;
    m[4] = even4 - odd4;
    m[5] = y[3];
}

/// Finds the tile in row `row` of a block; returns 0 where the row holds no tile.
static inline int FN(locate)(
    const fovea_tiling *t, const fovea_tile_block *block, long row, long *image, long *y, long *x) {
    const long per_image = t->tiles_high * t->tiles_wide;
    const long tile = block->first_tile + row, within = tile % per_image;
    *image = tile / per_image;
    *y = within / t->tiles_wide * 4;
    *x = within % t->tiles_wide * 4;
    return *image < t->images;
}

/// The place of channel `c` of row `row` in position 0.
static inline long FN(place)(const fovea_tile_block *block, long row, long c) {
    return (c / 16 * block->plane_rows + row) * 16 + c % 16;
}

static void FN(clear_row)(const fovea_tiling *t, const fovea_tile_block *block, long row, float *v) {
    for (int k = 0; k < 36; k++)
        for (long c = 0; c < t->channels; c += FN(width))
            *(FN(vec) *)(v + k * block->position_step + FN(place)(block, row, c)) = (FN(vec))0.0f;
}

/// The address of the next tile's pixels. Its lines are prefetched while this tile is computed, because the processor's
/// own prefetching cannot follow 36 short streams. NULL where there is no next tile, or where the next tile touches an
/// edge.
static inline const float *FN(following)(
    const fovea_tiling *t, const fovea_tile_block *block, long row, const float *pictures, long margin) {
    long image, y, x;
    if (row + 1 >= block->rows || !FN(locate)(t, block, row + 1, &image, &y, &x)) return 0;
    if (y < margin || x < margin || y + 5 > t->height || x + 5 > t->width) return 0;
    return pictures + ((image * t->height + y - margin) * t->width + x - margin) * t->channels;
}

static void FN(winograd_input)(const fovea_tiling *t, const float *x, const fovea_tile_block *block, float *v) {
    const long channels = t->channels, plane = block->position_step;
    for (long b = 0; b < block->rows; b++) {
        long image, y0, x0;
        if (!FN(locate)(t, block, b, &image, &y0, &x0)) {
            FN(clear_row)(t, block, b, v);
            continue;
        }
        const float *picture = x + image * t->height * t->width * channels;
        const int is_inside = y0 > 0 && x0 > 0 && y0 + 5 <= t->height && x0 + 5 <= t->width;
        const float *next = FN(following)(t, block, b, x, 1);
        for (long c = 0; c < channels; c += FN(width)) {
            if (next && c % 16 == 0)
                for (int i = 0; i < 6; i++)
                    for (int j = 2; j < 6; j++) __builtin_prefetch(next + (i * t->width + j) * channels + c, 0, 3);
            FN(vec) rows[6][6];  // B^T applied along x, by row
            if (is_inside) {
                const float *corner = picture + ((y0 - 1) * t->width + x0 - 1) * channels + c;
                for (int i = 0; i < 6; i++) {
                    FN(vec) d[6];
                    for (int j = 0; j < 6; j++) d[j] = *(const FN(vec) *)(corner + (i * t->width + j) * channels);
                    FN(line_input)(d, rows[i]);
                }
            } else
                for (int i = 0; i < 6; i++) {
                    long row = y0 - 1 + i;
                    FN(vec) d[6];
                    for (int j = 0; j < 6; j++) {
                        long column = x0 - 1 + j;
                        int inside = row >= 0 && row < t->height && column >= 0 && column < t->width;
                        d[j] = inside ? *(const FN(vec) *)(picture + (row * t->width + column) * channels + c)
                                      : (FN(vec))0.0f;
                    }
                    FN(line_input)(d, rows[i]);
                }
            for (int j = 0; j < 6; j++) {
                FN(vec) d[6], column[6];
                for (int i = 0; i < 6; i++) d[i] = rows[i][j];
                FN(line_input)(d, column);
                for (int i = 0; i < 6; i++) *(FN(vec) *)(v + (i * 6 + j) * plane + FN(place)(block, b, c)) = column[i];
            }
        }
    }
}

/// Whether every lane of a sum of products with 0 is 0. A lane is NaN where a factor was not finite.
static inline int FN(is_zero)(const FN(vec) *zeros) {
    int result = 1;
    for (int i = 0; i < FN(width); i++) result &= (*zeros)[i] == 0.0f;
    return result;
}

static int FN(winograd_output)(
    const fovea_tiling *t, const float *m, const float *bias, long bias_step, const float *residual,
    const fovea_tile_block *block, float *y) {
    const long channels = t->channels, plane = block->position_step;
    FN(vec) zeros = 0.0f;
    for (long b = 0; b < block->rows; b++) {
        long image, y0, x0;
        if (!FN(locate)(t, block, b, &image, &y0, &x0)) continue;
        float *picture = y + image * t->height * t->width * channels;
        const float *added = residual ? residual + image * t->height * t->width * channels : 0;
        const float *next = FN(following)(t, block, b, y, 0);
        for (long c = 0; c < channels; c += FN(width)) {
            if (next && c % 16 == 0)
                for (int i = 0; i < 4; i++)
                    for (int j = 0; j < 4; j++) {
                        const float *line = next + (i * t->width + j) * channels + c;
                        __builtin_prefetch(line, 1, 3);
                        if (residual) __builtin_prefetch(residual + (line - y), 0, 3);
                    }
            FN(vec) columns[4][6];
            for (int j = 0; j < 6; j++) {
                FN(vec) line[6], out[4];
                for (int i = 0; i < 6; i++)
                    line[i] = *(const FN(vec) *)(m + (i * 6 + j) * plane + FN(place)(block, b, c));
                FN(line_output)(line, out);
                for (int i = 0; i < 4; i++) columns[i][j] = out[i];
            }
            FN(vec) offset = bias ? *(const FN(vec) *)(bias + image * bias_step + c) : (FN(vec))0.0f;
            for (int i = 0; i < 4 && y0 + i < t->height; i++) {
                FN(vec) out[4];
                FN(line_output)(columns[i], out);
                for (int j = 0; j < 4 && x0 + j < t->width; j++) {
                    const long at = ((y0 + i) * t->width + x0 + j) * channels + c;
                    FN(vec) value = out[j] + offset;
                    zeros += out[j] * 0.0f;
                    if (added) value += *(const FN(vec) *)(added + at);
                    *(FN(vec) *)(picture + at) = value;
                }
            }
        }
    }
    return FN(is_zero)(&zeros);
}

static void FN(winograd_output_adjoint)(
    const fovea_tiling *t, const float *dy, const fovea_tile_block *block, float *z) {
    const long channels = t->channels, plane = block->position_step;
    for (long b = 0; b < block->rows; b++) {
        long image, y0, x0;
        if (!FN(locate)(t, block, b, &image, &y0, &x0)) {
            FN(clear_row)(t, block, b, z);
            continue;
        }
        const float *picture = dy + image * t->height * t->width * channels;
        const float *next = FN(following)(t, block, b, dy, 0);
        for (long c = 0; c < channels; c += FN(width)) {
            if (next && c % 16 == 0)
                for (int i = 0; i < 4; i++)
                    for (int j = 0; j < 4; j++) __builtin_prefetch(next + (i * t->width + j) * channels + c, 0, 3);
            FN(vec) rows[4][6];
            for (int i = 0; i < 4; i++) {
                FN(vec) d[4];
                for (int j = 0; j < 4; j++) {
                    int inside = y0 + i < t->height && x0 + j < t->width;
                    d[j] = inside ? *(const FN(vec) *)(picture + ((y0 + i) * t->width + x0 + j) * channels + c)
                                  : (FN(vec))0.0f;
                }
                FN(line_output_adjoint)(d, rows[i]);
            }
            for (int j = 0; j < 6; j++) {
                FN(vec) d[4], column[6];
                for (int i = 0; i < 4; i++) d[i] = rows[i][j];
                FN(line_output_adjoint)(d, column);
                for (int i = 0; i < 6; i++) *(FN(vec) *)(z + (i * 6 + j) * plane + FN(place)(block, b, c)) = column[i];
            }
        }
    }
}

/// G g for one line of three.
static inline void FN(line_weight)(const FN(vec) g[3], FN(vec) u[6]) {
    const float sixth = 1.0f / 6, twelfth = 1.0f / 12, twentyfourth = 1.0f / 24;
    const FN(vec) g0 = g[0], g1 = g[1], g2 = g[2];
    FN(vec) outer = -sixth * (g0 + g2), middle = sixth * g1;
    FN(vec) far = twentyfourth * g0 + sixth * g2, near = twelfth * g1;
    u[0] = 0.25f * g0;
    u[1] = outer - middle;
    u[2] = outer + middle;
    u[3] = far + near;
    u[4] = far - near;
    u[5] = g2;
}

/// G^T u for one line of six.
static inline void FN(line_weight_adjoint)(const FN(vec) u[6], FN(vec) g[3]) {
    const float sixth = 1.0f / 6, twelfth = 1.0f / 12, twentyfourth = 1.0f / 24;
    FN(vec) sum12 = u[1] + u[2], sum34 = u[3] + u[4];
    g[0] = 0.25f * u[0] - sixth * sum12 + twentyfourth * sum34;
    g[1] = sixth * (u[2] - u[1]) + twelfth * (u[3] - u[4]);
    g[2] = sixth * (sum34 - sum12) + u[5];
}

/// G w G^T of one register of weights.
static inline void FN(weight_transform)(const FN(vec) w[3][3], float *u, long plane) {
    FN(vec) half[3][6];
    for (int j = 0; j < 3; j++) {
        FN(vec) g[3] = {w[0][j], w[1][j], w[2][j]};
        FN(line_weight)(g, half[j]);
    }
    for (int i = 0; i < 6; i++) {
        FN(vec) g[3] = {half[0][i], half[1][i], half[2][i]}, line[6];
        FN(line_weight)(g, line);
        for (int j = 0; j < 6; j++) *(FN(vec) *)(u + (i * 6 + j) * plane) = line[j];
    }
}

static void FN(winograd_weight)(
    long in, long out, long first_panel, long panels, const float *w, long position_step, float *u) {
    for (long panel = first_panel; panel < first_panel + panels; panel++)
        for (long i = 0; i < in; i++)
            for (int c = 0; c < 16; c += FN(width)) {
                FN(vec) taps[3][3];
                for (int k = 0; k < 9; k++)
                    taps[k / 3][k % 3] = *(const FN(vec) *)(w + (k * in + i) * out + panel * 16 + c);
                FN(weight_transform)(taps, u + (panel * in + i) * 16 + c, position_step);
            }
}

static void FN(winograd_weight_turned)(
    long in, long out, long first_panel, long panels, const float *w, long position_step, float *u) {
    float columns[9][16][16];
    for (long panel = first_panel; panel < first_panel + panels; panel++)
        for (long o = 0; o < out; o += 16) {
            for (int k = 0; k < 9; k++)
                for (int i = 0; i < 16; i++) {
                    const float *line = w + (k * in + panel * 16 + i) * out + o;
                    for (int c = 0; c < 16; c++) columns[8 - k][c][i] = line[c];
                }
            for (int r = 0; r < 16; r++)
                for (int c = 0; c < 16; c += FN(width)) {
                    FN(vec) taps[3][3];
                    for (int k = 0; k < 9; k++) taps[k / 3][k % 3] = *(const FN(vec) *)(columns[k][r] + c);
                    FN(weight_transform)(taps, u + (panel * out + o + r) * 16 + c, position_step);
                }
        }
}

static int FN(winograd_weight_adjoint)(
    long in, long out, long first_panel, long panels, const float *du, long position_step, float *dw) {
    FN(vec) zeros = 0.0f;
    for (long panel = first_panel; panel < first_panel + panels; panel++)
        for (long i = 0; i < in; i++)
            for (int c = 0; c < 16; c += FN(width)) {
                const float *source = du + (panel * in + i) * 16 + c;
                FN(vec) half[6][3];
                for (int k = 0; k < 6; k++) {
                    FN(vec) line[6];
                    for (int j = 0; j < 6; j++) line[j] = *(const FN(vec) *)(source + (k * 6 + j) * position_step);
                    FN(line_weight_adjoint)(line, half[k]);
                }
                for (int j = 0; j < 3; j++) {
                    FN(vec) column[6], g[3];
                    for (int k = 0; k < 6; k++) column[k] = half[k][j];
                    FN(line_weight_adjoint)(column, g);
                    for (int k = 0; k < 3; k++) {
                        *(FN(vec) *)(dw + ((3 * k + j) * in + i) * out + panel * 16 + c) = g[k];
                        zeros += g[k] * 0.0f;
                    }
                }
            }
    return FN(is_zero)(&zeros);
}
