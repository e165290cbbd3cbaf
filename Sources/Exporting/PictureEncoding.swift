import Files
import Foundation
import Pictures
import SampleStore

/// Makes the PNG files of many samples on several threads.
struct PictureEncoding {
    let width: Int
    let height: Int
    let threads: Int

    init(_ set: SampleSetFile, threads: Int) {
        width = set.width
        height = set.height
        self.threads = threads
    }

    /// Which digest a file's label states.
    enum Digests {
        /// That of the sample.
        case ofSample
        /// That of the pixels, which are a map and not the sample.
        case ofPixels
    }

    /// - Parameter pixels: [details.count, height, width, 3]
    func encode(
        _ details: [SampleDetails], pixels: [UInt8], digests: Digests = .ofSample
    ) throws -> [Data] {
        let size = height * width * 3, workers = min(threads, details.count)
        var results = [Result<Data, any Error>?](repeating: nil, count: details.count)
        results.withUnsafeMutableBufferPointer { buffer in
            nonisolated(unsafe) let results = buffer
            DispatchQueue.concurrentPerform(iterations: workers) { worker in
                for place in stride(from: worker, to: details.count, by: workers) {
                    let picture = Picture(
                        width: width, height: height, pixels: Array(pixels[place * size..<(place + 1) * size]))
                    var label = details[place].label
                    if case .ofPixels = digests { label.provenanceDigest = Digest(of: picture.pixels).description }
                    results[place] = Result { try LabelledPNG.data(picture, label: label) }
                }
            }
        }
        return try results.compactMap { $0 }.map { try $0.get() }
    }
}
