import CCrypto

/// OpenSSL 3 with a context of its own, so that no openssl.cnf of the machine changes what a digest or a signature is.
///
/// OpenSSL fails when memory runs out or when the library is damaged. Any digest or key would then be wrong, so the
/// process ends with one line that says what failed.
package enum OpenSSL {
    /// Made once and never changed afterwards. OpenSSL locks what threads share in the context.
    private struct Shared: @unchecked Sendable {
        let context, sha256: OpaquePointer

        init() {
            OpenSSL.require(OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_LOAD_CONFIG), nil), "OpenSSL could not start")
            context = OpenSSL.require(OSSL_LIB_CTX_new(), "OpenSSL has no context")
            _ = OpenSSL.require(OSSL_PROVIDER_load(context, "default"), "OpenSSL has no default provider")
            sha256 = OpenSSL.require(EVP_MD_fetch(context, "SHA256", nil), "OpenSSL has no SHA-256")
        }
    }

    private static let shared = Shared()

    /// The context that all calls use.
    package static var context: OpaquePointer { shared.context }

    /// SHA-256, looked up once.
    static var sha256: OpaquePointer { shared.sha256 }

    /// Ends the process unless `code` is 1, OpenSSL's only code for success.
    static func require(_ code: Int32, _ problem: @autoclosure () -> String) {
        guard code == 1 else { fail(problem()) }
    }

    /// Ends the process if OpenSSL returned no object.
    static func require<Object>(_ object: Object?, _ problem: @autoclosure () -> String) -> Object {
        guard let object else { fail(problem()) }
        return object
    }

    private static func fail(_ problem: String) -> Never {
        var text = [CChar](repeating: 0, count: 256)
        ERR_error_string_n(ERR_get_error(), &text, text.count)
        let reason = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        fatalError("\(problem) (\(reason)).")
    }
}
