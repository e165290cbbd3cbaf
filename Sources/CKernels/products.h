// Matrix products. One tile of the result stays in registers while k runs. Included once by each isa_*.c.
//
// Every element is the sum of chains of 128 multiply-adds in the order of k, and each chain begins at 0. This does not
// depend on the neighbouring elements. So a row of the result does not depend on the other rows, on their number, or on
// how the work is cut. (A single chain over k = 512 has twice the rounding error.)

#define INLINE static inline __attribute__((always_inline))

enum { FN(chain) = 128 };

// The rows and the panels of sixteen columns in one tile, chosen by the number of registers.
#if defined(FOVEA_TILE_V4)
// If this loop is unrolled, the compiler runs out of its 32 registers.
#define UNROLL_STEPS _Pragma("clang loop unroll(disable)")
enum { FN(tile_rows) = 12, FN(tile_panels) = 2, FN(adjoint_rows) = 8 };  // 24 and 16 of 32 registers of 512 bits
#elif defined(FOVEA_TILE_V3)
#define UNROLL_STEPS _Pragma("clang loop unroll_count(4)")
enum { FN(tile_rows) = 6, FN(tile_panels) = 1, FN(adjoint_rows) = 6 };  // 12 of 16 registers of 256 bits
#else
#define UNROLL_STEPS _Pragma("clang loop unroll_count(2)")
enum { FN(tile_rows) = 2, FN(tile_panels) = 1, FN(adjoint_rows) = 2 };  // 8 of 16 registers of 128 bits
#endif

typedef struct {
    long k, a_row, a_panel, b_panel, c_row, c_panel, columns;
    int accumulate;
} FN(tile_shape);

typedef float FN(v8) __attribute__((ext_vector_type(8), aligned(4)));

/// Loads the first `columns` columns of a panel, at most 16; the others are set to 0.
INLINE void FN(load_columns)(const float *c, long columns, FN(v16) *values) {
    *values = (FN(v16))0.0f;
    if (columns >= 16) *values = *(const FN(v16) *)c;
    else if (columns == 8) values->lo = *(const FN(v8) *)c;
    else
        for (long i = 0; i < columns; i++) (*values)[i] = c[i];
}

INLINE void FN(store_columns)(float *c, long columns, const FN(v16) *values) {
    if (columns >= 16) *(FN(v16) *)c = *values;
    else if (columns == 8) *(FN(v8) *)c = values->lo;
    else
        for (long i = 0; i < columns; i++) c[i] = (*values)[i];
}

/// Adds `length` steps of k to the sums of a tile; rows of a are a_row apart.
INLINE void FN(tile_steps)(
    const int rows, const int panels, const long length, long a_row, const float *a, const float *b, long b_panel,
    FN(v16) sums[FN(tile_rows)][FN(tile_panels)]) {
    UNROLL_STEPS
    for (long k = 0; k < length; k++) {
        FN(v16) b_row[FN(tile_panels)];
#pragma clang loop unroll(full)
        for (int p = 0; p < panels; p++) b_row[p] = *(const FN(v16) *)(b + p * b_panel + k * 16);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            FN(v16) value = a[r * a_row + k];
#pragma clang loop unroll(full)
            for (int p = 0; p < panels; p++) sums[r][p] += value * b_row[p];
        }
    }
}

/// Writes a tile: c = sums, or c += sums where `add` is not 0.
INLINE void FN(tile_write)(
    const int rows, const int panels, const FN(tile_shape) *s, int add, FN(v16) sums[FN(tile_rows)][FN(tile_panels)],
    float *c) {
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (int p = 0; p < panels; p++) {
            float *target = c + p * s->c_panel + r * s->c_row;
            if (add) {
                FN(v16) before;
                FN(load_columns)(target, s->columns - 16 * p, &before);
                sums[r][p] += before;
            }
            FN(store_columns)(target, s->columns - 16 * p, &sums[r][p]);
        }
}

/// Computes one tile of c. `next` is the part of b that the following tiles will read; it is prefetched meanwhile. It
/// may be NULL.
INLINE void FN(tile)(
    const int rows, const int panels, const FN(tile_shape) *s, const float *a, const float *b, const float *next,
    float *c) {
    int add = s->accumulate;
    for (long first = 0; first < s->k || first == 0; first += FN(chain)) {
        FN(v16) sums[FN(tile_rows)][FN(tile_panels)];
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
            for (int p = 0; p < panels; p++) sums[r][p] = (FN(v16))0.0f;
        const long end = first + FN(chain) < s->k ? first + FN(chain) : s->k;
        long k = first;
        for (; k + 16 <= end; k += 16, a += s->a_panel, b += 256) {
            FN(tile_steps)(rows, panels, 16, s->a_row, a, b, s->b_panel, sums);
            if (next) {
                __builtin_prefetch(next, 0, 2);
                __builtin_prefetch(next + 16, 0, 2);
                next += 32;
            }
        }
        if (k + 8 <= end) {
            FN(tile_steps)(rows, panels, 8, s->a_row, a, b, s->b_panel, sums);
            k += 8, a += 8, b += 128;
        }
        if (k < end) FN(tile_steps)(rows, panels, end - k, s->a_row, a, b, s->b_panel, sums);
        FN(tile_write)(rows, panels, s, add, sums, c);
        add = 1;
    }
}

/// Computes a column of tiles: all rows of `panels` neighbouring panels.
INLINE void FN(tile_column)(const int panels, FN(tile_shape) *s, const fovea_product *p, const float *b, float *c) {
    const long full = p->rows / FN(tile_rows);
    // Each tile prefetches its share of the next panels.
    const float *next = b + s->b_panel * panels;
    const long share = full >= 4 && s->columns > 16 * panels ? (p->k / 16) * 32 : 0;
    long row = 0;
    for (; row + FN(tile_rows) <= p->rows; row += FN(tile_rows)) {
        const long done = share * (row / FN(tile_rows));
        FN(tile)(
            FN(tile_rows), panels, s, p->a + row * s->a_row, b, done < s->b_panel * panels && share ? next + done : 0,
            c + row * s->c_row);
    }
    for (; row < p->rows; row++) FN(tile)(1, panels, s, p->a + row * s->a_row, b, 0, c + row * s->c_row);
}

static void FN(product)(const fovea_product *p) {
    FN(tile_shape) s = {p->k, p->a_row, p->a_panel, p->k * 16, p->c_row, p->c_panel, p->columns, p->accumulate};
    long column = 0;
    for (; FN(tile_panels) > 1 && column + 16 * FN(tile_panels) <= p->columns; column += 16 * FN(tile_panels)) {
        s.columns = p->columns - column;
        FN(tile_column)(FN(tile_panels), &s, p, p->b + column / 16 * s.b_panel, p->c + column / 16 * s.c_panel);
    }
    for (; column < p->columns; column += 16) {
        s.columns = p->columns - column;
        FN(tile_column)(1, &s, p, p->b + column / 16 * s.b_panel, p->c + column / 16 * s.c_panel);
    }
}

/// `rows` rows of c = a^T b or c += a^T b in panels, in one chain; row r of a at step k is at a[16 k + r].
INLINE void FN(adjoint_tile)(
    const int rows, const int panels, long length, const float *a, const float *b, long b_panel, int add, float *c,
    long c_panel) {
    FN(v16) sums[FN(adjoint_rows)][FN(tile_panels)];
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (int p = 0; p < panels; p++) sums[r][p] = (FN(v16))0.0f;
    UNROLL_STEPS
    for (long step = 0; step < length; step++) {
        FN(v16) b_row[FN(tile_panels)];
#pragma clang loop unroll(full)
        for (int p = 0; p < panels; p++) b_row[p] = *(const FN(v16) *)(b + p * b_panel + step * 16);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            FN(v16) value = a[step * 16 + r];
#pragma clang loop unroll(full)
            for (int p = 0; p < panels; p++) sums[r][p] += value * b_row[p];
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (int p = 0; p < panels; p++) {
            FN(v16) *target = (FN(v16) *)(c + p * c_panel + r * 16);
            *target = add ? *target + sums[r][p] : sums[r][p];
        }
}

/// Computes all of c, chain by chain, so that the part of a and b that one chain reads stays in the first-level cache.
static void FN(product_adjoint)(
    long k, long a_columns, long b_columns, const float *a, const float *b, int accumulate, float *c) {
    const long c_panel = a_columns * 16, b_panel = k * 16;
    for (long first = 0; first < k || first == 0; first += FN(chain), accumulate = 1) {
        const long length = k - first < FN(chain) ? k - first : FN(chain);
        for (long column = 0; column < b_columns;) {
            const int is_wide = FN(tile_panels) > 1 && column + 16 * FN(tile_panels) <= b_columns;
            const float *b_panels = b + column * k + first * 16;
            for (long i = 0; i < a_columns; i += 16)
                for (long r = 0; r < 16;) {
                    const float *a_rows = a + i * k + first * 16 + r;
                    float *target = c + column * a_columns + (i + r) * 16;
                    const long rows = r + FN(adjoint_rows) <= 16 ? FN(adjoint_rows) : 16 % FN(adjoint_rows);
                    // 16 is not a multiple of 6, so the last tile of a panel has fewer rows.
                    if (rows == FN(adjoint_rows)) {
                        if (is_wide)
                            FN(adjoint_tile)(
                                FN(adjoint_rows), FN(tile_panels), length, a_rows, b_panels, b_panel, accumulate,
                                target, c_panel);
                        else
                            FN(adjoint_tile)(
                                FN(adjoint_rows), 1, length, a_rows, b_panels, b_panel, accumulate, target, c_panel);
                    } else
                        FN(adjoint_tile)(
                            16 % FN(adjoint_rows), 1, length, a_rows, b_panels, b_panel, accumulate, target, c_panel);
                    r += rows;
                }
            column += is_wide ? 16 * FN(tile_panels) : 16;
        }
    }
}

/// Copies a[rows][columns], whose rows are `row_step` apart, to panels[columns / 16][rows][16]; values past the last
/// column are 0.
static void FN(pack)(long rows, long columns, const float *a, long row_step, float *panels) {
    for (long first = 0; first < columns; first += 16) {
        const long width = columns - first < 16 ? columns - first : 16;
        for (long row = 0; row < rows; row++, panels += 16)
            FN(load_columns)(a + row * row_step + first, width, (FN(v16) *)panels);
    }
}

/// Copies the transpose of a[rows][columns] to panels[rows / 16][columns][16]; values past the last row are 0.
static void FN(pack_transposed)(long rows, long columns, const float *a, long row_step, float *panels) {
    for (long first = 0; first < rows; first += 16) {
        const long height = rows - first < 16 ? rows - first : 16;
        long column = 0;
        for (; height == 16 && column + 8 <= columns; column += 8, panels += 128) {
            float block[16][8];
            for (int r = 0; r < 16; r++) *(FN(v8) *)block[r] = *(const FN(v8) *)(a + (first + r) * row_step + column);
            for (int c = 0; c < 8; c++)
                for (int r = 0; r < 16; r++) panels[c * 16 + r] = block[r][c];
        }
        for (; column < columns; column++, panels += 16) {
            FN(v16) values = 0.0f;
            for (long r = 0; r < height; r++) values[r] = a[(first + r) * row_step + column];
            *(FN(v16) *)panels = values;
        }
    }
}
