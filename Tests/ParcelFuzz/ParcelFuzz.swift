import CheckpointStore
import Diffusion
import Federation
import Files
import Foundation
import Networks
import Randomness
import TensorCore

/// Readers of what comes from other sites, fed with bytes that nobody meant: they may refuse, and never crash.
///
/// Built with `--sanitize=fuzzer -Xswiftc -DFUZZER` it is a libFuzzer target (`Tools/fuzz-parcels`). Built plainly it
/// mutates the files of a folder: `parcel-fuzz FOLDER COUNT SEED`; with no arguments it writes seeds: `parcel-fuzz
/// --seeds FOLDER`.
enum ParcelFuzz {
    /// What a reader does with a file that came on a stick, as far as it needs no base.
    static func read(_ data: Data) {
        // Bytes that begin as JSON are a manifest, so that mutations reach its values instead of the file around it.
        let file =
            data.first == UInt8(ascii: "{")
            ? Safetensors(tensors: [:], metadata: ["fovea": String(decoding: data, as: UTF8.self)]).encoded(as: .f32)
            : data
        do {
            let index = try SafetensorsIndex(file, path: "fuzz")
            _ = try WeightsSignature.signedTable(of: index, path: "fuzz")
            let manifest = try Manifest<ModelDescription>.read(index, path: "fuzz")
            _ = try ClaimedSize(manifest.trainingData, imagesSeen: manifest.imagesSeen, most: 100, path: "fuzz")
            if let other = manifest.permissions, let own = manifest.parcel?.permissions {
                _ = own.intersection(other)?.text
            }
            _ = manifest.sites
            for entry in index.entries { _ = try index.tensor(entry).isFinite }
            guard manifest.model.problem == nil, manifest.model.network.blockOutChannels.reduce(0, +) < 512,
                manifest.model.network.layersPerBlock < 4
            else { return }
            let model = DiffusionModel(manifest.model)
            let tensors = try index.tensors()
            if let adapter = manifest.model.adapter {
                let layout = AdapterLayout(adapter, base: model.specifications)
                _ = try ParameterMap(layout.specifications, fileTensors: tensors, file: "fuzz")
            } else {
                _ = try ParameterMap(model.specifications, fileTensors: tensors, file: "fuzz")
            }
        } catch is Failure {
            // Refused, in one sentence.
        } catch {
            fatalError("not a Failure: \(error)")
        }
    }
}

#if FUZZER
    @_cdecl("LLVMFuzzerTestOneInput")
    public func testOneInput(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
        ParcelFuzz.read(bytes.map { Data(bytes: $0, count: count) } ?? Data())
        return 0
    }
#else
    @main
    enum Mutations {
        static func main() throws {
            let arguments = CommandLine.arguments
            if arguments.count == 3, arguments[1] == "--seeds" { return try Seeds.write(to: arguments[2]) }
            guard arguments.count == 4, let count = Int(arguments[2]), let seed = UInt64(arguments[3]) else {
                print("usage: parcel-fuzz FOLDER COUNT SEED | parcel-fuzz --seeds FOLDER")
                exit(64)
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: arguments[1]).sorted()
            let files = try names.map { try Data(contentsOf: URL(fileURLWithPath: "\(arguments[1])/\($0)")) }
            for file in files { ParcelFuzz.read(file) }
            for number in 0..<count {
                var random = Philox(seed: seed, stream: .tests, index: UInt64(number))
                func below(_ limit: Int) -> Int { Int(random.nextUniform() * Double(limit)) }
                var data = files[below(files.count)]
                for _ in 0...below(8) where !data.isEmpty {
                    let place = below(data.count)
                    switch below(5) {
                    case 0: data[place] = UInt8(below(256))
                    case 1: data[place] ^= 1 << UInt8(below(8))
                    case 2: data.removeSubrange(place..<min(data.count, place + 1 + below(16)))
                    case 3: data.insert(contentsOf: (0...below(16)).map { _ in UInt8(below(256)) }, at: place)
                    default:
                        data.insert(
                            contentsOf: data[place..<min(data.count, place + 1 + below(64))], at: below(data.count))
                    }
                    data = Data(data)
                }
                ParcelFuzz.read(data)
            }
            print("\(files.count) seeds, \(count) mutations: read or refused, every one")
        }
    }

    /// Small files that are right: a snapshot, an adapter, a parcel, and their manifests alone.
    enum Seeds {
        static func write(to folder: String) throws {
            var network = UNetConfiguration(blockOutChannels: [4, 8], attentionLevels: [false, true])
            network.layersPerBlock = 1
            network.normGroups = 2
            var description = ModelDescription(
                network: network, height: 8, width: 8, cohort: .init(attributes: ["dr_icdr"]))
            let data = TrainingData(
                digest: String(repeating: "ab", count: 32), site: "aachen", licence: "CC0", source: "eyes",
                cohortCounts: ["dr_icdr": ["0": 40]], patients: 40)
            func manifest(_ kind: WeightsKind) -> Manifest<ModelDescription> {
                Manifest(
                    kind: kind, model: description, cohortSchemaVersion: 1, imagesSeen: 640, trainingData: [data],
                    parents: [String(repeating: "cd", count: 32)], licence: "CC0",
                    attributions: ["eyes"], configuration: "seed: 1\n", toolVersion: "fuzz")
            }
            let parameters = ParameterMap(DiffusionModel(description).specifications, seed: 1)
            try WeightsFile(manifest: manifest(.snapshot), tensors: parameters.fileTensors()).write(
                "\(folder)/snapshot", as: .f16, force: true)
            try Data(try manifest(.snapshot).json().utf8).write(to: URL(fileURLWithPath: "\(folder)/manifest"))
            description.adapter = AdapterConfiguration(kind: .ffa)
            let adapter = ParameterMap(
                AdapterLayout(AdapterConfiguration(kind: .ffa), base: parameters.specifications).specifications, seed: 2
            )
            let weights = WeightsFile(manifest: manifest(.adapter), tensors: adapter.fileTensors())
            let statement = ParcelStatement(
                site: "aachen", round: 3, base: String(repeating: "cd", count: 32),
                issued: Date(timeIntervalSince1970: 1_800_000_000), selfTest: [.init(sigma: 0.2, error: 0.03)],
                permissions: Permissions(purposes: ["DUO:0000042"], expires: "2027-12-31", territories: ["DE"]),
                contact: "data@example.org")
            _ = try ParcelSeal.seal(
                weights, path: "w", statement: statement, unaudited: "a seed", key: SigningKey(),
                to: "\(folder)/parcel", force: true)
            let sealed = try SafetensorsIndex(contentsOf: "\(folder)/parcel").metadata["fovea"] ?? ""
            try Data(sealed.utf8).write(to: URL(fileURLWithPath: "\(folder)/statement"))
        }
    }
#endif
