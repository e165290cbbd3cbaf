import Files
import Pictures

extension DICOMFile {
    /// The photograph in a frame, upright as the file stores it.
    /// - Parameters:
    ///   - frame: 0 for the first.
    ///   - minimumSide: as for `Picture(contentsOf:minimumSide:)`; it makes JPEG faster.
    /// - Throws: `Failure(.badData)` if the frame is damaged, cut off, or written as nobody but its maker can read it.
    package func picture(frame: Int, minimumSide: Int? = nil) throws -> Picture {
        guard (0..<frameCount).contains(frame) else { fatalError("frame \(frame) of \(frameCount)") }
        guard dataSet.pixelsAreWhole else {
            throw Failure(.badData, name, "is truncated: the file ends in its pixel data")
        }
        guard let fragments else { return try plain(frame) }
        let range = fragments.ranges[frame]
        let bytes = range.flatMap { dataSet.fragment($0) }
        if syntax == DICOMKind.rle {
            guard FrameCoding.isRLE(bytes) else { throw unreadable("RLE") }
            // DCMTK believes the lengths of segments. Two bytes of RLE stand for 128 at most.
            guard range.count == 1, FrameCoding.hasWholeSegments(bytes), layout.frameByteCount <= bytes.count * 64
            else { throw Failure(.badData, name, "is damaged: its RLE data do not fit its size") }
            return try decoded(frame, first: range.lowerBound, isYBR: nil)
        }
        switch FrameCoding(bytes) {
        case .jpeg2000: return try jpeg2000(bytes)
        case .jpeg: return try jpeg(bytes, frame: frame, first: range.lowerBound, minimumSide: minimumSide)
        case .unknown: throw unreadable(DICOMKind.jpeg2000.contains(syntax) ? "JPEG 2000" : "JPEG")
        }
    }

    /// What is said of obfuscated or encrypted pictures: some makers write files that claim to be JPEG 2000.
    private func unreadable(_ claim: String) -> Failure {
        Failure(
            .badData, name,
            """
            claims to hold \(claim), but its pixel data do not begin as \(claim) does, so they are encrypted or in a \
            form that only the maker's software reads; export the photograph again without the maker's compression, as \
            JPEG or as uncompressed DICOM
            """)
    }

    /// A frame that is not compressed.
    private func plain(_ frame: Int) throws -> Picture {
        let whole = dataSet.bytes(0x7FE0_0010) ?? .init(start: nil, count: 0)
        let length = layout.frameByteCount
        if whole.count < length * frameCount, layout.colours == .full422, layout.allocated == 8,
            layout.columns % 2 == 0,
            whole.count >= length / 3 * 2 * frameCount
        {
            let pairs = length / 3 * 2
            return layout.samplesOfPairs(.init(rebasing: whole[frame * pairs..<(frame + 1) * pairs])).picture(
                isYBR: true)
        }
        guard whole.count >= length * (frame + 1) else {
            throw Failure(
                .badData, name,
                "is truncated: \(length * frameCount) bytes of pixel data were expected, found \(whole.count)")
        }
        let bytes = UnsafeBufferPointer(rebasing: whole[frame * length..<(frame + 1) * length])
        return try picture(layout.samples(bytes, isPlanar: layout.isPlanar), isYBR: nil)
    }

    /// A frame that DCMTK decodes.
    private func decoded(_ frame: Int, first: Int, isYBR: Bool?) throws -> Picture {
        let bytes = try dataSet.decode(frame: frame, first: first, byteCount: layout.frameByteCount, name: name)
        // RLE is decoded as the header says. The other codecs give the samples of a pixel side by side.
        let isPlanar = syntax == DICOMKind.rle && layout.isPlanar
        return try bytes.withUnsafeBufferPointer {
            try picture(layout.samples($0, isPlanar: isPlanar), isYBR: isYBR)
        }
    }

    private func jpeg2000(_ bytes: [UInt8]) throws -> Picture {
        let decoded = try JPEG2000(bytes, name: name).decoded()
        let samples = decoded.samples
        guard samples.channels >= layout.samples else {
            throw Failure(
                .badData, name, field: "channels of its JPEG 2000 data", expected: "\(layout.samples)",
                found: "\(samples.channels)")
        }
        return try picture(
            samples, isYBR: decoded.wasTransformed ? false : decoded.isYBR ? true : nil, areRaised: decoded.wasSigned)
    }

    private func jpeg(_ bytes: [UInt8], frame: Int, first: Int, minimumSide: Int?) throws -> Picture {
        guard let markers = JPEGMarkers(bytes) else {
            throw Failure(.badData, name, "is damaged: its JPEG data have no frame")
        }
        guard markers.isOrdinary, layout.samples == markers.identifiers.count, layout.samples == 3 || isPlainGrey else {
            guard markers.width == layout.columns, markers.height == layout.rows,
                markers.identifiers.count == layout.samples
            else {
                throw Failure(
                    .badData, name, field: "size of its JPEG data",
                    expected: "\(layout.columns) x \(layout.rows) x \(layout.samples)",
                    found: "\(markers.width) x \(markers.height) x \(markers.identifiers.count)")
            }
            return try decoded(frame, first: first, isYBR: markers.isYBR)
        }
        // DICOM knows no EXIF, and nobody turns a picture by it.
        var stream = bytes
        for segment in markers.exif.reversed() { stream.removeSubrange(segment) }
        if layout.samples == 3, markers.isYBR == nil {
            let raw = try Picture(
                decoding: stream.withAdobeTransform(0), name: name, minimumSide: 64)
            let samples = PictureSamples(
                width: raw.width, height: raw.height, channels: 3, bits: 8, values: raw.pixels.map(UInt16.init))
            // Without a word in the stream, libjpeg takes components 1, 2 and 3 for YBR, as all encoders write them.
            let isYBR = samples.blackIsYBR ?? (layout.colours != .rgb || markers.identifiers == [1, 2, 3])
            stream = stream.withAdobeTransform(isYBR ? 1 : 0)
        }
        return try Picture(decoding: stream, name: name, minimumSide: minimumSide)
    }

    /// Whether a grey sample is shown as it is, so that a decoder may do it.
    private var isPlainGrey: Bool {
        guard layout.colours == .darkIsZero, layout.allocated == 8, layout.stored == 8, !layout.isSigned else {
            return false
        }
        let table = GreyScale(dataSet, layout: layout).table(bits: 8, isSigned: false)
        return table == PictureSamples.scale(bits: 8)
    }

    /// The colours of samples.
    /// - Parameters:
    ///   - isYBR: what the compressed data say of three samples; nil if they say nothing.
    ///   - areRaised: whether signed samples were raised so that the lowest is 0.
    private func picture(_ samples: PictureSamples, isYBR: Bool?, areRaised: Bool = false) throws -> Picture {
        switch layout.colours {
        case .darkIsZero, .brightIsZero:
            let isSigned = layout.isSigned || areRaised, sign = areRaised ? 1 << (samples.bits - 1) : 0
            let codes = GreyScale(dataSet, layout: layout).table(bits: samples.bits, isSigned: isSigned)
            let table = codes.indices.map { codes[$0 ^ sign] }
            return samples.picture(red: table, green: table, blue: table)
        case .palette:
            let tables = try Palette(dataSet, layout: layout, name: name).tables
            return samples.picture(red: tables[0], green: tables[1], blue: tables[2])
        case .rgb:
            // A compressed stream that was left unmarked, or a header that was not changed when it was compressed.
            return samples.picture(isYBR: isYBR ?? (fragments != nil && samples.blackIsYBR == true))
        case .full, .full422, .irreversible, .reversible:
            return samples.picture(
                isYBR: isYBR ?? samples.blackIsYBR ?? (layout.colours == .full || layout.colours == .full422))
        }
    }
}

extension FrameCoding {
    /// Whether `bytes` begin as an RLE frame does: with 1 to 15 segments, of which the first stands behind 64 bytes.
    static func isRLE(_ bytes: [UInt8]) -> Bool {
        bytes.count >= 64 && (1...15).contains(number(in: bytes, at: 0)) && number(in: bytes, at: 4) == 64
    }

    /// Whether the segments of an RLE frame stand one behind the other, and within `bytes`.
    static func hasWholeSegments(_ bytes: [UInt8]) -> Bool {
        let offsets = (1...number(in: bytes, at: 0)).map { number(in: bytes, at: 4 * $0) } + [bytes.count]
        return zip(offsets, offsets.dropFirst()).allSatisfy { $0 < $1 }
    }

    private static func number(in bytes: [UInt8], at position: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(bytes[position + $1]) << (8 * $1) }
    }
}

extension [UInt8] {
    /// A JPEG with an Adobe segment that says whether its components are RGB (0) or YBR (1).
    fileprivate func withAdobeTransform(_ transform: UInt8) -> [UInt8] {
        prefix(2) + [0xFF, 0xEE, 0, 14] + "Adobe".utf8 + [0, 100, 0, 0, 0, 0, transform] + dropFirst(2)
    }
}
