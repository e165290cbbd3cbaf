import Files
import Testing

/// Expects that `body` throws a `Failure` of this kind, whose sentence contains `part`.
///
/// A failure alone says little: a file that is missing fails, too.
/// - Returns: the failure, for what else is to be said of it; nil where there was none.
@discardableResult
public func expectFailure<Result>(
    _ kind: Failure.Kind, _ part: String, _ comment: @autoclosure () -> Comment? = nil,
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () throws -> Result
) -> Failure? {
    let failure = #expect(throws: Failure.self, comment(), sourceLocation: sourceLocation) { _ = try body() }
    check(failure, kind, part, comment(), sourceLocation)
    return failure
}

/// The same for a body that waits.
@discardableResult
public func expectLaterFailure<Result>(
    _ kind: Failure.Kind, _ part: String, _ comment: @autoclosure () -> Comment? = nil,
    isolation: isolated (any Actor)? = #isolation, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Result
) async -> Failure? {
    let failure = await #expect(throws: Failure.self, comment(), sourceLocation: sourceLocation) {
        _ = try await body()
    }
    check(failure, kind, part, comment(), sourceLocation)
    return failure
}

private func check(
    _ failure: Failure?, _ kind: Failure.Kind, _ part: String, _ comment: Comment?, _ sourceLocation: SourceLocation
) {
    guard let failure else { return }  // said already
    let said = [comment.map { "\($0.rawValue): " } ?? "", "\(failure.kind): \(failure)"].joined()
    #expect(failure.kind == kind, "\(said)", sourceLocation: sourceLocation)
    #expect(failure.sentence.contains(part), "\(said)", sourceLocation: sourceLocation)
}
