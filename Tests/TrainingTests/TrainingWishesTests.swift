import Diffusion
import Files
import Networks
import Support
import Testing
import Training

@Suite struct TrainingWishesTests {
    @Test(arguments: [
        (64, "pixels"), (128, "pixels"), (136, "wavelet-2"), (160, "wavelet-2"), (256, "dct-8"),
    ])
    func `a size brings its usual space`(size: Int, space: String) throws {
        var wishes = TrainingWishes()
        wishes.size = size
        let settings = try wishes.configuration(nil, datasets: [])
        #expect(settings.size == size)
        #expect(settings.space.name.hasPrefix(space), "\(settings.space.name)")
        #expect(settings.network.inChannels == settings.space.channels)
    }

    /// Whatever `config.yaml` may say of the space can be asked for in words, too.
    @Test(arguments: [("grey", "grey"), ("wavelet-1", "wavelet-1"), ("wavelet", "wavelet-2"), ("dct-2", "dct-2")])
    func `every space can be asked for`(asked: String, space: String) throws {
        var wishes = TrainingWishes()
        (wishes.size, wishes.preset) = (64, .tiny)
        wishes.space = LatentSpace.Family(rawValue: asked)
        let settings = try wishes.configuration(nil, datasets: [])
        #expect(settings.space.name == space)
        #expect(settings.network.inChannels == settings.space.channels)
        #expect(LatentSpace.Family(rawValue: "dct-3") == nil)
    }

    @Test func `wishes go over the file, and the file over the defaults`() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("size: 96\nbatchSize: 4\nseed: 7\nimages: 10\n".utf8, "train.yaml")
        var wishes = TrainingWishes()
        wishes.config = file
        wishes.images = 20
        let settings = try wishes.configuration(nil, datasets: [])
        #expect((settings.size, settings.batchSize) == (96, 4))
        #expect((settings.seed, settings.images) == (7, 20))
    }

    @Test func `a run that is gone on with keeps its settings but for the images`() throws {
        var before = TrainingConfiguration()
        (before.size, before.seed, before.images) = (32, 5, 100)
        var wishes = TrainingWishes()
        wishes.images = 300
        let settings = try wishes.configuration(before, datasets: [])
        before.images = 300
        #expect(settings == before)
    }

    @Test func `another round draws other noise`() throws {
        var wishes = TrainingWishes()
        wishes.size = 64
        let seeds = try [nil, 0, 1, 2].map { round in
            wishes.round = round
            return try wishes.configuration(nil, datasets: []).seed
        }
        #expect(seeds[0] == seeds[1])
        #expect(Set(seeds).count == 3)
    }

    @Test func `maps of a space that holds none are refused`() throws {
        var wishes = TrainingWishes()
        (wishes.size, wishes.maps) = (64, [.vessels])
        #expect { try wishes.configuration(nil, datasets: []) } throws: {
            ($0 as? Failure)?.option == "maps" && ($0 as? Failure)?.kind == .usage
        }
    }

    @Test func `what excludes each other is refused by the name of the setting`() {
        func option(_ resumes: Bool = false, _ change: (inout TrainingWishes) -> Void) -> String? {
            var wishes = TrainingWishes()
            change(&wishes)
            do {
                try wishes.validate(resumes: resumes)
                return nil
            } catch { return (error as? Failure)?.option }
        }
        #expect(option { ($0.base, $0.size) = ("b", 64) } == "base")
        #expect(option { $0.adapter = .ffa } == "adapter")
        #expect(option { $0.tunesEverything = true } == "adapter")
        #expect(option { $0.round = -1 } == "round")
        #expect(option(true) { $0.seed = 1 } == "resume")
        #expect(option(true) { $0.images = 1 } == nil)
        #expect(option { ($0.base, $0.adapter, $0.round) = ("b", .lora, 3) } == nil)
    }
}
