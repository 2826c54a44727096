import CurlTransport
import Testing

struct CurlVersionTests {
    @Test("The version names libcurl")
    func namesLibcurl() {
        #expect(CurlVersion.text.hasPrefix("libcurl/"))
    }
}
