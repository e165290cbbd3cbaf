// Reads DICOM data sets over DCMTK: its parser, and its codecs for RLE, JPEG and JPEG-LS.
//
// Every function that can fail returns 0 on success. On failure it returns another value and, where it takes `message`,
// leaves one clause without a final stop there (at most FOVEA_DICOM_MESSAGE_SIZE bytes with the closing zero). No
// exception leaves this file, and nothing is printed.
#ifndef FOVEA_CDICOM_H
#define FOVEA_CDICOM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define FOVEA_DICOM_MESSAGE_SIZE 256

/// A data set in memory. One thread at a time may use it.
typedef struct FoveaDICOM FoveaDICOM;

/// Bytes that belong to a `FoveaDICOM`.
typedef struct {
    const uint8_t *bytes;
    size_t count;
} FoveaDICOMBytes;

/// Reads the data set in `data`, without preamble and file meta information, as the transfer syntax `syntax` writes it.
/// A data set that was deflated must have been inflated, and is then read as explicit little endian. The values are
/// copied. With `header_only`, reading ends in front of the pixel data. `items` is how many items it may hold inside
/// each other. `is_whole` is 0 if the data end before the data set does; what was read before can be asked for all the
/// same. The result is released with `fovea_dicom_close`.
int fovea_dicom_open(
    const uint8_t *data, size_t count, const char *syntax, size_t items, int header_only, FoveaDICOM **file,
    int *is_whole, char *message);

void fovea_dicom_close(FoveaDICOM *file);

/// Writes the value of an element as text in UTF-8 to `text`, several values with backslashes between them.
/// `tags` are `count` tags, group << 16 | element: the last is the element, and those before are sequences of which the
/// first item is taken. Fails if there is no such element or the text does not fit.
int fovea_dicom_text(FoveaDICOM *file, const uint32_t *tags, int count, char *text, size_t capacity);

/// The bytes of an element of the data set itself; words are little endian. Fails if there is no such element.
int fovea_dicom_bytes(FoveaDICOM *file, uint32_t tag, FoveaDICOMBytes *result);

/// The number of fragments of compressed pixel data, without the table of offsets; -1 if the pixel data are not
/// compressed or missing.
int32_t fovea_dicom_fragment_count(FoveaDICOM *file);

/// The bytes of a fragment, or of the table of offsets where `index` is -1.
int fovea_dicom_fragment(FoveaDICOM *file, int32_t index, FoveaDICOMBytes *result);

/// Decodes frame `frame`, which begins with fragment `first`, into `samples`: one or two bytes a sample as the header
/// says, little endian, without a conversion of colours.
int fovea_dicom_decode(FoveaDICOM *file, int32_t frame, int32_t first, uint8_t *samples, size_t count, char *message);

/// The name of a UID, such as CTImageStorage; NULL if it is not in the standard.
const char *fovea_dicom_uid_name(const char *uid);

/// Inflates `data` (raw deflate) into memory of at most `limit` bytes. The result is released with `free`.
int fovea_dicom_inflate(
    const uint8_t *data, size_t count, size_t limit, uint8_t **result, size_t *result_count, char *message);

#ifdef __cplusplus
}
#endif

#endif
