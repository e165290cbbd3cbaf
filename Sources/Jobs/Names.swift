import CheckpointStore
import Consortium
import Diffusion
import Exporting
import Federation
import Files
import Networks
import Training

// What somebody names who imports Fovea alone.

/// What a job throws: the kind, the file, the setting that is wrong, and the remedy.
public typealias Failure = Files.Failure
/// The settings of a training that are asked for.
public typealias TrainingWishes = Training.TrainingWishes
/// The size of a network.
public typealias Preset = Networks.Preset
/// The kind of an adapter.
public typealias AdapterKind = Networks.AdapterKind
/// How a sampler steps.
public typealias SamplerKind = Diffusion.SamplerKind
/// Where pictures are denoised.
public typealias SpaceFamily = Diffusion.LatentSpace.Family
/// How the numbers of sites become one.
public typealias MergeSettings = CheckpointStore.MergeRecord.Settings
/// What a coordinator asks the sites of a round for.
public typealias RoundRequest = Consortium.Round.Request
/// What the sites of a round are asked to train.
public typealias RoundTuning = Consortium.Round.Training.Tuning
/// A list of those whose signatures count.
public typealias TrustList = Federation.TrustList
/// A code of the Data Use Ontology.
public typealias DataUse = CheckpointStore.DataUse
/// The form of an export.
public typealias ExportFormat = Exporting.SampleExport.Format
/// One thing that is wrong with a file.
public typealias Finding = Files.Finding
