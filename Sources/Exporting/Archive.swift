import CArchive
import Files
import Foundation

/// Writes a zip or tar file entry by entry. The same entries give the same bytes.
final class ArchiveWriter {
    enum Format {
        /// A zip file whose entries are not compressed and may be larger than 4 GiB.
        case zip
        case tar
    }

    private let archive: OpaquePointer
    private let path: String

    /// - Throws: `Failure(.readOrWriteFailed)`.
    init(_ path: String, _ format: Format) throws {
        guard let archive = archive_write_new() else { throw Failure(.readOrWriteFailed, path, "no memory is left") }
        self.archive = archive
        self.path = path
        switch format {
        case .zip:
            try check(archive_write_set_format_zip(archive))
            try check(archive_write_zip_set_compression_store(archive))
        case .tar:
            try check(archive_write_set_format_pax_restricted(archive))
            // The end is not padded to the blocks of a tape.
            try check(archive_write_set_bytes_in_last_block(archive, 1))
        }
        try check(archive_write_open_filename(archive, path))
    }

    deinit { archive_write_free(archive) }

    /// Adds a file of `size` bytes. `body` is given a function that appends a piece of it.
    func add(_ name: String, size: Int, _ body: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void) throws {
        guard let entry = archive_entry_new() else { throw Failure(.readOrWriteFailed, path, "no memory is left") }
        defer { archive_entry_free(entry) }
        archive_entry_set_pathname_utf8(entry, name)
        archive_entry_set_size(entry, Int64(size))
        archive_entry_set_filetype(entry, fovea_regular_file())
        archive_entry_set_perm(entry, 0o644)
        // Every entry has the same moment and no user, so that bytes do not differ. Zip's calendar begins in 1980.
        archive_entry_set_mtime(entry, 315_532_800, 0)
        try check(archive_write_header(archive, entry))
        var written = 0
        try body { piece in
            written += piece.count
            guard archive_write_data(archive, piece.baseAddress, piece.count) == piece.count else {
                try check(ARCHIVE_FATAL); return
            }
        }
        guard written == size else { fatalError("\(path): \(name) has \(written) bytes, not \(size)") }
        try check(archive_write_finish_entry(archive))
    }

    func add(_ name: String, _ data: Data) throws {
        try add(name, size: data.count) { append in try data.withUnsafeBytes(append) }
    }

    func finish() throws { try check(archive_write_close(archive)) }

    private func check(_ status: Int32) throws {
        guard status < ARCHIVE_WARN else { return }
        // The library's own words are only "Write error".
        let number = archive_errno(archive)
        let reason =
            number > 0
            ? SystemReason.text(number) : archive_error_string(archive).map { String(cString: $0) } ?? "no reason given"
        throw Failure(.readOrWriteFailed, path, "could not be written: \(reason)")
    }
}

/// Reads a zip or tar file from front to back.
enum ArchiveReader {
    /// - Parameter body: is given each entry's name, its size, and a function that reads at most the given number of
    ///   the entry's next bytes.
    /// - Throws: `Failure(.badData)` where the file is damaged.
    static func forEachEntry(_ path: String, _ body: (String, Int, (Int) throws -> [UInt8]) throws -> Void) throws {
        guard let archive = archive_read_new() else { throw Failure(.readOrWriteFailed, path, "no memory is left") }
        defer { archive_read_free(archive) }
        func check(_ status: Int, _ what: String) throws {
            // A warning counts as damage, too: libarchive warns where a checksum does not fit.
            guard status < 0 else { return }
            throw Failure(
                .badData, path,
                "\(what): \(archive_error_string(archive).map { String(cString: $0) } ?? "it is damaged")")
        }
        archive_read_support_format_zip(archive)
        archive_read_support_format_tar(archive)
        try check(Int(archive_read_open_filename(archive, path, 1 << 20)), "could not be opened")
        let fileSize = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
        var entry: OpaquePointer?
        while true {
            let status = archive_read_next_header(archive, &entry)
            if status == ARCHIVE_EOF { return }
            try check(Int(status), "could not be read")
            guard let entry, let name = archive_entry_pathname_utf8(entry) else {
                throw Failure(.badData, path, "an entry has no name")
            }
            // Nothing is compressed, so no entry is larger than the file.
            let size = Int(archive_entry_size(entry))
            guard (0...fileSize).contains(size) else {
                throw Failure(.badData, path, "is damaged: an entry claims \(size) bytes of a file of \(fileSize)")
            }
            try body(String(cString: name), size) { count in
                guard (0...fileSize).contains(count) else {
                    throw Failure(.badData, path, "is damaged: a row claims \(count) bytes")
                }
                var bytes = [UInt8](repeating: 0, count: count), filled = 0
                while filled < count {
                    let read = bytes.withUnsafeMutableBytes {
                        archive_read_data(archive, $0.baseAddress! + filled, count - filled)
                    }
                    try check(read, "could not be read")
                    if read == 0 { break }
                    filled += read
                }
                return Array(bytes.prefix(filled))
            }
        }
    }
}
