import CEmbedded

/// The price book that comes with the program: published list prices, in the binary itself.
package enum BuiltInPrices {
    /// The embedded file as it is.
    static var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(
            start: faregate_embedded_prices(), count: faregate_embedded_prices_length())
    }

    /// Reads the embedded file. It is part of the program and tested with it, so it cannot fail.
    package static func load() -> PriceFile {
        do throws(PriceFileError) {
            return try PriceFile.parse(bytes)
        } catch {
            preconditionFailure("embedded price book: \(error)")
        }
    }
}
