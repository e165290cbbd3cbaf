// swift-tools-version: 6.1
import PackageDescription

/// A target of the product. Strict concurrency comes with language mode 6.
func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: ["Support", .init(stringLiteral: name)] + dependencies, exclude: exclude)
}

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "Fovea",
    products: [
        .executable(name: "fovea", targets: ["fovea"])
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // System libraries and C.
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CHDF5", pkgConfig: "hdf5-serial", providers: [.apt(["libhdf5-dev"])]),
        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .target(
            name: "CImageCodecs",
            linkerSettings: [.linkedLibrary("jpeg"), .linkedLibrary("png"), .linkedLibrary("z")]),
        .target(name: "CKernels", dependencies: ["COpenBLAS"], linkerSettings: [.linkedLibrary("m")]),

        // A target may import any that stands above it, and none below.
        library("Files", [crypto, yams]),
        library("Figures", ["Files"]),
        library("TensorCore", ["CKernels"]),
        library("Cohorts", ["Files", yams]),
        library("HDF5Files", ["CHDF5", "CZlib", "Files"]),
        library("Pictures", ["CImageCodecs", "Files"]),
        library("RetinalMatching", ["Pictures", "TensorCore", "Files"]),
        library("Networks", ["TensorCore", "Files"]),
        library("Diffusion", ["TensorCore", "Cohorts", "Networks"]),
        library("CheckpointStore", ["TensorCore", "Files", crypto]),
        library("Federation", ["CheckpointStore", "TensorCore", "Files", yams]),
        library("FundusData", ["RetinalMatching", "TensorCore", "Cohorts", "HDF5Files", "Pictures", "Files", crypto]),
        library("Training", ["Figures", "Diffusion", "Networks", "CheckpointStore", "FundusData", "Pictures", yams]),
        library("SampleStore", ["Cohorts", "HDF5Files", "FundusData", "Pictures", "CheckpointStore", "Files", crypto]),
        library(
            "Reporting", ["Figures", "SampleStore", "CheckpointStore", "FundusData", "Cohorts", "Pictures", "Files"]),
        library(
            "Sampling",
            [
                "Diffusion", "Networks", "CheckpointStore", "SampleStore", "Training", "FundusData", "Pictures",
                "TensorCore",
            ]),
        library("Exporting", ["SampleStore", "Reporting", "Cohorts", "Pictures", "CArchive", "CZlib", "Files"]),
        library(
            "Consortium",
            [
                "Figures",
                "Federation", "Sampling", "SampleStore", "Training", "FundusData", "Diffusion", "Networks",
                "CheckpointStore", "TensorCore", "Files", yams,
            ]),
        library(
            "Auditing",
            [
                "Figures",
                "Consortium", "Reporting", "Sampling", "SampleStore", "Training", "FundusData", "Diffusion", "Networks",
                "CheckpointStore", "RetinalMatching", "Pictures", "Cohorts", "TensorCore", "Files", crypto,
            ]),
        library("Interchange", ["Diffusion", "Networks", "CheckpointStore", "Training", "Files"]),
        library(
            "Benchmarks",
            [
                "Federation", "Cohorts", "Diffusion", "TensorCore", "Networks", "CheckpointStore", "SampleStore",
                "Training", "Files",
            ]),
        .executableTarget(
            name: "fovea",
            dependencies: [
                "Figures",
                "Benchmarks", "Auditing", "Consortium", "Interchange", "Exporting", "Reporting", "Federation",
                "Sampling", "SampleStore", "Training", "FundusData", "CheckpointStore", "Diffusion", "Networks",
                "Pictures",
                "HDF5Files", "Cohorts", "TensorCore", "Files", arguments,
            ]),

        // Tests.
        .target(name: "Support", path: "Tests/Support"),
        .target(name: "TestTensors", dependencies: ["TensorCore"], path: "Tests/TestTensors"),
        .target(name: "KernelShapes", dependencies: ["CKernels"], path: "Tests/KernelShapes"),
        .executableTarget(name: "convolution-fuzz", dependencies: ["TensorCore"], path: "Tests/ConvolutionFuzz"),
        .executableTarget(
            name: "parcel-fuzz",
            dependencies: ["CheckpointStore", "Federation", "Diffusion", "Networks", "TensorCore", "Files"],
            path: "Tests/ParcelFuzz"),
        tests("CKernels", ["KernelShapes"]),
        tests("Cohorts", ["Files"]),
        tests("HDF5Files", ["Files"]),
        tests("Pictures", ["CImageCodecs", "Files"]),
        tests("RetinalMatching", ["FundusData", "Pictures", "TensorCore"]),
        tests("FundusData", ["Cohorts", "HDF5Files", "Pictures", "Files"]),
        tests("SampleStore", ["Cohorts", "HDF5Files", "Files"]),
        tests("Exporting", ["SampleStore", "Cohorts", "Pictures", "Files"]),
        tests("Reporting", ["SampleStore", "Cohorts", "HDF5Files", "Files"], exclude: ["Fixtures"]),
        tests("TensorCore", ["TestTensors"], exclude: ["Fixtures"]),
        tests(
            "Interchange",
            ["Networks", "Diffusion", "CheckpointStore", "Training", "TensorCore", "TestTensors", "Files"],
            exclude: ["Fixtures"]),
        tests("Networks", ["CheckpointStore", "Diffusion", "TensorCore", "TestTensors"], exclude: ["Fixtures"]),
        tests("Diffusion", ["Cohorts", "TensorCore", "TestTensors"], exclude: ["Fixtures"]),
        tests("CheckpointStore", ["TensorCore", "Files"]),
        tests("Federation", ["CheckpointStore", "TensorCore", "Files"]),
        tests(
            "Consortium",
            [
                "Federation", "Training", "FundusData", "Sampling", "SampleStore", "CheckpointStore", "Diffusion",
                "Networks", "TensorCore", "Cohorts", "Files",
            ]),
        tests(
            "Auditing",
            [
                "Federation", "Interchange", "Sampling", "SampleStore", "Training", "FundusData", "Diffusion",
                "Networks", "CheckpointStore", "Pictures", "Cohorts", "TensorCore", "Files",
            ], exclude: ["Fixtures"]),
        tests(
            "Training",
            ["CheckpointStore", "FundusData", "Diffusion", "Networks", "TensorCore", "TestTensors", "Files"]),
        tests(
            "Sampling",
            [
                "Training", "SampleStore", "FundusData", "CheckpointStore", "Pictures", "Diffusion", "Networks",
                "TensorCore", "Cohorts", "Files",
            ]),
    ],
    swiftLanguageModes: [.v6]
)
