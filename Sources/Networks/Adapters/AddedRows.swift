import TensorCore

/// Rows that a training adds to a table of its base, where the base knows too few values. The table's other rows stay
/// as the base has them.
public struct AddedRows: Hashable, Sendable {
    /// The rows that are new, in order.
    public let rows: [Int]
    /// The new rows as a parameter, [rows, width], with zeros before training.
    let specification: ParameterSpecification
    /// The table's number in the network, and the number of its rows.
    private let number: Int, rowCount: Int

    /// The path of a table's new rows.
    public static func path(of table: String) -> String { "\(table).added_rows" }

    /// - Parameters:
    ///   - table: the path of the table among the network's parameters.
    ///   - rows: the rows of the table that are new, in order.
    public init(_ table: String, rows: [Int], in network: [ParameterSpecification]) {
        guard let number = network.firstIndex(where: { $0.path == table }), !rows.isEmpty else {
            fatalError("AddedRows: \(rows.count) rows of \(table)")
        }
        self.number = number
        self.rows = rows
        rowCount = network[number].shape[0]
        specification = ParameterSpecification(
            path: AddedRows.path(of: table), shape: [rows.count, network[number].shape[1]], layout: .plain,
            initialization: .constant(0))
    }

    /// The table with these values in its new rows, which must be zero in `network`.
    ///
    /// As in `AdaptedParameter.product`, the values are subtracted with the opposite sign, so that the base's rows keep
    /// their exact bits.
    func add(_ values: Variable, to network: inout [Variable]) {
        let selection = Tensor(shape: [rowCount, rows.count]) { target in
            target.update(repeating: 0)
            for (place, row) in rows.enumerated() { target[row * rows.count + place] = 1 }
        }
        network[number] = network[number] - Variable(selection).linear(values.scaled(by: -1), bias: nil)
    }

    /// The parameters with these values in the table's new rows.
    package func added(_ values: Tensor, to network: ParameterMap) -> ParameterMap {
        var variables = network.tensors.map { Variable($0) }, result = network
        add(Variable(values), to: &variables)
        result.tensors[number] = variables[number].tensor
        return result
    }
}
