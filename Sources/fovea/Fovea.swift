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
            fovea alone prints the way of the data, with the command for each step. Every command has an example in \
            its help: fovea help train.

            Exit codes: 0 done; 1 a check said no; 64 usage; 65 bad data; 66 no such input; 73 cannot create output; \
            74 read or write failed; 75 interrupted; 77 not permitted.
            """,
        version: ToolVersion.current,
        subcommands: [ProbeCommand.self],
        groupedSubcommands: [
            CommandGroup(
                name: "Main",
                subcommands: [
                    MapCommand.self, ImportCommand.self, TrainCommand.self, PlanCommand.self, SampleCommand.self,
                    CounterfactualCommand.self, AuditCommand.self, EvaluateCommand.self, ReleaseCommand.self,
                ]),
            CommandGroup(
                name: "Looking, checking and exporting",
                subcommands: [
                    InspectCommand.self, VerifyCommand.self, ReportCommand.self, ExportCommand.self,
                    ReplayCommand.self, ValidateCommand.self, TermsCommand.self,
                ]),
            CommandGroup(
                name: "Federation",
                subcommands: [
                    KeyCommand.self, ParcelCommand.self, RoundCommand.self, MergeCommand.self,
                    WithdrawCommand.self, FederateStepCommand.self, SimulateCommand.self,
                ]),
            CommandGroup(
                name: "Other",
                subcommands: [
                    PhantomCommand.self, ImportModelCommand.self, ExportModelCommand.self, BenchCommand.self,
                    DoctorCommand.self,
                ]),
        ])

    package init() {}

    package func run() async throws { Console.put(FoveaCommand.overview, on: .standardOutput) }

    /// What `fovea` alone prints.
    package static let overview = """
        fovea trains diffusion models of fundus photographs where the photographs are, and draws synthetic ones.

        The way of the data:
          1. Photographs become a data set.
             fovea import photos --site clinic-a --labels labels.csv --map map.yaml --licence "CC BY 4.0" --out site.h5
          2. A model is trained, best from a base.
             fovea train --data site.h5 --base base.safetensors --out run
          3. The model draws synthetic photographs.
             fovea sample --model run/snapshot.safetensors --count 1000 --independent-seeds --out s.h5
          4. The samples are tested for memorised patients, and a privacy officer signs the test.
             fovea audit s.h5 --train site.h5 --model run/snapshot.safetensors --positive-control --out audit
             fovea audit sign audit --key officer.key
          5. What passed is released, and may leave the site.
             fovea release s.h5 --audit audit --key officer.key --out r.h5

        Between sites, weights travel instead of photographs:
             fovea parcel seal run/snapshot.safetensors ...     a site hands over signed weights
             fovea round ...                                    a coordinator merges them

        fovea help lists all commands, and fovea help train explains one.

        """
}

@main
enum Main {
    static func main() async {
        if let problem = Machine.threadProblem {
            Console.complain(problem)
            exit(Failure.Kind.readOrWriteFailed.rawValue)
        }
        Signals.install()
        // A reader that goes away (`fovea ... | head`) and a file that passes its limit (`ulimit -f`) should be failed
        // writes, not signals that end the process.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        Machine.raiseFileLimit()
        Machine.onWarning { Console(isQuiet: false, isJSON: false).warn("warning: " + $0) }
        Machine.probeProgram = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
        do {
            try CommandNames.requireKnown(Array(CommandLine.arguments.dropFirst()))
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
            Console.complain(SystemReason.text(error))
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
