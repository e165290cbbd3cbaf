#include "CImageCodecs.h"
#include "pixels.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <png.h>
#include <zlib.h>

// Compressed text and colour profiles are not needed, so a chunk that unpacks to more than this is an attack.
enum { max_chunk_bytes = 8 * 1024 * 1024, max_side = 65535 };

typedef struct {
    const uint8_t *data;
    size_t count;
    size_t position;
} source;

typedef struct {
    uint8_t *data;
    size_t count;
    size_t capacity;
} sink;

static void fail(png_structp png, png_const_charp text) {
    char *message = png_get_error_ptr(png);
    snprintf(message, FOVEA_MESSAGE_SIZE, "%s", text);
    longjmp(png_jmpbuf(png), 1);
}

static void say_nothing(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static void read_bytes(png_structp png, png_bytep bytes, size_t count) {
    source *from = png_get_io_ptr(png);
    if (count > from->count - from->position) png_error(png, "is truncated: the PNG data ends too early");
    memcpy(bytes, from->data + from->position, count);
    from->position += count;
}

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
    sink *to = png_get_io_ptr(png);
    if (count > to->capacity - to->count) {
        size_t capacity = to->capacity * 2 > to->count + count ? to->capacity * 2 : to->count + count;
        uint8_t *grown = realloc(to->data, capacity);
        if (grown == NULL) png_error(png, "no memory is left");
        to->data = grown;
        to->capacity = capacity;
    }
    memcpy(to->data + to->count, bytes, count);
    to->count += count;
}

static void flush_nothing(png_structp png) { (void)png; }

/// Returns a reader that has read the header, or NULL. A strict one fails for a wrong checksum of any chunk, others
/// only where the picture needs the chunk.
static png_structp open_reader(source *from, png_infop *info, int is_strict, char *message) {
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, message, fail, say_nothing);
    if (png == NULL) {
        snprintf(message, FOVEA_MESSAGE_SIZE, "no memory is left");
        return NULL;
    }
    *info = png_create_info_struct(png);
    if (*info == NULL || setjmp(png_jmpbuf(png))) {
        png_destroy_read_struct(&png, info, NULL);
        return NULL;
    }
    png_set_user_limits(png, max_side, max_side);
    png_set_chunk_malloc_max(png, max_chunk_bytes);
    png_set_chunk_cache_max(png, 100);
    if (is_strict) png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_read_fn(png, from, read_bytes);
    png_read_info(png, *info);
    return png;
}

int fovea_png_header(const uint8_t *data, size_t count, FoveaImageHeader *header, char *message) {
    source from = {data, count, 0};
    png_infop info = NULL;
    png_structp png = open_reader(&from, &info, 0, message);
    if (png == NULL) return 1;
    header->width = (int32_t)png_get_image_width(png, info);
    header->height = (int32_t)png_get_image_height(png, info);
    header->channels = png_get_channels(png, info);
    header->bit_depth = png_get_bit_depth(png, info);
    png_destroy_read_struct(&png, &info, NULL);
    return 0;
}

// Everything that must survive a longjmp.
typedef struct {
    png_structp png;
    png_infop info;
    png_bytep *rows;
    uint8_t *rgba;
    uint16_t *samples;
} decoding;

static void end_decoding(decoding *state) {
    png_destroy_read_struct(&state->png, &state->info, NULL);
    free(state->rows);
    free(state->rgba);
    free(state->samples);
}

/// The bits that a PNG's sBIT states for its samples; 0 if it states none.
static int significant_bits(png_structp png, png_infop info) {
    png_color_8p stated = NULL;
    if (!png_get_sBIT(png, info, &stated)) return 0;
    if (!(png_get_color_type(png, info) & PNG_COLOR_MASK_COLOR)) return stated->gray;
    int most = stated->red > stated->green ? stated->red : stated->green;
    return most > stated->blue ? most : stated->blue;
}

/// Reads samples of 16 bits, which may be a camera's 12 in the lower bits, without the loss of a conversion.
static void decode_16(decoding *state, size_t width, size_t height, uint8_t *rgb, FoveaNotes *notes) {
    png_structp png = state->png;
    int declared = significant_bits(png, state->info);
    const uint16_t one = 1;
    if (*(const uint8_t *)&one == 1) png_set_swap(png);
    (void)png_set_interlace_handling(png);
    png_read_update_info(png, state->info);
    int channels = png_get_channels(png, state->info);
    state->rows = malloc(height * sizeof *state->rows);
    state->samples = malloc(width * height * (size_t)channels * 2);
    if (state->rows == NULL || state->samples == NULL) png_error(png, "no memory is left");
    for (size_t y = 0; y < height; y++) state->rows[y] = (png_bytep)(state->samples + y * width * (size_t)channels);
    png_read_image(png, state->rows);
    png_read_end(png, NULL);
    notes->bits = fovea_scale_16(state->samples, width * height, channels, declared, 0, rgb);
}

static int decode(decoding *state, int32_t width, int32_t height, uint8_t *rgb, FoveaNotes *notes) {
    png_structp png = state->png;
    png_infop info = state->info;
    if (setjmp(png_jmpbuf(png))) return 1;
    if (png_get_image_width(png, info) != (png_uint_32)width ||
        png_get_image_height(png, info) != (png_uint_32)height) {
        png_error(png, "has another size than its header said");
    }
    int kind = png_get_color_type(png, info);
    if (png_get_bit_depth(png, info) == 16 && !png_get_valid(png, info, PNG_INFO_tRNS) &&
        (kind == PNG_COLOR_TYPE_GRAY || kind == PNG_COLOR_TYPE_RGB)) {
        decode_16(state, (size_t)width, (size_t)height, rgb, notes);
        return 0;
    }
    png_set_scale_16(png);
    png_set_expand(png);
    png_set_gray_to_rgb(png);
    (void)png_set_interlace_handling(png);
    png_read_update_info(png, info);
    int channels = png_get_channels(png, info);
    size_t pixels = (size_t)width * (size_t)height;
    if ((channels != 3 && channels != 4) || png_get_bit_depth(png, info) != 8)
        png_error(png, "is a PNG of an unknown kind");
    state->rows = malloc((size_t)height * sizeof *state->rows);
    if (channels == 4) state->rgba = malloc(pixels * 4);
    if (state->rows == NULL || (channels == 4 && state->rgba == NULL)) png_error(png, "no memory is left");
    uint8_t *target = channels == 4 ? state->rgba : rgb;
    for (int32_t y = 0; y < height; y++) state->rows[y] = target + (size_t)y * (size_t)width * (size_t)channels;
    png_read_image(png, state->rows);
    png_read_end(png, NULL);
    if (channels == 4) fovea_compose_on_black(state->rgba, pixels, rgb);
    return 0;
}

int fovea_png_decode(
    const uint8_t *data, size_t count, int32_t width, int32_t height, uint8_t *rgb, FoveaNotes *notes, char *message) {
    source from = {data, count, 0};
    decoding state = {0};
    state.png = open_reader(&from, &state.info, 0, message);
    if (state.png == NULL) return 1;
    int status = decode(&state, width, height, rgb, notes);
    end_decoding(&state);
    return status;
}

int fovea_png_texts(
    const uint8_t *data, size_t count, void *context, void (*found)(void *, const char *keyword, const char *text),
    char *message) {
    source from = {data, count, 0};
    png_infop info = NULL;
    png_structp png = open_reader(&from, &info, 1, message);
    if (png == NULL) return 1;
    png_textp texts = NULL;
    int text_count = png_get_text(png, info, &texts, NULL);
    for (int i = 0; i < text_count; i++) found(context, texts[i].key, texts[i].text);
    png_destroy_read_struct(&png, &info, NULL);
    return 0;
}

int fovea_inflate(
    const uint8_t *data, size_t count, uint8_t *result, size_t capacity, size_t *result_count, char *message) {
    uLongf length = capacity;
    if (uncompress(result, &length, data, count) != Z_OK) {
        snprintf(message, FOVEA_MESSAGE_SIZE, "has a compressed text that cannot be unpacked");
        return 1;
    }
    *result_count = length;
    return 0;
}

static int encode(
    png_structp png, png_infop info, const uint8_t *rgb, int32_t width, int32_t height, const FoveaPNGText *texts,
    int text_count) {
    if (setjmp(png_jmpbuf(png))) return 1;
    png_set_IHDR(
        png, info, (png_uint_32)width, (png_uint_32)height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
        PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png, 6);
    for (int i = 0; i < text_count; i++) {
        // libpng copies keyword and text, and changes neither.
        png_text text = {
            .compression = texts[i].is_international ? PNG_ITXT_COMPRESSION_NONE : PNG_TEXT_COMPRESSION_NONE,
            .key = (png_charp)texts[i].keyword,
            .text = (png_charp)texts[i].text,
        };
        png_set_text(png, info, &text, 1);
    }
    png_write_info(png, info);
    for (int32_t y = 0; y < height; y++) png_write_row(png, rgb + (size_t)y * (size_t)width * 3);
    png_write_end(png, info);
    return 0;
}

int fovea_png_encode(
    const uint8_t *rgb, int32_t width, int32_t height, const FoveaPNGText *texts, int text_count, uint8_t **result,
    size_t *result_count, char *message) {
    sink to = {NULL, 0, 0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, message, fail, say_nothing);
    png_infop info = png == NULL ? NULL : png_create_info_struct(png);
    if (info == NULL) {
        snprintf(message, FOVEA_MESSAGE_SIZE, "no memory is left");
        png_destroy_write_struct(&png, NULL);
        return 1;
    }
    png_set_write_fn(png, &to, write_bytes, flush_nothing);
    int status = encode(png, info, rgb, width, height, texts, text_count);
    png_destroy_write_struct(&png, &info);
    if (status != 0) {
        free(to.data);
        return status;
    }
    *result = to.data;
    *result_count = to.count;
    return 0;
}
