#include "CImageCodecs.h"
#include "pixels.h"

#include <stdio.h>
#include <stdlib.h>

#include <webp/decode.h>

static int fail(char *message, const char *text) {
    snprintf(message, FOVEA_MESSAGE_SIZE, "%s", text);
    return 1;
}

static int features(const uint8_t *data, size_t count, WebPBitstreamFeatures *found, char *message) {
    switch (WebPGetFeatures(data, count, found)) {
    case VP8_STATUS_OK:
        break;
    case VP8_STATUS_NOT_ENOUGH_DATA:
        return fail(message, "is truncated: the WebP data ends too early");
    case VP8_STATUS_OUT_OF_MEMORY:
        return fail(message, "no memory is left");
    case VP8_STATUS_UNSUPPORTED_FEATURE:
        return fail(message, "is a WebP of a kind that libwebp does not read");
    default:
        return fail(message, "is damaged: its WebP header makes no sense");
    }
    if (found->has_animation) return fail(message, "is an animated WebP, and no photograph");
    return 0;
}

int fovea_webp_header(const uint8_t *data, size_t count, FoveaImageHeader *header, char *message) {
    WebPBitstreamFeatures found;
    if (features(data, count, &found, message) != 0) return 1;
    header->width = found.width;
    header->height = found.height;
    header->channels = found.has_alpha ? 4 : 3;
    header->bit_depth = 8;
    return 0;
}

int fovea_webp_decode(const uint8_t *data, size_t count, int32_t width, int32_t height, uint8_t *rgb, char *message) {
    WebPBitstreamFeatures found;
    if (features(data, count, &found, message) != 0) return 1;
    if (found.width != width || found.height != height) return fail(message, "has another size than its header said");
    size_t pixels = (size_t)width * (size_t)height;
    uint8_t *rgba = NULL;
    if (found.has_alpha) {
        rgba = malloc(pixels * 4);
        if (rgba == NULL) return fail(message, "no memory is left");
    }
    uint8_t *read = found.has_alpha ? WebPDecodeRGBAInto(data, count, rgba, pixels * 4, width * 4)
                                    : WebPDecodeRGBInto(data, count, rgb, pixels * 3, width * 3);
    if (read != NULL && rgba != NULL) fovea_compose_on_black(rgba, pixels, rgb);
    free(rgba);
    return read != NULL ? 0 : fail(message, "is truncated or damaged: libwebp cannot decode it to its end");
}
