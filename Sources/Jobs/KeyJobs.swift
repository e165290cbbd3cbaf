import CheckpointStore
import Files

/// Makes a key pair. Only the owner of the private key's file can read it.
public struct MakeKeyJob: Job {
    /// The path of the private key. The public key is written to the same path with `.pub`.
    public var output: String

    public init(to output: String) { self.output = output }

    public struct Outcome: JobOutcome {
        /// The paths of the two keys.
        public let privateKey, publicKey: String
        public let fingerprint: String

        private enum CodingKeys: String, CodingKey {
            case privateKey = "private_key"
            case publicKey = "public_key"
            case fingerprint
        }

        public var lines: [String] {
            [
                "\(privateKey): keep it, and give it to nobody",
                "\(publicKey): for the coordinator, fingerprint \(fingerprint)",
            ]
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome {
        let key = SigningKey()
        try key.write(output)
        return Outcome(privateKey: output, publicKey: output + ".pub", fingerprint: key.publicKey.fingerprint)
    }
}

/// Says whose key a file holds: whether it is private or public, the fingerprint, and who can read it.
public struct ShowKeyJob: Job {
    /// A private or a public key.
    public var file: String

    public init(_ file: String) { self.file = file }

    public struct Outcome: JobOutcome {
        public let file: String
        public let sort: KeyFile.Sort
        public let fingerprint: String
        /// The public key in base64, as a list of trust holds it.
        public let publicKey: String
        public let owner: String
        /// The permissions of the file, such as `600`.
        public let mode: String
        /// Whether others than the owner can read a private key.
        public let exposed: Bool

        private enum CodingKeys: String, CodingKey {
            case file, sort, fingerprint, owner, mode, exposed
            case publicKey = "public_key"
        }

        init(_ key: KeyFile) {
            file = key.path
            sort = key.sort
            fingerprint = key.publicKey.fingerprint
            publicKey = key.publicKey.text
            (owner, mode) = (key.owner, key.mode)
            exposed = key.sort == .privateKey && key.isReadableByOthers
        }

        public var lines: [String] {
            let use =
                switch sort {
                case .privateKey: "a private key; keep it, and give it to nobody"
                case .publicKey: "a public key; the coordinator lists it, and everybody may have it"
                }
            return [
                "\(file): \(use)", "fingerprint: \(fingerprint)", "public key: \(publicKey)",
                "owner: \(owner.printable), mode \(mode)",
            ]
        }

        public var warnings: [String] {
            guard exposed else { return [] }
            return [
                """
                \(file): others can read this private key (mode \(mode)); give it the mode 600, and make a new key if \
                somebody may have copied it
                """
            ]
        }
    }

    public func perform(_ report: JobReporter) async throws -> Outcome { Outcome(try KeyFile(contentsOf: file)) }
}
