import CheckpointStore
import Cohorts
import Consortium
import Diffusion
import Files
import Models
import Networks
import Support
import TensorCore
import TestTensors
import Testing

/// Parcels of sites that added attributes to the round's base.
@Suite struct ExtendedMergeTests {
    private let federation: TestFederation
    private static let path = AddedRows.path(of: DiffusionModel.cohortPath)

    init() throws { federation = try TestFederation() }

    private func extended(_ attribute: String) -> CohortEncoding {
        federation.base.manifest.model.cohort.extended(by: CohortEncoding(attributes: [attribute]))
    }

    /// An adapter of a site with the rows of `attribute` filled with `value`.
    private func parcel(
        _ site: String, _ weights: TestFederation.Weights = .ffa, attribute: String = "sex", value: Float, patients: Int
    ) throws -> String {
        let cohort = extended(attribute), model = federation.base.extended(to: cohort)
        let rows = try #require(model.model.addedRows(to: federation.base.manifest.model.cohort)).rows.count
        var tensors = federation.tensors(weights, seed: UInt64(patients))
        if weights == .full {
            tensors = federation.tensors(weights, seed: UInt64(patients), base: model)
        } else {
            let width = model.manifest.model.network.embeddingWidth
            tensors[Self.path] = Tensor(repeating: value, shape: [rows, width])
        }
        return try federation.parcel(site, weights, patients: patients, tensors: tensors) { $0.model.cohort = cohort }
    }

    private func table(_ parameters: ParameterMap) throws -> Tensor {
        let number = try #require(parameters.specifications.firstIndex { $0.path == DiffusionModel.cohortPath })
        return parameters.tensors[number]
    }

    @Test(arguments: [TestFederation.Weights.ffa, .lora])
    func equalExtensionsAreMerged(weights: TestFederation.Weights) throws {
        let paths = [
            try parcel("aachen", weights, value: 0.5, patients: 30),
            try parcel("bonn", weights, value: -0.5, patients: 10),
        ]
        let merge = try federation.merge(paths, federation.settings(weights == .ffa ? .mean : .stack))
        let output = federation.folder.file("merged.safetensors")
        _ = try merge.write(output, key: federation.coordinator, force: false)
        let model = try LoadedModel(contentsOf: output)
        #expect(model.manifest.model.cohort == extended("sex"))
        let old = try table(federation.base.parameters), new = try table(model.parameters)
        #expect(Array(new.elements.prefix(old.count)) == old.elements)
        // Three quarters of 0.5 and one quarter of -0.5.
        #expect(new.elements.dropFirst(old.count).allSatisfy { abs($0 - 0.25) <= 1e-6 })
        #expect(new.shape[0] > old.shape[0])
    }

    @Test func fullWeightsWithAddedRowsAreMerged() throws {
        let paths = [
            try parcel("aachen", .full, value: 0, patients: 30), try parcel("bonn", .full, value: 0, patients: 10),
        ]
        let merge = try federation.merge(paths, federation.settings { $0.weighting = .equal })
        let files = try paths.map { try ModelFile.read($0).file.tensors }
        let found = try table(try merge.merged().parameters)
        let rows = try files.map { try #require($0[DiffusionModel.cohortPath]).elements }
        let expected = zip(rows[0], rows[1]).map { (Double($0) + Double($1)) / 2 }
        #expect(relativeDifference(found.elements.map(Double.init), expected) <= 1e-6)
    }

    @Test func differentExtensionsAreRefused() throws {
        let paths = [
            try parcel("aachen", value: 0.5, patients: 30), try parcel("bonn", value: 0.5, patients: 20),
            try parcel("celle", attribute: "laterality", value: 0.5, patients: 10),
            try federation.parcel("dresden", patients: 10),
        ]
        let failure = expectFailure(.badData, "model.cohort: expected dr_icdr, sex, as in most of the parcels") {
            try federation.merge(paths)
        }
        #expect(failure?.place?.contains("celle") == true)
        let merge = try federation.merge(paths, excludesBad: true)
        #expect(merge.admission.admitted.map(\.parcel.statement.site) == ["aachen", "bonn"])
        #expect(merge.admission.refused.allSatisfy { $0.failure.sentence.contains("must add the same") })
    }

    /// An encoding that does not continue the base's is no extension, and a broken one is refused, too.
    @Test func whatDoesNotExtendTheBaseIsRefused() throws {
        let other = try federation.parcel("aachen", patients: 10) {
            $0.model.cohort = CohortEncoding(attributes: ["sex", "dr_icdr"])
        }
        expectFailure(.badData, "model.cohort: expected dr_icdr") { try federation.merge([other]) }
    }
}
