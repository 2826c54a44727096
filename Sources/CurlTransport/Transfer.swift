// One request on its way: the easy handle, and what libcurl reads from and writes to while it is.

import CCurl
import Glibc
import StripeAPI

final class Transfer {
    let id: UInt64
    let request: TransportRequest
    let continuation: CheckedContinuation<Result<TransportResponse, TransportError>, Never>
    private var handle: UnsafeMutableRawPointer?
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var body: UnsafeMutableBufferPointer<UInt8>?
    private let headerBytesMax: Int

    private var status = 0
    private var headers: [(name: String, value: String)] = []
    private var headerBytes = 0
    private var answer: [UInt8] = []
    private var isTooLarge = false

    init(
        id: UInt64, _ request: TransportRequest, headerBytesMax: Int,
        _ continuation: CheckedContinuation<Result<TransportResponse, TransportError>, Never>
    ) {
        self.id = id
        self.request = request
        self.headerBytesMax = headerBytesMax
        self.continuation = continuation
    }

    // MARK: What libcurl writes

    /// A line of the head. A new status line begins the head anew (100 Continue).
    func take(headerLine bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        headerBytes += bytes.count
        guard headerBytes <= headerBytesMax else {
            isTooLarge = true
            return false
        }
        let line = String(decoding: bytes, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            headers = []
            return true
        }
        guard let colon = line.firstIndex(of: ":") else { return true }
        let value = line[line.index(after: colon)...]
        let trimmed = value.drop(while: \.isWhitespace)
        let end = trimmed.lastIndex(where: { !$0.isWhitespace })
        headers.append(
            (String(line[..<colon]), end.map { String(trimmed[...$0]) } ?? ""))
        return true
    }

    func take(body bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard answer.count + bytes.count <= request.responseBytesMax else {
            isTooLarge = true
            return false
        }
        answer.append(contentsOf: bytes)
        return true
    }

    // MARK: Beginning and end

    /// Sets the handle up; nil when libcurl refuses something.
    func begin(_ settings: CurlSettings) -> UnsafeMutableRawPointer? {
        guard let handle = curl_easy_init() else { return nil }
        self.handle = handle
        var isFine = true
        func set(_ option: CURLoption, _ value: Int) {
            isFine = faregate_curl_set_long(handle, option, value) == CURLE_OK && isFine
        }
        func set(_ option: CURLoption, _ text: String) {
            isFine = faregate_curl_set_pointer(handle, option, text) == CURLE_OK && isFine
        }
        set(CURLOPT_URL, request.url)
        set(CURLOPT_PROTOCOLS_STR, settings.allowsPlainLoopback ? "http,https" : "https")
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_NETRC, 0)
        set(CURLOPT_PROXY, "")
        // The upper half of the number bounds from above; nothing bounds it here.
        set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        if let caFile = settings.caFile { set(CURLOPT_CAINFO, caFile) }
        set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS)
        set(CURLOPT_PIPEWAIT, 1)
        set(CURLOPT_TCP_NODELAY, 1)
        set(CURLOPT_CONNECTTIMEOUT_MS, Int(settings.connectTimeoutMicroseconds / 1_000))
        set(CURLOPT_TIMEOUT_MS, Int(max(request.timeoutMicroseconds / 1_000, 1)))
        set(CURLOPT_LOW_SPEED_LIMIT, settings.lowSpeedBytesPerSecond)
        set(CURLOPT_LOW_SPEED_TIME, settings.lowSpeedSeconds)
        setContent(&isFine, handle)
        setSinks(&isFine, handle)
        return isFine ? handle : nil
    }

    private func setContent(_ isFine: inout Bool, _ handle: UnsafeMutableRawPointer) {
        let body = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: max(request.body.count, 1))
        _ = body.initialize(from: request.body)
        self.body = body
        var codes: [CURLcode] = []
        if request.method == .post || !request.body.isEmpty {
            codes.append(
                faregate_curl_set_offset(
                    handle, CURLOPT_POSTFIELDSIZE_LARGE, Int(request.body.count)))
            codes.append(
                faregate_curl_set_pointer(handle, CURLOPT_POSTFIELDS, body.baseAddress))
        }
        if request.method != .post {
            codes.append(
                faregate_curl_set_pointer(handle, CURLOPT_CUSTOMREQUEST, request.method.rawValue))
        }
        // libcurl would add a content type of its own, and wait for "100 Continue".
        var lines = request.headers.map {
            $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)"
        }
        lines.append("Expect:")
        if !request.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            lines.append("Content-Type:")
        }
        for line in lines {
            guard let longer = curl_slist_append(headerList, line) else {
                isFine = false
                return
            }
            headerList = longer
        }
        codes.append(faregate_curl_set_pointer(handle, CURLOPT_HTTPHEADER, headerList))
        isFine = isFine && codes.allSatisfy { $0 == CURLE_OK }
    }

    private func setSinks(_ isFine: inout Bool, _ handle: UnsafeMutableRawPointer) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        let codes = [
            faregate_curl_set_pointer(handle, CURLOPT_PRIVATE, context),
            faregate_curl_set_pointer(handle, CURLOPT_WRITEDATA, context),
            faregate_curl_set_pointer(handle, CURLOPT_HEADERDATA, context),
            faregate_curl_set_sink(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
                Transfer.pass(bytes, size * count, context) { $0.take(body: $1) }
            },
            faregate_curl_set_sink(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
                Transfer.pass(bytes, size * count, context) { $0.take(headerLine: $1) }
            },
        ]
        isFine = isFine && codes.allSatisfy { $0 == CURLE_OK }
    }

    /// - Returns: what libcurl wants to hear: all was taken, or not.
    private static func pass(
        _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int, _ context: UnsafeMutableRawPointer?,
        _ take: (Transfer, UnsafeBufferPointer<UInt8>) -> Bool
    ) -> Int {
        guard let bytes, let context else { return count == 0 ? 0 : -1 }
        let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
        let isTaken = bytes.withMemoryRebound(to: UInt8.self, capacity: count) {
            take(transfer, UnsafeBufferPointer(start: $0, count: count))
        }
        return isTaken ? count : 0
    }

    /// The outcome of a transfer that libcurl is done with.
    func outcome(_ code: CURLcode) -> Result<TransportResponse, TransportError> {
        var found = 0
        if let handle { faregate_curl_get_long(handle, CURLINFO_RESPONSE_CODE, &found) }
        status = found
        if code == CURLE_OK {
            return .success(TransportResponse(status: status, headers: headers, body: answer))
        }
        return .failure(TransportError(kind(of: code), String(cString: curl_easy_strerror(code))))
    }

    private func kind(of code: CURLcode) -> TransportError.Kind {
        if isTooLarge { return .tooLarge }
        var sentBytes = 0
        if let handle { faregate_curl_get_long(handle, CURLINFO_REQUEST_SIZE, &sentBytes) }
        let isSent = sentBytes > 0
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_UNSUPPORTED_PROTOCOL,
            CURLE_URL_MALFORMAT, CURLE_COULDNT_RESOLVE_PROXY:
            return .connection
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
            CURLE_SSL_CERTPROBLEM, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CIPHER, CURLE_USE_SSL_FAILED:
            return isSent ? .broken : .tls
        // While connecting, nothing has left.
        case CURLE_OPERATION_TIMEDOUT: return isSent ? .timeout : .connection
        default: return isSent ? .broken : .connection
        }
    }

    /// Frees what libcurl used. The handle is in no multi handle any more.
    func end() {
        if let handle { curl_easy_cleanup(handle) }
        handle = nil
        curl_slist_free_all(headerList)
        headerList = nil
        body?.deallocate()
        body = nil
    }

    deinit { end() }
}
