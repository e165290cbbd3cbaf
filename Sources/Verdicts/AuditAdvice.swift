import SampleStore
import Figures
import Files
import Foundation
import Statistics

/// What to do after an audit, in sentences for whoever decides.
struct AuditAdvice {
    let audit: PublicAudit

    private var figures: AuditFigures { audit.figures }
    private var policy: AuditPolicy { audit.figures.policy }

    /// What stands before the sentences.
    var lead: String {
        switch audit.verdict.outcome {
        case .pass: "Nothing has left yet. In this order:"
        case .fail: "Release neither these samples nor the model, and do not merge its weights."
        case .noPower: "Do not release. The audit cannot answer yet; this is what it lacks:"
        }
    }

    var sentences: [String] {
        switch audit.verdict.outcome {
        case .pass: pass
        case .fail: fail
        case .noPower: noPower
        }
    }

    private var pass: [String] {
        var sentences: [String] = []
        if !policy.weakerLimits.isEmpty {
            sentences.append(
                "Read the weaker limits above first, and decide whether this pass still says enough for your purpose.")
        }
        sentences.append(
            """
            Look at the nearest pairs in private/evidence.html: nobody in the samples should be a patient whom you \
            recognise.
            """)
        sentences.append(
            audit.officer == nil
                ? """
                Then a privacy officer signs this audit with fovea audit sign. Nothing can be released before that.
                """
                : """
                The set may be released with fovea release until \(lastDay), and what was flagged is left out.
                """)
        return sentences
    }

    /// The last day on which a release is possible.
    private var lastDay: String {
        guard let noon = Day.noon(audit.date) else { return "the audit is stale" }
        return Day.text(noon.addingTimeInterval(Double(policy.validForDays) * 86_400))
    }

    private var fail: [String] {
        var sentences: [String] = []
        if figures.flagged.samples.hits > 0 {
            sentences.append(
                """
                Look in private/evidence.html at which patients are copied. Where two names stand for one patient, or \
                a photograph of the holdout was trained on, mend the data set and import it again.
                """)
        }
        if figures.flagged.confirmed > 0 {
            sentences.append(
                """
                The model has learned single photographs by heart. Train a new one on more patients, from a base, or \
                for fewer images; do not draw again from this one until a set passes.
                """)
        }
        if figures.membership != nil, audit.verdict.reasons.contains(where: { $0.contains("who was in its training") })
        {
            sentences.append(
                "The model tells who was in its training, so its weights must stay here even where its samples pass.")
        }
        return sentences
    }

    private var noPower: [String] {
        var sentences: [String] = []
        if let realism = figures.realism, Verdict.areNoPhotographs(realism, policy) {
            sentences.append(
                "Look at the samples. Their model has to be trained longer, or started from a base, before an audit.")
        }
        if figures.training.inLineage == .no {
            sentences.append("Audit the samples against the data set that their model was trained on.")
        }
        if !(figures.flagged.samplesUpperBound <= policy.largestCopyRate) {
            sentences.append("Draw and audit at least \(policy.samplesNeeded) samples.")
        }
        let weak = figures.copies.filter { $0.name != .pixels && !($0.recall >= policy.leastPower) }
        if !weak.isEmpty {
            let more =
                figures.samples.size < 128
                ? "Audit at 256 pixels, where vessels can be seen." : "More patients are needed to train and to check."
            sentences.append(
                """
                \(weak.map(\.name.title).listed) \(weak.count == 1 ? "misses" : "miss") too many planted copies. \
                \(more) A site with few patients can join a consortium and share weights alone.
                """)
        }
        if figures.membership == nil, policy.membershipLeftOut.isEmpty, audit.version > 1 {
            sentences.append("Audit again with the model (--model), so that membership is tested.")
        }
        switch figures.control {
        case nil: sentences.append("Audit again with a positive control (--positive-control).")
        case .some(let control) where ![CopyTestName.features, .retina].allSatisfy(control.caught.contains):
            sentences.append(
                control.source == .given
                    ? """
                    Check the given control: its pictures should be copies of training photographs. A model that draws \
                    noise, or photographs themselves at another size, cannot be caught.
                    """
                    : """
                    The copies of the control were not recognised. Its model may draw noise, or the pictures may be \
                    too small.
                    """)
        default: break
        }
        return sentences
    }
}
