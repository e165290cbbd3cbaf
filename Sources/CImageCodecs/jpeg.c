#include "CImageCodecs.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>
#include <jerror.h>

// A progressive file may hold thousands of scans of one byte each, and each scan costs a pass over the whole picture.
enum { max_scans = 200 };

static const char *const cut = "is truncated or damaged: the JPEG data ends too early";

typedef struct {
    struct jpeg_error_mgr base;
    jmp_buf jump;
    char *message;
    /// Receives the first warning that costs no pixel; NULL where nobody asks.
    FoveaNotes *notes;
    /// Whether the end marker is missing.
    int is_open_ended;
    /// How many bytes stood behind a scan where a marker was expected, at most at one place.
    long skipped;
    /// Whether scans came in an order that may have lost details.
    int is_out_of_order;
} error_manager;

typedef struct {
    struct jpeg_progress_mgr base;
} progress_manager;

static void fail_with(j_common_ptr info, const char *text) {
    error_manager *errors = (error_manager *)info->err;
    snprintf(errors->message, FOVEA_MESSAGE_SIZE, "%s", text);
    longjmp(errors->jump, 1);
}

/// Kinds of JPEG that libjpeg does not decode are called by their names: nothing is damaged.
static void name_kind(j_common_ptr info, int frame_marker) {
    switch (frame_marker) {
    case 0xC3:
        fail_with(info, "is a lossless JPEG, and lossless JPEG is not supported; convert it to PNG or TIFF");
        break;
    case 0xC9:
    case 0xCA:
    case 0xCB:
        fail_with(info, "is an arithmetic-coded JPEG, which is not supported; convert it to PNG or TIFF");
        break;
    case 0xF7:
        fail_with(info, "is a JPEG-LS file, and JPEG-LS is not supported; convert it to PNG or TIFF");
        break;
    default:
        fail_with(info, "is a hierarchical JPEG, and hierarchical JPEG is not supported; convert it to PNG or TIFF");
    }
}

static void fail(j_common_ptr info) {
    char text[JMSG_LENGTH_MAX];
    switch (info->err->msg_code) {
    case JERR_BAD_PRECISION:
        snprintf(
            text, sizeof text, "is a %d-bit JPEG, and %d-bit JPEG is not supported; convert it to PNG or TIFF",
            info->err->msg_parm.i[0], info->err->msg_parm.i[0]);
        break;
    case JERR_SOF_UNSUPPORTED:
        name_kind(info, info->err->msg_parm.i[0]);
        break;
    case JERR_ARITH_NOTIMPL:
        name_kind(info, 0xC9);
        break;
    default:
        info->err->format_message(info, text);
    }
    fail_with(info, text);
}

static void note(j_common_ptr info) {
    error_manager *errors = (error_manager *)info->err;
    if (errors->notes == NULL || errors->notes->warning[0] != 0) return;
    char text[JMSG_LENGTH_MAX];
    info->err->format_message(info, text);
    snprintf(errors->notes->warning, FOVEA_MESSAGE_SIZE, "%s", text);
}

/// Keeps how many bytes stood behind a scan before the next marker. The message has their number and the marker.
static void note_extraneous(j_decompress_ptr info, error_manager *errors) {
    if (info->input_scan_number == 0) return;
    if (info->err->msg_parm.i[0] > errors->skipped) errors->skipped = info->err->msg_parm.i[0];
    int marker = info->err->msg_parm.i[1];
    if (marker >= 0xD0 && marker <= 0xD7 && info->restart_interval == 0) {
        fail_with((j_common_ptr)info, "is damaged: a marker stands among its pixels where none belongs");
    }
}

// libjpeg fills missing data with grey and warns. Here, a warning that means lost pixels is a failure, and one that
// does not is noted: odd parameters of a scan, bytes between markers, a damaged colour profile. Where the end marker is
// missing or scans are out of order, `check_scans_complete` and `check_end` tell whether anything is lost.
static void warn(j_common_ptr info, int level) {
    if (level >= 0) return;
    error_manager *errors = (error_manager *)info->err;
    switch (info->err->msg_code) {
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR:
        return;
    case JWRN_EXTRANEOUS_DATA:
        if (info->is_decompressor) note_extraneous((j_decompress_ptr)info, errors);
        note(info);
        return;
    case JWRN_NOT_SEQUENTIAL:
    case JWRN_BOGUS_ICC:
        note(info);
        return;
    case JWRN_BOGUS_PROGRESSION:
        errors->is_out_of_order = 1;
        note(info);
        return;
    case JWRN_JPEG_EOF:
        errors->is_open_ended = 1;
        note(info);
        return;
    case JWRN_HIT_MARKER:
        fail_with(info, cut);
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
    errors->notes = NULL;
    errors->is_open_ended = 0;
    errors->skipped = 0;
    errors->is_out_of_order = 0;
    return &errors->base;
}

/// Fails where scans are missing, after all lines were read.
static void check_scans_complete(j_decompress_ptr info, const error_manager *errors) {
    for (int component = 0; component < info->num_components; component++) {
        // libjpeg keeps a component's table from its first scan on.
        if (info->comp_info[component].quant_table == NULL) fail_with((j_common_ptr)info, cut);
    }
    if (!errors->is_open_ended && !errors->is_out_of_order) return;
    for (int component = 0; info->progressive_mode && component < info->num_components; component++) {
        for (int place = 0; place < DCTSIZE2; place++) {
            if (info->coef_bits[component][place] != 0) fail_with((j_common_ptr)info, cut);
        }
    }
}

/// Whether the bytes before `end` are all alike, as where a camera fills its files up to a block of the card.
static int is_padding(const uint8_t *data, size_t end, size_t length) {
    int is_alike = end > length;
    for (size_t i = 1; is_alike && i < length; i++) is_alike = data[end - 1 - i] == data[end - 1];
    return is_alike;
}

/// Fails where something else than the last pixels stands at the end, after everything was read. Where bits are lost
/// inside a scan, the decoder goes on out of step, reads wrong pixels without a warning, and often leaves many bytes.
static void check_end(j_decompress_ptr info, const error_manager *errors, const uint8_t *data, size_t count) {
    if (errors->is_open_ended) {
        // A disk that lost its last blocks leaves zeros, which decode as pixels.
        if (errors->skipped > 16 || is_padding(data, count, 8)) fail_with((j_common_ptr)info, cut);
        return;
    }
    if (errors->skipped <= 16) return;
    size_t end = count;
    while (end > 2 && (data[end - 2] != 0xFF || data[end - 1] != 0xD9)) end--;
    if (info->progressive_mode || !is_padding(data, end - 2, 32)) {
        fail_with((j_common_ptr)info, "is damaged: behind its pixels stand bytes that nothing decodes");
    }
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
    const uint8_t *data, size_t count, int32_t eighths, int32_t width, int32_t height, uint8_t *rgb, FoveaNotes *notes,
    char *message) {
    struct jpeg_decompress_struct info;
    error_manager errors;
    progress_manager progress;
    memset(&info, 0, sizeof info);
    memset(&progress, 0, sizeof progress);
    info.err = quiet_errors(&errors, message);
    errors.notes = notes;
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
    check_scans_complete(&info, &errors);
    jpeg_finish_decompress(&info);
    check_end(&info, &errors, data, count);
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
