import CCurl

/// The system's libcurl, for `faregate doctor`.
package enum CurlVersion {
    /// `libcurl/7.88.1 OpenSSL/3.0.17 …`
    package static var text: String { String(cString: curl_version()) }

    package static var hasTLS: Bool { has(CURL_VERSION_SSL) }
    package static var hasHTTP2: Bool { has(CURL_VERSION_HTTP2) }

    private static func has(_ feature: Int32) -> Bool {
        guard let info = curl_version_info(faregate_curl_version_now()) else { return false }
        return info.pointee.features & feature != 0
    }
}
