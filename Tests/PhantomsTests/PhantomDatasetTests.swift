import Cohorts
import Datasets
import Files
import Foundation
import Phantoms
import Pictures
import Support
import Testing

@Suite struct PhantomDatasetTests {
    let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func dataset(_ patients: Int, visits: Int, name: String = "p.h5", force: Bool = false) throws
        -> PhantomDataset
    {
        PhantomDataset(
            try PhantomGenerator(patients: patients, size: 32, visits: visits, seed: 9), path: folder.file(name),
            force: force)
    }

    @Test func theFileHoldsThePhantomsAndWhatIsKnownOfThem() async throws {
        let dataset = try dataset(10, visits: 2)
        var calls: [Int] = []
        let summary = try await dataset.write(threads: 2) { done, all in
            #expect(all == 20)
            calls.append(done)
        }
        #expect(calls == [8, 16, 20])
        #expect(summary.photographs == 20)
        #expect(summary.splits == ["train": 16, "validation": 2, "holdout": 2])
        #expect(summary.grades == ["0": 4, "1": 4, "2": 4, "3": 4, "4": 4])

        let file = try await DatasetFile.open(dataset.path)
        #expect(file.count == 20)
        #expect(file.size == 32)
        #expect(file.info.synthetic)
        #expect(!file.info.onePatientPerPhoto)
        #expect(file.visits == (0..<20).map { Int32($0 % 2) })
        #expect(Set(file.maskNames) == Set(PhantomMasks.names))
        let images = try await file.images(rows: [7, 19])
        let bytes = 3 * 32 * 32
        try #require(images.count == 2 * bytes)
        for (place, row) in [7, 19].enumerated() {
            let phantom = dataset.generator.phantom(row)
            #expect(Array(images[place * bytes..<(place + 1) * bytes]) == phantom.pixels)
            #expect(file.fieldsOfView[row] == phantom.fieldOfView)
            #expect(file.patients[row] == phantom.eye.patient.key)
            #expect(file.eyes?[row] == phantom.eye.key)
            #expect(file.splits[row] == phantom.eye.patient.split)
            #expect(file.cohort(row: row) == phantom.cohort)
            for name in PhantomMasks.names {
                let mask = try await file.masks(name, rows: [row])
                #expect(mask == phantom.masks[name], "\(name)")
            }
        }
        #expect(FileManager.default.fileExists(atPath: dataset.contactSheetPath))
        #expect(dataset.contactSheetPath == folder.file("p.contact-sheet.png"))
    }

    @Test func nothingIsLeftOfWorkThatWasStopped() async throws {
        let dataset = try dataset(9, visits: 1)
        await #expect(throws: Failure(.interrupted, nil, "stop")) {
            _ = try await dataset.write(threads: 1) { done, _ in
                if done >= 8 { throw Failure(.interrupted, nil, "stop") }
            }
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test(arguments: ["p.h5", "p.contact-sheet.png"]) func outputsThatExistStay(name: String) async throws {
        try folder.write(Array("mine".utf8), name)
        do {
            _ = try await dataset(1, visits: 1).write(threads: 1) { _, _ in }
            Issue.record("an output was replaced")
        } catch let failure as Failure {
            #expect(failure.kind == .cannotCreateOutput)
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder.file(name))) == Data("mine".utf8))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == [name])
        _ = try await dataset(1, visits: 1, force: true).write(threads: 1) { _, _ in }
        #expect(try await DatasetFile.open(folder.file("p.h5")).count == 1)
    }
}
