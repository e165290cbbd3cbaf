import Foundation

/// What the system says about memory, in bytes.
public enum MemoryFigures {
    /// The memory that this process holds now (VmRSS).
    public static var resident: Int { kibibytes("VmRSS", in: "/proc/self/status") * 1024 }

    /// The most memory that this process has held (VmHWM).
    public static var peak: Int { kibibytes("VmHWM", in: "/proc/self/status") * 1024 }

    /// What this process may still take: the machine's available memory, or less where the limits of its control groups
    /// (a batch system, a container) or of the process itself (`ulimit -v`, `ulimit -d`) leave less.
    public static var available: Int {
        let machine = kibibytes("MemAvailable", in: "/proc/meminfo") * 1024
        let own = [(RLIMIT_AS, "VmSize"), (RLIMIT_DATA, "VmData")].compactMap { kind, field -> Int? in
            var limit = rlimit()
            guard getrlimit(__rlimit_resource_t(kind.rawValue), &limit) == 0, limit.rlim_cur < UInt(Int.max / 2)
            else { return nil }
            return max(0, Int(limit.rlim_cur) - kibibytes(field, in: "/proc/self/status") * 1024)
        }
        return (own + [ControlGroups.current.memoryLeft].compactMap(\.self)).reduce(machine, min)
    }

    /// Checks that the process may take so much more memory, before the system ends it for taking it.
    ///
    /// - Parameters:
    ///   - bytes: what will be taken.
    ///   - what: what takes it, such as `the photographs of 3 data sets`.
    ///   - advice: what would take less.
    /// - Throws: `Failure(.usage)`.
    public static func requireRoom(_ bytes: Int, for what: String, place: String?, advice: String) throws {
        let available = available
        guard bytes > available else { return }
        throw Failure(
            .usage, place, field: "memory", expected: "about \(bytes >> 20) MiB for \(what)",
            found: "\(available >> 20) MiB that it may use; \(advice)")
    }

    private static func kibibytes(_ field: String, in path: String) -> Int {
        guard let status = try? String(contentsOfFile: path, encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix(field + ":") }),
            let number = line.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap({ Int($0) })
        else { return 0 }
        return number
    }
}
