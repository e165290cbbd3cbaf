#include "CJPEG2000.h"

#include "CImageCodecs.h"

#include <openjpeg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const uint8_t *data;
    size_t count;
    size_t position;
} memory_stream;

static OPJ_SIZE_T read_memory(void *buffer, OPJ_SIZE_T wanted, void *context) {
    memory_stream *stream = context;
    size_t left = stream->count - stream->position;
    size_t got = wanted < left ? wanted : left;
    if (got == 0) return (OPJ_SIZE_T)-1;
    memcpy(buffer, stream->data + stream->position, got);
    stream->position += got;
    return got;
}

static OPJ_OFF_T skip_memory(OPJ_OFF_T wanted, void *context) {
    memory_stream *stream = context;
    if (wanted < 0 || (uint64_t)wanted > stream->count - stream->position) return -1;
    stream->position += (size_t)wanted;
    return wanted;
}

static OPJ_BOOL seek_memory(OPJ_OFF_T position, void *context) {
    memory_stream *stream = context;
    if (position < 0 || (uint64_t)position > stream->count) return OPJ_FALSE;
    stream->position = (size_t)position;
    return OPJ_TRUE;
}

// Keeps the first message, which names the cause. OpenJPEG ends its messages with a line end.
static void keep_message(const char *text, void *context) {
    char *message = context;
    if (message[0] != 0) return;
    snprintf(message, FOVEA_MESSAGE_SIZE, "%s", text);
    message[strcspn(message, "\r\n")] = 0;
}

static void say_nothing(const char *text, void *context) {
    (void)text;
    (void)context;
}

typedef struct {
    memory_stream memory;
    opj_stream_t *stream;
    opj_codec_t *codec;
    opj_image_t *image;
} decoder;

static void close_decoder(decoder *state) {
    if (state->image != NULL) opj_image_destroy(state->image);
    if (state->codec != NULL) opj_destroy_codec(state->codec);
    if (state->stream != NULL) opj_stream_destroy(state->stream);
}

static int refuse(char *message, const char *text) {
    if (message[0] == 0) snprintf(message, FOVEA_MESSAGE_SIZE, "%s", text);
    return 1;
}

static int open_decoder(decoder *state, const uint8_t *data, size_t count, char *message) {
    static const uint8_t box[] = {0, 0, 0, 12, 'j', 'P', ' ', ' '};
    OPJ_CODEC_FORMAT format = count >= sizeof box && memcmp(data, box, sizeof box) == 0 ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K;
    opj_dparameters_t parameters;
    memset(state, 0, sizeof *state);
    state->memory.data = data;
    state->memory.count = count;
    state->stream = opj_stream_default_create(OPJ_TRUE);
    state->codec = opj_create_decompress(format);
    if (state->stream == NULL || state->codec == NULL) return refuse(message, "no memory is left");
    opj_set_error_handler(state->codec, keep_message, message);
    opj_set_warning_handler(state->codec, say_nothing, NULL);
    opj_set_info_handler(state->codec, say_nothing, NULL);
    opj_stream_set_user_data(state->stream, &state->memory, NULL);
    opj_stream_set_user_data_length(state->stream, count);
    opj_stream_set_read_function(state->stream, read_memory);
    opj_stream_set_skip_function(state->stream, skip_memory);
    opj_stream_set_seek_function(state->stream, seek_memory);
    opj_set_default_decoder_parameters(&parameters);
    if (!opj_setup_decoder(state->codec, &parameters) || !opj_decoder_set_strict_mode(state->codec, OPJ_TRUE) ||
        !opj_read_header(state->stream, state->codec, &state->image)) {
        return refuse(message, "is damaged: its JPEG 2000 header cannot be read");
    }
    return 0;
}

// Says what the codestream holds, and refuses what `decode` could not hand on.
static int describe(decoder *state, FoveaJPEG2000Header *header, char *message) {
    const opj_image_t *image = state->image;
    opj_codestream_info_v2_t *info = opj_get_cstr_info(state->codec);
    if (info == NULL) return refuse(message, "is damaged: its JPEG 2000 header cannot be read");
    header->is_transformed = info->m_default_tile_info.mct == 1;
    opj_destroy_cstr_info(&info);
    if (image->numcomps < 1 || image->numcomps > 4) return refuse(message, "has neither one nor up to four channels");
    if (image->x1 <= image->x0 || image->y1 <= image->y0 || image->x1 - image->x0 > INT32_MAX ||
        image->y1 - image->y0 > INT32_MAX) {
        return refuse(message, "has no pixels");
    }
    header->width = (int32_t)(image->x1 - image->x0);
    header->height = (int32_t)(image->y1 - image->y0);
    header->channels = (int32_t)image->numcomps;
    header->bit_depth = (int32_t)image->comps[0].prec;
    header->is_signed = image->comps[0].sgnd != 0;
    header->is_ycc = image->color_space == OPJ_CLRSPC_SYCC || image->color_space == OPJ_CLRSPC_EYCC;
    if (image->color_space == OPJ_CLRSPC_CMYK)
        return refuse(message, "is a CMYK (print) picture; convert it to RGB first");
    for (uint32_t index = 0; index < image->numcomps; index++) {
        const opj_image_comp_t *component = &image->comps[index];
        if (component->prec < 1 || component->prec > 16 || component->prec != image->comps[0].prec) {
            return refuse(message, "has channels of more than 16 bits or of different numbers of bits");
        }
        if (component->dx < 1 || component->dy < 1 || component->dx > 4 || component->dy > 4) {
            return refuse(message, "has channels of a size that is not supported");
        }
    }
    return 0;
}

int fovea_jpeg2000_header(const uint8_t *data, size_t count, FoveaJPEG2000Header *header, char *message) {
    decoder state;
    int failed = open_decoder(&state, data, count, message) || describe(&state, header, message);
    close_decoder(&state);
    return failed;
}

static int copy_samples(const opj_image_t *image, const FoveaJPEG2000Header *header, uint16_t *samples, char *message) {
    size_t channels = (size_t)header->channels;
    int32_t highest = (int32_t)((1u << header->bit_depth) - 1);
    for (size_t channel = 0; channel < channels; channel++) {
        const opj_image_comp_t *component = &image->comps[channel];
        int32_t raised = component->sgnd ? 1 << (header->bit_depth - 1) : 0;
        if (component->data == NULL || component->w < 1 || component->h < 1) {
            return refuse(message, "is damaged: a channel has no samples");
        }
        for (int32_t y = 0; y < header->height; y++) {
            uint32_t row = (uint32_t)y / component->dy;
            if (row >= component->h) row = component->h - 1;
            const OPJ_INT32 *line = component->data + (size_t)row * component->w;
            uint16_t *out = samples + (size_t)y * (size_t)header->width * channels + channel;
            for (int32_t x = 0; x < header->width; x++) {
                uint32_t column = (uint32_t)x / component->dx;
                int32_t value = line[column < component->w ? column : component->w - 1] + raised;
                out[(size_t)x * channels] = (uint16_t)(value < 0 ? 0 : value > highest ? highest : value);
            }
        }
    }
    return 0;
}

int fovea_jpeg2000_decode(
    const uint8_t *data, size_t count, FoveaJPEG2000Header *header, uint16_t **samples, char *message) {
    decoder state;
    uint16_t *result = NULL;
    int failed = open_decoder(&state, data, count, message) || describe(&state, header, message);
    if (!failed &&
        (!opj_decode(state.codec, state.stream, state.image) || !opj_end_decompress(state.codec, state.stream))) {
        failed = refuse(message, "is damaged: its JPEG 2000 data cannot be decoded");
    }
    // A palette is applied while decoding, so that there may be more channels now than before.
    failed = failed || describe(&state, header, message);
    if (!failed) {
        result = malloc((size_t)header->width * (size_t)header->height * (size_t)header->channels * sizeof *result);
        if (result == NULL) failed = refuse(message, "no memory is left");
    }
    failed = failed || copy_samples(state.image, header, result, message);
    close_decoder(&state);
    if (failed) {
        free(result);
    } else {
        *samples = result;
    }
    return failed;
}
