import Diffusion
import Pictures
import RetinalMatching

extension StructureMap {
    /// What is found of it in a photograph: 0 where there is none, 255 where it is certain, [height, width].
    func values(of picture: Picture) -> [UInt8] {
        switch self {
        case .vessels: vesselShares(picture).map { UInt8((255 * $0).rounded()) }
        }
    }
}
