import Figures
import Files
import Foundation
import SampleStore

/// The lineage as a graph of boxes in columns. Every edge goes to a column further right, or down a chain of parents in
/// the same column.
struct LineageDrawing: Sendable {
    private struct Node {
        let key: String
        let title: String
        let detail: String
    }

    private struct Edge: Hashable {
        let from: String
        let to: String
    }

    private struct Column {
        let heading: String
        var nodes: [Node] = []
    }

    private var columns: [Column]
    private var edges: [Edge] = []

    private static let boxWidth = 202.0, boxHeight = 50.0, gap = 20.0, between = 58.0, top = 34.0
    /// The number of characters that fit into a box.
    private static let characters = 22
    /// The most boxes in a column. Where there are more, the last box says how many are left out.
    private static let most = 12

    init(content: ReportContent) {
        let description = content.description
        columns = ["Trained on", "Went into the model", "Model", "Runs", "File"].map { Column(heading: $0) }
        for lineage in description.lineage { add(lineage) }
        for (number, run) in description.runs.enumerated() {
            add(
                Node(
                    key: "run \(number)", title: "Run \(number + 1): \(NumberText.grouped(run.samples)) samples",
                    detail:
                        """
                        \(run.sampler), \(run.steps) \
                        steps\(run.guidance == 1 ? "" : ", guidance \(NumberText.number(Double(run.guidance)))")
                        """
                ), column: 3, to: "file")
            edges.append(Edge(from: run.model, to: "run \(number)"))
        }
        add(
            Node(key: "file", title: content.name, detail: "\(NumberText.grouped(description.samples)) samples"),
            column: 4, to: nil)
        columns = columns.filter { !$0.nodes.isEmpty }
        for column in columns.indices { shorten(column) }
    }

    private mutating func add(_ lineage: Lineage) {
        let seen = lineage.imagesSeen.map { "saw \(NumberText.grouped($0)) images" } ?? "a snapshot"
        add(
            Node(key: lineage.model, title: "Model \(NumberText.short(lineage.model))", detail: seen), column: 2,
            to: nil)
        // The oldest parent stands on top; the nearest leads to the model.
        for (number, parent) in lineage.parents.enumerated().reversed() {
            let detail = number == 0 ? "its training began with it" : "an earlier generation"
            add(
                Node(key: parent, title: "Weights \(NumberText.short(parent))", detail: detail), column: 1,
                to: number == 0 ? lineage.model : lineage.parents[number - 1])
        }
        for parcel in lineage.parcels {
            add(
                Node(key: parcel.digest, title: parcel.name, detail: parcel.relation), column: 1,
                to: lineage.model)
            for set in parcel.trainingSets ?? [] { add(set, column: 0, to: parcel.digest) }
        }
        for set in lineage.trainingSets { add(set, column: 1, to: lineage.model) }
    }

    private mutating func add(_ set: Lineage.TrainingSet, column: Int, to key: String) {
        add(
            Node(
                key: "\(column) \(set.digest)", title: "Site \(set.site)",
                detail: LineageSection.details(set).joined(separator: ", ")),
            column: column, to: key)
    }

    private mutating func add(_ node: Node, column: Int, to key: String?) {
        if !columns[column].nodes.contains(where: { $0.key == node.key }) { columns[column].nodes.append(node) }
        guard let key else { return }
        let edge = Edge(from: node.key, to: key)
        if !edges.contains(edge) { edges.append(edge) }
    }

    /// Replaces the boxes that do not fit into a column by one box with the same edges.
    private mutating func shorten(_ column: Int) {
        let nodes = columns[column].nodes
        guard nodes.count > LineageDrawing.most else { return }
        let kept = LineageDrawing.most - 1, hidden = Set(nodes[kept...].map(\.key)), rest = "rest \(column)"
        columns[column].nodes =
            nodes[..<kept] + [
                Node(key: rest, title: "and \(nodes.count - kept) more", detail: "all of them stand below, in words")
            ]
        var known: Set<Edge> = []
        edges = edges.map {
            Edge(from: hidden.contains($0.from) ? rest : $0.from, to: hidden.contains($0.to) ? rest : $0.to)
        }
        .filter { $0.from != $0.to && known.insert($0).inserted }
    }

    private func height(_ column: Column) -> Double {
        Double(column.nodes.count) * (LineageDrawing.boxHeight + LineageDrawing.gap) - LineageDrawing.gap
    }

    var svg: HTML {
        let size = LineageDrawing.boxWidth, high = LineageDrawing.boxHeight
        let tallest = columns.map(height).max() ?? 0
        let width = Double(columns.count) * (size + LineageDrawing.between) - LineageDrawing.between + 4
        var places: [String: (x: Double, y: Double)] = [:]
        var boxes: [HTML] = []
        for (number, column) in columns.enumerated() {
            let x = 2 + Double(number) * (size + LineageDrawing.between)
            boxes.append("<text class=\"heading\" x=\"\(Self.text(x))\" y=\"16\">\(column.heading)</text>\n")
            for (row, node) in column.nodes.enumerated() {
                let y = LineageDrawing.top + (tallest - height(column)) / 2 + Double(row) * (high + LineageDrawing.gap)
                places[node.key] = (x, y)
                boxes.append(box(node, x, y))
            }
        }
        let lines = edges.compactMap { edge -> HTML? in
            guard let from = places[edge.from], let to = places[edge.to] else { return nil }
            return LineageDrawing.line(from, to)
        }
        return """
            <svg class="lineage" viewBox="0 0 \(Self.text(width)) \(Self.text(LineageDrawing.top + tallest + 4))" \
            width="\(Self.text(width))" role="img" aria-label="Lineage as a drawing; the same in words stands below">
            <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" \
            orient="auto"><path class="head" d="M0 0 8 4 0 8z"/></marker></defs>
            \(lines)\(boxes)</svg>
            """
    }

    /// A line from the right edge of one box to the left edge of another, or down to the next box of the same column.
    private static func line(_ from: (x: Double, y: Double), _ to: (x: Double, y: Double)) -> HTML {
        if from.x == to.x {
            let x = text(from.x + boxWidth / 2)
            return
                """
                <path class="edge" marker-end="url(#arrow)" d="M\(x) \(text(from.y + boxHeight)) V\(text(to.y - 1))"/>\n
                """
        }
        let startX = from.x + boxWidth, startY = from.y + boxHeight / 2, endX = to.x - 1, endY = to.y + boxHeight / 2
        let middle = text((startX + endX) / 2)
        return """
            <path class="edge" marker-end="url(#arrow)" d="M\(text(startX)) \(text(startY)) C\(middle) \(text(startY)) \
            \(middle) \(text(endY)) \(text(endX)) \(text(endY))"/>

            """
    }

    private func box(_ node: Node, _ x: Double, _ y: Double) -> HTML {
        let title = node.title.shortened(to: LineageDrawing.characters),
            detail = node.detail.shortened(to: LineageDrawing.characters + 8)
        return """
            <g><title>\(node.title): \(node.detail)</title><rect class="box" x="\(Self.text(x))" y="\(Self.text(y))" \
            width="\(Self.text(LineageDrawing.boxWidth))" height="\(Self.text(LineageDrawing.boxHeight))" rx="5"/>\
            <text class="name" x="\(Self.text(x + 10))" y="\(Self.text(y + 21))">\(title)</text><text class="detail" \
            x="\(Self.text(x + 10))" y="\(Self.text(y + 39))">\(detail)</text></g>

            """
    }

    /// A coordinate as text.
    private static func text(_ value: Double) -> HTML { HTML(verbatim: String(format: "%.5g", value)) }
}
