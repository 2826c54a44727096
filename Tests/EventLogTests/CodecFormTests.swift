import Billing
import CanonicalJSON
import EventLog
import Money
import Testing

/// How single values stand in an event, and what a reader makes of other writers' bytes.
@Suite struct CodecFormTests {
    // Tags stand in the order of UTF-16 code units, which RFC 8785 demands, and come back in
    // Swift's order of text, which the domain has: the two differ beyond ASCII.
    @Test func tagsInBothOrders() throws {
        var started = RunStarted()
        started.run = "r"
        started.metadata = ["\u{FFFD}", "😀", "é", "e\u{301}x", "z", "a"]
            .map { Tag(key: $0, value: "v") }.sorted()
        let bytes = encode(.runStarted(started))
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains(#""metadata":{"a":"v","éx":"v","z":"v","é":"v","😀":"v","�":"v"}"#))
        #expect(started.metadata.last?.key == "😀")
        #expect(try EventCodec.decode(bytes).event == .runStarted(started))
    }

    // A key that an event has twice, or keys out of order, are refused: nobody could tell which of
    // two values it has, and writing the event again would give other bytes.
    @Test(arguments: [
        #"{"a":"1","a":"2"}"#, #"{"a":"1","a":"1"}"#, #"{"b":"1","a":"1"}"#,
        "{\"\u{FFFD}\":\"1\",\"\u{1F600}\":\"1\"}",
    ])
    func tagsTwiceOrOutOfOrder(tags: String) {
        let text =
            "{\"data\":{\"metadata\":\(tags),\"run\":\"r\"},\"seq\":1,"
            + "\"time\":\"2026-11-22T14:45:19.123456Z\",\"type\":\"run.started\",\"v\":1}"
        let error = #expect(throws: CodecError.self) { try EventCodec.decode(Array(text.utf8)) }
        #expect(error?.code == .notSorted)
        #expect(error?.field == "metadata")
    }

    // Integers beyond what a JSON number holds are refused where they are read, since no writer
    // could write them again.
    @Test(arguments: [
        (#""billing_day":9007199254740992,"plan":"p""#, "1", "billing_day"),
        (#""billing_day":-9007199254740992,"plan":"p""#, "1", "billing_day"),
        (#""billing_day":9223372036854775807,"plan":"p""#, "1", "billing_day"),
        (#""plan":"p""#, "9007199254740992", "seq"),
    ])
    func integersBeyondJSON(data: String, sequence: String, field: String) {
        let text =
            "{\"data\":{\(data)},\"seq\":\(sequence),"
            + "\"time\":\"2026-11-22T14:45:19.123456Z\",\"type\":\"customer.opened\",\"v\":1}"
        let error = #expect(throws: CodecError.self) { try EventCodec.decode(Array(text.utf8)) }
        #expect(error?.code == .outOfRange)
        #expect(error?.field == field)
    }

    // A chain of one name stands in the event where it is not the entry's name byte for byte, even
    // if Unicode holds the two for the same text.
    @Test func priceChainInAnotherSpelling() throws {
        var recorded = UsageRecorded()
        recorded.rated.price = PriceReference(
            bookVersion: 3, entry: "mod\u{E9}l", chain: ["mode\u{301}l"])
        let bytes = encode(.usageRecorded(recorded))
        guard case .usageRecorded(let decoded) = try EventCodec.decode(bytes).event else {
            Issue.record("another type")
            return
        }
        let names = decoded.rated.price?.chain.map { Array($0.utf8) }
        #expect(names == [Array("mode\u{301}l".utf8)])
    }

    // Amounts of budgets are decimal text in measures of money and integers in counts.
    @Test func quantitiesFollowTheMeasure() throws {
        for (measure, json) in [
            (BudgetMeasure.charge, #""amount":"0.0000025""#), (.cost, #""amount":"0.0000025""#),
            (.tokens, #""amount":2500"#), (.requests, #""amount":2500"#),
        ] {
            var set = BudgetSet()
            set.rule.measure = measure
            set.rule.amount = 2_500
            let bytes = encode(.budgetSet(set))
            #expect(String(decoding: bytes, as: UTF8.self).contains(json))
            #expect(try EventCodec.decode(bytes).event == .budgetSet(set))
        }
    }

    // A price that is its own entry names it once; any other chain stands in full.
    @Test(arguments: [["m"], [], ["alias", "m"], ["m", "m"], ["other"]])
    func priceChains(chain: [String]) throws {
        var recorded = UsageRecorded()
        recorded.rated.price = PriceReference(bookVersion: 3, entry: "m", chain: chain)
        let bytes = encode(.usageRecorded(recorded))
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.contains("chain") == (chain != ["m"]))
        #expect(try EventCodec.decode(bytes).event == .usageRecorded(recorded))
    }

    // Members that this program does not know are stepped over, wherever they are.
    @Test func unknownMembersAreSkipped() throws {
        let known =
            #"{"customer":"c","data":{"plan":"p"},"project":"d","seq":1,"#
            + #""time":"2026-11-22T14:45:19.123456Z","type":"customer.opened","v":1}"#
        let wider =
            #"{"a":[1,{"b":null}],"customer":"c","data":{"aa":{"x":[]},"plan":"p","#
            + #""terms":{"zz":true},"zz":"é"},"from":-1.5e3,"project":"d","seq":1,"#
            + #""time":"2026-11-22T14:45:19.123456Z","type":"customer.opened","v":1,"zz":{}}"#
        let event = try EventCodec.decode(Array(known.utf8))
        #expect(try EventCodec.decode(Array(wider.utf8)) == event)
        #expect(
            try EventCodec.envelope(Array(wider.utf8)) == EventCodec.envelope(Array(known.utf8)))
    }

    // A field that every such event has must be there: money never becomes zero by its absence.
    @Test func missingFieldIsAnError() {
        let text =
            #"{"data":{"grant":"g"},"seq":1,"time":"2026-11-22T14:45:19.123456Z","#
            + #""type":"credit.revoked","v":1}"#
        let error = #expect(throws: CodecError.self) { try EventCodec.decode(Array(text.utf8)) }
        #expect(error?.code == .missingField)
        #expect(error?.record == "credit_ended")
        #expect(error?.field == "amount")
        #expect(error?.description == "missing_field at credit_ended.amount (byte 9)")
    }

    // An error names the record, the field and the offset, and repeats nothing of the bytes.
    @Test(arguments: [
        (#""amount":5"#, CodecError.Code.malformed), (#""amount":"1.0000000001""#, .malformed),
        (#""amount":"99999999999""#, .outOfRange), (#""amount":"5\u0000""#, .malformed),
        (#""amount":null"#, .malformed), (#""amount":{}"#, .malformed),
    ])
    func malformedMoney(member: String, code: CodecError.Code) {
        let text =
            "{\"data\":{\(member),\"grant\":\"g\"},\"seq\":1,"
            + "\"time\":\"2026-11-22T14:45:19.123456Z\",\"type\":\"credit.revoked\",\"v\":1}"
        let error = #expect(throws: CodecError.self) { try EventCodec.decode(Array(text.utf8)) }
        #expect(error == CodecError(code, record: "credit_ended", field: "amount", offset: 18))
    }

    // Names of enumerations, units and event types that this program does not know are errors: a
    // newer program wrote them, and leaving them out would be a wrong reading.
    @Test(arguments: [
        (#"{"funding":"barter"}"#, "plan.set", CodecError.Code.unknownName, "terms"),
        (#"{}"#, "plan.dropped", .unknownType, "event"),
    ])
    func unknownNames(terms: String, type: String, code: CodecError.Code, record: String) {
        let text =
            "{\"data\":{\"id\":\"p\",\"terms\":\(terms)},\"seq\":1,"
            + "\"time\":\"2026-11-22T14:45:19.123456Z\",\"type\":\"\(type)\",\"v\":1}"
        let error = #expect(throws: CodecError.self) { try EventCodec.decode(Array(text.utf8)) }
        #expect(error?.code == code)
        #expect(error?.record == record)
    }

    // Times are canonical or refused: one instant has one text.
    @Test(arguments: [
        "2026-11-22T14:45:19Z", "2026-11-22T14:45:19.123456+00:00", "2026-13-22T14:45:19.123456Z",
        "2026-11-22 14:45:19.123456Z", "", "2026-11-22T14:45:60.000000Z",
    ])
    func malformedTime(time: String) {
        let text =
            "{\"data\":{\"to\":\"\(time)\"},\"seq\":1,"
            + "\"time\":\"2026-11-22T14:45:19.123456Z\",\"type\":\"clock.advanced\",\"v\":1}"
        let error = #expect(throws: CodecError.self) { try EventCodec.decode(Array(text.utf8)) }
        #expect(error?.code == .malformed)
        #expect(error?.field == "to")
    }

    // What is left out is what a reader puts back, not what a human could be misled by: a
    // reservation with two budgets stays small, and its amounts stand there.
    @Test func reservationIsCompact() {
        let bytes = encode(.usageReserved(GoldenEvents.reserved))
        #expect(bytes.count < 1_200)
        let text = String(decoding: bytes, as: UTF8.self)
        for amount in [#""hold":"0.0123456""#, #""spent":"12.3456789""#, #""amount":"100""#] {
            #expect(text.contains(amount))
        }
        for absent in ["marks", "completions", "tags", "tier", "chain", "null"] {
            #expect(!text.contains(absent))
        }
    }

    private func encode(_ event: Event) -> [UInt8] {
        var bytes: [UInt8] = []
        EventCodec.encode(
            RecordedEvent(
                sequence: 7, time: Instant(microseconds: 1_763_822_119_123_456),
                project: "default", customer: "acme", reservation: "res-1", event: event),
            into: &bytes)
        return bytes
    }
}
