import CHDF5

/// What the library says about its last failure on this thread.
@HDF5Actor
enum ErrorStack {
    /// The innermost description of the stack in one phrase, or the operating system's words if the stack holds any.
    static func reason() -> String {
        var descriptions: [String] = []
        withUnsafeMutablePointer(to: &descriptions) { pointer in
            _ = H5Ewalk2(
                fovea_default_errors, H5E_WALK_UPWARD,
                { _, entry, context in
                    guard let entry, let context, let text = entry.pointee.desc else { return 0 }
                    context.assumingMemoryBound(to: [String].self).pointee.append(String(cString: text))
                    return 0
                }, pointer)
        }
        H5Eclear2(fovea_default_errors)
        return summary(of: descriptions)
    }

    /// Keeps only the message of `file write failed: time = ..., errno = 28, error message = 'No space left on device',
    /// buf = 0x55...`. The rest differs from run to run and helps nobody.
    nonisolated static func summary(of descriptions: [String]) -> String {
        for description in descriptions {
            let parts = description.components(after: "error message = '")
            if let message = parts?.prefix(while: { $0 != "'" }), !message.isEmpty { return String(message) }
        }
        return descriptions.first ?? "no reason given by HDF5"
    }
}

extension String {
    /// The text behind the first occurrence of `marker`.
    fileprivate func components(after marker: String) -> Substring? {
        var rest = self[...]
        while !rest.isEmpty {
            if rest.hasPrefix(marker) { return rest.dropFirst(marker.count) }
            rest = rest.dropFirst()
        }
        return nil
    }
}
