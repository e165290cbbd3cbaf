// The loops that touch memory, in C: what a compiler must vectorise, and the thin way to BLAS and threads.
//
// Everything here works on float32, row-major, images NHWC. A `fovea_kernel_table` holds the loops of one instruction
// set; the table is chosen once, by CPU or by FOVEA_ISA. Another device is another table.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// How a binary loop walks its operands: a step of 0 repeats one value.
typedef enum { FOVEA_ADD, FOVEA_SUBTRACT, FOVEA_MULTIPLY, FOVEA_DIVIDE } fovea_binary_op;

/// One Adam update (Kingma and Ba 2015, algorithm 1, with decoupled decay as in Loshchilov and Hutter 2019).
typedef struct {
    float learning_rate, beta1, beta2, epsilon, weight_decay;
    /// 1 - beta^step, for the two moments.
    float correction1, correction2;
    /// Every gradient is multiplied by this first (clipping).
    float gradient_scale;
    /// The EMA keeps this share of itself: ema = decay * ema + (1 - decay) * parameter.
    float ema_decay;
} fovea_adam_settings;

/// The pictures that a Winograd transform reads or writes.
typedef struct {
    long images, height, width, channels;
    /// Tiles of 4 x 4 outputs: ceil(height / 4), ceil(width / 4).
    long tiles_high, tiles_wide;
} fovea_tiling;

/// The tiles that stand in the rows of one block: row r holds tile first_tile + r % slots of picture
/// first_image + r / slots, or nothing where the picture has no such tile. With 0 slots, tiles are numbered through all
/// pictures, and row r holds tile first_tile + r. Row r of position k is stored at row k * plane_rows + r.
typedef struct {
    long rows, slots, first_image, first_tile, plane_rows;
} fovea_tile_block;

typedef struct {
    const char *name;
    void (*binary)(fovea_binary_op op, long count, const float *a, long step_a, const float *b, long step_b, float *out);
    void (*add_into)(long count, const float *a, float *accumulator);
    void (*scale_add)(long count, float scale, const float *a, float offset, float *out);  // out = scale * a + offset
    void (*exp)(long count, const float *a, float *out);
    void (*silu)(long count, const float *x, float *out);
    void (*silu_gradient)(long count, const float *x, const float *grad_output, float *grad_input);
    double (*sum)(long count, const float *a);
    double (*sum_of_squares)(long count, const float *a);
    /// column_sums[c] += sum over rows of a[row, c]; rows are `stride` apart.
    void (*column_sums)(long rows, long columns, const float *a, long stride, double *column_sums);
    /// Row-wise softmax of scale * a; in place when out == a.
    void (*softmax)(long rows, long columns, float scale, const float *a, float *out);
    /// grad_input = scale * p * (grad_output - sum(p * grad_output)); in place when grad_input == grad_output.
    void (*softmax_gradient)(
        long rows, long columns, float scale, const float *probabilities, const float *grad_output, float *grad_input);
    /// sums[c] += sum d, squares[c] += sum d^2, over rows, with d = x - pivot[c].
    void (*channel_moments)(
        long rows, long channels, const float *x, const float *pivot, double *sums, double *squares);
    /// out = act((x - mean[c]) * scale[c] + shift[c]); act is SiLU where `silu` is not 0, the identity otherwise.
    void (*normalize)(
        long rows, long channels, const float *x, const float *mean, const float *scale, const float *shift, int silu,
        float *out);
    /// With xhat = (x - mean[c]) * inverse[c] and z = gamma * xhat + beta: writes dz = grad_output * act'(z), and adds
    /// sum dz and sum dz * xhat by channel.
    void (*normalize_gradient_sums)(
        long rows, long channels, const float *x, const float *mean, const float *inverse, const float *gamma,
        const float *beta, int silu, const float *grad_output, float *dz, double *sum_dz, double *sum_dz_xhat);
    /// grad_input = dz * a[c] + (x - mean[c]) * b[c] + c0[c]; dz may be grad_input.
    void (*normalize_gradient_apply)(
        long rows, long channels, const float *x, const float *dz, const float *mean, const float *a, const float *b,
        const float *c0, float *grad_input);
    /// out[row, :] = bias + x[row, :] * weight, each row on its own, in one order of summation. bias may be NULL.
    void (*linear_rows)(
        long rows, long in, long out_columns, const float *x, const float *weight, const float *bias, float *out);
    /// Each of `rows` rows of y += bias.
    void (*add_bias)(long rows, long columns, const float *bias, float *y);
    void (*adam)(
        long count, const fovea_adam_settings *settings, const float *gradient, float *parameter, float *moment1,
        float *moment2, float *ema);
    // Winograd F(4x4, 3x3), Lavin and Gray 2016; channels must be a multiple of 16.
    /// v[36][plane_rows][channels] = B^T d B for the tiles of `block`; rows without a tile are 0.
    void (*winograd_input)(const fovea_tiling *tiling, const float *x, const fovea_tile_block *block, float *v);
    /// y = A^T m A + bias, m[36][plane_rows][channels]; bias may be NULL.
    void (*winograd_output)(
        const fovea_tiling *tiling, const float *m, const float *bias, const fovea_tile_block *block, float *y);
    /// z[36][plane_rows][channels] = A dy A^T, the adjoint of the output transform.
    void (*winograd_output_adjoint)(const fovea_tiling *tiling, const float *dy, const fovea_tile_block *block, float *z);
    /// u[36][count] = G w G^T for w[3][3][stride], elements first ..< first + count, in sixteens.
    void (*winograd_weight)(long first, long count, long stride, const float *w, float *u);
    /// dw[3][3][stride] = G^T du G, the adjoint of the weight transform.
    void (*winograd_weight_adjoint)(long first, long count, long stride, const float *du, float *dw);
} fovea_kernel_table;

/// The table in use. FOVEA_ISA=default|v3|v4 forces one; a name that is unknown or that the CPU cannot run is ignored
/// here and reported by fovea_isa_problem.
const fovea_kernel_table *fovea_kernels(void);
/// NULL, or a sentence on why FOVEA_ISA was not followed.
const char *fovea_isa_problem(void);

// BLAS, one thread a call.
void fovea_sgemm(
    int transpose_a, int transpose_b, long m, long n, long k, float alpha, const float *a, long lda, const float *b,
    long ldb, float beta, float *c, long ldc);
/// `count` products c[i] = a[i] * b[i] (+ c[i] with beta 1), operands `*_step` floats apart.
void fovea_sgemm_batch(
    long count, int transpose_a, int transpose_b, long m, long n, long k, const float *a, long a_step, long lda,
    const float *b, long b_step, long ldb, float beta, float *c, long c_step, long ldc);
const char *fovea_blas_core(void);
const char *fovea_blas_version(void);
void fovea_blas_use_one_thread(void);

/// Geometry of a convolution; `pad` zeros on each side.
typedef struct {
    long height, width, in, out_height, out_width;
    long kernel, stride, pad;
} fovea_convolution;

/// columns[(y - first) * out_width + x][kh][kw][in] of one image, output rows first ..< first + rows.
void fovea_im2col(const fovea_convolution *geometry, const float *x, long first, long rows, float *columns);
/// Adds the columns back into one image: the adjoint of fovea_im2col.
void fovea_col2im(const fovea_convolution *geometry, const float *columns, long first, long rows, float *x);

// Threads.
typedef void (*fovea_task)(void *context, long index);
/// Runs task(context, 0 ..< count), in any order, on the pool and the caller; returns when all have run.
void fovea_parallel_for(long count, fovea_task task, void *context);
/// Cores that this process may use (affinity and cgroup quota).
long fovea_available_cores(void);
long fovea_thread_count(void);
void fovea_set_thread_count(long threads);
/// A buffer of the calling thread, 64-byte aligned, valid until its next call from the same slot (0 ..< 4).
float *fovea_thread_scratch(int slot, size_t floats);

#ifdef __cplusplus
}
#endif
