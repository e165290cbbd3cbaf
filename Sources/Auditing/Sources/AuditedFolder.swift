import Datasets
import Files
import Foundation
import Importing
import Pictures
import Synchronization

/// Reads the pictures of a folder as `fovea import` would cut them: the field of view is centred, and everything
/// outside it is black.
enum AuditedFolder {
    /// Pictures of `folder` in the order of `photographs`, [size, size, 3] each.
    ///
    /// A picture without a surround, such as a sample by others that fills its frame, is cut to a square about its
    /// centre.
    /// - Throws: `Failure(.badData)` where a picture cannot be read or is too small; `Failure(.interrupted)`.
    static func read(_ photographs: [String], of folder: PhotographFolder, size: Int) throws -> [Picture] {
        let results = Mutex([Picture?](repeating: nil, count: photographs.count))
        let problem = Mutex<(any Error)?>(nil)
        let cancelled = StopFlag()
        DispatchQueue.concurrentPerform(iterations: photographs.count) { index in
            guard problem.withLock({ $0 == nil }) else { return }
            do {
                try cancelled.check("\(photographs[index]) was being read")
                let decoded = try folder.content(of: photographs[index]).decoded(minimumSide: max(2 * size, 512))
                let picture = try cut(decoded.picture, name: photographs[index], size: size)
                results.withLock { $0[index] = picture }
            } catch {
                problem.withLock { $0 = $0 ?? error }
            }
        }
        if let error = problem.withLock({ $0 }) { throw error }
        return results.withLock { $0.compactMap { $0 } }
    }

    private static func cut(_ photograph: Picture, name: String, size: Int) throws -> Picture {
        let side = min(photograph.width, photograph.height)
        guard side >= 16 else {
            throw Failure(
                .badData, name, field: "size", expected: "at least 16 pixels a side",
                found: "\(photograph.width) x \(photograph.height)")
        }
        guard let view = try? FieldOfView.detected(in: photograph, name: name) else {
            return photograph.resampled(
                x: Double(photograph.width - side) / 2, y: Double(photograph.height - side) / 2, width: Double(side),
                height: Double(side), toWidth: size, height: size,
                isBlackBeyond: false)
        }
        // Samples and exports are cut already, and cutting again would only blur them.
        let half = Float(side) / 2, slack = max(1.5, Float(side) * 0.02)
        let isCut =
            photograph.width == photograph.height && abs(view.centerX - half) <= slack
            && abs(view.centerY - half) <= slack && abs(view.radius - half) <= 2 * slack
        if isCut { return photograph.resized(width: size, height: size) }
        return FundusCrop(photograph, fieldOfView: view, size: size).picture
    }
}
