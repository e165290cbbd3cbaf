// Decoding of JPEG, PNG, TIFF and WebP in memory, and encoding of JPEG and PNG, over libjpeg-turbo, libpng, libtiff and
// libwebp.
//
// Every function returns 0 on success. On failure it returns another value and leaves one clause without a final stop
// in `message` (at most FOVEA_MESSAGE_SIZE bytes with the closing zero). Nothing is read beyond `count` bytes of
// `data`, nothing longjmps out, and nothing is printed. The libraries' error handling is confined to these files.
#ifndef FOVEA_CIMAGECODECS_H
#define FOVEA_CIMAGECODECS_H

#include <stddef.h>
#include <stdint.h>

#include "CJPEG2000.h"

#define FOVEA_MESSAGE_SIZE 256

typedef struct {
    int32_t width;
    int32_t height;
    /// Channels as stored, 1 to 4, before expansion to RGB; 1 for a palette.
    int32_t channels;
    /// Bits of a channel as stored; for a palette, the bits of an index.
    int32_t bit_depth;
    /// TIFF: the orientation that its directory states, the page that is decoded, counted from 0, and the number of
    /// pages that are not reduced copies of others. Other formats: 0.
    int32_t orientation;
    int32_t page;
    int32_t pages;
} FoveaImageHeader;

/// What a decoder noticed that is no failure.
typedef struct {
    /// The first warning of the library about data that it decoded all the same; empty if there is none.
    char warning[FOVEA_MESSAGE_SIZE];
    /// The bits that samples of 16 bits turned out to have; 0 for other samples.
    int32_t bits;
} FoveaNotes;

/// Reads a JPEG's header. CMYK and YCCK are refused.
int fovea_jpeg_header(const uint8_t *data, size_t count, FoveaImageHeader *header, char *message);

/// Decodes a JPEG to RGB. `eighths` (1, 2, 4 or 8) scales the picture in the DCT domain; the result then has
/// ceil(side * eighths / 8) pixels a side. `width` and `height` must be that size, and `rgb` must have exactly
/// `width * height * 3` bytes. Damaged or missing data is a failure and never becomes a grey area; a warning that costs
/// no pixel is noted.
int fovea_jpeg_decode(
    const uint8_t *data, size_t count, int32_t eighths, int32_t width, int32_t height, uint8_t *rgb, FoveaNotes *notes,
    char *message);

/// Encodes RGB as a JPEG (4:4:4, `quality` 1 to 100). The result is released with `fovea_codec_free`.
int fovea_jpeg_encode(
    const uint8_t *rgb, int32_t width, int32_t height, int32_t quality, uint8_t **result, size_t *result_count,
    char *message);

/// Reads a PNG's header.
int fovea_png_header(const uint8_t *data, size_t count, FoveaImageHeader *header, char *message);

/// Decodes a PNG of any kind to RGB of 8 bits. 16 bits are scaled (rounded, not cut off), and transparent pixels are
/// composed on black. Where the samples use only the lower 8, 10 or 12 of 16 bits, or those that sBIT states, they are
/// scaled by these.
int fovea_png_decode(
    const uint8_t *data, size_t count, int32_t width, int32_t height, uint8_t *rgb, FoveaNotes *notes, char *message);

/// Reads the header of a TIFF's largest page that is neither a reduced copy nor a mask. CMYK is refused.
int fovea_tiff_header(const uint8_t *data, size_t count, FoveaImageHeader *header, char *message);

/// Decodes the page that `fovea_tiff_header` chose to RGB of 8 bits, in the order of the file: whoever calls turns it
/// upright. Samples of 16 bits are scaled as those of a PNG.
int fovea_tiff_decode(
    const uint8_t *data, size_t count, const FoveaImageHeader *header, uint8_t *rgb, FoveaNotes *notes, char *message);

/// Reads a WebP's header. An animation is refused.
int fovea_webp_header(const uint8_t *data, size_t count, FoveaImageHeader *header, char *message);

/// Decodes a WebP to RGB. Transparent pixels are composed on black.
int fovea_webp_decode(const uint8_t *data, size_t count, int32_t width, int32_t height, uint8_t *rgb, char *message);

/// Unpacks what zlib packed, such as a compressed text of a PNG. `result` has room for `capacity` bytes.
int fovea_inflate(
    const uint8_t *data, size_t count, uint8_t *result, size_t capacity, size_t *result_count, char *message);

/// One text of a PNG: a tEXt chunk, or an uncompressed iTXt chunk without language where `is_international` is not 0.
typedef struct {
    const char *keyword;
    const char *text;
    int is_international;
} FoveaPNGText;

/// Encodes RGB as a PNG with these texts. The bytes depend only on both and on the versions of libpng and zlib.
int fovea_png_encode(
    const uint8_t *rgb, int32_t width, int32_t height, const FoveaPNGText *texts, int text_count, uint8_t **result,
    size_t *result_count, char *message);

/// Calls `found` for each text that stands before the pixels of a PNG. A chunk with a wrong checksum is an error.
int fovea_png_texts(
    const uint8_t *data, size_t count, void *context, void (*found)(void *, const char *keyword, const char *text),
    char *message);

/// Returns 1 where the bytes of `part` occur in `data` in their order, and 0 elsewhere.
int fovea_holds(const uint8_t *data, size_t count, const uint8_t *part, size_t part_count);

/// Releases the result of an encoder.
void fovea_codec_free(uint8_t *result);

#endif
