// The loops of one instruction set. Included once by each isa_*.c, with FN(name) defined and the target attribute
// pushed.

/// Sixteen channels or columns, which are computed together.
typedef float FN(v16) __attribute__((ext_vector_type(16), aligned(4)));

// By its cost model the compiler uses 256 bits; loops with an exponential are faster with 512.
#define WIDE _Pragma("clang loop vectorize_width(16)")
// Where the result may be the operand itself, the compiler's test for overlap would choose the slow loop.
#define WIDE_IN_PLACE _Pragma("clang loop vectorize(assume_safety) vectorize_width(16)")

/// e^(x - n ln 2), where n is the integer nearest to x / ln 2.
static inline float FN(exp_reduced)(float x, float n) {
    float r = x - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    return p * r * r + r + 1.0f;
}

/// e^x for float32 by Cody-Waite reduction and a polynomial of degree 6 (Cephes' coefficients). The error is at most 2
/// ULP where the result is normal. The result is 0 below -87.34, infinity above 88.72, and NaN for NaN.
static inline float FN(exp_one)(float x) {
    float low = x < -87.33654f ? -87.33654f : x;
    float bounded = low > 88.72283f ? 88.72283f : low;
    float shifted = bounded * 1.44269504088896341f + 12582912.0f;  // 1.5 * 2^23: rounds to an integer
    float p = FN(exp_reduced)(bounded, shifted - 12582912.0f);
    union {
        float f;
        uint32_t u;
    } bits = {shifted}, half;
    // 2^n is split into two factors, so that n = 128 does not overflow the exponent.
    int32_t exponent = (int32_t)(bits.u - 0x4b400000u);
    int32_t first = exponent >> 1;
    half.u = (uint32_t)(first + 127) << 23;
    float scaled = p * half.f;
    half.u = (uint32_t)(exponent - first + 127) << 23;
    scaled = scaled * half.f;
    scaled = x > 88.72283f ? __builtin_inff() : scaled;
    scaled = x < -87.33654f ? 0.0f : scaled;
    return x != x ? x : scaled;
}

/// e^x for |x| <= 87.3, where one factor can hold the power of two; NaN for NaN.
static inline float FN(exp_bounded)(float x) {
    float shifted = x * 1.44269504088896341f + 12582912.0f;
    float p = FN(exp_reduced)(x, shifted - 12582912.0f);
    union {
        float f;
        uint32_t u;
    } bits = {shifted};
    bits.u = (bits.u - 0x4b400000u + 127u) << 23;
    return p * bits.f;
}

/// e^x for x <= 0; the result is 0 below -87.3.
static inline float FN(exp_negative)(float x) {
    float scaled = FN(exp_bounded)(x < -87.3f ? -87.3f : x);
    return x < -87.3f ? 0.0f : scaled;
}

/// 1 / (1 + e^-x); the result is 0 below -87.3 and 1 above 87.3.
static inline float FN(sigmoid)(float x) {
    float bounded = x < -87.3f ? -87.3f : x > 87.3f ? 87.3f : x;
    float result = 1.0f / (1.0f + FN(exp_bounded)(-bounded));
    return x < -87.3f ? 0.0f : result;
}

/// Converts IEEE half-precision numbers to float32, including subnormals, infinities and NaN.
static void FN(widen_half)(long count, const uint16_t *a, float *out) {
    for (long i = 0; i < count; i++) {
        union {
            uint32_t u;
            float f;
        } value = {(uint32_t)(a[i] & 0x7fff) << 13}, scale = {(254u - 15) << 23};
        // The exponent field of a half is 112 less than that of a float of the same value. The product corrects it,
        // also for subnormals.
        value.f *= scale.f;
        value.u |= (a[i] & 0x7c00) == 0x7c00 ? 0x7f800000u : 0u;
        value.u |= (uint32_t)(a[i] & 0x8000) << 16;
        out[i] = value.f;
    }
}

#define BINARY_LOOPS(expression)                                                                                       \
    if (step_a == 1 && step_b == 1) {                                                                                  \
        for (long i = 0; i < count; i++) {                                                                             \
            float x = a[i], y = b[i];                                                                                  \
            out[i] = expression;                                                                                       \
        }                                                                                                              \
    } else if (step_a == 1) {                                                                                          \
        float y = *b;                                                                                                  \
        for (long i = 0; i < count; i++) {                                                                             \
            float x = a[i];                                                                                            \
            out[i] = expression;                                                                                       \
        }                                                                                                              \
    } else if (step_b == 1) {                                                                                          \
        float x = *a;                                                                                                  \
        for (long i = 0; i < count; i++) {                                                                             \
            float y = b[i];                                                                                            \
            out[i] = expression;                                                                                       \
        }                                                                                                              \
    } else {                                                                                                           \
        float x = *a, y = *b;                                                                                          \
        for (long i = 0; i < count; i++) out[i] = expression;                                                          \
    }

static void FN(binary)(
    fovea_binary_op op, long count, const float *a, long step_a, const float *b, long step_b, float *out) {
    switch (op) {
    case FOVEA_ADD:
        BINARY_LOOPS(x + y) break;
    case FOVEA_SUBTRACT:
        BINARY_LOOPS(x - y) break;
    case FOVEA_MULTIPLY:
        BINARY_LOOPS(x * y) break;
    case FOVEA_DIVIDE:
        BINARY_LOOPS(x / y) break;
    }
}
#undef BINARY_LOOPS

static void FN(add_into)(long count, const float *restrict a, float *restrict accumulator) {
    for (long i = 0; i < count; i++) accumulator[i] += a[i];
}

static void FN(scale_add)(long count, float scale, const float *a, float offset, float *out) {
    WIDE_IN_PLACE
    for (long i = 0; i < count; i++) out[i] = scale * a[i] + offset;
}

static void FN(exp)(long count, const float *a, float *out) {
    WIDE
    for (long i = 0; i < count; i++) out[i] = FN(exp_one)(a[i]);
}

static void FN(silu)(long count, const float *x, float *out) {
    WIDE
    for (long i = 0; i < count; i++) out[i] = x[i] * FN(sigmoid)(x[i]);
}

static void FN(silu_gradient)(long count, const float *x, const float *grad_output, float *grad_input) {
    WIDE
    for (long i = 0; i < count; i++) {
        float s = FN(sigmoid)(x[i]);
        grad_input[i] = grad_output[i] * (s + x[i] * s * (1.0f - s));
    }
}

// Sums are formed in 64 float32 lanes over runs of 4096 elements, and then in float64. The count alone fixes the order.
enum { FN(lanes) = 64, FN(run) = 4096 };

#define LANE_SUM(term)                                                                                                 \
    double total = 0;                                                                                                  \
    for (long start = 0; start < count; start += FN(run)) {                                                            \
        long end = start + FN(run) < count ? start + FN(run) : count;                                                  \
        float lane[FN(lanes)] = {0};                                                                                   \
        long i = start;                                                                                                \
        for (; i + FN(lanes) <= end; i += FN(lanes))                                                                   \
            for (int l = 0; l < FN(lanes); l++) {                                                                      \
                float x = a[i + l];                                                                                    \
                lane[l] += term;                                                                                       \
            }                                                                                                          \
        for (; i < end; i++) {                                                                                         \
            float x = a[i];                                                                                            \
            lane[i % FN(lanes)] += term;                                                                               \
        }                                                                                                              \
        for (int l = 0; l < FN(lanes); l++) total += lane[l];                                                          \
    }                                                                                                                  \
    return total;

static double FN(sum)(long count, const float *a) { LANE_SUM(x) }
static double FN(sum_of_squares)(long count, const float *a) { LANE_SUM(x * x) }
#undef LANE_SUM

/// The number of rows, and of channels, that are summed in float32 before the sums go on in float64.
enum { FN(row_run) = 64, FN(channel_run) = 64 };

static void FN(column_sums)(long rows, long columns, const float *a, long stride, double *column_sums) {
    for (long first = 0; first < columns; first += FN(channel_run)) {
        long width = columns - first < FN(channel_run) ? columns - first : FN(channel_run);
        for (long start = 0; start < rows; start += FN(row_run)) {
            long end = start + FN(row_run) < rows ? start + FN(row_run) : rows;
            float lane[FN(channel_run)] = {0};
            for (long row = start; row < end; row++) {
                const float *values = a + row * stride + first;
                for (long c = 0; c < width; c++) lane[c] += values[c];
            }
            for (long c = 0; c < width; c++) column_sums[first + c] += lane[c];
        }
    }
}

/// The largest element of a row; NaN is ignored.
static inline float FN(largest)(long count, const float *a) {
    float result = -__builtin_inff();
    long i = 0;
    if (count >= 16) {
        FN(v16) lanes = *(const FN(v16) *)a;
        for (i = 16; i + 16 <= count; i += 16) lanes = __builtin_elementwise_max(lanes, *(const FN(v16) *)(a + i));
        for (int l = 0; l < 16; l++) result = lanes[l] > result ? lanes[l] : result;
    }
    for (; i < count; i++) result = a[i] > result ? a[i] : result;
    return result;
}

/// The first place of `value` in a row; `count` where the row does not contain it.
static inline long FN(first_equal)(long count, const float *a, float value) {
    long i = 0;
    // Sixteen elements are compared at a time until one of them is equal.
    for (; i + 16 <= count; i += 16) {
        int found = 0;
        for (int l = 0; l < 16; l++) found |= a[i + l] == value;
        if (found) break;
    }
    while (i < count && a[i] != value) i++;
    return i;
}

/// The sum of a row, formed in sixteen lanes.
static inline float FN(row_sum)(long count, const float *a) {
    FN(v16) lanes = 0.0f;
    float result = 0;
    long i = 0;
    for (; i + 16 <= count; i += 16) lanes += *(const FN(v16) *)(a + i);
    for (; i < count; i++) result += a[i];
    for (int l = 0; l < 16; l++) result += lanes[l];
    return result;
}

static void FN(softmax)(long rows, long columns, float scale, const float *a, float *out) {
    for (long row = 0; row < rows; row++, a += columns, out += columns) {
        // `largest` ignores NaN. The sum becomes NaN, though, and with it the whole row.
        float highest = FN(largest)(columns, a) * scale;
        // The loop may run in place: each element is read before it is written.
        WIDE_IN_PLACE
        for (long i = 0; i < columns; i++) out[i] = FN(exp_negative)(a[i] * scale - highest);
        float inverse = 1.0f / FN(row_sum)(columns, out);
        for (long i = 0; i < columns; i++) out[i] *= inverse;
    }
}

static void FN(softmax_gradient)(
    long rows, long columns, float scale, const float *probabilities, const float *grad_output, float *grad_input) {
    for (long row = 0; row < rows; row++, probabilities += columns, grad_output += columns, grad_input += columns) {
        // Gradients are taken relative to that of the likeliest column, so that a saturated row does not cancel.
        float highest = FN(largest)(columns, probabilities);
        long likeliest = FN(first_equal)(columns, probabilities, highest);
        float pivot = grad_output[likeliest < columns ? likeliest : 0];
        FN(v16) lanes = 0.0f;
        float inner = 0;
        long i = 0;
        for (; i + 16 <= columns; i += 16)
            lanes += *(const FN(v16) *)(probabilities + i) * (*(const FN(v16) *)(grad_output + i) - pivot);
        for (; i < columns; i++) inner += probabilities[i] * (grad_output[i] - pivot);
        for (int l = 0; l < 16; l++) inner += lanes[l];
        WIDE_IN_PLACE
        for (i = 0; i < columns; i++) grad_input[i] = scale * probabilities[i] * (grad_output[i] - pivot - inner);
    }
}

static void FN(channel_moments)(
    long rows, long channels, const float *x, const float *pivot, double *sums, double *squares) {
    for (long first = 0; first < channels; first += FN(channel_run)) {
        long width = channels - first < FN(channel_run) ? channels - first : FN(channel_run);
        for (long start = 0; start < rows; start += FN(row_run)) {
            long end = start + FN(row_run) < rows ? start + FN(row_run) : rows;
            float sum[FN(channel_run)] = {0}, square[FN(channel_run)] = {0};
            for (long row = start; row < end; row++) {
                const float *values = x + row * channels + first;
                for (long c = 0; c < width; c++) {
                    float d = values[c] - pivot[first + c];
                    sum[c] += d;
                    square[c] += d * d;
                }
            }
            for (long c = 0; c < width; c++) {
                sums[first + c] += sum[c];
                squares[first + c] += square[c];
            }
        }
    }
}

static void FN(normalize)(
    long rows, long channels, const float *restrict x, const float *restrict mean, const float *restrict scale,
    const float *restrict shift, int silu, float *restrict out, long out_step) {
    for (long row = 0; row < rows; row++, x += channels, out += out_step) {
        if (silu) {
            WIDE
            for (long c = 0; c < channels; c++) {
                float z = (x[c] - mean[c]) * scale[c] + shift[c];
                out[c] = z * FN(sigmoid)(z);
            }
        } else {
            for (long c = 0; c < channels; c++) out[c] = (x[c] - mean[c]) * scale[c] + shift[c];
        }
    }
}

static void FN(normalize_gradient_sums)(
    long rows, long channels, const float *restrict x, const float *restrict mean, const float *restrict inverse,
    const float *restrict gamma, const float *restrict beta, int silu, const float *grad_output, float *dz, long step,
    double *sum_dz, double *sum_dz_xhat) {
    for (long first = 0; first < channels; first += FN(channel_run)) {
        long width = channels - first < FN(channel_run) ? channels - first : FN(channel_run);
        for (long start = 0; start < rows; start += FN(row_run)) {
            long end = start + FN(row_run) < rows ? start + FN(row_run) : rows;
            float sum[FN(channel_run)] = {0}, product[FN(channel_run)] = {0};
            for (long row = start; row < end; row++) {
                const float *values = x + row * channels + first, *incoming = grad_output + row * step + first;
                float *outgoing = dz + row * step + first;
                // The loop may run in place: each element is read before it is written.
                WIDE_IN_PLACE
                for (long c = 0; c < width; c++) {
                    float hat = (values[c] - mean[first + c]) * inverse[first + c];
                    float d = incoming[c];
                    if (silu) {
                        float z = gamma[first + c] * hat + beta[first + c];
                        float s = FN(sigmoid)(z);
                        d = d * (s + z * s * (1.0f - s));
                    }
                    outgoing[c] = d;
                    sum[c] += d;
                    product[c] += d * hat;
                }
            }
            for (long c = 0; c < width; c++) {
                sum_dz[first + c] += sum[c];
                sum_dz_xhat[first + c] += product[c];
            }
        }
    }
}

static void FN(normalize_gradient_apply)(
    long rows, long channels, const float *restrict x, const float *restrict dz, long dz_step,
    const float *restrict mean, const float *restrict a, const float *restrict b, const float *restrict c0,
    float *restrict grad_input) {
    for (long row = 0; row < rows; row++, x += channels, dz += dz_step, grad_input += channels)
        for (long c = 0; c < channels; c++) grad_input[c] = dz[c] * a[c] + (x[c] - mean[c]) * b[c] + c0[c];
}

static void FN(add_bias)(long rows, long columns, const float *restrict bias, float *restrict y) {
    for (long row = 0; row < rows; row++, y += columns)
        for (long c = 0; c < columns; c++) y[c] += bias[c];
}

static void FN(adam)(
    long count, const fovea_adam_settings *s, const float *restrict gradient, float *restrict parameter,
    float *restrict moment1, float *restrict moment2) {
    const float rate = s->learning_rate / s->correction1, root = 1.0f / s->correction2;
    WIDE
    for (long i = 0; i < count; i++) {
        float g = gradient[i] * s->gradient_scale;
        float m = s->beta1 * moment1[i] + (1.0f - s->beta1) * g;
        float v = s->beta2 * moment2[i] + (1.0f - s->beta2) * g * g;
        float p = parameter[i] * (1.0f - s->learning_rate * s->weight_decay);
        // sqrtf may set errno, and then the loop would not be vectorised.
        p -= rate * m / (__builtin_elementwise_sqrt(v * root) + s->epsilon);
        moment1[i] = m;
        moment2[i] = v;
        parameter[i] = p;
    }
}

static void FN(move_average)(long count, float decay, const float *restrict x, float *restrict average) {
    for (long i = 0; i < count; i++) average[i] = decay * average[i] + (1.0f - decay) * x[i];
}
