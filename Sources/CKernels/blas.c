#include "fovea_kernels.h"

#include <cblas.h>
#include <stdlib.h>

// Debian's cblas.h may come from another BLAS, so these three functions of OpenBLAS are declared here.
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

// A function of LAPACK, which is part of Debian's OpenBLAS.
extern void dsyevd_(
    const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w, double *work,
    const int *lwork, int *iwork, const int *liwork, int *info);

int fovea_symmetric_eigen(long n, double *a, double *values) {
    int size = (int)n, info = 0, integers = -1, reals = -1, integer_size = 0;
    double real_size = 0;
    dsyevd_("V", "U", &size, a, &size, values, &real_size, &reals, &integer_size, &integers, &info);
    if (info != 0) return info;
    reals = (int)real_size;
    integers = integer_size;
    double *work = malloc(sizeof(double) * (size_t)reals);
    int *integer_work = malloc(sizeof(int) * (size_t)integers);
    if (work == NULL || integer_work == NULL) info = -1000;
    else dsyevd_("V", "U", &size, a, &size, values, work, &reals, integer_work, &integers, &info);
    free(work);
    free(integer_work);
    return info;
}
