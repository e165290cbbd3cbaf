// Standard normal numbers from Philox 4x32-10 by the method of Box and Muller, many at a time. Included once by each
// isa_*.c.
//
// With every instruction set the numbers are those that the C library's log, sin and cos give in float64. The relative
// error of a number computed here is below 1e-15. So where a relative change of 2^-44 does not change the rounded
// float32, the library gives the same float32. Otherwise (for about one number in a million) NaN is written, and the
// caller asks the library.

#define WIDE_DOUBLE _Pragma("clang loop vectorize_width(8)")

/// The number of pairs that are computed together: sixteen blocks of four words.
enum { FN(pairs) = 32 };

/// The words of the counters first ..< first + 16, as pairs: words[0] gives the radius, words[1] the angle.
static inline void FN(philox_pairs)(const fovea_philox *p, uint64_t first, uint32_t words[2][FN(pairs)]) {
    uint32_t w[4][FN(pairs) / 2];
    for (int i = 0; i < FN(pairs) / 2; i++) {
        w[0][i] = (uint32_t)(first + (uint64_t)i);
        w[1][i] = (uint32_t)((first + (uint64_t)i) >> 32);
        w[2][i] = p->high[0];
        w[3][i] = p->high[1];
    }
    uint32_t key0 = p->key[0], key1 = p->key[1];
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < FN(pairs) / 2; i++) {
            const uint64_t product0 = (uint64_t)w[0][i] * 0xd2511f53u, product1 = (uint64_t)w[2][i] * 0xcd9e8d57u;
            w[0][i] = (uint32_t)(product1 >> 32) ^ w[1][i] ^ key0;
            w[2][i] = (uint32_t)(product0 >> 32) ^ w[3][i] ^ key1;
            w[1][i] = (uint32_t)product1;
            w[3][i] = (uint32_t)product0;
        }
        key0 += 0x9e3779b9u;
        key1 += 0xbb67ae85u;
    }
    for (int i = 0; i < FN(pairs) / 2; i++) {
        words[0][2 * i] = w[0][i];
        words[1][2 * i] = w[1][i];
        words[0][2 * i + 1] = w[2][i];
        words[1][2 * i + 1] = w[3][i];
    }
}

typedef union {
    double d;
    uint64_t u;
} FN(bits);

/// (word + 0.5) / 2^32, computed exactly; it lies in (0, 1).
static inline double FN(uniform)(uint32_t word) {
    // The bits of the number 2^52 + word.
    FN(bits) b = {.u = 0x4330000000000000u | word};
    return ((b.d - 0x1p52) + 0.5) * 0x1p-32;
}

/// ln(x) of a normal number in (0, 1), after FreeBSD's e_log.c, whose polynomial is off by 2^-58.
static inline double FN(log_below_one)(double x) {
    FN(bits) b = {.d = x}, m, k;
    // x = 2^k m, with m between sqrt(1/2) and sqrt(2).
    const uint64_t shifted = b.u + (0x3ff0000000000000u - 0x3fe6a09e00000000u);
    m.u = (shifted & 0x000fffffffffffffu) + 0x3fe6a09e00000000u;
    k.u = 0x4330000000000000u | shifted >> 52;
    const double exponent = k.d - (0x1p52 + 1023), f = m.d - 1, s = f / (2 + f), z = s * s, half = 0.5 * f * f;
    double p = 1.479819860511658591e-01;
    p = p * z + 1.531383769920937332e-01;
    p = p * z + 1.818357216161805012e-01;
    p = p * z + 2.222219843214978396e-01;
    p = p * z + 2.857142874366239149e-01;
    p = p * z + 3.999999999940941908e-01;
    p = p * z + 6.666666666666735130e-01;
    const double low = exponent * 1.90821492927058770002e-10, high = exponent * 6.93147180369123816490e-01;
    return high - ((half - (s * (half + p * z) + low)) - f);
}

/// sin and cos of an angle from 0 to 2 pi, after FreeBSD's k_sin.c and k_cos.c. The angle is first reduced by multiples
/// of pi / 2.
static inline void FN(sine_cosine)(double angle, double *sine, double *cosine) {
    FN(bits) turns = {.d = angle * 0.63661977236758134308 + 0x1.8p52};
    const double k = turns.d - 0x1.8p52;
    // pi / 2 is split into three parts; the first two have 33 bits, so that their products are exact.
    const double r =
        ((angle - k * 1.57079632673412561417e+00) - k * 6.07710050630396597660e-11) - k * 2.02226624879595063154e-21;
    const double z = r * r;
    double s = 1.58969099521155010221e-10;
    s = s * z - 2.50507602534068634195e-08;
    s = s * z + 2.75573137070700676789e-06;
    s = s * z - 1.98412698298579493134e-04;
    s = s * z + 8.33333333332248946124e-03;
    s = s * z - 1.66666666666666324348e-01;
    const double sin_r = r + r * z * s;
    double c = -1.13596475577881948265e-11;
    c = c * z + 2.08757232129817482790e-09;
    c = c * z - 2.75573143513906633035e-07;
    c = c * z + 2.48015872894767294178e-05;
    c = c * z - 1.38888888888741095749e-03;
    c = c * z + 4.16666666666666019037e-02;
    const double cos_r = 1 - (0.5 * z - z * z * c);
    FN(bits) first = {.d = turns.u & 1 ? cos_r : sin_r}, second = {.d = turns.u & 1 ? sin_r : cos_r};
    first.u ^= (turns.u & 2) << 62;
    second.u ^= ((turns.u + 1) & 2) << 62;
    *sine = first.d;
    *cosine = second.d;
}

/// `value` in float32, or NaN where a relative change of 2^-44 changes the rounded number.
static inline float FN(certain)(double value) {
    const float low = (float)(value * (1 - 0x1p-44)), high = (float)(value * (1 + 0x1p-44));
    return low == high ? low : __builtin_nanf("");
}

static long FN(normals)(const fovea_philox *p, uint64_t first, long blocks, float *out) {
    long uncertain = 0;
    for (long done = 0; done < blocks; done += FN(pairs) / 2) {
        uint32_t words[2][FN(pairs)];
        float numbers[FN(pairs)][2];
        FN(philox_pairs)(p, first + (uint64_t)done, words);
        WIDE_DOUBLE
        for (int i = 0; i < FN(pairs); i++) {
            const double radius = __builtin_elementwise_sqrt(-2 * FN(log_below_one)(FN(uniform)(words[0][i])));
            double sine, cosine;
            FN(sine_cosine)(2 * 3.14159265358979323846 * FN(uniform)(words[1][i]), &sine, &cosine);
            numbers[i][0] = FN(certain)(radius * cosine);
            numbers[i][1] = FN(certain)(radius * sine);
        }
        const long count = blocks - done < FN(pairs) / 2 ? 4 * (blocks - done) : 2 * FN(pairs);
        for (long i = 0; i < count; i++) {
            const float number = numbers[i / 2][i % 2];
            out[4 * done + i] = number;
            uncertain += number != number;
        }
    }
    return uncertain;
}
