import CImageCodecs
import Files

/// Calls into the C codecs.
enum Codec {
    /// Calls `body` with a buffer for a message, and throws that message if `body` does not return 0.
    /// - Throws: `Failure`: `.badData`; `.readOrWriteFailed` if there is no memory.
    static func call(_ name: String, _ body: (UnsafeMutablePointer<CChar>) -> Int32) throws {
        try withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(FOVEA_MESSAGE_SIZE)) { message in
            message.initialize(repeating: 0)
            guard body(message.baseAddress!) == 0 else {
                let said = String(cString: message.baseAddress!)
                // The file may be whole, and there may be memory next time.
                if said.hasPrefix("no memory") { throw Failure(.readOrWriteFailed, name, said) }
                // The shim's own messages are clauses that follow the file's name. The libraries' messages are not.
                let isClause = ["is ", "has "].contains { said.hasPrefix($0) }
                throw Failure(.badData, name, isClause ? said : "is damaged: \(said)")
            }
        }
    }
}
