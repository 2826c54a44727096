/// Room in the maximum for what stands around the text, in tokens. No provider publishes all of it;
/// these are above everything that was seen, and small beside a prompt worth bounding.
enum Framing {
    /// The beginning of the answer, a preamble, the date …
    static let request = 64
    /// Role, separators, ids.
    static let message = 12
    static let toolCall = 24
    static let toolDefinition = 24
}
