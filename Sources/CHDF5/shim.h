#pragma once
#include <hdf5.h>
#include <stdlib.h>

// HDF5's constants are macros that open the library or cast. Swift does not import such macros.

/// Opens the library without its clean-up at exit. In 1.10.8, that clean-up crashes after a close that failed (full
/// disk). This works only before anything else opens the library, as the macros below would. Files are closed
/// explicitly.
///
/// The variable HDF5_USE_FILE_LOCKING would overrule what each file is opened with. Fovea finds out by itself whether a
/// file system has locks.
static inline void fovea_start(void) {
    H5dont_atexit();
    unsetenv("HDF5_USE_FILE_LOCKING");
    H5open();
}

// A table with one line for each constant.
// clang-format off
static const hid_t fovea_default = H5P_DEFAULT;
static const hid_t fovea_default_errors = H5E_DEFAULT;
static const hid_t fovea_all = H5S_ALL;
static inline hsize_t fovea_unlimited(void) { return H5S_UNLIMITED; }
static inline size_t fovea_variable_length(void) { fovea_start(); return H5T_VARIABLE; }

static inline unsigned fovea_truncate(void) { fovea_start(); return H5F_ACC_TRUNC; }
static inline unsigned fovea_read_only(void) { fovea_start(); return H5F_ACC_RDONLY; }
static inline unsigned fovea_read_write(void) { fovea_start(); return H5F_ACC_RDWR; }

static inline hid_t fovea_file_create(void) { fovea_start(); return H5P_FILE_CREATE; }
static inline hid_t fovea_file_access(void) { fovea_start(); return H5P_FILE_ACCESS; }
static inline hid_t fovea_group_create(void) { fovea_start(); return H5P_GROUP_CREATE; }
static inline hid_t fovea_dataset_create(void) { fovea_start(); return H5P_DATASET_CREATE; }

static inline hid_t fovea_c_string(void) { fovea_start(); return H5T_C_S1; }

// Types in memory, and below them the same types in files, which are always little-endian.
static inline hid_t fovea_memory_uint8(void) { fovea_start(); return H5T_NATIVE_UINT8; }
static inline hid_t fovea_memory_int8(void) { fovea_start(); return H5T_NATIVE_INT8; }
static inline hid_t fovea_memory_int16(void) { fovea_start(); return H5T_NATIVE_INT16; }
static inline hid_t fovea_memory_int32(void) { fovea_start(); return H5T_NATIVE_INT32; }
static inline hid_t fovea_memory_int64(void) { fovea_start(); return H5T_NATIVE_INT64; }
static inline hid_t fovea_memory_uint64(void) { fovea_start(); return H5T_NATIVE_UINT64; }
static inline hid_t fovea_memory_float32(void) { fovea_start(); return H5T_NATIVE_FLOAT; }

static inline hid_t fovea_file_uint8(void) { fovea_start(); return H5T_STD_U8LE; }
static inline hid_t fovea_file_int8(void) { fovea_start(); return H5T_STD_I8LE; }
static inline hid_t fovea_file_int16(void) { fovea_start(); return H5T_STD_I16LE; }
static inline hid_t fovea_file_int32(void) { fovea_start(); return H5T_STD_I32LE; }
static inline hid_t fovea_file_int64(void) { fovea_start(); return H5T_STD_I64LE; }
static inline hid_t fovea_file_uint64(void) { fovea_start(); return H5T_STD_U64LE; }
static inline hid_t fovea_file_float32(void) { fovea_start(); return H5T_IEEE_F32LE; }
