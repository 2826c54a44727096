// From a provider's usage object to the inclusive counts of `ReportedUsage`.
//
// OpenAI's input includes what was read from and written to the cache; Anthropic's does not, and
// the three are added up. An upstream that does otherwise is set so (`UsageConvention`). Absent
// stays absent: a count is only made up from others that determine it.
//
// Where a total disagrees with its parts the dearer reading is taken: a total larger than its
// parts means output that the output count leaves out (reasoning, at some providers), a smaller
// one is ignored.

import Billing

extension UsageObject {
    /// - Parameter hasOutput: false for embeddings, where the total is the input.
    func report(
        family: ProviderFamily, convention: UsageConvention, hasOutput: Bool = true
    ) -> UsageReport {
        var report = UsageReport(statedCost: cost)
        if hasUnreadable { report.marks.insert(.unreadableCount) }
        report.usage.servedTier = serviceTier
        report.usage.attributes = attributes
        if geo != nil { report.statedAttributes.insert("region") }
        if speed != nil { report.statedAttributes.insert("speed") }
        switch family {
        case .openAI:
            convertOpenAI(&report, isExclusive: convention == .exclusive, hasOutput: hasOutput)
        case .anthropic:
            convertAnthropic(&report, isInclusive: convention == .inclusive)
        }
        report.removeOversized()
        return report
    }

    /// What chooses a multiplier of the price.
    private var attributes: [String] {
        var attributes: [String] = []
        if let geo, !["global", "not_available"].contains(geo), Self.isPlain(geo) {
            attributes.append("region=\(geo)")
        }
        if let speed, speed != "standard", Self.isPlain(speed) {
            attributes.append("speed=\(speed)")
        }
        return attributes
    }

    private static func isPlain(_ name: String) -> Bool {
        name.utf8.count <= 32
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
                    UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    // MARK: OpenAI

    private func convertOpenAI(
        _ report: inout UsageReport, isExclusive: Bool, hasOutput: Bool
    ) {
        var usage = report.usage
        usage.cachedInputTokens = cached ?? cacheHit ?? cacheRead
        if let written = cacheWrite {
            usage.cacheWrite12hTokens = cacheWrite12h.map { min($0, written) }
            usage.cacheWriteTokens = written - (usage.cacheWrite12hTokens ?? 0)
        } else if let writes = cacheWrites(&report.marks) {
            usage.cacheWriteTokens = writes.fiveMinutes
            usage.cacheWrite1hTokens = writes.oneHour
        }
        usage.inputAudioTokens = inputAudio
        usage.inputImageTokens = inputImage
        usage.reasoningTokens = reasoning
        usage.outputAudioTokens = outputAudio
        usage.outputImageTokens = outputImage
        usage.webSearches = webSearches

        var input = input
        if input == nil, let hit = cacheHit, let miss = cacheMiss { input = hit + miss }
        // Of what is billed; the total is compared with what the provider itself adds up.
        var extra: Int64 = 0
        if isExclusive {
            extra = (usage.cachedInputTokens ?? 0) + (usage.cacheWriteTokens ?? 0)
            extra += (usage.cacheWrite1hTokens ?? 0) + (usage.cacheWrite12hTokens ?? 0)
        }
        guard hasOutput else {
            usage.inputTokens = (input ?? total).map { $0 + extra }
            usage.outputTokens = output
            report.usage = usage
            return
        }
        var output = output
        if let total {
            switch (input, output) {
            case (let known?, let shown?):
                if total > known + shown + extra {
                    output = total - known - extra
                    report.marks.insert(.totalDisagrees)
                } else if total < known + shown {
                    report.marks.insert(.totalDisagrees)
                }
            case (let known?, nil): output = total >= known ? total - known : nil
            case (nil, let shown?): input = total >= shown ? total - shown : nil
            case (nil, nil): input = total
            }
        }
        usage.inputTokens = input.map { $0 + extra }
        usage.outputTokens = output
        report.usage = usage
    }

    // MARK: Anthropic

    private func convertAnthropic(_ report: inout UsageReport, isInclusive: Bool) {
        addAnthropic(to: &report, isInclusive: isInclusive)
        for step in steps {
            step.addAnthropic(to: &report, isInclusive: isInclusive)
            report.marks.insert(.stepsAdded)
        }
    }

    private func addAnthropic(to report: inout UsageReport, isInclusive: Bool) {
        func add(_ count: Int64?, _ place: WritableKeyPath<ReportedUsage, Int64?>) {
            guard let count else { return }
            report.usage[keyPath: place] = (report.usage[keyPath: place] ?? 0) + count
        }
        let read = cacheRead ?? cached ?? cacheHit
        let writes = cacheWrites(&report.marks)
        add(read, \.cachedInputTokens)
        add(writes?.fiveMinutes, \.cacheWriteTokens)
        add(writes?.oneHour, \.cacheWrite1hTokens)
        add(output, \.outputTokens)
        add(reasoning, \.reasoningTokens)
        add(webSearches, \.webSearches)
        if isInclusive {
            add(input, \.inputTokens)
        } else if input != nil || read != nil || writes != nil {
            let written = (writes?.fiveMinutes ?? 0) + (writes?.oneHour ?? 0)
            add((input ?? 0) + (read ?? 0) + written, \.inputTokens)
        }
    }

    /// Cache writes by lifetime. Of a total larger than its split, the rest is of the lifetime that
    /// is in use, the dearer one if both are; a split larger than its total is believed.
    private func cacheWrites(
        _ marks: inout Set<UsageMark>
    ) -> (fiveMinutes: Int64, oneHour: Int64?)? {
        guard cacheCreation5m != nil || cacheCreation1h != nil else {
            return cacheCreation.map { (fiveMinutes: $0, oneHour: nil) }
        }
        var fiveMinutes = cacheCreation5m ?? 0
        var oneHour = cacheCreation1h ?? 0
        if let total = cacheCreation, total != fiveMinutes + oneHour {
            let rest = total - fiveMinutes - oneHour
            if rest < 0 {
                marks.insert(.cacheSplitDisagrees)
            } else if oneHour > 0 {
                oneHour += rest
            } else {
                fiveMinutes += rest
            }
        }
        return (fiveMinutes: fiveMinutes, oneHour: oneHour)
    }
}

extension UsageReport {
    /// Sums can leave the range that single counts are held to.
    fileprivate mutating func removeOversized() {
        let places: [WritableKeyPath<ReportedUsage, Int64?>] = [
            \.inputTokens, \.outputTokens, \.cachedInputTokens, \.cacheWriteTokens,
            \.cacheWrite1hTokens, \.reasoningTokens, \.webSearches,
        ]
        for place in places where (usage[keyPath: place] ?? 0) > UsageObject.maxCount {
            usage[keyPath: place] = nil
            marks.insert(.unreadableCount)
        }
    }
}

extension UsageObject {
    /// Takes over a later object of the same answer: Anthropic's counts are cumulative, so nothing
    /// is added. The parts of the input belong together: a later object that states any of them
    /// corrects those that it states, unless it only says zero. Output never falls.
    mutating func merge(later: UsageObject) {
        let stated = [
            later.input, later.cacheRead, later.cacheCreation, later.cached, later.cacheHit,
        ]
        if stated.contains(where: { ($0 ?? 0) > 0 }) || inputIsUnknown {
            input = later.input ?? input
            cacheRead = later.cacheRead ?? cacheRead
            cacheCreation = later.cacheCreation ?? cacheCreation
            cached = later.cached ?? cached
            cacheHit = later.cacheHit ?? cacheHit
        }
        if (later.cacheCreation5m ?? 0) + (later.cacheCreation1h ?? 0) > 0 || cacheCreation5m == nil
        {
            cacheCreation5m = later.cacheCreation5m ?? cacheCreation5m
            cacheCreation1h = later.cacheCreation1h ?? cacheCreation1h
        }
        output = Self.larger(output, later.output)
        reasoning = Self.larger(reasoning, later.reasoning)
        webSearches = Self.larger(webSearches, later.webSearches)
        if !later.steps.isEmpty { steps = later.steps }
        serviceTier = later.serviceTier ?? serviceTier
        geo = later.geo ?? geo
        speed = later.speed ?? speed
        cost = later.cost ?? cost
        hasUnreadable = hasUnreadable || later.hasUnreadable
    }

    private var inputIsUnknown: Bool {
        input == nil && cacheRead == nil && cacheCreation == nil && cached == nil
            && cacheHit == nil
    }

    private static func larger(_ a: Int64?, _ b: Int64?) -> Int64? {
        guard let a, let b else { return a ?? b }
        return max(a, b)
    }
}
