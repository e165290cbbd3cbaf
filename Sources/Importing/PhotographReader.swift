import Datasets
import Dispatch
import Files
import Foundation
import Pictures
import RetinalMatching
import Synchronization

/// Decodes photographs, finds their field of view and crops them to it, on several threads.
struct PhotographReader: Sendable {
    struct Reading: Sendable {
        let fieldOfView: FieldOfView
        /// The digest of the decoded pixels and their size.
        let digest: Digest
        let signature: DetailSignature
    }

    let folder: String
    let size: Int
    /// Receives the cropped photographs, [size, size, 3], each at its index.
    let spool: PixelSpool
    /// Receives the vessel fields of the photographs, each at its index.
    let fields: PixelSpool

    /// Reads all photographs. The results have the order of `files`; a failure means that the photograph is refused.
    /// - Throws: `Failure`: `.interrupted`; what the spools throw.
    func read(
        _ files: [String], threads: Int, progress: @Sendable (Int, Int) -> Void
    ) throws -> [Result<Reading, Failure>] {
        let results = Mutex([Result<Reading, Failure>?](repeating: nil, count: files.count))
        let stop = Mutex<Failure?>(nil)
        let cancelled = StopFlag()
        let next = Atomic<Int>(0), done = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: max(1, min(threads, files.count))) { _ in
            while true {
                let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard index < files.count, stop.withLock({ $0 == nil }) else { return }
                do {
                    try cancelled.check("nothing was written; start the import again")
                    let result = try reading(files[index], index: index)
                    results.withLock { $0[index] = result }
                } catch {
                    stop.withLock { $0 = error as? Failure ?? Failure(.readOrWriteFailed, files[index], "\(error)") }
                }
                progress(done.wrappingAdd(1, ordering: .relaxed).newValue, files.count)
            }
        }
        if let failure = stop.withLock({ $0 }) { throw failure }
        return results.withLock { $0 }.map { $0! }
    }

    /// Reads one photograph. A failure of the photograph is returned, and a failure of the spool is thrown.
    private func reading(_ file: String, index: Int) throws -> Result<Reading, Failure> {
        let photograph: Picture, view: FieldOfView
        do {
            // Decode at twice the size that is needed, and never smaller than the search for the field of view needs.
            photograph = try Picture(contentsOf: folder + "/" + file, minimumSide: max(2 * size, 512))
            view = try FieldOfView.detected(in: photograph, name: file)
        } catch let failure as Failure {
            return .failure(failure)
        }
        let crop = FundusCrop(photograph, fieldOfView: view, size: size)
        try spool.write(crop.picture.pixels, at: index)
        let small = FundusCrop(photograph, fieldOfView: view, size: DetailSignature.side)
        // Vessels are taken from the photograph, so that they are visible however small the records are.
        let vessels = FundusCrop(photograph, fieldOfView: view, size: VesselField.workingSide)
        try fields.write(VesselField(vessels.picture).bytes, at: index)
        let digest = Digest(of: photograph.pixels + "\(photograph.width)x\(photograph.height)".utf8)
        return .success(Reading(fieldOfView: crop.fieldOfView, digest: digest, signature: DetailSignature(small)))
    }
}
