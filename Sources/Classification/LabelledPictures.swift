import Pictures
import Randomness

/// Pictures with one class each.
package struct LabelledPictures: Sendable {
    package let pictures: PictureSet
    /// The number of each picture's class, from 0.
    package let labels: [Int]

    package var count: Int { labels.count }

    package init(_ pictures: PictureSet, labels: [Int]) {
        guard pictures.count == labels.count else {
            fatalError("LabelledPictures: \(pictures.count) pictures and \(labels.count) labels")
        }
        (self.pictures, self.labels) = (pictures, labels)
    }

    /// The pictures of `rows`, in that order.
    package func selecting(_ rows: [Int]) -> LabelledPictures {
        LabelledPictures(pictures.selecting(rows), labels: rows.map { labels[$0] })
    }

    /// These pictures and then the others. The patients of both count as different.
    package func joined(with other: LabelledPictures) -> LabelledPictures {
        let first = (pictures.patients.max() ?? -1) + 1
        return LabelledPictures(
            PictureSet(
                size: pictures.size, pixels: pictures.pixels + other.pictures.pixels,
                patients: pictures.patients + other.pictures.patients.map { $0 + first }),
            labels: labels + other.labels)
    }
}

/// Which pictures each step takes. The order depends only on the seed and the labels.
struct DrawingOrder {
    private let labels: [Int], batch: Int, seed: UInt64
    /// The rows of each class that occurs; nil where classes are not balanced.
    private let rowsOfClass: [[Int]]?

    init(_ labels: [Int], _ configuration: ClassifierConfiguration) {
        self.labels = labels
        (batch, seed) = (configuration.batch, configuration.seed)
        rowsOfClass =
            configuration.balance == .resampling
            ? (0..<configuration.classes).map { number in labels.indices.filter { labels[$0] == number } }
                .filter { !$0.isEmpty }
            : nil
    }

    /// The rows of a step. All pictures come in a random order, again and again; of balanced classes each is drawn
    /// equally often.
    subscript(step: Int) -> [Int] {
        if let rowsOfClass {
            var random = Philox(seed: seed, stream: .classifierOrder, index: UInt64(step))
            return (0..<batch).map { _ in
                let rows = rowsOfClass[random.nextInteger(below: rowsOfClass.count)]
                return rows[random.nextInteger(below: rows.count)]
            }
        }
        var rows: [Int] = []
        while rows.count < batch {
            let place = step * batch + rows.count, epoch = place / labels.count
            var random = Philox(seed: seed, stream: .classifierOrder, index: UInt64(epoch))
            rows += random.permutation(labels.count)[(place - epoch * labels.count)...].prefix(batch - rows.count)
        }
        return rows
    }
}
