// One reservation as the fold of its own events. The state keeps open ones; resolved ones are
// folded again from the log when they are asked for.

import Money

extension Reservation {
    /// The reservation (or rejection, or usage record) that an event begins; nil for other events.
    package init?(first recorded: RecordedEvent) {
        let id = recorded.reservation ?? ""
        let project = recorded.project ?? ""
        let customer = recorded.customer ?? ""
        let sequence = recorded.sequence
        switch recorded.event {
        case .usageReserved(let event):
            self.init(
                id: id, subject: event.call.subject(project: project, customer: customer),
                model: event.call.model, estimate: event.estimate, lines: event.lines,
                funding: event.funding, reservedAt: recorded.time, expiresAt: event.expiresAt,
                onExpiry: event.onExpiry, allowsAmountSettlement: event.allowsAmountSettlement,
                firstSequence: sequence, lastSequence: sequence)
        case .usageRejected(let event):
            self.init(
                id: id, subject: event.call.subject(project: project, customer: customer),
                model: event.call.model, status: .rejected, estimate: event.estimate ?? Estimate(),
                reservedAt: recorded.time, expiresAt: recorded.time, firstSequence: sequence,
                lastSequence: sequence)
        case .usageRecorded(let event):
            let estimate = Estimate(
                method: event.rated.price == nil ? .amount : .counts, price: event.rated.price,
                cardPrice: event.rated.cardPrice, ceiling: event.ceiling,
                markupPartsPerMillion: event.markupPartsPerMillion)
            self.init(
                id: id, subject: event.call.subject(project: project, customer: customer),
                model: event.call.model, status: .recorded, estimate: estimate, lines: event.lines,
                funding: FundingHold(mode: event.mode), reservedAt: recorded.time,
                expiresAt: recorded.time, actual: CallFigures(settled: event.rated),
                split: event.split, firstSequence: sequence, lastSequence: sequence)
        default: return nil
        }
    }

    /// Folds a later event of the same reservation in.
    package mutating func apply(_ recorded: RecordedEvent) {
        lastSequence = recorded.sequence
        switch recorded.event {
        case .usageExtended(let event): expiresAt = event.expiresAt
        case .usageSettled(let event):
            status = .settled
            actual = CallFigures(settled: event.rated)
            split.add(event.split)
        case .usageReleased: status = .released
        case .usageExpired(let event):
            status = event.policy == .charge ? .charged : .expired
            actual = event.provisional
            split.add(event.split)
        case .usageAdjusted(let event):
            actual.cost += event.cost
            actual.charge += event.charge
            actual.tokens = actual.tokens.addingClamped(event.tokens)
            split.add(event.split)
        default: break
        }
    }

    /// Sequence number of the event before `recorded` of the same reservation; nil for a first one.
    package static func previous(of recorded: RecordedEvent) -> UInt64? {
        switch recorded.event {
        case .usageExtended(let event): event.previous
        case .usageSettled(let event): event.previous
        case .usageReleased(let event): event.previous
        case .usageExpired(let event): event.previous
        case .usageAdjusted(let event): event.previous
        default: nil
        }
    }
}

extension FundingSplit {
    /// Adds a later change, keeping the burn order of the grants.
    package mutating func add(_ other: FundingSplit) {
        for portion in other.grants {
            if let index = grants.firstIndex(where: { $0.grant == portion.grant }) {
                grants[index].amount += portion.amount
            } else {
                grants.append(portion)
            }
        }
        billable += other.billable
        debt += other.debt
        absorbed += other.absorbed
    }
}
