import CanonicalJSON
import Testing

struct LimitTests {
    private func nested(_ depth: Int) -> String {
        String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }

    // The depth limit is the number of containers inside one another, and holds to the level.
    @Test func depthHoldsExactly() {
        let limits = JSONLimits(maxDepth: 3)
        #expect(outcome("[{\"a\":[1]}]", limits: limits) == .success([["a": [1]]]))
        #expect(
            outcome("[{\"a\":[{}]}]", limits: limits)
                == .failure(JSONError(.tooDeep, offset: 7, path: "[0].a[0]")))
        #expect(
            outcome("[{\"a\":[[]]}]", limits: limits)
                == .failure(JSONError(.tooDeep, offset: 7, path: "[0].a[0]")))
        #expect((try? outcome(nested(32)).get()) != nil)
        guard case .failure(let error) = outcome(nested(33)) else {
            Issue.record("33 levels were read")
            return
        }
        #expect(error.code == .tooDeep)
        #expect(error.offset == 32)
    }

    // A bomb of brackets is refused at the limit, whatever its size and the deepest limit allowed.
    @Test func bracketBombDoesNotOverflowTheStack() {
        let limits = JSONLimits(maxDepth: JSONLimits.deepestDepth)
        #expect((try? outcome(nested(128), limits: limits).get()) != nil)
        let bomb = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        guard case .failure(let error) = outcome(bomb, limits: limits) else {
            Issue.record("the bomb was read")
            return
        }
        #expect(error.code == .tooDeep)
        #expect(error.offset == 128)
        let objects = Array(String(repeating: "{\"a\":", count: 100_000).utf8)
        guard case .failure(let objectError) = outcome(objects) else {
            Issue.record("the bomb was read")
            return
        }
        #expect(objectError.code == .tooDeep)
        #expect(objectError.offset == 32 * 5)
    }

    // The count of values holds exactly, containers and members' values included.
    @Test func nodesHoldExactly() {
        let limits = JSONLimits(maxNodes: 4)
        #expect(outcome("[1,2,3]", limits: limits) == .success([1, 2, 3]))
        #expect(
            outcome("[1,2,[],4]", limits: limits)
                == .failure(JSONError(.tooManyValues, offset: 8, path: "[3]")))
        #expect(
            outcome("{\"a\":[],\"b\":{},\"c\":0,\"d\":0}", limits: limits)
                == .failure(JSONError(.tooManyValues, offset: 25, path: "d")))
    }

    // Strings, names and long numbers are held to the limit by their bytes as written.
    @Test func stringBytesHoldExactly() {
        let limits = JSONLimits(maxStringBytes: 8)
        #expect(outcome("\"12345678\"", limits: limits) == .success("12345678"))
        for refused in ["\"123456789\"", "\"\\u00e9\\n1\"", "\"\u{20AC}\u{20AC}\u{20AC}\""] {
            #expect(
                outcome("{\"k\":\(refused)}", limits: limits)
                    == .failure(JSONError(.stringTooLong, offset: 5, path: "k")))
        }
        #expect(
            outcome("{\"123456789\":1}", limits: limits)
                == .failure(JSONError(.stringTooLong, offset: 1, path: "")))
        #expect(outcome("1.234567", limits: limits) == .success(.number("1.234567")))
        #expect(
            outcome("[1.2345678]", limits: limits)
                == .failure(JSONError(.stringTooLong, offset: 1, path: "[0]")))
    }

    // Nothing is read of an input larger than the limit.
    @Test func inputBytesHoldExactly() {
        let limits = JSONLimits(maxBytes: 4)
        #expect(outcome("null", limits: limits) == .success(.null))
        #expect(
            outcome("null ", limits: limits)
                == .failure(JSONError(.tooLarge, offset: 4, path: "")))
    }

    // Many names are checked for duplicates in time proportional to their number: 100,000 names,
    // the duplicate last, and also just where the small-object method hands over.
    @Test(arguments: [2, 15, 16, 17, 18, 64, 100_000])
    func findsTheLastDuplicate(count: Int) {
        var source = "{"
        for index in 0..<count { source += "\"name\(index)\":\(index)," }
        let offset = source.utf8.count
        #expect((try? outcome(source + "\"other\":0}").get()) != nil)
        for name in [0, count / 2, count - 1] {
            #expect(
                outcome(source + "\"name\(name)\":0}")
                    == .failure(JSONError(.duplicateKey, offset: offset, path: "name\(name)")))
        }
    }

    // Names that fall on the same bit of the small-object filter are still told apart.
    @Test func likeNamesAreNotDuplicates() {
        let names = ["abcba", "abxba", "aXcYa", "aYcXa", "ccc", "cac", "a", "aa", "aaa"]
        for first in names {
            for second in names {
                let isRead = (try? outcome("{\"\(first)\":1,\"\(second)\":2}").get()) != nil
                #expect(isRead == (first != second))
            }
        }
    }
}
