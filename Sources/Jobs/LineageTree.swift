import SampleStore

/// Where a sample set comes from, as lines of a tree: its runs, their models, and where the models come from.
struct LineageTree {
    private struct Node {
        let text: String
        var children: [Node] = []
    }

    private let roots: [Node]

    init(_ set: SampleSetDescription) {
        roots = set.runs.enumerated().map { number, run in
            let cohorts = set.runs.count > 1 ? InspectJob.lines(run.cohorts).map { Node(text: $0) } : []
            let model =
                set.lineage.first { $0.model == run.model }.map(LineageTree.model)
                ?? Node(text: "model \(run.model.prefix(12))")
            return Node(
                text:
                    """
                    run \(number + 1): \(run.samples) samples, \(run.sampler), \(run.steps) steps, guidance \
                    \(run.guidance), 
                    """
                        + "OpenBLAS \(run.openBLASVersion) \(run.blasCore), kernels \(run.kernelISA)",
                children: cohorts + [model])
        }
    }

    private static func model(_ lineage: Lineage) -> Node {
        let seen = lineage.imagesSeen.map { ", \($0) training images seen" } ?? ""
        // Each parent came from the next.
        let base = lineage.parents.reversed().reduce(nil as Node?) { older, parent in
            Node(text: "base \(parent.prefix(12))", children: older.map { [$0] } ?? [])
        }
        let parcels = lineage.parcels.map {
            Node(
                text: "\($0.relation): \($0.name) \($0.digest.prefix(12))",
                children: ($0.trainingSets ?? []).map(trainingSet))
        }
        return Node(
            text: "model \(lineage.model.prefix(12))\(seen)",
            children: (base.map { [$0] } ?? []) + parcels + lineage.trainingSets.map(trainingSet))
    }

    private static func trainingSet(_ set: Lineage.TrainingSet) -> Node {
        let patients =
            set.synthetic == true
            ? "drawn pictures" : set.patients.map { "about \($0) patients" } ?? "patients not stated"
        return Node(text: "training set \(set.digest.prefix(12)): site \(set.site), \(patients), \(set.licence)")
    }

    var lines: [String] { LineageTree.lines(roots, indent: "") }

    private static func lines(_ nodes: [Node], indent: String) -> [String] {
        nodes.enumerated().flatMap { place, node in
            let isLast = place == nodes.count - 1
            return ["\(indent)\(isLast ? "└─ " : "├─ ")\(node.text)"]
                + lines(node.children, indent: indent + (isLast ? "   " : "│  "))
        }
    }
}
