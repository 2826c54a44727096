import CCurl

/// The system's libcurl, for `faregate doctor`.
package enum CurlVersion {
    package static var text: String { String(cString: curl_version()) }
}
