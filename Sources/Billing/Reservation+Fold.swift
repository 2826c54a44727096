// One reservation as the fold of its own events. The state keeps open ones; resolved ones are
// folded again from the log when they are asked for.

import Money

extension Reservation {
    /// The reservation (or rejection, or usage record) that an event begins; nil for other events.
    package init?(first recorded: RecordedEvent) {
        let project = recorded.project ?? ""
        let customer = recorded.customer ?? ""
        self.init(
            id: recorded.reservation ?? "", reservedAt: recorded.time, expiresAt: recorded.time,
            firstSequence: recorded.sequence, lastSequence: recorded.sequence)
        switch recorded.event {
        case .usageReserved(let event):
            subject = event.call.subject(project: project, customer: customer)
            model = event.call.model
            estimate = event.estimate
            lines = event.lines
            funding = event.funding
            expiresAt = event.expiresAt
            onExpiry = event.onExpiry
            allowsAmountSettlement = event.allowsAmountSettlement
        case .usageRejected(let event):
            status = .rejected
            subject = event.call.subject(project: project, customer: customer)
            model = event.call.model
            estimate = event.estimate ?? Estimate()
        case .usageRecorded(let event):
            status = .recorded
            subject = event.call.subject(project: project, customer: customer)
            model = event.call.model
            lines = event.lines
            funding = FundingHold(mode: event.mode)
            estimate.price = event.rated.price
            estimate.cardPrice = event.rated.cardPrice
            estimate.ceiling = event.ceiling
            estimate.markupPartsPerMillion = event.markupPartsPerMillion
            estimate.method = event.rated.price == nil ? .amount : .counts
            actual = CallFigures(settled: event.rated)
            split = event.split
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
