// The price book as a catalog, for reading. Versions are only ever added, so the catalog of so many
// versions is made once and kept until there are more.

import Billing
import Pricing
import Synchronization

final class PriceCatalogCache: Sendable {
    private let catalog = Mutex(PriceCatalog())

    init() {}

    /// The catalog of all these versions.
    func catalog(of book: [PriceBookPublished]) -> PriceCatalog {
        catalog.withLock { catalog in
            for event in book.dropFirst(Int(catalog.latestVersion)) {
                catalog.publish(
                    version: event.version, effectiveMicroseconds: event.effectiveAt.microseconds,
                    upserts: event.upserts, removals: event.removals.map { ($0.model, $0.card) })
            }
            return catalog
        }
    }
}
