import CheckpointStore
import Consortium
import Federation
import Files
import Fovea

/// The text of `README.md` in a round's folder, which tells the sites what to do. The same round gives the same text.
struct RoundGuide {
    private let request: RoundRequest
    private let trust: TrustList

    init(_ request: RoundRequest, _ trust: TrustList) {
        self.request = request
        self.trust = trust
    }

    var text: String {
        """
        # Round \(request.round) of \(trust.project.printable)

        This page tells a site what to do. The program reads the same from `round.json`, which the coordinator has
        signed; this page is not signed.

        | | |
        | --- | --- |
        \(facts.map { "| \($0) | \($1) |" }.joined(separator: "\n"))

        ## What to do

        In the commands, ROUND is this folder, SITE is the name of your site, SITE.h5 is your data set, and SITE.key is
        your private key. Run them in a folder of your own, not in this one.

        1. Compare the coordinator's fingerprint, above, with the coordinator by telephone. This command prints it:

               fovea parcel trust ROUND/TRUST.yaml

           Keep a copy of `TRUST.yaml` and `TRUST.yaml.sig` of your own, and give it as TRUST.yaml from then on:
           whoever can write into this folder can replace the list that is in it.
        2. Train. The round brings base and settings:

               fovea train --data SITE.h5 --out run-SITE --round ROUND --trust TRUST.yaml

           \(settings)
        3. \(audit)
        4. Seal the weights. Say what they may be used for, and until when:

               fovea parcel seal \(weights) --key SITE.key --site SITE --round ROUND --trust TRUST.yaml \\
                   \(purposes.map { "--purpose \($0.code)" }.joined(separator: " ")) --expires DAY --contact WHOM \\
                   --audit audit --out ROUND/parcels/SITE.parcel

           \(purposeText)
        5. See whether the parcel is accepted:

               fovea round status ROUND --trust TRUST.yaml

        A parcel that was wrong is sealed again under the same name with `--force`, or under another name with
        `--replaces` and the path of the earlier one.

        **Only the parcel goes into this folder.** A data set, a photograph, a private key, or the folder `private/` of
        an audit never does. `fovea round status` names such a file, and the round is not closed before it is gone.

        """
    }

    private var facts: [(String, String)] {
        let rule = request.settings.rule
        let shares = rule.countsHeads ? "each site counts the same" : "shares by \(request.settings.weighting.rawValue)"
        return [
            ("sites", request.sites.joined(separator: ", ")), ("last day", request.deadline ?? "none"),
            ("base", "SHA-256 of `base.safetensors`: \(request.base)"),
            ("coordinator", "fingerprint \(trust.coordinator.fingerprint)"),
            ("merge", "by \(rule.rawValue), \(shares)"),
        ]
    }

    private var asked: [String] {
        guard let training = request.training else { return [] }
        var asked: [String] = []
        if let adapter = training.adapter {
            asked.append(adapter == .full ? "train all weights" : "train an adapter of kind \(adapter.rawValue)")
        }
        if let images = training.images { asked.append("see \(images) training images") }
        if training.settings != nil { asked.append("use the settings in `train.yaml`") }
        return asked
    }

    private var settings: String {
        asked.isEmpty
            ? """
            The coordinator asks for no special settings. An adapter of kind ffa is trained (`--adapter`), and
               `--images` says for how long.
            """
            : "The coordinator asks for this, and the command does it by itself: \(asked.joined(separator: "; "))."
    }

    private var weights: String {
        request.training?.adapter == .full ? "run-SITE/snapshot.safetensors" : "run-SITE/snapshot.adapter.safetensors"
    }

    private var audit: String {
        let free = Set(trust.members.filter { $0.role == .site && $0.unaudited }.map(\.name))
        let exempt = request.sites.filter(free.contains)
        let rule =
            exempt.isEmpty
            ? "The list takes no weights of patients without an audit."
            : """
            The list takes weights without an audit from \(exempt.joined(separator: ", ")).
               Such a site gives `--unaudited REASON` in place of `--audit audit`.
            """
        return """
            Audit the weights, and have your privacy officer sign the audit. The page docs/audit.md of Fovea says how.
               \(rule)
            """
    }

    private var purposes: [DataUse] {
        let codes = request.training?.purposes ?? []
        let asked = DataUse.all.filter { codes.contains($0.code) }
        return asked.isEmpty ? Array(DataUse.permissions.prefix(1)) : asked
    }

    private var purposeText: String {
        let list = purposes.map { "\($0.code) is \($0.label)" }.joined(separator: ", ")
        let first =
            request.training?.purposes == nil
            ? "\(list); `fovea parcel seal --help` has all codes." : "The coordinator asks for these purposes: \(list)."
        return "\(first)\n   What all sites permit in common is what the result permits."
    }
}
