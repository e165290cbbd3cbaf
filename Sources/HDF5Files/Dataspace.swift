import CHDF5
import Files

/// The shape of a dataset or an attribute.
@HDF5Actor
final class Dataspace {
    private let handle: Handle
    var id: hid_t { handle.id }

    init(_ id: hid_t) {
        handle = Handle(id, release: H5Sclose)
    }

    /// - Parameter extendible: whether the first dimension can grow.
    convenience init(_ shape: [Int], extendible: Bool = false, file: String) throws {
        var dimensions = shape.map { hsize_t($0) }
        var largest = dimensions
        if extendible { largest[0] = fovea_unlimited() }
        self.init(
            try HDF5Library.call(.readOrWriteFailed, file, "a shape \(shape)") {
                shape.isEmpty ? H5Screate(H5S_SCALAR) : H5Screate_simple(Int32(shape.count), &dimensions, &largest)
            })
    }

    /// The number of elements in each dimension; empty for a scalar.
    var shape: [Int] {
        let rank = Int(H5Sget_simple_extent_ndims(id))
        guard rank > 0 else { return [] }
        var dimensions = [hsize_t](repeating: 0, count: rank)
        H5Sget_simple_extent_dims(id, &dimensions, nil)
        return dimensions.map { Int(clamping: $0) }
    }

    /// The number of all elements.
    var count: Int {
        max(0, Int(H5Sget_simple_extent_npoints(id)))
    }

    /// Selects whole rows of the first dimension.
    func select(rows: Range<Int>, file: String) throws {
        let shape = shape
        var start = [hsize_t](repeating: 0, count: shape.count)
        var count = shape.map { hsize_t($0) }
        start[0] = hsize_t(rows.lowerBound)
        count[0] = hsize_t(rows.count)
        try HDF5Library.call(.readOrWriteFailed, file, "rows \(rows)") {
            H5Sselect_hyperslab(id, H5S_SELECT_SET, start, nil, count, nil)
        }
    }
}
