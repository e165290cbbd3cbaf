#include "CImageCodecs.h"
#include "pixels.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tiffio.h>

// More pages than any camera writes, and the most memory that libtiff may take at once.
enum { max_pages = 1000, max_bytes_at_once = 1 << 30 };

typedef struct {
    const uint8_t *data;
    size_t count;
    uint64_t position;
    /// The first error; later ones only follow from it.
    char *message;
    /// Whether a JPEG inside the file warned of lost data.
    int is_damaged;
} source;

static tmsize_t read_bytes(thandle_t handle, void *bytes, tmsize_t count) {
    source *from = handle;
    if (count < 0 || from->position >= from->count) return 0;
    size_t left = from->count - (size_t)from->position;
    size_t taken = (size_t)count < left ? (size_t)count : left;
    memcpy(bytes, from->data + from->position, taken);
    from->position += taken;
    return (tmsize_t)taken;
}

static tmsize_t write_nothing(thandle_t handle, void *bytes, tmsize_t count) {
    (void)handle;
    (void)bytes;
    (void)count;
    return -1;
}

static toff_t seek(thandle_t handle, toff_t offset, int whence) {
    source *from = handle;
    uint64_t base = whence == SEEK_CUR ? from->position : whence == SEEK_END ? from->count : 0;
    from->position = base + offset;
    return from->position;
}

static int close_nothing(thandle_t handle) {
    (void)handle;
    return 0;
}

static toff_t size(thandle_t handle) { return ((source *)handle)->count; }

static int on_error(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
    source *from = user;
    (void)tiff;
    (void)module;
    if (from->message[0] == 0) vsnprintf(from->message, FOVEA_MESSAGE_SIZE, format, arguments);
    return 1;
}

static int on_warning(TIFF *tiff, void *user, const char *module, const char *format, va_list arguments) {
    source *from = user;
    char text[FOVEA_MESSAGE_SIZE];
    (void)tiff;
    (void)module;
    vsnprintf(text, sizeof text, format, arguments);
    // libjpeg's words, which libtiff passes on as warnings.
    if (strstr(text, "remature end") != NULL || strstr(text, "bad Huffman code") != NULL) from->is_damaged = 1;
    return 1;
}

static TIFF *open_file(source *from) {
    from->message[0] = 0;
    TIFFOpenOptions *options = TIFFOpenOptionsAlloc();
    if (options == NULL) {
        snprintf(from->message, FOVEA_MESSAGE_SIZE, "no memory is left");
        return NULL;
    }
    TIFFOpenOptionsSetMaxSingleMemAlloc(options, max_bytes_at_once);
    TIFFOpenOptionsSetErrorHandlerExtR(options, on_error, from);
    TIFFOpenOptionsSetWarningHandlerExtR(options, on_warning, from);
    // "m": not mapped, so that nothing is read but through `read_bytes`.
    TIFF *tiff = TIFFClientOpenExt(
        "picture", "rm", from, read_bytes, write_nothing, seek, close_nothing, size, NULL, NULL, options);
    TIFFOpenOptionsFree(options);
    return tiff;
}

static int fail(source *from, const char *text) {
    snprintf(from->message, FOVEA_MESSAGE_SIZE, "%s", text);
    return 1;
}

/// The page with the most pixels, without those that call themselves reduced copies or masks, and how many such pages
/// there are.
static void choose_page(TIFF *tiff, int32_t *page, int32_t *pages) {
    uint64_t most = 0;
    int is_reduced_best = 1;
    *page = 0;
    *pages = 0;
    for (int32_t number = 0; number < max_pages; number++) {
        uint32_t width = 0, height = 0, kind = 0;
        TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
        TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
        TIFFGetFieldDefaulted(tiff, TIFFTAG_SUBFILETYPE, &kind);
        int is_reduced = (kind & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) != 0;
        if (!is_reduced) *pages += 1;
        uint64_t pixels = (uint64_t)width * height;
        if ((is_reduced_best && !is_reduced) || (is_reduced == is_reduced_best && pixels > most)) {
            most = pixels;
            is_reduced_best = is_reduced;
            *page = number;
        }
        if (!TIFFReadDirectory(tiff)) break;
    }
}

int fovea_tiff_header(const uint8_t *data, size_t count, FoveaImageHeader *header, char *message) {
    source from = {data, count, 0, message, 0};
    TIFF *tiff = open_file(&from);
    if (tiff == NULL) return 1;
    choose_page(tiff, &header->page, &header->pages);
    // A page that cannot be read and is not needed is no error.
    message[0] = 0;
    int status = TIFFSetDirectory(tiff, (tdir_t)header->page) ? 0 : 1;
    uint32_t width = 0, height = 0;
    uint16_t channels = 1, bits = 1, orientation = ORIENTATION_TOPLEFT, photometric = 0, format = SAMPLEFORMAT_UINT;
    if (status == 0 &&
        (!TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width) || !TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height))) {
        status = fail(&from, "is damaged: the TIFF directory states no size");
    }
    if (status == 0) {
        TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &channels);
        TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
        TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &orientation);
        TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLEFORMAT, &format);
        TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric);
        if (photometric == PHOTOMETRIC_SEPARATED) {
            status = fail(&from, "is a CMYK (print) TIFF; convert it to RGB first");
        } else if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID) {
            status = fail(&from, "is a TIFF of signed or floating-point numbers, which is not read; convert it to PNG");
        }
    }
    header->width = width > INT32_MAX ? INT32_MAX : (int32_t)width;
    header->height = height > INT32_MAX ? INT32_MAX : (int32_t)height;
    header->channels = channels;
    header->bit_depth = bits;
    header->orientation = orientation;
    TIFFClose(tiff);
    return status;
}

/// One rectangle of samples in the order of the file: a strip, a tile, or a plane of one.
typedef struct {
    uint32_t x, y, width, height;
    /// Samples in a row of the block, which may be wider than what the picture shows of it.
    uint32_t stride;
    uint32_t plane;
    int channels_in_block;
} block;

static void place(const block *from, const uint16_t *samples, uint32_t width, int channels, uint16_t *picture) {
    for (uint32_t row = 0; row < from->height; row++) {
        for (uint32_t column = 0; column < from->width; column++) {
            size_t to = ((size_t)(from->y + row) * width + from->x + column) * (size_t)channels + from->plane;
            const uint16_t *pixel = samples + ((size_t)row * from->stride + column) * (size_t)from->channels_in_block;
            for (int c = 0; c < from->channels_in_block; c++) picture[to + (size_t)c] = pixel[c];
        }
    }
}

/// Reads samples of 16 bits, [height, width, channels]. libtiff's own conversion to 8 bits would leave nothing of a
/// camera's 12 bits.
static int read_16(TIFF *tiff, source *from, uint32_t width, uint32_t height, int channels, uint16_t *picture) {
    uint16_t planar = PLANARCONFIG_CONTIG;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_PLANARCONFIG, &planar);
    int planes = planar == PLANARCONFIG_SEPARATE ? channels : 1;
    int is_tiled = TIFFIsTiled(tiff);
    uint32_t block_width = width, block_height = height;
    if (is_tiled) {
        TIFFGetField(tiff, TIFFTAG_TILEWIDTH, &block_width);
        TIFFGetField(tiff, TIFFTAG_TILELENGTH, &block_height);
    } else {
        TIFFGetFieldDefaulted(tiff, TIFFTAG_ROWSPERSTRIP, &block_height);
        if (block_height > height) block_height = height;
    }
    int channels_in_block = channels / planes;
    tmsize_t byte_count = is_tiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff);
    if (block_width == 0 || block_height == 0 || byte_count <= 0 || byte_count > max_bytes_at_once ||
        (uint64_t)byte_count < (uint64_t)block_width * block_height * (uint64_t)channels_in_block * 2) {
        return from->message[0] != 0 ? 1 : fail(from, "is damaged: its TIFF strips or tiles have a size without sense");
    }
    uint16_t *samples = malloc((size_t)byte_count);
    if (samples == NULL) return fail(from, "no memory is left");
    int status = 0;
    for (int plane = 0; plane < planes && status == 0; plane++) {
        for (uint32_t y = 0; y < height && status == 0; y += block_height) {
            for (uint32_t x = 0; x < width && status == 0; x += block_width) {
                block part = {
                    .x = x,
                    .y = y,
                    .width = width - x < block_width ? width - x : block_width,
                    .height = height - y < block_height ? height - y : block_height,
                    .stride = block_width,
                    .plane = (uint32_t)plane,
                    .channels_in_block = channels_in_block,
                };
                tmsize_t needed = is_tiled ? byte_count : (tmsize_t)part.height * width * channels_in_block * 2;
                tmsize_t got =
                    is_tiled ? TIFFReadEncodedTile(
                                   tiff, TIFFComputeTile(tiff, x, y, 0, (uint16_t)plane), samples, byte_count)
                             : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, y, (uint16_t)plane), samples, needed);
                if (got < needed) {
                    status = from->message[0] != 0 ? 1 : fail(from, "is truncated: the TIFF data ends too early");
                } else {
                    place(&part, samples, width, channels, picture);
                }
            }
        }
    }
    free(samples);
    return status;
}

static int decode_16(TIFF *tiff, source *from, int channels, int is_inverted, FoveaNotes *notes, uint8_t *rgb) {
    uint32_t width = 0, height = 0;
    TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &width);
    TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &height);
    size_t pixels = (size_t)width * height;
    uint16_t *picture = calloc(pixels, (size_t)channels * 2);
    if (picture == NULL) return fail(from, "no memory is left");
    int status = read_16(tiff, from, width, height, channels, picture);
    if (status == 0) {
        uint16_t largest = 0;
        int declared = 0;
        if (TIFFGetField(tiff, TIFFTAG_MAXSAMPLEVALUE, &largest) && largest > 0) {
            while (largest >> declared != 0) declared++;
        }
        notes->bits = fovea_scale_16(picture, pixels, channels, declared, is_inverted, rgb);
    }
    free(picture);
    return status;
}

/// Decodes what libtiff converts itself: up to 8 bits, palettes, YCbCr, alpha.
static int decode_8(TIFF *tiff, source *from, size_t pixels, uint8_t *rgb) {
    TIFFRGBAImage image;
    char why[1024] = "";
    if (!TIFFRGBAImageOK(tiff, why) || !TIFFRGBAImageBegin(&image, tiff, 1, why)) {
        char text[FOVEA_MESSAGE_SIZE];
        snprintf(text, sizeof text, "is a TIFF of a kind that is not read (%.180s); convert it to PNG", why);
        return fail(from, text);
    }
    // The pixels stay in the order of the file; the caller turns them upright.
    image.req_orientation = image.orientation;
    uint32_t *raster = calloc(pixels, sizeof *raster);
    int status = raster == NULL ? fail(from, "no memory is left") : 0;
    if (status == 0 && !TIFFRGBAImageGet(&image, raster, image.width, image.height)) {
        status = from->message[0] != 0 ? 1 : fail(from, "is damaged: libtiff cannot decode it to its end");
    }
    TIFFRGBAImageEnd(&image);
    for (size_t i = 0; status == 0 && i < pixels; i++) {
        // Transparent pixels are composed on black already.
        rgb[3 * i] = TIFFGetR(raster[i]);
        rgb[3 * i + 1] = TIFFGetG(raster[i]);
        rgb[3 * i + 2] = TIFFGetB(raster[i]);
    }
    free(raster);
    return status;
}

int fovea_tiff_decode(
    const uint8_t *data, size_t count, const FoveaImageHeader *header, uint8_t *rgb, FoveaNotes *notes, char *message) {
    source from = {data, count, 0, message, 0};
    TIFF *tiff = open_file(&from);
    if (tiff == NULL) return 1;
    uint16_t bits = 1, channels = 1, photometric = 0;
    int status = TIFFSetDirectory(tiff, (tdir_t)header->page) ? 0 : 1;
    uint64_t block_bytes = 0;
    if (status == 0) {
        TIFFGetFieldDefaulted(tiff, TIFFTAG_BITSPERSAMPLE, &bits);
        TIFFGetFieldDefaulted(tiff, TIFFTAG_SAMPLESPERPIXEL, &channels);
        TIFFGetField(tiff, TIFFTAG_PHOTOMETRIC, &photometric);
        block_bytes = TIFFIsTiled(tiff) ? TIFFTileSize64(tiff) : TIFFStripSize64(tiff);
        if (block_bytes > max_bytes_at_once) {
            status = fail(&from, "is damaged: its TIFF strips or tiles have a size without sense");
        }
    }
    int is_plain =
        photometric == PHOTOMETRIC_RGB ? channels == 3 : photometric <= PHOTOMETRIC_MINISBLACK && channels == 1;
    if (status == 0) {
        status = bits == 16 && is_plain
                     ? decode_16(tiff, &from, channels, photometric == PHOTOMETRIC_MINISWHITE, notes, rgb)
                     : decode_8(tiff, &from, (size_t)header->width * (size_t)header->height, rgb);
    }
    if (status == 0 && from.is_damaged)
        status = fail(&from, "is truncated or damaged: the JPEG data in it ends too early");
    TIFFClose(tiff);
    return status;
}
