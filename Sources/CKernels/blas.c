#include "fovea_kernels.h"

#include <cblas.h>

// Debian's cblas.h may come from another BLAS; these three are OpenBLAS's own.
extern void openblas_set_num_threads(int);
extern char *openblas_get_corename(void);
extern char *openblas_get_config(void);

void fovea_blas_use_one_thread(void) { openblas_set_num_threads(1); }

const char *fovea_blas_core(void) { return openblas_get_corename(); }

const char *fovea_blas_version(void) { return openblas_get_config(); }

void fovea_sgemm(
    int transpose_a, int transpose_b, long m, long n, long k, float alpha, const float *a, long lda, const float *b,
    long ldb, float beta, float *c, long ldc) {
    cblas_sgemm(
        CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, (int)m, (int)n,
        (int)k, alpha, a, (int)lda, b, (int)ldb, beta, c, (int)ldc);
}
