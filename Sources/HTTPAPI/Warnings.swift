// What an answer wants its reader to know besides the figures.

import Billing
import CanonicalJSON

struct APIWarning {
    var code: String
    var message: String
    var budget: String?
}

extension APIWarning {
    static func of(_ event: UsageReserved) -> [APIWarning] {
        var warnings: [APIWarning] = []
        for line in event.lines {
            switch line.outcome {
            case .warned:
                warnings.append(
                    APIWarning(
                        code: "budget_exceeded",
                        message: "Budget '\(line.budget)' is exceeded; it only warns.",
                        budget: line.budget))
            case .shadowed:
                warnings.append(
                    APIWarning(
                        code: "budget_shadowed",
                        message: "Budget '\(line.budget)' would have refused this call.",
                        budget: line.budget))
            default: break
            }
        }
        if let asked = event.clampedFrom {
            warnings.append(
                APIWarning(
                    code: "output_clamped",
                    message: "Send \(event.estimate.maxOutputTokens) as the output cap instead of "
                        + "\(asked): more is not affordable."))
        }
        return warnings + of(event.estimate.marks)
    }

    static func of(_ marks: [RatingMark]) -> [APIWarning] {
        marks.map { APIWarning(code: $0.rawValue, message: $0.sentence) }
    }
}

extension RatingMark {
    var sentence: String {
        switch self {
        case .servedTierUnpriced:
            "The tier served has no price; the standard tier's was taken."
        case .unknownMultiplier: "An attribute without a multiplier in the price was ignored."
        case .contradictoryUsage:
            "The usage contradicts itself; it was charged by its dearer reading."
        case .unitFallback:
            "A unit without a rate of its own was charged at the rate of the unit it belongs to."
        case .unitUnpriced: "A fee without any rate was charged at zero."
        case .usageEstimated: "No usage was given; an estimate was charged."
        case .ceilingRate: "The model has no price; the project's ceiling rates were taken."
        case .servedModelUnpriced:
            "The model served has no price; that of the model asked for was taken."
        }
    }
}

extension JSONWriter {
    mutating func warnings(_ warnings: [APIWarning]) {
        list("warnings", warnings) { json, warning in
            json.object { json in
                json.member("budget", ifPresent: warning.budget)
                json.member("code", warning.code)
                json.member("message", warning.message)
            }
        }
    }
}
