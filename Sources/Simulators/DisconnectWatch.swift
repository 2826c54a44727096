// Notices that a caller has gone while nothing is being written to it.

import Hummingbird
import NIOCore
import Synchronization

final class DisconnectWatch: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = NIOAny

    private let hasGone = Atomic<Bool>(false)

    var isGone: Bool { hasGone.load(ordering: .relaxed) }

    func channelInactive(context: ChannelHandlerContext) {
        hasGone.store(true, ordering: .relaxed)
        context.fireChannelInactive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            hasGone.store(true, ordering: .relaxed)
        }
        context.fireUserInboundEventTriggered(event)
    }
}

struct SimulatorContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
    }

    var watch: DisconnectWatch? {
        get async { try? await channel.pipeline.handler(type: DisconnectWatch.self).get() }
    }
}
