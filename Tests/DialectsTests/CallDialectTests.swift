import Dialects
import Testing

@Suite struct CallDialectTests {
    // Every dialect belongs to the family that its name begins with.
    @Test(arguments: CallDialect.allCases)
    func families(_ dialect: CallDialect) {
        #expect(dialect.rawValue.hasPrefix(dialect.family.rawValue + "."))
    }
}
