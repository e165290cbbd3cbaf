import CHDF5
import CZlib
import Files

extension HDF5Storage {
    /// A chunk as the library's filters would write it: deflate, then Fletcher's checksum. This function does
    /// not call the library, so that many threads can encode chunks at once.
    public func encoded(_ bytes: [UInt8]) -> [UInt8] {
        var result = deflate > 0 ? HDF5Storage.deflated(bytes, level: deflate) : bytes
        if fletcher32 {
            let checksum = HDF5Storage.fletcher32(result)
            result += (0..<4).map { UInt8(truncatingIfNeeded: checksum >> (8 * $0)) }
        }
        return result
    }

    /// Compresses to a zlib stream, as HDF5's filter 1 does.
    private static func deflated(_ bytes: [UInt8], level: Int) -> [UInt8] {
        let bound = Int(compressBound(uLong(bytes.count)))
        return [UInt8](unsafeUninitializedCapacity: bound) { buffer, initialized in
            var count = uLongf(bound)
            let status = compress2(buffer.baseAddress, &count, bytes, uLong(bytes.count), Int32(level))
            guard status == Z_OK else {
                fatalError("zlib: status \(status) for \(bytes.count) bytes at level \(level)")
            }
            initialized = Int(count)
        }
    }

    /// Fletcher's checksum over 16-bit big-endian words, as HDF5's filter 3 computes it (`H5_checksum_fletcher32`).
    static func fletcher32(_ bytes: [UInt8]) -> UInt32 {
        func folded(_ sum: UInt32) -> UInt32 { (sum & 0xffff) &+ (sum >> 16) }
        return bytes.withUnsafeBytes { bytes in
            var first: UInt32 = 0, second: UInt32 = 0, position = 0
            let even = bytes.count & ~1
            while position < even {
                // More than 360 words could overflow.
                let end = min(even, position + 720)
                while position < end {
                    first &+= UInt32(bytes[position]) << 8 | UInt32(bytes[position + 1])
                    second &+= first
                    position += 2
                }
                (first, second) = (folded(first), folded(second))
            }
            if even < bytes.count {
                first &+= UInt32(bytes[even]) << 8
                second &+= first
                (first, second) = (folded(first), folded(second))
            }
            return folded(second) << 16 | folded(first)
        }
    }
}

extension HDF5Dataset {
    /// Writes the chunk of one row, which `HDF5Storage.encoded` made, without passing it through the library's filters.
    /// - Throws: `Failure(.readOrWriteFailed)`.
    public func write(chunk: [UInt8], row: Int) throws {
        var offset = [hsize_t](repeating: 0, count: shape.count)
        offset[0] = hsize_t(row)
        try HDF5Library.call(.readOrWriteFailed, file, "\(path) could not be written") {
            H5Dwrite_chunk(identifier, fovea_default, 0, offset, chunk.count, chunk)
        }
    }
}
