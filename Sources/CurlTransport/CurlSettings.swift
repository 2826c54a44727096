/// How requests are sent. Times are microseconds.
package struct CurlSettings: Sendable, Equatable {
    /// Requests that may wait for their turn; more are refused.
    package var queueMax = 4_096
    /// Requests on their way at once.
    package var concurrentMax = 64
    /// Connections to one host; with HTTP/2 many requests share one.
    package var connectionsPerHostMax = 16
    package var connectTimeoutMicroseconds: Int64 = 10_000_000
    /// An answer that comes slower than this for that long is given up.
    package var lowSpeedBytesPerSecond = 1
    package var lowSpeedSeconds = 30
    /// All header lines of an answer together.
    package var responseHeaderBytesMax = 65_536
    /// `http://` to this machine, for simulators. To others it is never allowed.
    package var allowsPlainLoopback = false
    /// Certificates to trust in place of the system's, PEM.
    package var caFile: String?

    package init() {}
}
