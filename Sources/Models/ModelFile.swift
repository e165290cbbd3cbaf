import CheckpointStore
import Diffusion

/// A weights file of this product.
public typealias ModelFile = WeightsFile<ModelDescription>
