import CheckpointStore
import Federation
import Files
import Foundation
import Support
import TensorCore
import Testing

/// Which parcels take part in a merge, and why the others do not.
@Suite struct AdmissionTests {
    let sites: HandMadeParcels
    init() throws { sites = try HandMadeParcels() }

    private let row = ["w": Tensor([3, 4], shape: [2])]

    /// The parcel at `path` is refused beside an honest one, which is taken.
    private func expectRefused(
        _ path: String, _ kind: Failure.Kind, _ sentence: String, _ base: MergeBase = HandMadeParcels.base(),
        site: String? = "aachen", trust: TrustList? = nil, weighting: MergeRecord.Weighting = .patients,
        ledger: ParcelLedger? = nil, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let honest = try sites.parcel(
            "bonn", base.shapes.mapValues { Tensor(repeating: 0.5, shape: $0) }, name: "honest.parcel", kind: base.kind)
        let admission = try sites.admission(
            [path, honest], base, trust: trust, weighting: weighting, ledger: ledger)
        #expect(admission.admitted.map(\.parcel.path) == [honest], sourceLocation: sourceLocation)
        #expect(admission.refused.map(\.path) == [path], sourceLocation: sourceLocation)
        let refused = try #require(admission.refused.first, sourceLocation: sourceLocation)
        #expect(refused.site == site && refused.failure.place == path, sourceLocation: sourceLocation)
        #expect(refused.failure.kind == kind, "\(refused.failure)", sourceLocation: sourceLocation)
        #expect(refused.failure.sentence.contains(sentence), "\(refused.failure)", sourceLocation: sourceLocation)
    }

    // MARK: - Opening

    @Test func `what is not a parcel has no name of a site`() throws {
        try expectRefused(sites.folder.file("absent"), .noSuchInput, "does not exist", site: nil)
        try expectRefused(
            try sites.folder.write([1, 2, 3], "short"), .badData,
            "not a valid safetensors file: expected at least 8 bytes, found 3", site: nil)
        let path = try sites.parcel("aachen", row) { $0.parcel = nil }
        try expectRefused(path, .badData, "is not a parcel: its manifest names no site", site: nil)
    }

    @Test func `a name counts once its signature does`() throws {
        let other = try HandMadeParcels(["aachen"])
        let path = try other.parcel("aachen", row)
        try expectRefused(path, .notPermitted, "signer unknown: ", site: nil)
        try expectRefused(
            try sites.parcel("aachen", row), .notPermitted, "aachen was withdrawn", site: "aachen",
            trust: try sites.trust(withdrawn: "aachen"))
    }

    @Test func `a round may ask some sites alone`() throws {
        let paths = [try sites.parcel("aachen", row), try sites.parcel("bonn", [1, 2])]
        let admission = try sites.admission(paths, asked: ["bonn", "celle"])
        #expect(admission.admitted.map(\.parcel.statement.site) == ["bonn"])
        let refused = try #require(admission.refused.first)
        #expect(
            refused.site == "aachen"
                && refused.failure
                    == Failure(
                        .notPermitted, paths[0], field: "site", expected: "bonn, celle, whom the round asks",
                        found: "aachen")
        )
    }

    // MARK: - The base and the round

    @Test func `a parcel of another base is refused`() throws {
        let other = Digest(of: Array("another".utf8)).description
        let expected = "base: expected \(HandMadeParcels.digest), found \(other)"
        try expectRefused(
            try sites.parcel("aachen", row) {
                $0.parcel?.base = other
                $0.parents = [other]
            }, .badData, expected)
        // Opened for one base, merged into another.
        let admission = try sites.admission(
            [try sites.parcel("aachen", row)],
            HandMadeParcels.base(digest: Digest(of: Array("another".utf8))))
        #expect(
            admission.refused.first?.failure.sentence == "base: expected \(other), found \(HandMadeParcels.digest)")
    }

    @Test func `a parcel that descends from another base than it says is refused`() throws {
        let expected = "parents: expected the base that its statement names, found "
        try expectRefused(
            try sites.parcel("aachen", row) { $0.parents = ["elsewhere"] }, .badData, expected + "elsewhere")
        try expectRefused(try sites.parcel("aachen", row) { $0.parents = [] }, .badData, expected + "none")
    }

    @Test func `a parcel speaks of its own site's photographs`() throws {
        try expectRefused(
            try sites.parcel("aachen", row) { $0.trainingData.append(HandMadeParcels.data("bonn")) }, .badData,
            "trainingData.site: expected aachen, found bonn")
        var inherited = HandMadeParcels.data("bo\u{1b}nn")
        inherited.inherited = true
        try expectRefused(
            try sites.parcel("aachen", row) { $0.trainingData.append(inherited) }, .badData,
            "trainingData.site: expected 1 to 64 letters")
        inherited.site = "phantom"
        let path = try sites.parcel("aachen", row) { $0.trainingData.append(inherited) }
        #expect(try sites.admission([path]).admitted.count == 1)
    }

    @Test func `a parcel of another round is refused`() throws {
        for round in [0, 2] {
            try expectRefused(
                try sites.parcel("aachen", row, round: round), .notPermitted,
                "round: expected 1, found \(round): it is replayed, or early")
        }
        let path = try sites.parcel("aachen", row, round: 7)
        #expect(try sites.admission([path], round: 7).admitted.count == 1)
        // The round after the base's last one.
        let record = MergeRecord(
            round: 6, base: HandMadeParcels.digest, settings: .init(), parts: [], excluded: [], day: "2026-01-01",
            residual: nil)
        let later = try sites.admission([path], HandMadeParcels.base(merges: [record]))
        #expect(later.round == 7 && later.admitted.count == 1)
    }

    @Test func `a parcel of another kind is refused`() throws {
        try expectRefused(
            try sites.parcel("aachen", row, kind: .snapshot), .badData,
            "kind: expected fovea.adapter, as the other parcels, found fovea.snapshot")
    }

    @Test func `tensors that the base has not, or has otherwise, are named`() throws {
        let other = Tensor([1], shape: [1])
        for (tensors, sentence) in [
            (["v": other], "missing: w; unexpected: v"),
            (["w": Tensor([1, 2], shape: [1, 2])], "mismatched: w (expected [2], found [1, 2])"),
            (
                row.merging((0..<6).map { ("x\($0)", other) }) { $1 },
                "unexpected: x0, x1, x2, x3 and 2 more"
            ),
            (row.merging([("x\u{1b}", other)]) { $1 }, "unexpected: x?"),
        ] {
            try expectRefused(
                try sites.parcel("aachen", tensors), .badData, "tensors do not fit the base; \(sentence)")
        }
    }

    @Test func `what the model's owner refuses is refused`() throws {
        let path = try sites.parcel("aachen", row)
        let admission = try sites.admission([path]) { throw Failure(.badData, $0.path, "model: no") }
        #expect(
            admission.admitted.isEmpty && admission.refused.map(\.failure) == [Failure(.badData, path, "model: no")])
    }

    // MARK: - Claims

    @Test func `claims that nobody bears out are refused, and claims above the list's`() throws {
        try expectRefused(
            try sites.parcel("aachen", row) { $0.trainingData[0].patients = 10_000_001 }, .badData,
            "patients: expected 0 to 10000000, found 10000001")
        try expectRefused(
            try sites.parcel("aachen", row), .notPermitted,
            "patients: expected at most 39, after the list of trust, found 40",
            trust: try sites.trust(["aachen": "from: 2026-01-01, until: 2027-12-31, unaudited: true, mostPatients: 39"])
        )
        let none = try sites.parcel("aachen", row) { $0.trainingData = [HandMadeParcels.data("aachen", patients: 0)] }
        try expectRefused(none, .badData, "patients: expected more than 0, to be weighted by them, found 0")
        #expect(try sites.admission([none], weighting: .equal).admitted.count == 1)
        let unseen = try sites.parcel("aachen", row) { $0.imagesSeen = 0 }
        try expectRefused(
            unseen, .badData, "images: expected more than 0, to be weighted by them, found 0", weighting: .images)
    }

    // MARK: - Numbers

    @Test(arguments: [Float.nan, .infinity, -.infinity]) func `numbers that are none are refused by the tensor's name`(
        number: Float
    ) throws {
        for type in [StoredType.f32, .f16, .bf16] {
            let path = try sites.parcel("aachen", ["w": Tensor([1, number], shape: [2])], as: type)
            try expectRefused(path, .badData, "w: expected finite numbers, found infinity or NaN")
        }
    }

    @Test func `an update that is ten times as large as the base is none`() throws {
        // Norm 5; the base's is 0.5 and a little less.
        let path = try sites.parcel("aachen", row)
        #expect(try sites.admission([path], HandMadeParcels.base(norm: 0.5)).admitted.map(\.norm) == [5])
        try expectRefused(
            path, .badData,
            "norm of the update: expected at most 10 times that of the base's weights, 4.99, found 5",
            HandMadeParcels.base(norm: 0.499))
    }

    @Test func `the norm of low-rank factors is at most that of their product`() throws {
        let tensors = [
            "a": Tensor([3, 4], shape: [1, 2]), "b": Tensor([0, 2], shape: [2, 1]), "c": Tensor([5], shape: [1, 1]),
        ]
        let path = try sites.parcel("aachen", tensors), shapes = tensors.mapValues(\.shape)
        // 0.5 * 5 * 2 and, where A is frozen and orthonormal, 0.5 * 5: together the root of 25 + 6.25.
        let base = HandMadeParcels.base(shapes, factors: [(a: "a", b: "b"), (a: nil, b: "c")], scale: 0.5)
        let norm = try #require(try sites.admission([path], base).admitted.first?.norm)
        #expect(abs(norm - 31.25.squareRoot()) <= 1e-12)
    }

    // MARK: - What was merged, or is given twice

    private func record(_ parcel: Digest, _ numbers: Digest) -> MergeRecord {
        let part = MergeRecord.Part(
            site: "aachen", parcel: parcel, tensors: numbers, weight: 1, largestShare: 1, patients: 40, images: 640,
            singleSite: false)
        return MergeRecord(
            round: 4, base: HandMadeParcels.digest, settings: .init(), parts: [part], excluded: [], day: "2026-01-01",
            residual: nil)
    }

    @Test func `what was merged does not come back, nor its numbers in another form`() throws {
        let path = try sites.parcel("aachen", row, round: 5), none = Digest(of: Data())
        let digest = try Parcel<Nothing>(contentsOf: path).digest
        let numbers = Digest(of: [Float(3), 4].withUnsafeBytes { Data($0) })
        for merge in [record(digest, none), record(none, numbers)] {
            let admission = try sites.admission([path], HandMadeParcels.base(merges: [merge]))
            #expect(
                admission.refused.map(\.failure) == [
                    Failure(.notPermitted, path, "is replayed: it was merged in round 4 already")
                ])
        }
        let halves = try sites.parcel("bonn", row, round: 5, as: .f16)
        #expect(
            try sites.admission([halves], HandMadeParcels.base(merges: [record(none, numbers)])).refused.first?.failure
                .sentence.hasPrefix("is replayed") == true)
        #expect(try sites.admission([path], HandMadeParcels.base(merges: [record(none, none)])).admitted.count == 1)
    }

    @Test func `nothing counts twice`() throws {
        func sentences(_ paths: [String]) throws -> ([String], [String]) {
            let admission = try sites.admission(paths)
            return (admission.admitted.map(\.parcel.path), admission.refused.map(\.failure.sentence))
        }
        let first = try sites.parcel("aachen", row), copy = sites.folder.file("copy.parcel")
        try FileManager.default.copyItem(atPath: first, toPath: copy)
        #expect(try sentences([copy, first]) == ([first], []))
        let ignored = try sites.admission([copy, first]).ignored
        #expect(ignored.map(\.path) == [copy] && ignored.map(\.site) == ["aachen"])
        #expect(ignored.map(\.reason) == ["is a copy of aachen-1.parcel"])

        let newer = try sites.parcel("aachen", ["w": Tensor([5, 6], shape: [2])], issued: 60, name: "newer.parcel")
        let moment = HandMadeParcels.day.addingTimeInterval(60).formatted(.iso8601)
        func rival(_ other: String) -> String {
            """
            is one of 2 different parcels of aachen (another is \(other)), and none says that it replaces another; ask \
            aachen which one counts, and have it seal that one again as the replacement of the other, or take the file \
            away that does not count
            """
        }
        #expect(try sentences([first, newer]) == ([newer], [rival("newer.parcel, issued later, \(moment)")]))
        let same = try sites.parcel("aachen", ["w": Tensor([7, 8], shape: [2])], name: "rival.parcel")
        let (taken, said) = try sentences([first, same, try sites.parcel("bonn", [1, 2])])
        #expect(taken == [sites.folder.file("bonn-1.parcel")])
        #expect(Set(said) == [rival("aachen-1.parcel"), rival("rival.parcel")])
    }

    @Test func `two sites do not make the same numbers`() throws {
        let paths = [
            try sites.parcel("aachen", row), try sites.parcel("bonn", row, as: .f16),
            try sites.parcel("celle", [1, 2]),
        ]
        let admission = try sites.admission(paths)
        #expect(admission.admitted.map(\.parcel.statement.site) == ["celle"])
        #expect(
            admission.refused.map(\.failure.sentence)
                == Array(
                    repeating: "holds the same tensors as another: aachen, bonn cannot all have made them", count: 2))
    }

    // MARK: - A merge that is made again

    @Test func `a merge is made again from its own parcels, byte for byte`() throws {
        let paths = try sites.rows([[1, 2], [3, 4], [5, 6]]), base = HandMadeParcels.base()
        let admission = try sites.admission(paths, base), parts = admission.parts([0.25, 0.25, 0.5])
        #expect(parts.map(\.site) == ["aachen", "bonn", "celle"] && parts.map(\.weight) == [0.25, 0.25, 0.5])
        #expect(parts.map(\.patients) == [40, 40, 40] && parts.map(\.images) == [640, 640, 640])
        let record = MergeRecord(
            round: 1, base: HandMadeParcels.digest, settings: .init(), parts: parts, excluded: [], day: "2026-01-01",
            residual: nil)
        let places = Dictionary(uniqueKeysWithValues: zip(parts.map(\.parcel), paths))
        let again = try Admission<Nothing>(record, without: ["bonn"], base: base) { try #require(places[$0.parcel]) }
        #expect(again.admitted.map(\.parcel.path) == [paths[0], paths[2]] && again.refused.isEmpty)
        // Another file in the place of a parcel.
        let failure = expectFailure(.badData, "digest: expected \(parts[0].parcel), found \(parts[1].parcel)") {
            try Admission<Nothing>(record, without: [], base: base) { _ in paths[1] }
        }
        #expect(failure?.place == paths[1])
        var renamed = record
        renamed.parts[0].site = "essen"
        expectFailure(.badData, "site: expected essen, found aachen") {
            try Admission<Nothing>(renamed, without: [], base: base) { try #require(places[$0.parcel]) }
        }
    }

    // MARK: - Shares and permissions

    @Test func `shares follow patients up to the list's caps, and a robust rule counts heads`() throws {
        let cap = "from: 2026-01-01, until: 2027-12-31, unaudited: true, largestShare: 0.5"
        let list = try sites.trust(["aachen": cap, "bonn": cap, "celle": cap])
        let paths = [
            try sites.parcel("aachen", [1, 2], patients: 960), try sites.parcel("bonn", [3, 4], patients: 30),
            try sites.parcel("celle", [5, 6], patients: 10),
        ]
        let admission = try sites.admission(paths, trust: list)
        var settings = MergeRecord.Settings()
        #expect(try admission.shares(settings) == [0.5, 0.375, 0.125])
        settings.weighting = .equal
        for share in try admission.shares(settings) { #expect(abs(share - 1 / 3) <= 1e-12) }
        (settings.weighting, settings.rule) = (.patients, .median)
        let heads = try admission.shares(settings)
        #expect(heads.count == 3 && heads.allSatisfy { abs($0 - 1 / 3) <= 1e-12 })
    }

    @Test func `permissions are what all allow, and those with nothing in common are named`() throws {
        func permitting(_ site: String, _ numbers: [Float], _ permissions: Permissions) throws -> String {
            try sites.parcel(site, ["w": Tensor(numbers, shape: [2])]) { $0.parcel?.permissions = permissions }
        }
        let research = Permissions(purposes: ["DUO:0000042"], expires: "2027-06-30", territories: ["DE", "FR"])
        let paths = [
            try permitting("aachen", [1, 2], research),
            try permitting(
                "bonn", [3, 4], Permissions(purposes: ["DUO:0000042", "DUO:0000006"], territories: ["DE"])),
        ]
        let base = HandMadeParcels.base(permissions: Permissions(purposes: ["DUO:0000042"], expires: "2027-01-31"))
        #expect(
            try sites.admission(paths, base).permissions(base)
                == Permissions(purposes: ["DUO:0000042"], expires: "2027-01-31", territories: ["DE"]))
        #expect(try sites.admission([], HandMadeParcels.base()).permissions(HandMadeParcels.base()) == nil)
        let apart =
            paths + [try permitting("celle", [5, 6], Permissions(purposes: ["DUO:0000042"], territories: ["FR"]))]
        let sentence = "the permissions of bonn and of celle have no purpose or no territory in common"
        expectFailure(.notPermitted, sentence) { try sites.admission(apart, base).permissions(base) }
        let narrow = HandMadeParcels.base(permissions: Permissions(purposes: ["DUO:0000004"]))
        expectFailure(.notPermitted, "the permissions of the base and of aachen have no purpose") {
            try sites.admission(paths, narrow).permissions(narrow)
        }
    }
}
