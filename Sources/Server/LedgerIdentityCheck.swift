import EventLog

extension ServerConfiguration {
    /// Refuses to serve a ledger that is another one than the configuration speaks of. A currency
    /// or clock that is only a default is not an opinion: the ledger's own stands.
    func check(_ identity: LedgerIdentity) throws(ServerFailure) {
        if identity.currency != currency, origin(of: .currency) != .fallback {
            throw ServerFailure(
                .configuration, "other_currency",
                "\(databasePath): the ledger is kept in \(identity.currency), not \(currency)"
                    + " (\(origin(of: .currency))); a ledger's currency never changes")
        }
        if isTestClock, !identity.isTestClock {
            throw ServerFailure(
                .configuration, "no_test_clock",
                "\(databasePath): the ledger runs on the real clock; a test clock is chosen when a"
                    + " ledger is made")
        }
        if !isTestClock, identity.isTestClock {
            throw ServerFailure(
                .configuration, "test_clock",
                "\(databasePath): the ledger was made with a test clock: start with --test-clock,"
                    + " and never use it for real money")
        }
    }

    private func origin(of setting: Setting) -> SettingOrigin {
        report.first { $0.name == setting.name }?.origin ?? .fallback
    }
}
