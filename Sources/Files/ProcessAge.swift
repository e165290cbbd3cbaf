import Foundation

/// How long ago the kernel made this process.
public enum ProcessAge {
    /// The age in seconds, to a hundredth of a second; 0 if the kernel does not say.
    public static var seconds: Double {
        guard let status = try? String(contentsOfFile: "/proc/self/stat", encoding: .utf8),
            // Field 22. Fields are counted behind the command's name, which may hold any characters.
            let fields = status.split(separator: ")").last?.split(separator: " "), fields.count > 19,
            let started = Double(fields[19])
        else { return 0 }
        var now = timespec()
        clock_gettime(CLOCK_BOOTTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9 - started / Double(sysconf(Int32(_SC_CLK_TCK)))
    }
}
