#include "CDICOM.h"

#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcistrmb.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dcspchrs.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <mutex>
#include <pthread.h>
#include <string>
#include <zlib.h>

struct FoveaDICOM {
    /// How many items it may hold inside each other.
    size_t items = 0;
    DcmDataset dataset;
    DcmSpecificCharacterSet characters;
    bool converts = false;
};

namespace {

void say(char *message, const char *text) { std::snprintf(message, FOVEA_DICOM_MESSAGE_SIZE, "%s", text); }

/// Runs `body`, and makes a failure of every exception.
template <typename Body> int guarded(char *message, Body body) {
    try {
        return body();
    } catch (const std::bad_alloc &) { say(message, "no memory is left for it"); } catch (const std::exception &error) {
        say(message, error.what());
    } catch (...) { say(message, "the DICOM library failed without a reason"); }
    return 1;
}

/// The codecs are registered once for the whole process. They never convert colours, because the header is often wrong
/// about them, and they give the samples of a pixel side by side.
void prepare() {
    static std::once_flag once;
    std::call_once(once, [] {
        OFLog::configure(OFLogger::OFF_LOG_LEVEL);
        DJDecoderRegistration::registerCodecs(EDC_never, EUC_never, EPC_colorByPixel);
        DJLSDecoderRegistration::registerCodecs(EJLSUC_never, EJLSPC_colorByPixel);
        DcmRLEDecoderRegistration::registerCodecs();
        // DCMDICTPATH may name the dictionary of another installation that is gone.
        if (!dcmDataDict.isDictionaryLoaded()) {
            const std::string paths = DCM_DICT_DEFAULT_PATH;
            dcmDataDict.wrlock().loadDictionary(paths.substr(0, paths.find(':')).c_str());
            dcmDataDict.wrunlock();
        }
    });
}

/// DCMTK reads and releases items inside items by recursion, and takes up to 2 kilobytes of the stack for each level.
constexpr size_t items_on_any_stack = 100;
constexpr size_t bytes_for_item = 4096;

/// Runs `body` where the stack is large enough for `items` items inside each other.
template <typename Body> int with_stack(size_t items, char *message, Body body) {
    if (items <= items_on_any_stack) return guarded(message, body);
    struct Call {
        Body *body;
        char *message;
        int result;
    } call = {&body, message, 1};
    pthread_attr_t attributes;
    pthread_t thread;
    pthread_attr_init(&attributes);
    int failed = pthread_attr_setstacksize(&attributes, (1 << 20) + items * bytes_for_item);
    if (failed == 0) {
        auto run = [](void *context) -> void * {
            Call *call = static_cast<Call *>(context);
            call->result = guarded(call->message, *call->body);
            return nullptr;
        };
        failed = pthread_create(&thread, &attributes, run, &call);
    }
    pthread_attr_destroy(&attributes);
    if (failed != 0) {
        say(message, "the system gives no thread to read it with");
        return 1;
    }
    pthread_join(thread, nullptr);
    return call.result;
}

DcmTagKey key(uint32_t tag) { return DcmTagKey(Uint16(tag >> 16), Uint16(tag & 0xFFFF)); }

DcmPixelData *pixel_data(FoveaDICOM *file) {
    DcmElement *element = nullptr;
    if (file->dataset.findAndGetElement(DCM_PixelData, element).bad()) return nullptr;
    return dynamic_cast<DcmPixelData *>(element);
}

/// The compressed pixel data; NULL if there are none.
DcmPixelSequence *fragments(FoveaDICOM *file) {
    DcmPixelData *pixels = pixel_data(file);
    if (pixels == nullptr) return nullptr;
    E_TransferSyntax syntax = EXS_Unknown;
    const DcmRepresentationParameter *parameter = nullptr;
    pixels->getOriginalRepresentationKey(syntax, parameter);
    DcmPixelSequence *sequence = nullptr;
    if (!DcmXfer(syntax).isEncapsulated()) return nullptr;
    return pixels->getEncapsulatedRepresentation(syntax, parameter, sequence).good() ? sequence : nullptr;
}

}  // namespace

int fovea_dicom_open(
    const uint8_t *data, size_t count, const char *syntax, size_t items, int header_only, FoveaDICOM **file,
    int *is_whole, char *message) {
    return with_stack(items, message, [&] {
        prepare();
        DcmXfer encoding(syntax);
        if (encoding.isImplicitVR() && !dcmDataDict.isDictionaryLoaded()) {
            say(message, "DCMTK's dictionary " DCM_DICT_DEFAULT_PATH " is missing");
            return 1;
        }
        std::unique_ptr<FoveaDICOM> result(new FoveaDICOM);
        result->items = items;
        DcmInputBufferStream stream;
        stream.setBuffer(data, offile_off_t(count));
        stream.setEos();
        result->dataset.transferInit();
        OFCondition status = result->dataset.readUntilTag(
            stream, encoding.getXfer(), EGL_noChange, DCM_MaxReadLength,
            header_only ? DCM_PixelData : DCM_UndefinedTagKey);
        result->dataset.transferEnd();
        *is_whole = status.good();
        if (status.bad() && status != EC_StreamNotifyClient && result->dataset.card() == 0) {
            say(message, status.text());
            return 1;
        }
        OFString set;
        if (result->dataset.findAndGetOFStringArray(DCM_SpecificCharacterSet, set).good() && !set.empty()) {
            result->converts = result->characters.selectCharacterSet(set).good();
        }
        *file = result.release();
        return 0;
    });
}

void fovea_dicom_close(FoveaDICOM *file) {
    char message[FOVEA_DICOM_MESSAGE_SIZE];
    with_stack(file->items, message, [&] {
        delete file;
        return 0;
    });
}

int fovea_dicom_text(FoveaDICOM *file, const uint32_t *tags, int count, char *text, size_t capacity) {
    char message[FOVEA_DICOM_MESSAGE_SIZE];
    return guarded(message, [&] {
        DcmItem *item = &file->dataset;
        for (int step = 0; step + 1 < count; step++) {
            DcmItem *inner = nullptr;
            if (item->findAndGetSequenceItem(key(tags[step]), inner).bad() || inner == nullptr) return 1;
            item = inner;
        }
        OFString value, converted;
        DcmElement *element = nullptr;
        if (item->findAndGetElement(key(tags[count - 1]), element).bad() || element == nullptr) return 1;
        // Pixels and other masses of bytes are not text.
        if (element->getLengthField() >= capacity || element->getOFStringArray(value).bad()) return 1;
        if (file->converts && element->isAffectedBySpecificCharacterSet() &&
            file->characters.convertString(value, converted).good()) {
            value = converted;
        }
        if (value.size() >= capacity) return 1;
        std::memcpy(text, value.c_str(), value.size() + 1);
        return 0;
    });
}

int fovea_dicom_bytes(FoveaDICOM *file, uint32_t tag, FoveaDICOMBytes *result) {
    char message[FOVEA_DICOM_MESSAGE_SIZE];
    return guarded(message, [&] {
        DcmElement *element = nullptr;
        if (file->dataset.findAndGetElement(key(tag), element).bad() || element == nullptr) return 1;
        Uint8 *bytes = nullptr;
        Uint16 *words = nullptr;
        result->count = element->getLengthField();
        if (element->getUint8Array(bytes).good() && bytes != nullptr) {
            result->bytes = bytes;
        } else if (element->getUint16Array(words).good() && words != nullptr) {
            result->bytes = reinterpret_cast<const uint8_t *>(words);
        } else {
            return 1;
        }
        return 0;
    });
}

int32_t fovea_dicom_fragment_count(FoveaDICOM *file) {
    char message[FOVEA_DICOM_MESSAGE_SIZE];
    int32_t result = -1;
    guarded(message, [&] {
        DcmPixelSequence *sequence = fragments(file);
        if (sequence != nullptr && sequence->card() > 0) result = int32_t(sequence->card()) - 1;
        return 0;
    });
    return result;
}

int fovea_dicom_fragment(FoveaDICOM *file, int32_t index, FoveaDICOMBytes *result) {
    char message[FOVEA_DICOM_MESSAGE_SIZE];
    return guarded(message, [&] {
        DcmPixelSequence *sequence = fragments(file);
        DcmPixelItem *item = nullptr;
        if (sequence == nullptr || index < -1 || sequence->getItem(item, static_cast<unsigned long>(index + 1)).bad()) {
            return 1;
        }
        Uint8 *bytes = nullptr;
        result->count = item->getLengthField();
        if (result->count > 0 && (item->getUint8Array(bytes).bad() || bytes == nullptr)) return 1;
        result->bytes = bytes;
        return 0;
    });
}

int fovea_dicom_decode(FoveaDICOM *file, int32_t frame, int32_t first, uint8_t *samples, size_t count, char *message) {
    return guarded(message, [&] {
        DcmPixelData *pixels = pixel_data(file);
        if (pixels == nullptr || count > UINT32_MAX) {
            say(message, "it has no pixel data");
            return 1;
        }
        // The first item of the sequence is the table of offsets.
        Uint32 fragment = Uint32(first) + 1;
        OFString colours;
        OFCondition status =
            pixels->getUncompressedFrame(&file->dataset, Uint32(frame), fragment, samples, Uint32(count), colours);
        if (status.bad()) say(message, status.text());
        return status.good() ? 0 : 1;
    });
}

const char *fovea_dicom_uid_name(const char *uid) { return dcmFindNameOfUID(uid); }

int fovea_dicom_inflate(
    const uint8_t *data, size_t count, size_t limit, uint8_t **result, size_t *result_count, char *message) {
    z_stream stream;
    std::memset(&stream, 0, sizeof stream);
    size_t capacity = count < limit / 4 ? count * 4 + 4096 : limit;
    uint8_t *output = static_cast<uint8_t *>(std::malloc(capacity));
    if (output == nullptr || count > UINT32_MAX || limit > UINT32_MAX || inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
        std::free(output);
        say(message, "no memory is left for it");
        return 1;
    }
    stream.next_in = const_cast<uint8_t *>(data);
    stream.avail_in = uInt(count);
    int status = Z_OK;
    while (status == Z_OK) {
        if (stream.total_out == capacity) {
            if (capacity == limit) break;
            capacity = capacity < limit / 2 ? capacity * 2 : limit;
            uint8_t *larger = static_cast<uint8_t *>(std::realloc(output, capacity));
            if (larger == nullptr) break;
            output = larger;
        }
        stream.next_out = output + stream.total_out;
        stream.avail_out = uInt(capacity - stream.total_out);
        status = inflate(&stream, Z_NO_FLUSH);
    }
    *result_count = stream.total_out;
    inflateEnd(&stream);
    if (status != Z_STREAM_END) {
        std::free(output);
        say(message, status == Z_OK ? "its deflated data are too large" : "its deflated data are damaged");
        return 1;
    }
    *result = output;
    return 0;
}
