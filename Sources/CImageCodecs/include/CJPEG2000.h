// Decoding of JPEG 2000 in memory, over OpenJPEG: bare codestreams (.j2k) and JP2 files. The rules of CImageCodecs.h
// hold here, too.
#ifndef FOVEA_CJPEG2000_H
#define FOVEA_CJPEG2000_H

#include <stddef.h>
#include <stdint.h>

/// What the codestream says, and for a JP2 file also its boxes.
typedef struct {
    int32_t width;
    int32_t height;
    /// Channels as stored, 1 to 4; for a palette, those of its colours.
    int32_t channels;
    /// Bits of a sample, 1 to 16; the same for all channels.
    int32_t bit_depth;
    /// Whether the codestream holds the three colours transformed (MCT), so that decoding makes RGB of them.
    int32_t is_transformed;
    /// Whether a JP2 file says that its channels are YCbCr.
    int32_t is_ycc;
    /// Whether its samples are signed.
    int32_t is_signed;
} FoveaJPEG2000Header;

/// Reads the header.
int fovea_jpeg2000_header(const uint8_t *data, size_t count, FoveaJPEG2000Header *header, char *message);

/// Decodes to samples side by side, [height, width, channels]. Signed samples are raised by half of their range, and
/// channels of fewer pixels are repeated to full size. `header` is what the samples are; a palette has been applied. A
/// codestream that ends too early is a failure. The result is released with `free`.
int fovea_jpeg2000_decode(
    const uint8_t *data, size_t count, FoveaJPEG2000Header *header, uint16_t **samples, char *message);

#endif
