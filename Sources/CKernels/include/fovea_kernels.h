// The loops that touch memory, in C: the code that a compiler must vectorise, and a thin layer over BLAS and threads.
//
// Everything here works on float32, row-major, images NHWC. A `fovea_kernel_table` holds the loops of one instruction
// set. The table is chosen once, by the CPU or by FOVEA_ISA. Another device would be another table.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The operation of a binary loop. Each operand has a step; a step of 0 repeats one value.
typedef enum { FOVEA_ADD, FOVEA_SUBTRACT, FOVEA_MULTIPLY, FOVEA_DIVIDE } fovea_binary_op;

/// The settings of one Adam update (Kingma and Ba 2015, algorithm 1, with decoupled decay as in Loshchilov and Hutter
/// 2019).
typedef struct {
    float learning_rate, beta1, beta2, epsilon, weight_decay;
    /// 1 - beta^step, for the two moments.
    float correction1, correction2;
    /// Every gradient is multiplied by this before anything else (clipping).
    float gradient_scale;
} fovea_adam_settings;

/// A stream of Philox 4x32-10: the key, and the upper half of the counter.
typedef struct {
    uint32_t key[2], high[2];
} fovea_philox;

/// The pictures that a Winograd transform reads or writes.
typedef struct {
    long images, height, width, channels;
    /// Tiles of 4 x 4 outputs: ceil(height / 4), ceil(width / 4).
    long tiles_high, tiles_wide;
} fovea_tiling;

/// The rows of one block are the tiles first_tile ..< first_tile + rows, numbered through all pictures. Rows past the
/// last tile hold no tile. Row r of channel c of position k is at k * position_step + (c / 16 * plane_rows + r) * 16 +
/// c % 16, that is, in panels of sixteen channels, as products read them.
typedef struct {
    long first_tile, rows, plane_rows, position_step;
} fovea_tile_block;

/// c = a b, or c += a b. b is in panels of sixteen columns, [columns / 16][k][16]; the last panel is filled up with
/// zeros. Element (r, i) of a is at a[i / 16 * a_panel + r * a_row + i % 16], and element (r, j) of c is at c[j / 16 *
/// c_panel + r * c_row + j % 16]. Both are row-major where panels are 16 apart, and in panels where rows are 16 apart.
typedef struct {
    long rows, k, columns;
    const float *a;
    long a_row, a_panel;
    const float *b;
    float *c;
    long c_row, c_panel;
    int accumulate;
} fovea_product;

typedef struct {
    const char *name;
    void (*binary)(
        fovea_binary_op op, long count, const float *a, long step_a, const float *b, long step_b, float *out);
    void (*add_into)(long count, const float *a, float *accumulator);
    void (*scale_add)(long count, float scale, const float *a, float offset, float *out);  // out = scale * a + offset
    void (*exp)(long count, const float *a, float *out);
    /// Converts IEEE half-precision numbers to float32.
    void (*widen_half)(long count, const uint16_t *a, float *out);
    void (*silu)(long count, const float *x, float *out);
    void (*silu_gradient)(long count, const float *x, const float *grad_output, float *grad_input);
    double (*sum)(long count, const float *a);
    double (*sum_of_squares)(long count, const float *a);
    /// column_sums[c] += sum over rows of a[row, c]; rows are `stride` apart.
    void (*column_sums)(long rows, long columns, const float *a, long stride, double *column_sums);
    /// Row-wise softmax of scale * a; out may be a.
    void (*softmax)(long rows, long columns, float scale, const float *a, float *out);
    /// grad_input = scale * p * (grad_output - sum(p * grad_output)); grad_input may be grad_output.
    void (*softmax_gradient)(
        long rows, long columns, float scale, const float *probabilities, const float *grad_output, float *grad_input);
    /// sums[c] += sum d, squares[c] += sum d^2, over rows, with d = x - pivot[c].
    void (*channel_moments)(
        long rows, long channels, const float *x, const float *pivot, double *sums, double *squares);
    /// out = act((x - mean[c]) * scale[c] + shift[c]); act is SiLU where `silu` is not 0, and the identity otherwise.
    /// Rows of out are out_step apart.
    void (*normalize)(
        long rows, long channels, const float *x, const float *mean, const float *scale, const float *shift, int silu,
        float *out, long out_step);
    /// With xhat = (x - mean[c]) * inverse[c] and z = gamma * xhat + beta: writes dz = grad_output * act'(z), and adds
    /// up dz and dz * xhat by channel. dz may be grad_output; rows of both are `step` apart.
    void (*normalize_gradient_sums)(
        long rows, long channels, const float *x, const float *mean, const float *inverse, const float *gamma,
        const float *beta, int silu, const float *grad_output, float *dz, long step, double *sum_dz,
        double *sum_dz_xhat);
    /// grad_input = dz * a[c] + (x - mean[c]) * b[c] + c0[c]; rows of dz are dz_step apart.
    void (*normalize_gradient_apply)(
        long rows, long channels, const float *x, const float *dz, long dz_step, const float *mean, const float *a,
        const float *b, const float *c0, float *grad_input);
    /// Adds bias to each of the `rows` rows of y.
    void (*add_bias)(long rows, long columns, const float *bias, float *y);
    void (*adam)(
        long count, const fovea_adam_settings *settings, const float *gradient, float *parameter, float *moment1,
        float *moment2);
    /// average = decay * average + (1 - decay) * x
    void (*move_average)(long count, float decay, const float *x, float *average);
    /// Four normal numbers from each of the counters first ..< first + blocks. A number that the caller must compute
    /// with the C library is NaN. Returns how many are NaN.
    long (*normals)(const fovea_philox *stream, uint64_t first, long blocks, float *out);
    // Products. products.h says in which order sums are formed.
    void (*product)(const fovea_product *product);
    /// c = a^T b, or c += a^T b, with c[b_columns / 16][a_columns][16], a[a_columns / 16][k][16] and b[b_columns /
    /// 16][k][16].
    void (*product_adjoint)(
        long k, long a_columns, long b_columns, const float *a, const float *b, int accumulate, float *c);
    /// Copies a[rows][columns], whose rows are `row_step` apart, to panels[columns / 16][rows][16], filled up with
    /// zeros.
    void (*pack)(long rows, long columns, const float *a, long row_step, float *panels);
    /// Like pack, but of the transpose of a: panels[rows / 16][columns][16].
    void (*pack_transposed)(long rows, long columns, const float *a, long row_step, float *panels);
    // Winograd F(4x4, 3x3), Lavin and Gray 2016; channels must be a multiple of 16.
    /// v[36][channels / 16][plane_rows][16] = B^T d B for the tiles of `block`; rows without a tile are 0.
    void (*winograd_input)(const fovea_tiling *tiling, const float *x, const fovea_tile_block *block, float *v);
    /// y = A^T m A + bias + residual, m[36][channels / 16][plane_rows][16]. Rows of bias[images][channels] are
    /// bias_step apart; with 0, all images share one row. bias and residual may be NULL; residual has y's shape.
    /// Returns whether A^T m A is finite everywhere.
    int (*winograd_output)(
        const fovea_tiling *tiling, const float *m, const float *bias, long bias_step, const float *residual,
        const fovea_tile_block *block, float *y);
    /// z[36][channels / 16][plane_rows][16] = A dy A^T, the adjoint of the output transform.
    void (*winograd_output_adjoint)(
        const fovea_tiling *tiling, const float *dy, const fovea_tile_block *block, float *z);
    /// u[36][out / 16][in][16] = G w G^T for w[3][3][in][out], for `panels` panels of outputs from first_panel on.
    void (*winograd_weight)(
        long in, long out, long first_panel, long panels, const float *w, long position_step, float *u);
    /// Like winograd_weight, but for the weight of the adjoint convolution: w turned by 180 degrees with inputs and
    /// outputs exchanged. u[36][in / 16][out][16], for `panels` panels of inputs from first_panel on.
    void (*winograd_weight_turned)(
        long in, long out, long first_panel, long panels, const float *w, long position_step, float *u);
    /// dw[3][3][in][out] = G^T du G with du[36][out / 16][in][16], the adjoint of the weight transform. Returns whether
    /// dw is finite everywhere.
    int (*winograd_weight_adjoint)(
        long in, long out, long first_panel, long panels, const float *du, long position_step, float *dw);
} fovea_kernel_table;

/// The table in use. FOVEA_ISA=default|v3|v4 forces a table. A name that is unknown or that the CPU cannot run is
/// ignored here and reported by fovea_isa_problem.
const fovea_kernel_table *fovea_kernels(void);
/// A sentence that says why FOVEA_ISA was not followed, or NULL.
const char *fovea_isa_problem(void);

// BLAS; every call runs on one thread.
void fovea_sgemm(
    int transpose_a, int transpose_b, long m, long n, long k, float alpha, const float *a, long lda, const float *b,
    long ldb, float beta, float *c, long ldc);
/// Eigenvalues of the symmetric a[n][n], ascending; a is overwritten by the eigenvectors, one in each row. Returns 0,
/// or LAPACK's error code.
int fovea_symmetric_eigen(long n, double *a, double *values);
const char *fovea_blas_core(void);
const char *fovea_blas_version(void);
void fovea_blas_use_one_thread(void);

/// Computes those values of y again that are not finite, in the tiles of `block`, tap by tap in float64. The transforms
/// overflow earlier than the convolution does, and spread a value that is not finite over a whole tile.
/// w[3][3][in][out] is the weight of this convolution, or, where `turned` is not 0, of the convolution whose adjoint
/// this is.
void fovea_winograd_repair(
    const fovea_tiling *source, const fovea_tiling *target, const float *x, const float *w, int turned,
    const float *bias, long bias_step, const float *residual, const fovea_tile_block *block, float *y);

/// The geometry of a convolution, with `pad` zeros on each side.
typedef struct {
    long height, width, in, out_height, out_width;
    long kernel, stride, pad;
} fovea_convolution;

/// Writes columns[pixel - first][kh][kw][in] for the output pixels first ..< first + count, numbered through all
/// images.
void fovea_im2col(const fovea_convolution *geometry, const float *x, long first, long count, float *columns);
/// The adjoint of fovea_im2col: adds the columns of the output rows first ..< first + rows of one image to the image x.
void fovea_col2im(const fovea_convolution *geometry, const float *columns, long first, long rows, float *x);

// Threads.
typedef void (*fovea_task)(void *context, long index);
/// Runs task(context, index) for every index in 0 ..< count on the pool and the caller, in any order. Returns when all
/// have ended.
void fovea_parallel_for(long count, fovea_task task, void *context);
/// How many more threads the system gives the process at the same time, up to `count`. They are started and ended.
long fovea_startable_threads(long count);
/// The number of cores that this process may use (affinity and cgroup quota).
long fovea_available_cores(void);
long fovea_thread_count(void);
void fovea_set_thread_count(long threads);
/// A buffer of the calling thread, 64-byte aligned. It is valid until the same thread asks for the same slot (0 ..< 4)
/// again.
float *fovea_thread_scratch(int slot, size_t floats);

#ifdef __cplusplus
}
#endif
