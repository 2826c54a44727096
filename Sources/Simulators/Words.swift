// The text of answers: common English words, drawn by a generator. Each, with the blank before it,
// is one token of `cl100k_base` and of `o200k_base`, so that a text cut after any word has as many
// tokens as words, and whoever counts what passed comes to what was billed.

enum Words {
    static func text(_ generator: inout SplitMix, count: Int) -> [String] {
        var pieces: [String] = []
        pieces.reserveCapacity(count)
        for index in 0..<count {
            let word = list[Int(generator.next() % UInt64(list.count))]
            pieces.append(index == 0 ? word : " " + word)
        }
        return pieces
    }

    static let list: [String] =
        """
        the a of to and in is that for it as was with be by on not he his but at are this
        have had from which one you were all her she there would their we him been has when
        who will no more if out so up said what its about than into them can only other time
        new some could these two may first then do any like my now over such our man me even
        most made after also did many before must through years where much your way well
        down should because each just those people how too little state good very make world
        still own see men work long here get both between life being under never day same
        another know while
        """
        .split { $0 == " " || $0 == "\n" }.map(String.init)
}
