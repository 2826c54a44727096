/// Where in a body the reader is: `messages[2].content[0].image_url`. It is kept as steps and made
/// text only where there is something to say.
struct FieldPath {
    private enum Step {
        case member(String)
        case element(Int)
    }

    private var steps: [Step] = []

    mutating func enter(_ member: String) { steps.append(.member(member)) }
    mutating func enter(_ element: Int) { steps.append(.element(element)) }
    mutating func leave() { steps.removeLast() }

    var text: String {
        var text = ""
        for step in steps {
            switch step {
            case .member(let name): text += text.isEmpty ? name : ".\(name)"
            case .element(let place): text += "[\(place)]"
            }
        }
        return text
    }
}
