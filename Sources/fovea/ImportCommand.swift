import ArgumentParser

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "import", abstract: "x")
    @OptionGroup var common: CommonOptions
    func run() async throws { }
}
