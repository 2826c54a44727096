// A lock with conditions, for threads of our own. Never used from an async function for longer
// than it takes to put something into a queue.

import Glibc

package final class Monitor: @unchecked Sendable {
    // Unchecked: the two are opaque to Swift and only touched through their own functions.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let conditions: UnsafeMutableBufferPointer<pthread_cond_t>

    /// - Parameter conditions: one for each kind of waiter, so that waking one does not wake all.
    package init(conditions count: Int = 1) {
        mutex = .allocate(capacity: 1)
        conditions = .allocate(capacity: count)
        pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // A jump of the wall clock must not lengthen or shorten a wait.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        for index in conditions.indices { pthread_cond_init(condition(index), &attributes) }
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        for index in conditions.indices { pthread_cond_destroy(condition(index)) }
        pthread_mutex_destroy(mutex)
        conditions.deallocate()
        mutex.deallocate()
    }

    private func condition(_ index: Int) -> UnsafeMutablePointer<pthread_cond_t> {
        guard let base = conditions.baseAddress, conditions.indices.contains(index) else {
            preconditionFailure("there are \(conditions.count) conditions")
        }
        return base + index
    }

    package func withLock<T>(_ body: () throws -> T) rethrows -> T {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body()
    }

    /// To be called with the lock held; returns with it held, after a signal or `microseconds`.
    package func wait(for index: Int = 0, microseconds: Int64? = nil) {
        guard let microseconds else {
            pthread_cond_wait(condition(index), mutex)
            return
        }
        var deadline = timespec()
        clock_gettime(CLOCK_MONOTONIC, &deadline)
        let nanoseconds = deadline.tv_nsec + Int(microseconds % 1_000_000) * 1000
        deadline.tv_sec += Int(microseconds / 1_000_000) + nanoseconds / 1_000_000_000
        deadline.tv_nsec = nanoseconds % 1_000_000_000
        pthread_cond_timedwait(condition(index), mutex, &deadline)
    }

    package func broadcast(_ index: Int = 0) { pthread_cond_broadcast(condition(index)) }
}

/// Microseconds of the machine's monotonic clock.
func monotonicMicroseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
}

/// Runs `body` on a thread of its own.
///
/// - Parameter name: what `top -H` and profilers show; at most 15 bytes.
package func startThread(named name: StaticString, _ body: @escaping @Sendable () -> Void) {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    precondition(name.utf8CodeUnitCount <= 15, "the system takes no longer name")
    let box = Unmanaged.passRetained(
        Box {
            nameThread(name)
            body()
        })
    let status = pthread_create(
        &thread, nil,
        { raw in
            guard let raw else { return nil }
            Unmanaged<Box>.fromOpaque(raw).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
    precondition(status == 0, "the system refuses a thread: \(status)")
    pthread_detach(thread)
}

/// Through the file system: the C functions for it are not visible from here. Without a name the
/// thread does its work all the same.
private func nameThread(_ name: StaticString) {
    let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    guard file >= 0 else { return }
    _ = write(file, name.utf8Start, name.utf8CodeUnitCount)
    close(file)
}
