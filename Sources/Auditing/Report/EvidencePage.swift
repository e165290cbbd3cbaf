import SampleStore
import Figures
import Files
import Foundation
import Pictures
import Reporting
import RetinalMatching
import Statistics
import Verdicts

/// `private/evidence.html`: the samples that come nearest to training photographs, beside these photographs, with the
/// vessels of both laid over each other. The page shows patients, so that only the privacy officer may see it.
struct EvidencePage {
    /// A sample and the training photograph that one test finds nearest.
    struct Pair: Codable, Sendable {
        let sample: Int
        let test: CopyTestName
        let score, threshold: Double
        let isFlagged: Bool
        /// The row or the file name of the photograph in the training data.
        let training: String
    }

    let pairs: [Pair]
    let html: String

    /// The most pairs that are shown.
    private static let most = 24

    init(_ result: AuditResult) throws {
        let table = result.table, sides = result.sides
        var found: [(pair: Pair, gallery: Int, margin: Double)] = []
        for column in table.columns {
            guard let copies = result.figures.copies.first(where: { $0.name == column.name }) else { continue }
            for row in 0..<table.count where column.scores.scores[row].isFinite {
                let score = column.scores.scores[row], nearest = column.scores.nearest[row]
                // Scores of different tests are compared by their distance from the threshold, in the null's scale.
                let margin = (score - column.threshold) / copies.null.scale
                let pair = Pair(
                    sample: row, test: column.name, score: score, threshold: column.threshold,
                    isFlagged: column.isFlagged(row), training: result.train.name(sides.galleryRows[nearest]))
                found.append((pair, nearest, margin))
            }
        }
        found.sort { ($0.margin, $1.pair.sample, $1.pair.test) > ($1.margin, $0.pair.sample, $0.pair.test) }
        pairs = found.map(\.pair).filter(\.isFlagged) + found.map(\.pair).filter { !$0.isFlagged }.prefix(100)
        var shown: [(pair: Pair, gallery: Int)] = [], seen: Set<[Int]> = []
        for entry in found
        where shown.count < EvidencePage.most && seen.insert([entry.pair.sample, entry.gallery]).inserted {
            shown.append((entry.pair, entry.gallery))
        }
        let figures = try shown.map {
            try EvidencePage.figure($0.pair, sides.samples[$0.pair.sample], sides.gallery[$0.gallery], all: table)
        }
        let flagged = Set(result.flagged.map(\.index)).count
        let finding = flagged == 0 ? "No sample is flagged." : "\(flagged) of \(table.count) samples are flagged."
        let weaker = result.figures.policy.weakerLimits
        let limits = weaker.isEmpty ? finding : "Audited \(WeakerLimits.clause(weaker)). \(finding)"
        let rows =
            if case .dataset = result.train.content {
                "The number of a training photograph is its row in the data set; the import report names its file."
            } else {
                "A training photograph is named by its file."
            }
        let page: HTML = """
            <p class="label warn">Private: shows patients. It never leaves the site.</p>
            <h1>Samples nearest to training photographs</h1>
            <p class="lead">\(limits) The \(shown.count) nearest pairs of all tests, worst first: the sample, the \
            training photograph, and the vessels of both after alignment, red where only the sample has them, blue \
            where only the photograph has, dark where both agree. \(rows)</p>
            \(figures)
            """
        html = AuditStyle.page(title: "Private evidence of an audit", body: page, isPrivate: true).source
    }

    private static func figure(_ pair: Pair, _ sample: Picture, _ training: Picture, all table: CopyTable) throws
        -> HTML
    {
        func image(_ picture: Picture, _ caption: String) throws -> HTML {
            let source = HTML(
                verbatim: "data:image/jpeg;base64," + (try picture.jpegData(quality: 85)).base64EncodedString())
            return
                """
                <figure><img src="\(source)" width="\(picture.width)" height="\(picture.height)" \
                alt="\(caption)"><figcaption>\(caption)</figcaption></figure>
                """
        }
        let scores: [HTML] = table.columns.map { column in
            let mark: HTML = column.isFlagged(pair.sample) ? ", <strong>flagged</strong>" : ""
            return """
                <li>\(column.name.title): \(rounded(column.scores.scores[pair.sample])) (flagged above \
                \(rounded(column.threshold)))\(mark)</li>
                """
        }
        let flagging = table.columns.filter { $0.isFlagged(pair.sample) }.map { $0.name.title.lowercased() }
        return """
            <section>
            <h2>Sample \(pair.sample)\(flagging.isEmpty ? "" : ", flagged by \(flagging.listed)") \
            <small>training photograph \(pair.training)</small></h2>
            <div class="trio">
            \(try image(sample, "sample \(pair.sample)"))
            \(try image(training, "training photograph \(pair.training)"))
            \(try image(VesselOverlay.picture(sample, training), "vessels, aligned"))
            </div>
            <ul class="scores">\(scores)</ul>
            </section>
            """
    }
}

/// Draws the vessels of two photographs over each other in the frame of the second.
enum VesselOverlay {
    static func picture(_ probe: Picture, _ reference: Picture) throws -> Picture {
        let search = try RetinalSearch(
            RetinalGallery(PictureSet([reference], size: reference.width, patients: [0])))
        let match = try search.bestMatches(
            of: RetinalGallery(PictureSet([probe], size: probe.width, patients: [1]))
        ).first
        let turned = match.map { ($0.mirrored ? probe.mirrored : probe).warped($0.pose) } ?? probe
        let own = shade(turned), other = shade(reference)
        var result = Picture(width: reference.width, height: reference.height, red: 255, green: 255, blue: 255)
        for i in 0..<own.count {
            result.pixels[3 * i] = UInt8(255 - other[i] * 255)
            result.pixels[3 * i + 1] = UInt8(255 - max(own[i], other[i]) * 255)
            result.pixels[3 * i + 2] = UInt8(255 - own[i] * 255)
        }
        return result
    }

    /// The vessel map from 0 to 1, where the median is 0 and the 98.5th percentile is 1.
    private static func shade(_ picture: Picture) -> [Float] {
        let (map, inside) = vesselMap(picture)
        let values = zip(map, inside).filter(\.1).map(\.0).sorted()
        guard let top = values.isEmpty ? nil : values[Int(0.985 * Double(values.count - 1))] else {
            return [Float](repeating: 0, count: map.count)
        }
        let low = values[values.count / 2]
        return zip(map, inside).map { value, isInside in
            isInside ? min(1, max(0, (value - low) / max(top - low, 1e-6))) : 0
        }
    }
}
