import Foundation

/// Folders that cameras, viewers and storage devices fill with small copies of photographs.
enum PreviewFolders {
    /// In small letters. `@eaDir` is of Synology's storage, `__MACOSX` of archives that macOS made.
    private static let names: Set = [
        "@eadir", "__macosx", "preview", "previews", "thumb", "thumbs", "thumbnail", "thumbnails", "vorschau",
        "vorschaubilder", "apercu", "apercus", "vignettes", "miniature", "miniatures", "miniaturas", "anteprime",
    ]

    /// The outermost folder of previews on the path of a photograph; nil if it lies in none.
    static func folder(of photograph: String) -> String? {
        let parts = photograph.split(separator: "/").dropLast()
        guard let place = parts.firstIndex(where: { names.contains($0.lowercased()) }) else { return nil }
        return parts[...place].joined(separator: "/")
    }

    /// The folders of previews among photographs.
    /// - Parameter copies: those that were dropped.
    static func report(_ photographs: [String], copies: Set<String>) -> [ImportReport.PreviewFolder] {
        var folders: [String: (photographs: Int, copies: Int)] = [:]
        for photograph in photographs {
            guard let folder = folder(of: photograph) else { continue }
            folders[folder, default: (0, 0)].photographs += 1
            if copies.contains(photograph) { folders[folder, default: (0, 0)].copies += 1 }
        }
        return folders.sorted { $0.key < $1.key }.map {
            .init(folder: $0.key, photographs: $0.value.photographs, copies: $0.value.copies)
        }
    }
}
