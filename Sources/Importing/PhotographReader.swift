import DICOMFiles
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
        /// Whether the file's label says that a model made the picture.
        let isSynthetic: Bool
        /// What the header says; nil if it is no DICOM file.
        let header: DICOMHeader?
        /// What was noticed, for the report.
        let notes: [PhotographNote]
    }

    let folder: PhotographFolder
    let size: Int
    /// Whether pictures that a model made are taken.
    var allowsSynthetic = false
    /// What becomes of photographs with letters inside the field of view.
    var text = BurnedInTextPolicy.flag
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
        let photograph: Picture, view: FieldOfView, isSynthetic: Bool, header: DICOMHeader?
        var notes: [PhotographNote]
        do {
            let content = try folder.content(of: file)
            let label = content.syntheticLabel
            if let label, !allowsSynthetic { throw Failure(.badData, file, label.sentence) }
            isSynthetic = label != nil
            header = content.header
            (photograph, view, notes) = try cut(content, name: file)
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
        return .success(
            Reading(
                fieldOfView: crop.fieldOfView, digest: digest, signature: DetailSignature(small),
                isSynthetic: isSynthetic, header: header, notes: notes))
    }

    /// Decodes a photograph and finds its field of view.
    private func cut(
        _ content: PhotographContent, name: String
    ) throws -> (photograph: Picture, view: FieldOfView, notes: [PhotographNote]) {
        // Decode at twice the size that is needed, and never smaller than the search for the field of view needs.
        var decoded = try content.decoded(minimumSide: max(2 * size, 512))
        var view = try FieldOfView.detected(in: decoded.picture, name: name)
        if decoded.reduction > 1, 2 * view.radius < 1.5 * Float(size) {
            // The disc fills only a part of the frame, so that it was reduced too far.
            decoded = try content.decoded()
            view = try FieldOfView.detected(in: decoded.picture, name: name)
        }
        let photograph = decoded.picture
        // In pixels of the file.
        let disc = Int((2 * view.radius).rounded()) * decoded.reduction
        let width = max(photograph.width, photograph.height) * decoded.reduction
        var notes = decoded.notes
        if disc * 3 < width {
            guard disc >= size else {
                throw Failure(
                    .badData, name,
                    """
                    the disc is \(disc) pixels of \(width), which is less than the \(size) pixels that are wanted; \
                    photograph it closer, or import at a smaller size
                    """)
            }
            notes.append(PhotographNote(.smallDisc, "the disc is \(disc) pixels of \(width)"))
        }
        let lines = BurnedInText(in: photograph, view).lines
        if let first = lines.first?.first {
            let across = 100 * first.left / photograph.width, down = 100 * first.top / photograph.height
            let what = """
                \(lines.count == 1 ? "a line" : "\(lines.count) lines") of letters inside its field of view (the first \
                \(across) % from the left and \(down) % from the top)
                """
            if text == .refuse { throw Failure(.badData, name, "seems to have \(what)") }
            notes.append(PhotographNote(.text, "it seems to have \(what)"))
        }
        return (photograph, view, notes)
    }
}
