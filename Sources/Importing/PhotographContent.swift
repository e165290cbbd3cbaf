import DICOMFiles
import Files
import Pictures

/// The bytes of a photograph before it is decoded: a picture file, or a frame of a DICOM file.
package struct PhotographContent {
    private enum Form {
        case picture([UInt8])
        case frame(DICOMFile, Int)
    }

    private let form: Form
    private let name: String
    /// What the file says about being no photograph; nil if it says nothing.
    let syntheticLabel: SyntheticLabel?

    /// - Parameters:
    ///   - frame: which frame of a DICOM file, counted from 0.
    ///   - name: the photograph's name, for messages.
    /// - Throws: `Failure`: what `PictureFile.read` throws; `.badData` for an angiogram and for a DICOM file
    ///   that is not read.
    init(_ path: RawPath, frame: Int, name: String) throws {
        self.name = name
        let bytes = try PictureFile.read(path)
        guard DICOMFile.isRecognised(bytes) else {
            form = .picture(bytes)
            syntheticLabel = SyntheticLabel.found(in: bytes)
            return
        }
        let file = try DICOMFile(bytes, name: name)
        guard !file.header.isAngiogram else {
            throw Failure(.badData, name, "is an angiogram, as its header names a dye (0018,0010)")
        }
        guard frame < file.frameCount else {
            throw Failure(.badData, name, "has only \(file.frameCount) frames now, so it was changed during the import")
        }
        form = .frame(file, frame)
        syntheticLabel = file.header.isSynthetic ? .dicom : SyntheticLabel.found(in: bytes)
    }

    /// What the header of a DICOM file says; nil for other files.
    var header: DICOMHeader? {
        guard case .frame(let file, _) = form else { return nil }
        return file.header
    }

    /// Whether it may be decoded at a part of its size.
    var isReducible: Bool {
        switch form {
        case .picture(let bytes): (try? Picture.header(of: bytes, name: name))?.format == .jpeg
        case .frame: true
        }
    }

    /// The photograph, upright, with what was noticed and by what factor each side was reduced.
    /// - Parameter minimumSide: as for `Picture(contentsOf:minimumSide:)`.
    /// - Throws: `Failure(.badData)`.
    package func decoded(
        minimumSide: Int? = nil
    ) throws -> (picture: Picture, notes: [PhotographNote], reduction: Int) {
        switch form {
        case .picture(let bytes):
            let decoded = try Picture.decoded(bytes, name: name, minimumSide: minimumSide)
            return (decoded.picture, decoded.notes.map(PhotographNote.init), decoded.reduction)
        case .frame(let file, let frame):
            let picture = try file.picture(frame: frame, minimumSide: minimumSide)
            var notes = file.isGrey ? [PhotographNote(.grey, "it is grey, as red-free photographs are")] : []
            if file.header.isAnnotated {
                notes.append(PhotographNote(.text, "its header says that letters are written into it (0028,0301)"))
            }
            return (picture, notes, max(1, (file.width + picture.width / 2) / picture.width))
        }
    }
}
