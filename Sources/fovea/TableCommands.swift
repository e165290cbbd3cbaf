import ArgumentParser
import Fovea

struct MapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "map", abstract: "Maps of a table's columns, which an import needs: drafts, and those at hand.",
        subcommands: [MapGuessCommand.self, MapListCommand.self, MapShowCommand.self])
}

struct MapListCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the maps of public data sets that come with the program.",
        discussion: """
            An import takes one by its name. fovea map show prints it with its source and what was checked.

            Example: fovea map list
            """)

    @OptionGroup var common: CommonOptions

    func job() throws -> MapListJob { MapListJob() }
}

struct MapShowCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Prints a map that comes with the program.",
        discussion: """
            A copy of it is the start of a map of one's own.

            Example: fovea map show idrid > map.yaml
            """)

    @Argument(help: .value("name", "A name that fovea map list prints.")) var name: String
    @OptionGroup var common: CommonOptions

    func job() throws -> MapShowJob { MapShowJob(name) }
}

struct MapGuessCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "guess", abstract: "Prints a draft of a map for a table of labels.",
        discussion: """
            Columns and codes are guessed from their names and from the columns of well-known public sets. What is \
            open is marked: check every line. Of columns that are not used, only the names are printed.

            Example: fovea map guess labels.csv > map.yaml
            """)

    @Argument(help: .value("file.csv", "A table with a header."), completion: .file()) var table: String
    @OptionGroup var common: CommonOptions

    func job() throws -> MapGuessJob { MapGuessJob(table) }
}

struct TermsCommand: JobCommand {
    static let configuration = CommandConfiguration(
        commandName: "terms", abstract: "States the licence and the source of a dataset after the import.",
        discussion: """
            The dataset is written anew with the terms, and notes the day. Models that are trained later take the \
            terms over; models that were trained before keep the old ones. Terms that are stated are replaced with \
            --force.

            Example: fovea terms site.h5 --licence "CC BY 4.0" --source "Clinic A, 2019 to 2024"
            """)

    @Argument(help: .value("site.h5", "The dataset."), completion: .file()) var dataset: String
    @Option(help: "The photographs' licence.") var licence: String?
    @Option(help: "Where the photographs come from.") var source: String?
    @OptionGroup var common: CommonOptions

    func job() throws -> TermsJob {
        var job = TermsJob(dataset)
        (job.licence, job.source, job.replaces) = (licence, source, common.force)
        return job
    }
}
