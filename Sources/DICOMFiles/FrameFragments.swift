import Pictures

/// Which fragments of compressed pixel data hold which frame.
struct FrameFragments {
    /// For each frame, its fragments.
    let ranges: [Range<Int>]

    /// nil if it cannot be told.
    ///
    /// One frame has all fragments; as many frames as fragments have one each. Otherwise the table of offsets
    /// tells, or, if it is empty, the fragments that begin as a picture does.
    init?(_ file: DICOMDataSet, frameCount: Int) {
        guard let count = file.fragmentCount, count > 0, frameCount > 0, frameCount <= count else { return nil }
        if frameCount == 1 {
            ranges = [0..<count]
        } else if frameCount == count {
            ranges = (0..<count).map { $0..<$0 + 1 }
        } else {
            let starts = FrameFragments.offsets(file, count: count)
            let first = starts.count == frameCount ? starts : FrameFragments.beginnings(file, count: count)
            guard first.count == frameCount, first.first == 0, zip(first, first.dropFirst()).allSatisfy(<) else {
                return nil
            }
            ranges = zip(first, first.dropFirst() + [count]).map { $0..<$1 }
        }
    }

    /// The fragments at which frames begin by the table of offsets, which counts from the first fragment's item.
    private static func offsets(_ file: DICOMDataSet, count: Int) -> [Int] {
        let table = file.fragment(-1)
        guard table.count >= 4 else { return [] }
        var fragmentAt: [Int: Int] = [:]
        var position = 0
        for index in 0..<count {
            fragmentAt[position] = index
            position += 8 + file.fragment(index).count
        }
        return (0..<table.count / 4).compactMap { entry in
            fragmentAt[(0..<4).reduce(0) { $0 | Int(table[4 * entry + $1]) << (8 * $1) }]
        }
    }

    private static func beginnings(_ file: DICOMDataSet, count: Int) -> [Int] {
        (0..<count).filter { FrameCoding(file.fragment($0).prefix(64)) != .unknown }
    }
}

/// What a compressed frame is, by how it begins.
enum FrameCoding {
    /// JPEG, lossless JPEG or JPEG-LS.
    case jpeg
    case jpeg2000
    case unknown

    init(_ bytes: some Collection<UInt8>) {
        if bytes.starts(with: [0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if JPEG2000.isRecognised(bytes) {
            self = .jpeg2000
        } else {
            self = .unknown
        }
    }
}
