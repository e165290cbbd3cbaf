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
    /// Counts the changes of what is read of a photograph. An import that was begun with another version cannot go on.
    static let version = 2

    struct Reading: Sendable, Codable {
        let fieldOfView: FieldOfView
        /// The digest of the decoded pixels and their size.
        let digest: Digest
        /// The number of pixels of the file.
        let pixelCount: Int
        let isColour: Bool
        /// Whether the file's label says that a model made the picture.
        let isSynthetic: Bool
        /// What the header says; nil if it is no DICOM file.
        let header: DICOMHeader?
        /// What was noticed, for the report.
        let notes: [PhotographNote]
        /// What was measured; nil for a photograph of a data set to which others are added.
        let figures: PhotographFigures?
    }

    let folder: PhotographFolder
    let size: Int
    /// Whether pictures that a model made are taken.
    var allowsSynthetic = false
    /// What becomes of photographs with letters inside the field of view.
    var text = BurnedInTextPolicy.flag
    /// Receives what is read.
    let workspace: ImportWorkspace

    /// Reads all photographs, but for those that an earlier process read. The results have the order of `files`.
    /// - Throws: `Failure`: `.interrupted`; what the workspace throws.
    func read(
        _ files: [String], threads: Int, progress: @Sendable (Int, Int) -> Void
    ) throws -> [ReadPhotograph] {
        let earlier = workspace.earlier(files, in: folder)
        let wanted = files.indices.filter { earlier[$0] == nil }, firstSlot = workspace.firstFreeSlot
        let known = files.count - wanted.count
        let results = Mutex(earlier)
        let stop = Mutex<Failure?>(nil)
        let cancelled = StopFlag()
        let next = Atomic<Int>(0), done = Atomic<Int>(0)
        DispatchQueue.concurrentPerform(iterations: max(1, min(threads, wanted.count))) { _ in
            while true {
                let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard number < wanted.count, stop.withLock({ $0 == nil }) else { return }
                let index = wanted[number], file = files[index]
                do {
                    try cancelled.check(ImportWorkspace.advice)
                    let photograph = try read(file, slot: firstSlot + number)
                    results.withLock { $0[index] = photograph }
                } catch {
                    stop.withLock { $0 = error as? Failure ?? Failure(.readOrWriteFailed, file, "\(error)") }
                }
                progress(known + done.wrappingAdd(1, ordering: .relaxed).newValue, files.count)
            }
        }
        let failure = stop.withLock { $0 }
        do { try workspace.finishReading() } catch { throw failure ?? error }
        if let failure { throw failure }
        return results.withLock { $0 }.map { $0! }
    }

    /// Reads one photograph, and keeps what was read. A file that could not be read at all may be readable later, so
    /// this is not kept.
    private func read(_ file: String, slot: Int) throws -> ReadPhotograph {
        // Asked before it is read: if it changes meanwhile, a later import reads it again.
        let version = FileVersion(folder.path(of: file))
        do {
            let photograph = ReadPhotograph(slot: slot, reading: try reading(file, slot: slot).get())
            try workspace.keep(photograph, of: file, version)
            return photograph
        } catch let refusal as Refusal {
            let photograph = ReadPhotograph(slot: slot, refusal: refusal.failure.sentence)
            if refusal.failure.kind == .badData { try workspace.keep(photograph, of: file, version) }
            return photograph
        }
    }

    private struct Refusal: Error {
        let failure: Failure
    }

    /// Reads one photograph. A failure of the photograph is returned, and a failure of the workspace is thrown.
    private func reading(_ file: String, slot: Int) throws -> Result<Reading, Refusal> {
        let found: Located, measured: Located, isSynthetic: Bool, header: DICOMHeader?
        let notes: [PhotographNote]
        do {
            let content = try folder.content(of: file)
            let label = content.syntheticLabel
            if let label, !allowsSynthetic { throw Failure(.badData, file, label.sentence) }
            isSynthetic = label != nil
            header = content.header
            found = try located(content, name: file, size: size)
            notes = try noted(found, name: file)
            measured = try forMeasuring(content, found, name: file)
        } catch let failure as Failure {
            return .failure(Refusal(failure: failure))
        }
        let photograph = found.picture, view = found.view
        let crop = FundusCrop(photograph, fieldOfView: view, size: size)
        try workspace.pictures.write(crop.picture.pixels, at: slot)
        let small = FundusCrop(photograph, fieldOfView: view, size: DetailSignature.side)
        // Vessels are taken from the photograph, so that they are visible however small the records are.
        let eye = FundusCrop(measured.picture, fieldOfView: measured.view, size: VesselField.workingSide)
        let vessels = VesselResponse(eye.picture)
        try workspace.vessels.write(VesselField(vessels).bytes, at: slot)
        try workspace.details.write(DetailSignature(small).bytes, at: slot)
        let digest = Digest(of: photograph.pixels + "\(photograph.width)x\(photograph.height)".utf8)
        let pixelCount = photograph.width * photograph.height * found.reduction * found.reduction
        return .success(
            Reading(
                fieldOfView: crop.fieldOfView, digest: digest, pixelCount: pixelCount, isColour: photograph.isColour,
                isSynthetic: isSynthetic, header: header, notes: notes,
                figures: PhotographFigures(vessels, fieldOfView: eye.fieldOfView)))
    }

    /// A photograph as it was decoded, with its field of view.
    private struct Located {
        let picture: Picture
        let view: FieldOfView
        let notes: [PhotographNote]
        /// By what factor each side was reduced.
        let reduction: Int
    }

    /// Decodes a photograph as far as pictures of `size` need it, and finds its field of view.
    private func located(_ content: PhotographContent, name: String, size: Int) throws -> Located {
        // Decode at twice the size that is needed, and never smaller than the search for the field of view needs.
        var decoded = try content.decoded(minimumSide: max(2 * size, 512))
        var view = try FieldOfView.detected(in: decoded.picture, name: name)
        if decoded.reduction > 1, 2 * view.radius < 1.5 * Float(size) {
            // The disc fills only a part of the frame, so that it was reduced too far.
            decoded = try content.decoded()
            view = try FieldOfView.detected(in: decoded.picture, name: name)
        }
        return Located(picture: decoded.picture, view: view, notes: decoded.notes, reduction: decoded.reduction)
    }

    /// The photograph as it is decoded for pictures of one size, so that what is measured does not depend on `size`.
    private func forMeasuring(_ content: PhotographContent, _ found: Located, name: String) throws -> Located {
        let side = VesselField.workingSide, shorter = min(found.picture.width, found.picture.height)
        let isSame =
            size <= side
            ? found.reduction == 1 || 2 * found.view.radius >= 1.5 * Float(side)
            : shorter < 4 * side || !content.isReducible
        return isSame ? found : try located(content, name: name, size: side)
    }

    /// What a person may want to know of a photograph.
    /// - Throws: `Failure(.badData)` for what `text` refuses, and where the disc is too small.
    private func noted(_ found: Located, name: String) throws -> [PhotographNote] {
        let photograph = found.picture, view = found.view
        // In pixels of the file.
        let disc = Int((2 * view.radius).rounded()) * found.reduction
        let width = max(photograph.width, photograph.height) * found.reduction
        var notes = found.notes
        if text == .refuse, let note = notes.first(where: { $0.kind == .text }) {
            throw Failure(.badData, name, note.detail)
        }
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
        return notes
    }
}
