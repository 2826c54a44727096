// What the architecture allows. `docs/architecture.md` says it in words; the tests beside this file
// read every source against it, because the package manager does not stop a module from importing a
// sibling that it does not name.

enum Architecture {
    /// What each module may import, besides the standard library.
    static let allowedImports: [String: Set<String>] = [
        "Money": [],
        "CanonicalJSON": [],
        "TimeZones": ["Glibc", "Synchronization"],
        "Telemetry": ["Synchronization"],
        "Tokenizers": ["CTokenRanks", "Synchronization"],
        "Estimation": ["Money", "Billing", "Pricing", "CanonicalJSON", "Tokenizers"],
        "Dialects": ["Money", "Billing", "CanonicalJSON"],
        "Gateway": [
            "Money", "Billing", "CanonicalJSON", "Engine", "Tokenizers", "Estimation", "Dialects",
            "HTTPAPI", "Telemetry", "Hummingbird", "HTTPTypes", "AsyncHTTPClient", "NIOCore",
            "NIOHTTP1", "NIOPosix", "Glibc", "Synchronization",
        ],
        "Simulators": [
            "CanonicalJSON", "TimeZones", "Tokenizers", "Hummingbird", "HummingbirdCore",
            "HTTPTypes", "AsyncHTTPClient", "Crypto", "NIOCore", "NIOHTTP1", "NIOPosix",
            "ServiceLifecycle", "Logging", "Synchronization", "Glibc",
        ],
        "Billing": ["Money"],
        "Pricing": ["Money", "Billing", "CanonicalJSON", "CEmbedded", "Synchronization"],
        "EventLog": [
            "Money", "Billing", "CanonicalJSON", "TimeZones", "Crypto", "Synchronization",
        ],
        "Archive": ["CanonicalJSON", "TimeZones", "EventLog", "Glibc"],
        "SQLiteBinding": ["EventLog", "CSQLite", "Glibc"],
        "SQLiteEventLog": [
            "EventLog", "Archive", "SQLiteBinding", "CSQLite", "Glibc", "Synchronization",
        ],
        "Engine": [
            "Money", "Billing", "Pricing", "TimeZones", "EventLog", "Telemetry", "Crypto",
            "HeapModule", "Glibc", "Synchronization",
        ],
        "Projections": [
            "Money", "Billing", "EventLog", "SQLiteBinding", "Engine", "Glibc", "Synchronization",
        ],
        "Notifications": [
            "Money", "Billing", "CanonicalJSON", "TimeZones", "EventLog", "SQLiteBinding",
            "Engine", "Projections", "Crypto", "Glibc", "Synchronization",
        ],
        "StripeAPI": ["CanonicalJSON", "TimeZones", "Crypto", "Synchronization", "Glibc"],
        "CurlTransport": ["StripeAPI", "CCurl", "Glibc", "Synchronization"],
        "StripeSync": [
            "Money", "Billing", "CanonicalJSON", "TimeZones", "EventLog", "SQLiteBinding",
            "Engine", "Projections", "StripeAPI", "Crypto", "Glibc", "Synchronization",
        ],
        "HTTPAPI": [
            "Money", "Billing", "Pricing", "CanonicalJSON", "TimeZones", "EventLog", "Archive",
            "Engine", "Projections", "Notifications", "StripeAPI", "StripeSync", "Telemetry",
            "Estimation", "Hummingbird", "HTTPTypes", "NIOCore", "Crypto", "Glibc", "Logging",
            "Synchronization",
        ],
        "Observability": ["CanonicalJSON", "TimeZones", "Logging", "Glibc", "Synchronization"],
        "Server": [
            "Money", "Billing", "Pricing", "CanonicalJSON", "CEmbedded", "CMachine", "TimeZones",
            "EventLog", "Archive", "SQLiteEventLog", "Engine", "Projections", "Notifications",
            "StripeAPI", "CurlTransport", "StripeSync",
            "HTTPAPI", "Observability", "Telemetry", "Estimation", "Gateway", "Hummingbird",
            "HummingbirdCore",
            "AsyncHTTPClient", "Configuration",
            "ServiceLifecycle", "UnixSignals", "Logging", "NIOCore", "NIOHTTP1", "NIOPosix",
            "Crypto", "Glibc",
            "Synchronization", "SystemPackage", "HTTPTypes",
        ],
        "Sandbox": [
            "CanonicalJSON", "CEmbedded", "Money", "TimeZones", "Simulators", "AsyncHTTPClient",
            "NIOCore", "NIOHTTP1", "Glibc", "Synchronization",
        ],
        "faregate": [
            "Server", "StripeAPI", "StripeSync", "StripeSimulation", "Sandbox", "Tokenizers",
            "Estimation", "Gateway",
            "Simulators", "CanonicalJSON", "Money", "Billing", "Pricing", "TimeZones",
            "EventLog", "Archive", "SQLiteEventLog", "Engine", "Projections", "HTTPAPI",
            "Observability", "ArgumentParser",
            "AsyncHTTPClient", "Configuration", "Logging", "NIOCore", "NIOHTTP1", "NIOPosix",
            "Crypto", "Glibc", "Synchronization", "HTTPTypes", "SystemPackage",
        ],
        "FaregateTestSupport": [
            "Money", "Billing", "Pricing", "TimeZones", "EventLog", "Engine", "CanonicalJSON",
            "Synchronization", "Testing", "Glibc",
        ],
        "StripeSimulation": [
            "Billing", "Engine", "EventLog", "StripeAPI", "StripeSync", "Simulators",
            "Synchronization",
        ],
        "FaregateFuzzing": [
            "Money", "Billing", "CanonicalJSON", "EventLog", "HTTPAPI", "Dialects", "Estimation",
        ],
        "FaregateFuzz": ["FaregateFuzzing", "CLibFuzzer", "Glibc"],
        "FaregateBenchmarks": [
            "Money", "Billing", "Pricing", "TimeZones", "EventLog", "SQLiteEventLog", "Engine",
            "Projections", "Tokenizers", "CanonicalJSON", "StripeAPI", "StripeSync", "CSQLite",
            "Crypto", "Glibc", "Hummingbird", "Logging", "Foundation", "Synchronization",
        ],
    ]

    /// The pure core: no clock, no randomness, no waiting, no floating point.
    static let pureModules: Set<String> = [
        "Money", "CanonicalJSON", "Billing", "Pricing", "Tokenizers", "Estimation", "Dialects",
    ]

    static let wordsBannedFromTheCore = [
        "async", "await", "Date(", ".random(", "SystemRandomNumberGenerator",
    ]

    /// Floating point stays away from money.
    static let modulesWithoutFloatingPoint: Set<String> = [
        "Money", "Billing", "Pricing", "EventLog", "Projections", "Notifications", "Telemetry",
        "StripeAPI", "StripeSync",
    ]

    static let fileLinesMax = 600
    static let functionLinesMax = 70
    static let columnsMax = 100

    /// Calls that would end the process on what somebody sent.
    static let bannedCalls = ["try!", "as!", "fatalError("]
}
