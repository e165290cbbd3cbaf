/// The pictures of one side of an audit in memory, all of the same size: samples, a training gallery, or a holdout.
package struct PictureSet: Sendable {
    /// Width and height of every picture, in pixels.
    package let size: Int
    /// [count, size, size, 3], RGB; 0 outside the field of view.
    package let pixels: [UInt8]
    /// The patient of each picture, as a number within its source. Both eyes and all visits of a patient have the same
    /// number.
    package let patients: [Int]

    package var count: Int { patients.count }

    package init(size: Int, pixels: [UInt8], patients: [Int]) {
        if pixels.count != patients.count * size * size * 3 {
            fatalError("PictureSet: \(pixels.count) bytes are not \(patients.count) pictures of \(size) x \(size)")
        }
        self.size = size
        self.pixels = pixels
        self.patients = patients
    }

    /// - Parameter pictures: square pictures of this size.
    package init(_ pictures: [Picture], size: Int, patients: [Int]) {
        self.init(size: size, pixels: pictures.flatMap(\.pixels), patients: patients)
    }

    package subscript(index: Int) -> Picture {
        let bytes = size * size * 3
        return Picture(width: size, height: size, pixels: Array(pixels[index * bytes..<(index + 1) * bytes]))
    }

    /// The pictures of `rows`, in that order.
    package func selecting(_ rows: [Int]) -> PictureSet {
        let bytes = size * size * 3
        var selected: [UInt8] = []
        selected.reserveCapacity(rows.count * bytes)
        for row in rows { selected += pixels[row * bytes..<(row + 1) * bytes] }
        return PictureSet(size: size, pixels: selected, patients: rows.map { patients[$0] })
    }

    /// The same pictures at another size.
    package func resized(to side: Int) -> PictureSet {
        if side == size { return self }
        return PictureSet(
            (0..<count).map { self[$0].resized(width: side, height: side) }, size: side, patients: patients)
    }
}
