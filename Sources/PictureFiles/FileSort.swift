import Files
import Foundation

/// What kind of file is at a path, judged by its first bytes.
public enum FileSort: Sendable {
    case sampleSet
    /// Another HDF5 file, such as a data set.
    case hdf5
    case weights

    /// Looks at the first bytes of a file.
    /// - Throws: `Failure`: `.noSuchInput`; `.readOrWriteFailed`, also for an HDF5 file that another program writes;
    ///   `.badData` if it is neither HDF5 nor safetensors.
    public init(contentsOf path: String) throws {
        try RegularFile.require(path)
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw StagedFile.failure(path, nil, "read")
        }
        let start: Data
        do { start = try handle.read(upToCount: 520) ?? Data() } catch {
            throw StagedFile.failure(path, error, "read")
        }
        guard !start.isEmpty else { throw Failure(.badData, path, "is empty") }
        let signature: [UInt8] = [0x89, 0x48, 0x44, 0x46]
        // A sample set whose first block is damaged still counts as a sample set.
        if start.starts(with: Data("fovea.samples ".utf8)) || start.dropFirst(512).starts(with: signature) {
            self = .sampleSet
        } else if start.starts(with: signature) {
            self = .hdf5
        } else if start.count > 8, start[start.startIndex + 8] == UInt8(ascii: "{") {
            self = .weights
        } else {
            throw Failure(.badData, path, "is neither an HDF5 nor a safetensors file, so fovea did not make it")
        }
        // What is half written would only look damaged.
        if self != .weights { try SystemLock.requireNoWriter(path) }
    }

    /// Refuses a file that is not a sample set.
    /// - Parameter use: what a sample set is needed for, such as `only samples can be made again`.
    /// - Throws: `Failure`: `.badData` if the file is not a sample set, and as `init`.
    public static func requireSampleSet(_ path: String, _ use: String) throws {
        guard try FileSort(contentsOf: path) == .sampleSet else {
            throw Failure(.badData, path, "is not a sample set; \(use)")
        }
    }
}
