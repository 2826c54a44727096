// Answers on their way from a thread to the task that waits for them, as ThreadSanitizer sees them.
//
// A continuation that is resumed in the very moment in which its task begins to wait is handed over
// by an atomic inside Swift's runtime, which is not instrumented: what was written before then
// looks like a race to the task that reads it. (A program of forty lines with one thread and one
// array shows it.) `make tsan` sets THREAD_SANITIZER, and then both sides go through an atomic of
// ours, too, which it sees. The option not taken, suppressions, would have to name every reader of
// an answer, and hide what is really wrong with them.

import Synchronization

package enum HandOver {
    #if THREAD_SANITIZER
        private static let count = Atomic<Int>(0)
    #endif

    /// Before a continuation is resumed.
    @inline(__always)
    package static func give() {
        #if THREAD_SANITIZER
            count.add(1, ordering: .releasing)
        #endif
    }

    /// After having waited.
    @inline(__always)
    package static func take() {
        #if THREAD_SANITIZER
            _ = count.load(ordering: .acquiring)
        #endif
    }
}
