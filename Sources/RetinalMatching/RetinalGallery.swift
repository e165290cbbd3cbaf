import Pictures
import TensorCore

/// The vessel fields of pictures: of those that are searched, or of those that are looked for.
package struct RetinalGallery: Sendable {
    let fields: [VesselField]
    /// The patient of each picture, as in the picture set.
    package let patients: [Int]

    package var count: Int { fields.count }

    package init(_ fields: [VesselField], patients: [Int]) {
        if fields.count != patients.count {
            fatalError("RetinalGallery: \(fields.count) fields of \(patients.count) pictures")
        }
        self.fields = fields
        self.patients = patients
    }

    package init(_ pictures: PictureSet) {
        var fields = [VesselField?](repeating: nil, count: pictures.count)
        fields.withUnsafeMutableBufferPointer { fields in
            nonisolated(unsafe) let fields = fields
            parallelFor(pictures.count) { fields[$0] = VesselField(pictures[$0]) }
        }
        self.fields = fields.compactMap { $0 }
        patients = pictures.patients
    }
}
