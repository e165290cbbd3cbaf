// swift-tools-version: 6.1
import PackageDescription

/// Every module names what it uses: a file sees the members of those modules alone that it imports, and what it imports
/// is not passed on to those who import it.
let settings: [SwiftSetting] = [.enableUpcomingFeature("MemberImportVisibility")]

/// A target of the product. Strict concurrency comes with language mode 6.
func library(
    _ name: String, _ dependencies: [Target.Dependency], path: String? = nil, resources: [Resource]? = nil
) -> Target {
    .target(name: name, dependencies: dependencies, path: path, resources: resources, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: ["Support", .init(stringLiteral: name)] + dependencies, exclude: exclude)
}

let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "Fovea",
    products: [
        .executable(name: "fovea", targets: ["fovea"]),
        // The jobs, and beneath them what somebody needs who trains on arrays of their own.
        .library(
            name: "Fovea",
            targets: [
                "Fovea", "Training", "Diffusion", "Networks", "TensorCore", "Cohorts", "CheckpointStore", "Federation",
                "Files",
            ]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // System libraries and C.
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CHDF5", pkgConfig: "hdf5-serial", providers: [.apt(["libhdf5-dev"])]),
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "COpenJPEG", pkgConfig: "libopenjp2", providers: [.apt(["libopenjp2-7-dev"])]),
        .target(
            name: "CDICOM",
            linkerSettings: [
                .linkedLibrary("dcmjpls"), .linkedLibrary("dcmjpeg"), .linkedLibrary("dcmdata"),
                .linkedLibrary("oflog"), .linkedLibrary("ofstd"), .linkedLibrary("z"),
            ]),
        .target(
            name: "CImageCodecs", dependencies: ["COpenJPEG"],
            linkerSettings: [
                .linkedLibrary("jpeg"), .linkedLibrary("png"), .linkedLibrary("tiff"), .linkedLibrary("webp"),
                .linkedLibrary("z"),
            ]),
        .target(name: "CKernels", dependencies: ["COpenBLAS"], linkerSettings: [.linkedLibrary("m")]),

        // A target may import any that stands above it, and none below.
        library("Cryptography", ["CCrypto"]),
        library("Files", ["Cryptography", yams]),
        library("Figures", ["Files"]),
        library("Randomness", []),
        library("Statistics", ["Randomness"]),
        library("TensorCore", ["Randomness", "CKernels"]),
        library("Cohorts", ["Files", yams], resources: [.embedInCode("Maps")]),
        library("HDF5Files", ["Files", "CHDF5", "CZlib"]),
        library("Pictures", ["Files", "CImageCodecs"]),
        library("DICOMFiles", ["Pictures", "Cohorts", "Files", "CDICOM"]),
        library("RetinalMatching", ["Pictures", "TensorCore", "Statistics"]),
        library("Anatomy", ["RetinalMatching", "Pictures", "TensorCore", "Statistics"]),
        library("Networks", ["TensorCore", "Randomness", "Files"]),
        library("Diffusion", ["Networks", "Cohorts", "TensorCore", "Statistics", "Randomness"]),
        library("CheckpointStore", ["TensorCore", "Files", "Cryptography"]),
        library("PictureFiles", ["HDF5Files", "Cohorts", "Files"]),
        library("Datasets", ["PictureFiles", "Pictures", "HDF5Files", "Cohorts", "Files"]),
        library(
            "Importing",
            [
                "DICOMFiles", "Datasets", "RetinalMatching", "Pictures", "Cohorts", "TensorCore", "Files",
                "Cryptography",
            ]),
        library("Phantoms", ["Datasets", "Pictures", "Cohorts", "TensorCore", "Randomness", "Files"]),
        library("Models", ["CheckpointStore", "Diffusion", "Networks", "TensorCore", "Files", yams]),
        library(
            "Training",
            [
                "Models", "Datasets", "CheckpointStore", "Diffusion", "Networks", "RetinalMatching", "Pictures",
                "Cohorts", "TensorCore", "Randomness", "Figures", "Files",
            ]),
        library("Classification", ["Training", "Networks", "Pictures", "TensorCore", "Randomness"]),
        library("Federation", ["CheckpointStore", "TensorCore", "Files", yams]),
        library("SampleStore", ["PictureFiles", "CheckpointStore", "HDF5Files", "Pictures", "Cohorts", "Files"]),
        library("Reporting", ["SampleStore", "CheckpointStore", "Pictures", "Cohorts", "Figures", "Files"]),
        library("Evaluation", ["RetinalMatching", "Pictures", "TensorCore", "Statistics", "Randomness"]),
        library("Usefulness", ["Evaluation", "Cohorts", "TensorCore", "Statistics", "Randomness", "Figures", "Files"]),
        library(
            "EvaluationPages", ["Usefulness", "Evaluation", "Anatomy", "Reporting", "Statistics", "Figures", "Files"]),
        library("Planning", ["Reporting", "CheckpointStore", "Datasets", "Cohorts", "Statistics", "Figures", "Files"]),
        library("ImportPages", ["Reporting", "Importing", "Pictures", "Figures", "Files"]),
        library(
            "Sampling",
            [
                "SampleStore", "Models", "Datasets", "CheckpointStore", "Diffusion", "Networks", "Anatomy",
                "RetinalMatching", "Pictures", "Cohorts", "TensorCore", "Randomness", "Files",
            ]),
        library("Exporting", ["Reporting", "SampleStore", "Pictures", "Cohorts", "Files", "CArchive"]),
        library(
            "Consortium",
            ["SampleStore", "Federation", "Models", "CheckpointStore", "Diffusion", "Networks", "TensorCore", "Files"]),
        library(
            "FederatedTraining",
            [
                "Consortium", "Federation", "Training", "Models", "Datasets", "CheckpointStore", "Diffusion",
                "Networks", "Cohorts", "TensorCore", "Statistics", "Randomness", "Figures", "Files",
            ]),
        library("Verdicts", ["Reporting", "SampleStore", "CheckpointStore", "Statistics", "Figures", "Files"]),
        library(
            "Releasing",
            ["EvaluationPages", "Verdicts", "Reporting", "SampleStore", "CheckpointStore", "Cohorts", "Files"]),
        library(
            "Auditing",
            [
                "Verdicts", "Sampling", "Evaluation", "Reporting", "SampleStore", "Training", "Models", "Importing",
                "Datasets",
                "PictureFiles", "CheckpointStore", "Diffusion", "Networks", "RetinalMatching", "Pictures", "Cohorts",
                "TensorCore",
                "Statistics", "Randomness", "Figures", "Files",
            ]),
        library(
            "Counterfactuals", ["Reporting", "SampleStore", "RetinalMatching", "Pictures", "Figures", "Files"]),
        library(
            "Evaluating",
            [
                "Auditing", "Counterfactuals", "EvaluationPages", "Usefulness", "Evaluation", "Anatomy",
                "Classification", "SampleStore", "Datasets", "Statistics", "RetinalMatching", "Pictures", "Cohorts",
                "CheckpointStore", "TensorCore", "Randomness", "Files",
            ]),
        library(
            "Interchange", ["Models", "CheckpointStore", "Diffusion", "Networks", "Cohorts", "TensorCore", "Files"]),
        library(
            "Fovea",
            [
                "Interchange", "Counterfactuals", "Evaluating", "EvaluationPages", "Usefulness", "Auditing",
                "Releasing", "Verdicts",
                "FederatedTraining", "Consortium", "Exporting",
                "Sampling", "Reporting", "SampleStore", "Federation", "Training", "Models", "Phantoms", "ImportPages",
                "Planning", "Importing", "Datasets", "PictureFiles", "CheckpointStore", "Diffusion", "Networks",
                "HDF5Files",
                "Cohorts",
                "TensorCore", "Statistics", "Figures", "Files", "Cryptography",
            ],
            // Not Sources/Fovea, which some file systems could not tell from Sources/fovea.
            path: "Sources/Jobs"),
        library(
            "Benchmarks",
            [
                "Fovea", "Classification", "SampleStore", "Federation", "Training", "Models", "CheckpointStore",
                "Diffusion", "Networks",
                "Cohorts", "TensorCore", "Randomness", "Files",
            ]),
        .executableTarget(
            name: "fovea",
            dependencies: [
                "Fovea", "Benchmarks", "Exporting", "Consortium", "Federation", "Training", "Importing",
                "CheckpointStore",
                "Diffusion", "Networks", "Files", arguments,
            ], swiftSettings: settings),

        // Tests.
        .target(name: "Support", dependencies: ["Files"], path: "Tests/Support"),
        .target(name: "TestTensors", dependencies: ["TensorCore", "Randomness"], path: "Tests/TestTensors"),
        .target(name: "TestPictures", dependencies: ["Pictures"], path: "Tests/TestPictures"),
        .target(
            name: "TestFigures", dependencies: ["Verdicts", "SampleStore", "Cohorts", "Statistics", "Files"],
            path: "Tests/TestFigures"),
        .target(name: "KernelShapes", dependencies: ["CKernels"], path: "Tests/KernelShapes"),
        .executableTarget(
            name: "convolution-fuzz", dependencies: ["TensorCore", "Randomness"], path: "Tests/ConvolutionFuzz"),
        .executableTarget(
            name: "parcel-fuzz",
            dependencies: [
                "CheckpointStore", "Federation", "Diffusion", "Networks", "TensorCore", "Randomness", "Files",
            ],
            path: "Tests/ParcelFuzz"),
        tests("Files", []),
        tests("Figures", []),
        tests("CKernels", ["KernelShapes"]),
        tests("Cryptography", ["CCrypto"]),
        tests("Statistics", ["Verdicts", "CheckpointStore", "TensorCore", "Randomness"]),
        tests("TensorCore", ["Randomness", "TestTensors"], exclude: ["Fixtures"]),
        tests("Cohorts", ["Files"]),
        tests("HDF5Files", ["Files"]),
        tests("Pictures", ["Importing", "Datasets", "Files", "CImageCodecs", "TestPictures"]),
        tests("DICOMFiles", ["Pictures", "Files", "TestPictures"], exclude: ["Fixtures"]),
        tests("RetinalMatching", ["Phantoms", "Pictures", "TensorCore", "TestPictures", "TestTensors"]),
        tests("Anatomy", ["Phantoms", "Pictures", "TensorCore", "TestPictures"]),
        tests(
            "Networks", ["CheckpointStore", "TensorCore", "Randomness", "Files", "TestTensors"], exclude: ["Fixtures"]),
        tests("Diffusion", ["Networks", "Cohorts", "TensorCore", "Randomness", "TestTensors"], exclude: ["Fixtures"]),
        tests("CheckpointStore", ["TensorCore", "Files"]),
        tests("Datasets", ["Pictures", "HDF5Files", "Cohorts", "Files"]),
        tests(
            "Importing",
            [
                "ImportPages", "Phantoms", "SampleStore", "Datasets", "RetinalMatching", "Pictures", "Files",
                "Cryptography", "TestPictures",
            ]),
        tests(
            "Evaluation", ["Phantoms", "Pictures", "TensorCore", "Statistics", "Randomness"], exclude: ["Fixtures"]),
        tests("Usefulness", ["Evaluation", "Randomness", "Statistics", "Files"]),
        tests("Planning", ["Sampling", "Training", "Datasets", "CheckpointStore", "Pictures", "Cohorts", "Files"]),
        tests("Phantoms", ["Datasets", "Pictures", "Cohorts", "Files"]),
        tests(
            "Training",
            [
                "Models", "Phantoms", "Datasets", "CheckpointStore", "Diffusion", "Networks", "Pictures", "Cohorts",
                "TensorCore", "Statistics", "Randomness", "Files", "TestTensors",
            ]),
        tests("Classification", ["Pictures", "Randomness", "Statistics"]),
        tests("Federation", ["CheckpointStore", "TensorCore", "Files", "TestTensors"], exclude: ["Fixtures"]),
        tests("SampleStore", ["HDF5Files", "Cohorts", "Files"]),
        tests("Reporting", ["SampleStore", "HDF5Files", "Cohorts", "Figures", "Files"], exclude: ["Fixtures"]),
        tests(
            "Sampling",
            [
                "SampleStore", "Training", "Models", "Phantoms", "CheckpointStore", "Diffusion", "Networks", "Anatomy",
                "Pictures", "Cohorts", "TensorCore", "Randomness", "Files", "TestTensors",
            ]),
        tests("Exporting", ["SampleStore", "Pictures", "Cohorts", "Files"]),
        tests(
            "Consortium",
            [
                "FederatedTraining", "Federation", "Training", "Models", "Phantoms", "Datasets", "CheckpointStore",
                "Diffusion", "Networks", "Cohorts", "TensorCore", "Files", "TestTensors",
            ]),
        tests(
            "Verdicts", ["SampleStore", "CheckpointStore", "Statistics", "Files", "TestFigures"],
            exclude: ["Fixtures"]),
        tests(
            "Releasing", ["EvaluationPages", "Verdicts", "SampleStore", "CheckpointStore", "Files", "TestFigures"],
            exclude: ["Fixtures"]),
        tests(
            "Auditing",
            [
                "Interchange", "Verdicts", "SampleStore", "Federation", "Training", "Models", "Phantoms", "Importing",
                "Datasets",
                "CheckpointStore", "Diffusion", "Networks", "Pictures", "TensorCore", "Statistics", "Randomness",
                "Files", "TestTensors",
            ], exclude: ["Fixtures"]),
        tests(
            "Evaluating",
            [
                "Counterfactuals", "EvaluationPages", "Usefulness", "Auditing", "Phantoms", "SampleStore", "Datasets",
                "Pictures", "Cohorts", "CheckpointStore", "TensorCore", "Randomness", "Figures", "Files", "TestFigures",
            ]),
        .testTarget(name: "CommandLineTests", dependencies: ["fovea", "Fovea", "Files", arguments]),
        tests("Counterfactuals", ["SampleStore", "Phantoms", "Files", "TestFigures"]),
        tests("PictureFiles", ["Datasets", "Phantoms", "Files"]),
        tests("Fovea", ["Consortium", "CheckpointStore", "Federation", "Training", "Diffusion", "Networks", "Files"]),
        tests(
            "Interchange",
            ["Models", "CheckpointStore", "Diffusion", "Networks", "TensorCore", "Files", "TestTensors"],
            exclude: ["Fixtures"]),
    ],
    swiftLanguageModes: [.v6]
)
