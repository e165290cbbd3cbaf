import Foundation

/// A process of this or another host, as locks and names of files state it.
struct HostProcess: Hashable {
    let host: String
    let id: Int32

    static var current: HostProcess { HostProcess(host: hostName, id: getpid()) }

    private static let hostName: String = {
        var names = utsname()
        guard uname(&names) == 0 else { return "unknown" }
        return withUnsafeBytes(of: &names.nodename) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self).replacingOccurrences(of: "/", with: "-")
        }
    }()

    /// Whether the process has certainly ended. Only processes of this host can be checked.
    var isGone: Bool { host == HostProcess.hostName && kill(id, 0) != 0 && errno == ESRCH }
}
