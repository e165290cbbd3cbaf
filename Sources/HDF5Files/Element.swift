import CHDF5

/// A number that datasets can hold, with its type in memory and its little-endian type in files.
public protocol HDF5Element: BitwiseCopyable, Sendable {
    static var typeDescription: HDF5Type { get }
    @HDF5Actor static var memoryType: hid_t { get }
    @HDF5Actor static var fileType: hid_t { get }
}

extension UInt8: HDF5Element {
    public static var typeDescription: HDF5Type { .integer(bytes: 1, signed: false) }
    public static var memoryType: hid_t { fovea_memory_uint8() }
    public static var fileType: hid_t { fovea_file_uint8() }
}

extension Int8: HDF5Element {
    public static var typeDescription: HDF5Type { .integer(bytes: 1, signed: true) }
    public static var memoryType: hid_t { fovea_memory_int8() }
    public static var fileType: hid_t { fovea_file_int8() }
}

extension Int16: HDF5Element {
    public static var typeDescription: HDF5Type { .integer(bytes: 2, signed: true) }
    public static var memoryType: hid_t { fovea_memory_int16() }
    public static var fileType: hid_t { fovea_file_int16() }
}

extension Int32: HDF5Element {
    public static var typeDescription: HDF5Type { .integer(bytes: 4, signed: true) }
    public static var memoryType: hid_t { fovea_memory_int32() }
    public static var fileType: hid_t { fovea_file_int32() }
}

extension Int64: HDF5Element {
    public static var typeDescription: HDF5Type { .integer(bytes: 8, signed: true) }
    public static var memoryType: hid_t { fovea_memory_int64() }
    public static var fileType: hid_t { fovea_file_int64() }
}

extension UInt64: HDF5Element {
    public static var typeDescription: HDF5Type { .integer(bytes: 8, signed: false) }
    public static var memoryType: hid_t { fovea_memory_uint64() }
    public static var fileType: hid_t { fovea_file_uint64() }
}

extension Float: HDF5Element {
    public static var typeDescription: HDF5Type { .float(bytes: 4) }
    public static var memoryType: hid_t { fovea_memory_float32() }
    public static var fileType: hid_t { fovea_file_float32() }
}
