import Foundation
import TensorCore

/// Three orthonormal colour axes: the principal components of a training set's colours, the strongest first.
///
/// Fundus photographs vary by far the most along one colour. The two other axes carry little, so most of their noise is
/// removed early in sampling.
public struct ColourAxes: Hashable, Sendable {
    /// Row k holds the shares of red, green and blue in axis k, [3, 3].
    public let rows: [Float]

    /// Red, green and blue themselves as axes.
    public static let identity = ColourAxes(rows: [1, 0, 0, 0, 1, 0, 0, 0, 1])

    /// - Parameter rows: [3, 3]; they must have no `problem`.
    public init(rows: [Float]) {
        self.rows = rows
        if let problem { fatalError("ColourAxes: \(problem)") }
    }

    /// The principal components of colours with this covariance; each axis points towards brighter colours.
    /// - Parameter covariance: [3, 3], symmetric.
    public init(covariance: [Double]) {
        let vectors = symmetricEigen(covariance, size: 3).vectors
        rows = (0..<3).flatMap { axis -> [Float] in
            let row = Array(vectors[3 * axis..<3 * axis + 3])
            return row.map { Float(row.reduce(0, +) < 0 ? -$0 : $0) }
        }
    }

    private init(unchecked rows: [Float]) { self.rows = rows }

    /// One sentence that says what is wrong with axes from a file, or nil.
    public var problem: String? {
        guard rows.count == 9, rows.allSatisfy(\.isFinite) else {
            return "colours: expected 9 finite numbers, found \(rows)"
        }
        for a in 0..<3 {
            for b in 0..<3 {
                let product = (0..<3).reduce(Float(0)) { $0 + rows[3 * a + $1] * rows[3 * b + $1] }
                guard abs(product - (a == b ? 1 : 0)) <= 1e-4 else {
                    return "colours: expected three orthonormal rows, found \(rows)"
                }
            }
        }
        return nil
    }

    /// The coordinates of a colour on the axes.
    func turned(_ colour: [Float]) -> [Float] {
        (0..<3).map { axis in (0..<3).reduce(Float(0)) { $0 + rows[3 * axis + $1] * colour[$1] } }
    }
}

extension ColourAxes: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        self.init(unchecked: try container.decode([Float].self))
        if let problem { throw DecodingError.dataCorruptedError(in: container, debugDescription: problem) }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(rows)
    }
}
