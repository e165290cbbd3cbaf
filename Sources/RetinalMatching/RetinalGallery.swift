import Pictures
import TensorCore

/// The vessel fields of pictures: of those that are searched, or of those that are looked for.
package struct RetinalGallery: Sendable {
    /// The patient of each picture, as in the picture set.
    package let patients: [Int]
    private let read: @Sendable (Int) throws -> VesselField

    package var count: Int { patients.count }

    /// - Parameter read: gives the field of a picture. It is called from several threads, and often for one picture,
    ///   so that the fields may lie on a disk.
    package init(patients: [Int], reading read: @escaping @Sendable (Int) throws -> VesselField) {
        self.patients = patients
        self.read = read
    }

    package init(_ pictures: PictureSet) {
        var fields = [VesselField?](repeating: nil, count: pictures.count)
        fields.withUnsafeMutableBufferPointer { fields in
            nonisolated(unsafe) let fields = fields
            parallelFor(pictures.count) { fields[$0] = VesselField(pictures[$0]) }
        }
        let all = fields.compactMap { $0 }
        self.init(patients: pictures.patients) { all[$0] }
    }

    func field(_ index: Int) throws -> VesselField { try read(index) }
}
