// What several of the codecs do with pixels.
#ifndef FOVEA_CIMAGECODECS_PIXELS_H
#define FOVEA_CIMAGECODECS_PIXELS_H

#include <stddef.h>
#include <stdint.h>

/// Composes RGBA on black.
static inline void fovea_compose_on_black(const uint8_t *rgba, size_t pixels, uint8_t *rgb) {
    for (size_t i = 0; i < pixels; i++) {
        unsigned alpha = rgba[4 * i + 3];
        for (int c = 0; c < 3; c++) rgb[3 * i + c] = (uint8_t)((rgba[4 * i + c] * alpha + 127) / 255);
    }
}

/// Scales samples of 16 bits to RGB of 8 bits, rounded. Where a camera's 8, 10 or 12 bits stand in the lower bits, so
/// that the brightest sample is below 1/16 of the range, they are scaled by their own range; so are `declared` bits,
/// if no sample is beyond them. `channels` is 1 or 3.
/// \returns the bits that the samples turned out to have; 16 if they use the whole range.
static inline int fovea_scale_16(
    const uint16_t *samples, size_t pixels, int channels, int declared, int is_inverted, uint8_t *rgb) {
    uint16_t brightest = 0;
    for (size_t i = 0; i < pixels * (size_t)channels; i++) {
        if (samples[i] > brightest) brightest = samples[i];
    }
    int bits = brightest < 256 ? 8 : brightest < 1024 ? 10 : brightest < 4096 ? 12 : 16;
    if (declared > 8 && declared < bits && brightest < 1u << declared) bits = declared;
    uint32_t full = (1u << bits) - 1;
    for (size_t i = 0; i < pixels; i++) {
        for (int c = 0; c < 3; c++) {
            uint32_t sample = samples[i * (size_t)channels + (size_t)(channels == 3 ? c : 0)];
            uint8_t level = (uint8_t)((sample * 255 + full / 2) / full);
            rgb[3 * i + (size_t)c] = is_inverted ? (uint8_t)(255 - level) : level;
        }
    }
    return bits;
}

#endif
