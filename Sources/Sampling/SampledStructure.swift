import Anatomy
import Diffusion
import Files

extension SamplerSettings {
    /// The structures of which maps are read from the pixels of each sample: all that the model does not draw.
    func structuresToRead(for model: ModelDescription) -> [EyeStructure] {
        guard readsStructure else { return [] }
        let drawn = Set(model.space.maps.map(\.rawValue))
        return EyeStructure.allCases.filter { !drawn.contains($0.rawValue) }
    }

    /// The names of the maps that come with each sample, in the order in which they are drawn and read.
    func structures(of model: ModelDescription) -> [String] {
        model.space.maps.map(\.rawValue) + structuresToRead(for: model).map(\.rawValue)
    }

    /// Checks that structures can be read in a model's pictures, where they are wanted.
    /// - Throws: `Failure(.usage)` where they cannot.
    func requireReadableStructure(_ model: ModelDescription, path: String) throws {
        let least = EyeAnatomy.leastSideForVessels
        guard readsStructure, model.width != model.height || model.width < least else { return }
        throw Failure(
            .usage, path, option: "structure",
            expected: "square pictures of \(least) pixels and more, in which vessels can be found",
            found: "\(model.width) x \(model.height)")
    }
}
