import CHDF5
import Files

/// The type of a dataset's or an attribute's content, by class and size.
public enum HDF5Type: Hashable, Sendable, CustomStringConvertible {
    case integer(bytes: Int, signed: Bool)
    case float(bytes: Int)
    /// Named codes over an integer of `bytes` bytes.
    case enumeration(bytes: Int, signed: Bool, members: [String: Int])
    /// UTF-8 of at most `bytes` bytes, padded with zeros.
    case fixedString(bytes: Int)
    case variableString
    /// A class that Fovea's files do not use.
    case other(String)

    public var description: String {
        switch self {
        case .integer(let bytes, let signed): "\(signed ? "int" : "uint")\(bytes * 8)"
        case .float(let bytes): "float\(bytes * 8)"
        case .enumeration(let bytes, let signed, let members):
            "enum of \(signed ? "int" : "uint")\(bytes * 8) with \(members.count) names"
        case .fixedString: "string"
        case .variableString: "string of variable length"
        case .other(let name): name
        }
    }
}

/// A datatype object of the library.
@HDF5Actor
final class Datatype {
    let handle: Handle
    var id: hid_t { handle.id }

    init(_ id: hid_t) {
        handle = Handle(id, release: H5Tclose)
    }

    /// A UTF-8 string, padded with zeros to `bytes` bytes; of variable length if `bytes` is nil.
    static func string(bytes: Int?, place: String) throws -> Datatype {
        let type = Datatype(
            try HDF5Library.call(.readOrWriteFailed, place, "a string type") { H5Tcopy(fovea_c_string()) })
        try HDF5Library.call(.readOrWriteFailed, place, "a string type") {
            min(
                H5Tset_size(type.id, bytes ?? fovea_variable_length()), H5Tset_cset(type.id, H5T_CSET_UTF8),
                H5Tset_strpad(type.id, bytes == nil ? H5T_STR_NULLTERM : H5T_STR_NULLPAD))
        }
        return type
    }

    /// Named codes over the integer type that `Code` has in files.
    static func enumeration<Code: HDF5Element & BinaryInteger>(
        _ members: [(name: String, code: Code)], place: String
    ) throws -> Datatype {
        let type = Datatype(
            try HDF5Library.call(.readOrWriteFailed, place, "an enumeration") { H5Tenum_create(Code.fileType) })
        for (name, code) in members {
            // Memory and files are both little-endian, so that codes need no conversion.
            try HDF5Library.call(.readOrWriteFailed, place, "the code \"\(name)\" of an enumeration") {
                withUnsafePointer(to: code.littleEndianCode) { H5Tenum_insert(type.id, name, $0) }
            }
        }
        return type
    }

    var description: HDF5Type {
        let bytes = H5Tget_size(id)
        switch H5Tget_class(id) {
        case H5T_INTEGER: return .integer(bytes: bytes, signed: H5Tget_sign(id) == H5T_SGN_2)
        case H5T_FLOAT: return .float(bytes: bytes)
        case H5T_STRING: return H5Tis_variable_str(id) > 0 ? .variableString : .fixedString(bytes: bytes)
        case H5T_ENUM: return enumeration(bytes: bytes) ?? .other("a damaged enumeration")
        case H5T_BITFIELD: return .other("a bit field")
        case H5T_OPAQUE: return .other("opaque bytes")
        case H5T_COMPOUND: return .other("a compound")
        case H5T_REFERENCE: return .other("a reference")
        case H5T_VLEN: return .other("rows of variable length")
        case H5T_ARRAY: return .other("an array type")
        default: return .other("an unknown type")
        }
    }

    private func enumeration(bytes: Int) -> HDF5Type? {
        let base = Datatype(H5Tget_super(id))
        guard base.id >= 0, case .integer(_, let signed) = base.description, bytes <= 8 else { return nil }
        let littleEndian = H5Tget_order(base.id) != H5T_ORDER_BE
        var members: [String: Int] = [:]
        for index in 0..<UInt32(max(0, H5Tget_nmembers(id))) {
            var raw = [UInt8](repeating: 0, count: 8)
            guard H5Tget_member_value(id, index, &raw) >= 0, let text = H5Tget_member_name(id, index) else {
                return nil
            }
            members[String(cString: text)] = Datatype.integer(
                Array(raw[..<bytes]), signed: signed, littleEndian: littleEndian)
            H5free_memory(text)
        }
        return .enumeration(bytes: bytes, signed: signed, members: members)
    }

    private static func integer(_ raw: [UInt8], signed: Bool, littleEndian: Bool) -> Int {
        let bytes = littleEndian ? raw.reversed() : raw
        let negative = signed && (bytes.first ?? 0) & 0x80 != 0
        return bytes.reduce(negative ? -1 : 0) { $0 << 8 | Int($1) }
    }
}

extension BinaryInteger {
    /// The value as little-endian files hold it.
    fileprivate var littleEndianCode: Self {
        #if _endian(little)
            return self
        #else
            fatalError("Fovea's HDF5 files are written on little-endian machines only")
        #endif
    }
}
