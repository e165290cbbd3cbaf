#include "CImageCodecs.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

// A progressive file may hold thousands of scans of one byte each, and each scan costs a pass over the whole picture.
enum { max_scans = 200 };

typedef struct {
    struct jpeg_error_mgr base;
    jmp_buf jump;
    char *message;
} error_manager;

typedef struct {
    struct jpeg_progress_mgr base;
} progress_manager;

static void fail(j_common_ptr info) {
    error_manager *errors = (error_manager *)info->err;
    char text[JMSG_LENGTH_MAX];
    info->err->format_message(info, text);
    snprintf(errors->message, FOVEA_MESSAGE_SIZE, "%s", text);
    longjmp(errors->jump, 1);
}

static void fail_with(j_common_ptr info, const char *text) {
    error_manager *errors = (error_manager *)info->err;
    snprintf(errors->message, FOVEA_MESSAGE_SIZE, "%s", text);
    longjmp(errors->jump, 1);
}

// libjpeg fills missing data with grey and warns. Here, a warning that means lost pixels is a failure.
static void warn(j_common_ptr info, int level) {
    if (level >= 0) return;
    switch (info->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR:
    case JWRN_EXTRANEOUS_DATA:
        return;
    case JWRN_JPEG_EOF:
    case JWRN_HIT_MARKER:
        fail_with(info, "is truncated or damaged: the JPEG data ends too early");
        break;
    default: {
        char text[JMSG_LENGTH_MAX];
        char whole[FOVEA_MESSAGE_SIZE];
        info->err->format_message(info, text);
        snprintf(whole, sizeof whole, "is damaged: %s", text);
        fail_with(info, whole);
    }
    }
}

static void say_nothing(j_common_ptr info) { (void)info; }

static void check_scans(j_common_ptr info) {
    if (info->is_decompressor && ((j_decompress_ptr)info)->input_scan_number > max_scans) {
        fail_with(info, "has more than 200 progressive scans, which no camera writes");
    }
}

static struct jpeg_error_mgr *quiet_errors(error_manager *errors, char *message) {
    jpeg_std_error(&errors->base);
    errors->base.error_exit = fail;
    errors->base.emit_message = warn;
    errors->base.output_message = say_nothing;
    errors->message = message;
    return &errors->base;
}

static void read_header(j_decompress_ptr info, const uint8_t *data, size_t count) {
    jpeg_mem_src(info, data, count);
    jpeg_read_header(info, TRUE);
    if (info->jpeg_color_space == JCS_CMYK || info->jpeg_color_space == JCS_YCCK || info->num_components == 4) {
        fail_with((j_common_ptr)info, "is a CMYK (print) JPEG; convert it to RGB first");
    }
    if (info->num_components != 1 && info->num_components != 3) {
        fail_with((j_common_ptr)info, "is a JPEG with neither one nor three channels");
    }
}

int fovea_jpeg_header(const uint8_t *data, size_t count, FoveaImageHeader *header, char *message) {
    struct jpeg_decompress_struct info;
    error_manager errors;
    memset(&info, 0, sizeof info);
    info.err = quiet_errors(&errors, message);
    if (setjmp(errors.jump)) {
        jpeg_destroy_decompress(&info);
        return 1;
    }
    jpeg_create_decompress(&info);
    read_header(&info, data, count);
    header->width = (int32_t)info.image_width;
    header->height = (int32_t)info.image_height;
    header->channels = info.num_components;
    header->bit_depth = info.data_precision;
    jpeg_destroy_decompress(&info);
    return 0;
}

int fovea_jpeg_decode(
    const uint8_t *data, size_t count, int32_t eighths, int32_t width, int32_t height, uint8_t *rgb, char *message) {
    struct jpeg_decompress_struct info;
    error_manager errors;
    progress_manager progress;
    memset(&info, 0, sizeof info);
    memset(&progress, 0, sizeof progress);
    info.err = quiet_errors(&errors, message);
    if (setjmp(errors.jump)) {
        jpeg_destroy_decompress(&info);
        return 1;
    }
    jpeg_create_decompress(&info);
    progress.base.progress_monitor = check_scans;
    info.progress = &progress.base;
    read_header(&info, data, count);
    info.out_color_space = JCS_RGB;
    info.scale_num = (unsigned)eighths;
    info.scale_denom = 8;
    info.dct_method = JDCT_ISLOW;
    jpeg_start_decompress(&info);
    if (info.output_width != (JDIMENSION)width || info.output_height != (JDIMENSION)height ||
        info.output_components != 3) {
        fail_with((j_common_ptr)&info, "has another size than its header said");
    }
    while (info.output_scanline < info.output_height) {
        JSAMPROW row = rgb + (size_t)info.output_scanline * (size_t)width * 3;
        jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_finish_decompress(&info);
    jpeg_destroy_decompress(&info);
    return 0;
}

int fovea_jpeg_encode(
    const uint8_t *rgb, int32_t width, int32_t height, int32_t quality, uint8_t **result, size_t *result_count,
    char *message) {
    struct jpeg_compress_struct info;
    error_manager errors;
    // jpeg_mem_dest writes to these two after setjmp. It takes no pointers to volatile variables, so they live behind
    // pointers, which do not change.
    unsigned char **buffer = calloc(1, sizeof *buffer);
    unsigned long *length = calloc(1, sizeof *length);
    memset(&info, 0, sizeof info);
    info.err = quiet_errors(&errors, message);
    if (buffer == NULL || length == NULL || setjmp(errors.jump)) {
        if (buffer == NULL || length == NULL) snprintf(message, FOVEA_MESSAGE_SIZE, "no memory is left");
        jpeg_destroy_compress(&info);
        if (buffer != NULL) free(*buffer);
        free(buffer);
        free(length);
        return 1;
    }
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, buffer, length);
    info.image_width = (JDIMENSION)width;
    info.image_height = (JDIMENSION)height;
    info.input_components = 3;
    info.in_color_space = JCS_RGB;
    jpeg_set_defaults(&info);
    jpeg_set_quality(&info, quality, TRUE);
    for (int component = 0; component < 3; component++) {
        info.comp_info[component].h_samp_factor = 1;
        info.comp_info[component].v_samp_factor = 1;
    }
    jpeg_start_compress(&info, TRUE);
    while (info.next_scanline < info.image_height) {
        JSAMPROW row = (JSAMPROW)(uintptr_t)(rgb + (size_t)info.next_scanline * (size_t)width * 3);
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    jpeg_destroy_compress(&info);
    *result = *buffer;
    *result_count = *length;
    free(buffer);
    free(length);
    return 0;
}

void fovea_codec_free(uint8_t *result) { free(result); }
