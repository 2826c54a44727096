// swift-tools-version: 6.2
import PackageDescription

// Versions are exact: a clone must build the same everywhere, and no lock file is kept.
let dependencies: [Package.Dependency] = [
    .package(
        url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1",
        traits: ["ConfigurationSupport"]),
    .package(url: "https://github.com/swift-server/async-http-client", exact: "1.37.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-configuration", exact: "1.4.0"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
    .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
    .package(url: "https://github.com/apple/swift-http-types", exact: "1.8.0"),
]

let argumentParser = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")
let asyncHTTPClient = Target.Dependency.product(
    name: "AsyncHTTPClient", package: "async-http-client")
let configuration = Target.Dependency.product(
    name: "Configuration", package: "swift-configuration")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore = Target.Dependency.product(
    name: "HummingbirdCore", package: "hummingbird")
let hummingbirdTesting = Target.Dependency.product(
    name: "HummingbirdTesting", package: "hummingbird")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let lifecycle = Target.Dependency.product(
    name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(
    name: "UnixSignals", package: "swift-service-lifecycle")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")

let package = Package(
    name: "faregate",
    products: [.executable(name: "faregate", targets: ["faregate"])],
    dependencies: dependencies,
    targets: [
        // Leaves
        .target(name: "Money"),
        .target(name: "CanonicalJSON"),
        .target(name: "TimeZones"),
        .target(name: "Telemetry"),
        .target(
            name: "CTokenRanks",
            exclude: ["cl100k_base.ranks", "classes.bin", "o200k_base.ranks"]),
        .target(name: "Tokenizers", dependencies: ["CTokenRanks"]),
        .target(name: "CEmbedded", exclude: ["prices-2026-11.json"]),
        .target(name: "CMachine"),
        .systemLibrary(
            name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        // Core
        .target(name: "Billing", dependencies: ["Money"]),
        .target(name: "Pricing", dependencies: ["Money", "Billing", "CanonicalJSON", "CEmbedded"]),
        .target(
            name: "Estimation",
            dependencies: ["Money", "Billing", "Pricing", "CanonicalJSON", "Tokenizers"]),
        .target(name: "Dialects", dependencies: ["Money", "Billing", "CanonicalJSON"]),
        // Ports and adapters
        .target(
            name: "EventLog",
            dependencies: ["Money", "Billing", "CanonicalJSON", "TimeZones", crypto]),
        .target(name: "Archive", dependencies: ["CanonicalJSON", "TimeZones", "EventLog"]),
        .target(name: "SQLiteBinding", dependencies: ["EventLog", "CSQLite"]),
        .target(
            name: "SQLiteEventLog",
            dependencies: ["EventLog", "Archive", "SQLiteBinding", "CSQLite"]),
        // Application
        .target(
            name: "Engine",
            dependencies: [
                "Money", "Billing", "Pricing", "TimeZones", "EventLog", "Telemetry", crypto, heap,
            ]),
        .target(
            name: "Projections",
            dependencies: ["Money", "Billing", "EventLog", "SQLiteBinding", "Engine"]),
        .target(
            name: "Notifications",
            dependencies: [
                "Money", "Billing", "CanonicalJSON", "TimeZones", "EventLog", "SQLiteBinding",
                "Engine", "Projections", crypto,
            ]),
        .target(name: "StripeAPI", dependencies: ["CanonicalJSON", "TimeZones", crypto]),
        .target(name: "CurlTransport", dependencies: ["StripeAPI", "CCurl"]),
        .target(
            name: "StripeSync",
            dependencies: [
                "Money", "Billing", "CanonicalJSON", "TimeZones", "EventLog", "SQLiteBinding",
                "Engine", "Projections", "StripeAPI", crypto,
            ]),
        // Edges
        .target(
            name: "HTTPAPI",
            dependencies: [
                "Money", "Billing", "Pricing", "CanonicalJSON", "TimeZones", "EventLog", "Archive",
                "Engine", "Projections", "Notifications", "StripeAPI", "StripeSync", "Telemetry",
                "Estimation", hummingbird, httpTypes, nioCore, crypto, logging,
            ]),
        .target(
            name: "Gateway",
            dependencies: [
                "Money", "Billing", "CanonicalJSON", "Engine", "Tokenizers", "Estimation",
                "Dialects",
                "HTTPAPI", "Telemetry", hummingbird, httpTypes, asyncHTTPClient, nioCore,
                nioHTTP1, nioPosix,
            ]),
        .target(
            name: "Simulators",
            dependencies: [
                "CanonicalJSON", "TimeZones", "Tokenizers", hummingbird, hummingbirdCore, httpTypes,
                asyncHTTPClient, crypto, nioCore, nioHTTP1, nioPosix, lifecycle, logging,
            ]),
        .target(name: "Observability", dependencies: ["CanonicalJSON", "TimeZones", logging]),
        // Composition
        .target(
            name: "Server",
            dependencies: [
                "Money", "Billing", "Pricing", "CanonicalJSON", "CEmbedded", "CMachine",
                "TimeZones", "EventLog", "Archive", "SQLiteEventLog", "Engine", "Projections",
                "Notifications", "StripeAPI", "CurlTransport", "StripeSync", "HTTPAPI",
                "Observability", "Telemetry", "Estimation", "Gateway", hummingbird, hummingbirdCore,
                asyncHTTPClient, configuration, lifecycle,
                unixSignals, logging,
                nioCore, nioHTTP1, nioPosix, crypto, httpTypes,
            ]),
        .target(
            name: "Sandbox",
            dependencies: [
                "CanonicalJSON", "CEmbedded", "Money", "TimeZones", "Simulators", asyncHTTPClient,
                nioCore, nioHTTP1,
            ]),
        .target(
            name: "StripeSimulation",
            dependencies: [
                "Billing", "Engine", "EventLog", "StripeAPI", "StripeSync", "Simulators",
            ]),
        .executableTarget(
            name: "faregate",
            dependencies: [
                "Server", "StripeAPI", "StripeSync", "StripeSimulation", "Sandbox", "Tokenizers",
                "Estimation",
                "Gateway",
                "Simulators", "CanonicalJSON", "Money", "Billing", "Pricing", "TimeZones",
                "EventLog", "Archive", "SQLiteEventLog", "Engine", "Projections", "HTTPAPI",
                "Observability", argumentParser, asyncHTTPClient, configuration, logging, nioCore,
                nioHTTP1,
                nioPosix, crypto, httpTypes,
            ]),
        // Test side
        .target(
            name: "FaregateTestSupport",
            dependencies: [
                "Money", "Billing", "Pricing", "TimeZones", "EventLog", "Engine", "CanonicalJSON",
            ]),
        .target(
            name: "FaregateFuzzing",
            dependencies: [
                "Money", "Billing", "CanonicalJSON", "EventLog", "HTTPAPI", "Dialects",
                "Estimation",
            ]),
        .executableTarget(
            name: "FaregateBenchmarks",
            dependencies: [
                "Money", "Billing", "Pricing", "TimeZones", "EventLog", "SQLiteEventLog", "Engine",
                "Projections", "Tokenizers", "CanonicalJSON", "StripeAPI", "StripeSync", "CSQLite",
                crypto, hummingbird, logging,
            ]),
        .testTarget(name: "ArchitectureTests"),
        .testTarget(
            name: "TokenizersTests", dependencies: ["Tokenizers", crypto],
            exclude: ["make_golden.py", "make_tables.py"]),
        .testTarget(
            name: "EstimationTests",
            dependencies: [
                "Money", "Billing", "Pricing", "CanonicalJSON", "Tokenizers", "Estimation",
            ]),
        .testTarget(
            name: "DialectsTests", dependencies: ["Money", "Billing", "CanonicalJSON", "Dialects"]),
        .testTarget(
            name: "SimulatorsTests",
            dependencies: [
                "Simulators", "Tokenizers", "CanonicalJSON", "TimeZones", asyncHTTPClient, crypto,
                hummingbird,
                hummingbirdTesting, httpTypes, nioCore, nioHTTP1, nioPosix, logging,
            ]),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "Money", "Billing", "Pricing", "CanonicalJSON", "TimeZones", "EventLog",
                "SQLiteEventLog", "Engine", "HTTPAPI", "Estimation", "Dialects", "Gateway",
                "Simulators", "FaregateTestSupport", "Telemetry", asyncHTTPClient, hummingbird,
                hummingbirdTesting, httpTypes, nioCore, nioHTTP1, nioPosix, logging,
            ]),
        .testTarget(name: "TelemetryTests", dependencies: ["Telemetry"]),
        .testTarget(name: "MoneyTests", dependencies: ["Money"]),
        .testTarget(name: "CanonicalJSONTests", dependencies: ["CanonicalJSON"]),
        .testTarget(name: "TimeZonesTests", dependencies: ["TimeZones"]),
        .testTarget(
            name: "PricingTests",
            dependencies: ["Money", "Billing", "CanonicalJSON", "Pricing"],
            exclude: ["check_price_book.py"]),
        .testTarget(
            name: "EventLogTests",
            dependencies: [
                "Money", "Billing", "CanonicalJSON", "TimeZones", "EventLog", "FaregateTestSupport",
            ], exclude: ["validate_events.py"]),
        .testTarget(
            name: "ArchiveTests",
            dependencies: ["Archive", "EventLog", "CanonicalJSON", "FaregateTestSupport"]),
        .testTarget(
            name: "SQLiteEventLogTests",
            dependencies: [
                "EventLog", "SQLiteBinding", "SQLiteEventLog", "CSQLite", "FaregateTestSupport",
            ]),
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "Money", "Billing", "Pricing", "TimeZones", "EventLog", "SQLiteEventLog", "Engine",
                "Telemetry", "FaregateTestSupport",
            ]),
        .testTarget(
            name: "ProjectionsTests",
            dependencies: [
                "Money", "Billing", "Pricing", "EventLog", "SQLiteBinding", "SQLiteEventLog",
                "Engine", "Projections", "FaregateTestSupport",
            ]),
        .testTarget(
            name: "NotificationsTests",
            dependencies: [
                "Money", "Billing", "CanonicalJSON", "EventLog", "SQLiteBinding", "Engine",
                "Projections", "Notifications", "FaregateTestSupport", crypto,
            ]),
        .testTarget(
            name: "HTTPAPITests",
            dependencies: [
                "Money", "Billing", "Pricing", "CanonicalJSON", "TimeZones", "EventLog",
                "SQLiteEventLog", "Engine", "Projections", "Notifications", "HTTPAPI", "Simulators",
                "StripeAPI", "StripeSync", "StripeSimulation", "FaregateTestSupport", "Telemetry",
                hummingbird,
                hummingbirdTesting, httpTypes, nioCore, crypto, logging,
            ], exclude: ["check_openapi.py"]),
        .testTarget(
            name: "StripeAPITests", dependencies: ["StripeAPI", "CanonicalJSON"],
            exclude: ["make_golden.py"]),
        .testTarget(
            name: "CurlTransportTests", dependencies: ["StripeAPI", "CurlTransport", nioCore]),
        .testTarget(
            name: "StripeSyncTests",
            dependencies: [
                "Money", "Billing", "CanonicalJSON", "TimeZones", "EventLog", "SQLiteBinding",
                "Engine", "Projections", "StripeAPI", "StripeSync", "Simulators",
                "FaregateTestSupport", "StripeSimulation",
            ]),
        .testTarget(name: "FuzzingTests", dependencies: ["FaregateFuzzing"]),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "Money", "Billing", "CanonicalJSON", "EventLog", "SQLiteEventLog", "Engine",
                "HTTPAPI", "Notifications", "Observability", "Projections", "Server", "StripeAPI",
                "StripeSync", "Telemetry", "TimeZones", "Archive", "SQLiteBinding", asyncHTTPClient,
                configuration,
                lifecycle, logging, nioCore, nioHTTP1, nioPosix, httpTypes,
            ]),
        .testTarget(
            name: "CLITests",
            dependencies: [
                "faregate", "Server", "Sandbox", "Money", "Billing", "CanonicalJSON", "EventLog",
                "SQLiteEventLog", "Archive", "Engine", "HTTPAPI", "Observability", "TimeZones",
                argumentParser, asyncHTTPClient, configuration, logging, nioCore,
            ]),
        .testTarget(
            name: "SandboxTests",
            dependencies: [
                "Sandbox", "Money", "CanonicalJSON", "TimeZones", nioCore, nioHTTP1, nioPosix,
                asyncHTTPClient,
            ]),
    ]
)

// `make fuzz` sets this to the archive of libFuzzer that comes with the toolchain. Coverage is counted
// in what is fuzzed and not in what it is built on, so that the fuzzer goes where we want it. Ours is
// optimised, with assertions on.
let fuzzed: Set<String> = [
    "Money", "CanonicalJSON", "TimeZones", "EventLog", "HTTPAPI", "Dialects", "Estimation",
    "Tokenizers",
]
let libFuzzer = Context.environment["FAREGATE_LIBFUZZER"]
if let libFuzzer {
    package.targets += [
        .target(name: "CLibFuzzer"),
        .executableTarget(
            name: "FaregateFuzz", dependencies: ["FaregateFuzzing", "CLibFuzzer"],
            linkerSettings: [
                .unsafeFlags([libFuzzer]), .linkedLibrary("stdc++"),
            ]),
    ]
}

// One loop, so that no target can miss a setting.
let languageC: Set<String> = ["CEmbedded", "CTokenRanks", "CLibFuzzer", "CMachine"]
for target in package.targets where target.type != .system && !languageC.contains(target.name) {
    target.swiftSettings = [
        .treatAllWarnings(as: .error),
        .treatWarning("DeprecatedDeclaration", as: .warning),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]
    if libFuzzer != nil {
        target.swiftSettings?.append(.unsafeFlags(["-O", "-assert-config", "Debug"]))
        if fuzzed.contains(target.name) {
            target.swiftSettings?.append(
                .unsafeFlags(["-sanitize-coverage=edge,inline-8bit-counters,pc-table,trace-cmp"]))
        }
    }
}
