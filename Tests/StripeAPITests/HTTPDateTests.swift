import StripeAPI
import Testing

/// The Date header.
@Suite struct HTTPDateTests {
    // The form that servers must send is read, and nothing else.
    @Test(
        arguments: [
            ("Wed, 25 Nov 2026 22:57:14 GMT", 1_795_647_434), ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Wed, 25 Nov 2026 22:57:14 UTC", nil), ("25 Nov 2026 22:57:14 GMT", nil),
            ("Wed, 25 Now 2026 22:57:14 GMT", nil), ("Wed, 25 Nov 2026 25:57:14 GMT", nil),
            ("", nil),
        ] as [(String, Int64?)]) func seconds(text: String, wanted: Int64?)
    {
        #expect(HTTPDate.seconds(text) == wanted)
    }
}
