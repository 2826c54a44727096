import CanonicalJSON
import Foundation
import StripeAPI
import Testing

struct WebhookSignatureTests {
    private struct Vector: Decodable {
        var name: String
        var header: String?
        var body_b64: String
        var secret: String
        var now: Int64
        var tolerance: Int64
        var recommended: String
    }

    private struct Vectors: Decodable { var vectors: [Vector] }

    private static func vectors() throws -> [Vector] {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../fixtures/stripe/webhook-vectors.json")
        return try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: file)).vectors
    }

    @Test("Every vector made with Stripe's own SDK gets the recommended verdict")
    func agreesWithVectors() throws {
        let vectors = try Self.vectors()
        #expect(vectors.count >= 20)
        for vector in vectors {
            let body = try #require(Data(base64Encoded: vector.body_b64))
            guard
                let verifier = WebhookVerifier(
                    secrets: [vector.secret], toleranceSeconds: vector.tolerance)
            else {
                // No recency check is no setting of ours.
                #expect(vector.tolerance == 0, "\(vector.name)")
                continue
            }
            let verdict = verifier.verify(
                header: vector.header, body: Array(body), now: vector.now)
            #expect(verdict.rawValue == vector.recommended, "\(vector.name)")
        }
    }

    @Test("During a rotation, either secret will do; space around a secret does not matter")
    func takesSeveralSecrets() throws {
        let body = Array(#"{"id":"evt_1"}"#.utf8)
        let verifier = try #require(WebhookVerifier(secrets: ["whsec_old", " whsec_new\n"]))
        for secret in ["whsec_old", "whsec_new"] {
            let header = WebhookVerifier.header(secret: secret, body: body, seconds: 1_000)
            #expect(verifier.verify(header: header, body: body, now: 1_010) == .valid)
        }
        let other = WebhookVerifier.header(secret: "whsec_other", body: body, seconds: 1_000)
        #expect(verifier.verify(header: other, body: body, now: 1_010) == .mismatch)
    }

    @Test("A time too far ahead is refused as one too far behind is")
    func toleratesBothWays() throws {
        let body = Array("{}".utf8)
        let verifier = try #require(WebhookVerifier(secrets: ["whsec_1"]))
        let header = WebhookVerifier.header(secret: "whsec_1", body: body, seconds: 10_000)
        for (now, verdict) in [
            (9_700, WebhookVerdict.valid), (9_699, .outsideTolerance), (10_300, .valid),
            (10_301, .outsideTolerance),
        ] {
            #expect(verifier.verify(header: header, body: body, now: Int64(now)) == verdict)
        }
    }

    @Test("No single changed byte of body or header passes")
    func noticesEveryByte() throws {
        let body = Array(#"{"id":"evt_1","type":"invoice.paid"}"#.utf8)
        let verifier = try #require(WebhookVerifier(secrets: ["whsec_1"]))
        let header = WebhookVerifier.header(secret: "whsec_1", body: body, seconds: 1_000)
        for index in body.indices {
            var changed = body
            changed[index] ^= 1
            #expect(verifier.verify(header: header, body: changed, now: 1_000) != .valid)
        }
        for index in header.utf8.indices {
            var bytes = Array(header.utf8)
            let offset = header.utf8.distance(from: header.utf8.startIndex, to: index)
            bytes[offset] ^= 1
            let changed = String(decoding: bytes, as: UTF8.self)
            #expect(verifier.verify(header: changed, body: body, now: 1_000) != .valid)
        }
    }

    @Test("Without secrets, with an empty one or without a tolerance there is no verifier")
    func refusesNothing() {
        #expect(WebhookVerifier(secrets: []) == nil)
        #expect(WebhookVerifier(secrets: ["whsec_1", " \n"]) == nil)
        #expect(WebhookVerifier(secrets: ["whsec_1"], toleranceSeconds: 0) == nil)
    }
}
