import Foundation

/// Recognises files that people take for weights, or for other files of Fovea, by their first bytes.
public enum ForeignWeights: Sendable {
    /// A text that stands in a repository for a file that was not downloaded with it.
    case gitLFSPointer
    /// What `torch.save` writes: an archive or a stream of Python's pickle, which can run code when it is read.
    case pickle

    /// Nil for any other file.
    /// - Parameter start: the file's first bytes, 64 or more where it has them.
    public init?(_ start: Data) {
        let start = Data(start.prefix(256))
        // A safetensors file begins with the length of its header, whose bytes can look like anything.
        let isSafetensors = start.count > 8 && start[8] == UInt8(ascii: "{") && start[4..<8].allSatisfy { $0 == 0 }
        if isSafetensors { return nil }
        if start.starts(with: Data("version https://git-lfs".utf8)) {
            self = .gitLFSPointer
        } else if start.count >= 2, start[0] == 0x80, (2...5).contains(start[1]) {
            self = .pickle
        } else if start.starts(with: [0x50, 0x4B, 3, 4]), start.range(of: Data("data.pkl".utf8)) != nil {
            self = .pickle
        } else {
            return nil
        }
    }

    /// What is wrong with the file, and what to do, as a sentence without its subject.
    public var problem: String {
        switch self {
        case .gitLFSPointer: "is a git-lfs pointer and not the file itself; \(advice)"
        case .pickle: "is a PyTorch pickle, which could run code when it is read; \(advice)"
        }
    }

    /// What to do.
    public var advice: String {
        switch self {
        case .gitLFSPointer: "git lfs pull downloads the file"
        case .pickle: "save the weights as safetensors where they were made, and give that file"
        }
    }
}
