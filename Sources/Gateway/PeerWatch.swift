// Tells a call that its client has closed the connection, also while nothing is being written to
// it: a provider may think for minutes before there is anything to write.

package import NIOCore
import Synchronization

/// Whoever is at the other end of a connection.
final class Peer: Sendable {
    private struct State {
        var isGone = false
        var onGone: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    init() {}

    /// Calls `body` when the peer goes, at once if it has gone; replaces what was asked before. A
    /// connection has one call at a time.
    func whenGone(_ body: (@Sendable () -> Void)?) {
        let isGone = state.withLock { state in
            state.onGone = body
            return state.isGone
        }
        if isGone { body?() }
    }

    func went() {
        let body = state.withLock { state in
            state.isGone = true
            defer { state.onGone = nil }
            return state.onGone
        }
        body?()
    }
}

/// A handler of the server's channels. The end of what the client sends counts as its going: HTTP
/// clients do not close one direction and listen on.
package final class PeerWatch: ChannelInboundHandler, RemovableChannelHandler {
    package typealias InboundIn = NIOAny

    let peer = Peer()

    package init() {}

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { peer.went() }
        context.fireUserInboundEventTriggered(event)
    }

    package func channelInactive(context: ChannelHandlerContext) {
        peer.went()
        context.fireChannelInactive()
    }
}
