import StripeAPI
import Testing

struct FormBodyTests {
    @Test("Brackets stay, everything else is escaped as Stripe's SDKs do")
    func escapes() {
        var form = FormBody()
        form.add("payload[value]", 25 as Int64)
        form.add("name", "Ä b&c=d+e~f/[x]")
        form.add("active", true)
        form.add("nothing", nil as String?)
        form.add("expand", ["data.customer", "a b"])
        form.add("metadata", ["b": "2", "a": "1"])
        form.add("empty", "")
        #expect(
            form.text
                == "payload[value]=25&name=%C3%84+b%26c%3Dd%2Be~f%2F[x]&active=true"
                + "&expand[0]=data.customer&expand[1]=a+b&metadata[a]=1&metadata[b]=2&empty=")
    }

    @Test("A part of a path holds no slash, no question mark and no plus for a space")
    func escapesPaths() {
        #expect(FormBody.escapedPath("cus_1/../x?y z") == "cus_1%2F..%2Fx%3Fy%20z")
    }

    @Test("A meter event is the same bytes each time, and its identifier is the key")
    func writesMeterEvents() {
        let body = MeterEventBody(
            eventName: "faregate_usage", stripeCustomer: "cus_1", value: -12, identifier: "fg:1:2",
            timestampSeconds: 1_795_332_300)
        #expect(
            body.text
                == "event_name=faregate_usage&identifier=fg%3A1%3A2"
                + "&payload[stripe_customer_id]=cus_1&payload[value]=-12&timestamp=1795332300")
        let call = body.call(identifier: "fg:1:2")
        #expect(call.idempotencyKey == "fg:1:2")
        #expect(call.path == "/v1/billing/meter_events")
        #expect(call.contentType == "application/x-www-form-urlencoded")
    }
}
