import Diffusion
import Pictures
import RetinalMatching

extension StructureMap {
    /// The structure in a photograph, [height, width]: from 0 where nothing was found to 255 where it is certain.
    func values(of picture: Picture) -> [UInt8] {
        switch self {
        case .vessels: vesselShares(picture).map { UInt8((255 * $0).rounded()) }
        }
    }
}
