import Files
import Foundation

/// Something in a folder of photographs that was not read, and why.
public struct SkippedEntry: Codable, Sendable, Equatable {
    /// The path in the folder; the bytes of a name that is not UTF-8 are escaped.
    public let file: String
    /// A clause that follows the name, such as `is a broken link`.
    public let reason: String

    public init(file: String, reason: String) {
        self.file = file
        self.reason = reason
    }
}

/// What the system says about a file or folder.
struct FileStatus {
    enum Kind { case file, folder, link, other(String) }

    /// The same for every name of one file.
    struct Identity: Hashable {
        let device: UInt64
        let number: UInt64
    }

    let kind: Kind
    let identity: Identity

    /// - Parameter follows: whether a link stands for what it leads to.
    /// - Returns: nil where there is none, or where it cannot be asked; `errno` says which.
    init?(_ path: RawPath, follows: Bool = true) {
        var status = stat()
        guard path.withCString({ follows ? stat($0, &status) : lstat($0, &status) }) == 0 else { return nil }
        identity = Identity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFLNK: .link
            case S_IFSOCK: .other("a socket")
            case S_IFIFO: .other("a pipe")
            default: .other("a device")
            }
    }
}

extension FileStatus.Kind: Equatable {}

/// Lists a folder and the folders inside it with the system's own calls, which take names of any bytes.
struct FolderSearch {
    /// Paths in the folder, in no fixed order.
    private(set) var files: [RawPath] = []
    /// What is no photograph: pipes, broken links, what is hidden.
    private(set) var skipped: [SkippedEntry] = []
    /// What the system did not let be searched.
    private(set) var unsearched: [SkippedEntry] = []

    private let folder: RawPath
    private let others: Set<FileStatus.Identity>
    private var searched: Set<FileStatus.Identity> = []
    /// Links to folders. They wait until all real folders are searched, so that what can be reached without a link has
    /// its own path.
    private var links: [RawPath] = []

    /// - Parameter others: files that are passed over.
    init(_ folder: RawPath, without others: Set<FileStatus.Identity>) {
        self.folder = folder
        self.others = others
    }

    /// - Throws: `Failure(.readOrWriteFailed)` if the folder itself cannot be listed.
    mutating func run() throws {
        search(RawPath(""))
        if files.isEmpty, let failed = unsearched.first, failed.file.isEmpty {
            throw Failure(.readOrWriteFailed, folder.shown, failed.reason)
        }
        while !links.isEmpty {
            let waiting = links.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
            links = []
            for link in waiting { search(link) }
        }
    }

    /// Searches the folder at `relative`, and the folders inside it.
    private mutating func search(_ relative: RawPath) {
        let path = relative.bytes.isEmpty ? folder : folder.appending(relative)
        guard let status = FileStatus(path) else { return fail(relative, "could not be read") }
        guard searched.insert(status.identity).inserted else { return }
        guard let names = names(in: path, relative) else { return }
        var hiddenPictures = 0
        for name in names {
            let child = relative.appending(name), isHidden = name.first == UInt8(ascii: ".")
            guard let entry = FileStatus(folder.appending(child), follows: false) else {
                fail(child, "could not be read")
                continue
            }
            if isHidden {
                if entry.kind == .folder { skip(child, "is a hidden folder and was not searched") }
                if entry.kind == .file, PhotographFolder.isPhotograph(child.shown) { hiddenPictures += 1 }
            } else {
                add(child, entry)
            }
        }
        if hiddenPictures > 0 {
            let what = hiddenPictures == 1 ? "1 picture" : "\(hiddenPictures) pictures"
            skip(relative, "holds \(what) with hidden names (they begin with a dot), which were not read")
        }
    }

    private mutating func add(_ path: RawPath, _ entry: FileStatus) {
        switch entry.kind {
        case .folder: search(path)
        case .file: if !others.contains(entry.identity) { files.append(path) }
        case .other(let what): skip(path, "is \(what), not a file")
        case .link:
            guard let target = FileStatus(folder.appending(path)) else {
                return skip(path, "is a broken link: \(SystemReason.text())")
            }
            switch target.kind {
            case .folder: links.append(path)
            case .other(let what): skip(path, "is a link to \(what), not to a file")
            default: if !others.contains(target.identity) { files.append(path) }
            }
        }
    }

    /// The names in a folder, sorted by their bytes, without `.` and `..`; nil where it cannot be listed.
    private mutating func names(in path: RawPath, _ relative: RawPath) -> [[UInt8]]? {
        guard let listing = path.withCString({ opendir($0) }) else {
            fail(relative, "could not be listed")
            return nil
        }
        defer { closedir(listing) }
        var names: [[UInt8]] = []
        while true {
            errno = 0
            guard let entry = readdir(listing) else { break }
            let offset = MemoryLayout<dirent>.offset(of: \.d_name)!
            let start = UnsafeRawPointer(entry).advanced(by: offset)
            let name = Array(
                UnsafeRawBufferPointer(start: start, count: strlen(start.assumingMemoryBound(to: CChar.self))))
            if name != [UInt8(ascii: ".")], name != Array("..".utf8) { names.append(name) }
        }
        if errno != 0 { fail(relative, "could not be listed to its end") }
        return names.sorted { $0.lexicographicallyPrecedes($1) }
    }

    private mutating func skip(_ path: RawPath, _ reason: String) {
        skipped.append(SkippedEntry(file: path.shown, reason: reason))
    }

    /// Notes what a call of the system has just refused.
    private mutating func fail(_ path: RawPath, _ what: String) {
        unsearched.append(SkippedEntry(file: path.shown, reason: "\(what): \(SystemReason.text())"))
    }
}
