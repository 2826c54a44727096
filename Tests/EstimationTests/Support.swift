import Estimation

func sized(
    _ body: String, _ dialect: RequestDialect = .openAIChat, model: String? = nil
) throws -> SizedRequest {
    try RequestSizing.size(Array(body.utf8), dialect: dialect, model: model)
}

/// The error that a body gets.
func refusal(_ body: String, _ dialect: RequestDialect = .openAIChat) -> SizingError? {
    do throws(SizingError) {
        _ = try RequestSizing.size(Array(body.utf8), dialect: dialect)
        return nil
    } catch {
        return error
    }
}
