import ArgumentParser
import Files
import Fovea
import Foundation

/// The command line. It parses its arguments, makes a job, and prints the job's events.
package struct FoveaCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "fovea",
        abstract: "Trains diffusion models of colour fundus photographs, and samples synthetic ones.",
        discussion: """
            Exit codes: 0 done; 1 a check said no; 64 usage; 65 bad data; 66 no such input; 73 cannot create output; \
            74 read or write failed; 75 interrupted; 77 not permitted.
            """,
        version: ToolVersion.current,
        subcommands: [
            ImportCommand.self, PhantomCommand.self, TrainCommand.self, ValidateCommand.self, SampleCommand.self,
            ParcelCommand.self, MergeCommand.self, WithdrawCommand.self, RoundCommand.self, FederateStepCommand.self,
            SimulateCommand.self, AuditCommand.self, ReleaseCommand.self, ReplayCommand.self, ExportCommand.self,
            VerifyCommand.self, InspectCommand.self, ReportCommand.self, ImportModelCommand.self,
            ExportModelCommand.self, BenchCommand.self, DoctorCommand.self, ProbeCommand.self,
        ])

    package init() {}
}

@main
enum Main {
    static func main() async {
        Signals.install()
        // A reader that goes away (`fovea ... | head`) should be a failed write, not a signal that ends the process.
        signal(SIGPIPE, SIG_IGN)
        Machine.probeProgram = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
        do {
            var command = try FoveaCommand.parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            Console.complain(failure.commandLine)
            exit(failure.kind.rawValue)
        } catch let error where Main.isParserError(error) {
            FoveaCommand.exit(withError: error)
        } catch {
            Console.complain((error as NSError).localizedDescription)
            exit(Failure.Kind.readOrWriteFailed.rawValue)
        }
    }

    /// Whether the argument parser itself made `error` (usage, help, version, a validation message, an exit code).
    private static func isParserError(_ error: any Error) -> Bool {
        if error is ExitCode || error is CleanExit || error is ValidationError { return true }
        // The types of the parser's own errors are not public, but their names begin with the module's name.
        return String(reflecting: type(of: error)).hasPrefix("ArgumentParser.")
    }
}
