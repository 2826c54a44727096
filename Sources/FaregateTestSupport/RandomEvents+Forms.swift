// What a random value of each form is.

import Billing
import EventLog
import Money

protocol SampledForm: Form {
    func sample(_ random: inout RandomEvents) -> Value
}

extension MoneyForm: SampledForm {
    func sample(_ random: inout RandomEvents) -> Money { Money(nanos: random.int64()) }
}

extension RateForm: SampledForm {
    func sample(_ random: inout RandomEvents) -> Rate { Rate(picos: random.int64()) }
}

extension TimeForm: SampledForm {
    func sample(_ random: inout RandomEvents) -> Instant { random.time() }
}

extension IntegerForm: SampledForm {
    func sample(_ random: inout RandomEvents) -> Int64 {
        random.jsonInteger(isCount: kind == .count)
    }
}

extension SequenceForm: SampledForm {
    func sample(_ random: inout RandomEvents) -> UInt64 {
        random.sequence()
    }
}

extension QuantityForm: SampledForm {
    func sample(_ random: inout RandomEvents) -> Int64 { random.jsonInteger(isCount: false) }
}

extension TextForm: SampledForm {
    func sample(_ random: inout RandomEvents) -> String {
        kind == .hex ? random.hex() : random.text()
    }
}

extension FlagForm: SampledForm {
    func sample(_ random: inout RandomEvents) -> Bool { random.chance(2) }
}

extension ChoiceForm: SampledForm {
    func sample(_ random: inout RandomEvents) -> Choice {
        let all = Array(Choice.allCases)
        return all[random.int(0..<all.count)]
    }
}

extension RecordForm: SampledForm {
    func sample(_ random: inout RandomEvents) -> Value { random.record() }
}

extension ListForm: SampledForm {
    func sample(_ random: inout RandomEvents) -> [Element.Value] {
        (0..<random.int(0..<4)).map { _ in random.sample(element) }
    }
}

extension TagsForm: SampledForm {
    func sample(_ random: inout RandomEvents) -> [Tag] { random.tags() }
}

extension UsageCountsForm: SampledForm {
    func sample(_ random: inout RandomEvents) -> UsageCounts {
        var counts = UsageCounts()
        for unit in UsageUnit.allCases where random.chance(3) {
            counts[unit] = random.jsonInteger(isCount: true)
        }
        return counts
    }
}

extension DimensionForm: SampledForm {
    func sample(_ random: inout RandomEvents) -> BudgetDimension {
        let plain: [BudgetDimension] = [.project, .plan, .customer, .user, .run, .model]
        let index = random.int(0..<plain.count + 1)
        return index < plain.count ? plain[index] : .tag("key" + random.text())
    }
}
