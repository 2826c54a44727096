import Dialects
import Testing

@Suite struct GatewayRouteTests {
    private typealias Route = (String, String, GatewayRoute.Kind)

    // What OpenAI's clients call, by what it costs.
    @Test(
        arguments: [
            ("POST", "/v1/chat/completions", .metered(.openAIChat)),
            ("POST", "/chat/completions", .metered(.openAIChat)),
            ("POST", "/openai/v1/chat/completions", .metered(.openAIChat)),
            ("POST", "/openai/deployments/my-gpt.4/chat/completions", .metered(.openAIChat)),
            ("POST", "/openai/deployments/emb/embeddings", .metered(.openAIEmbeddings)),
            ("GET", "/v1/chat/completions", .closed(.stored)),
            ("GET", "/v1/chat/completions/c_1", .closed(.stored)),
            ("GET", "/v1/chat/completions/c_1/messages", .closed(.stored)),
            ("POST", "/v1/chat/completions/c_1", .closed(.stored)),
            ("POST", "/v1/responses", .metered(.openAIResponses)),
            ("POST", "/openai/responses", .metered(.openAIResponses)),
            ("GET", "/v1/responses/resp_1", .closed(.stored)),
            ("DELETE", "/v1/responses/resp_1", .closed(.stored)),
            ("POST", "/v1/responses/resp_1/cancel", .closed(.stored)),
            ("GET", "/v1/responses/resp_1/input_items", .closed(.stored)),
            ("POST", "/v1/responses/input_tokens", .free),
            ("POST", "/v1/responses/compact", .closed(.notMetered("responses/compact"))),
            ("POST", "/v1/embeddings", .metered(.openAIEmbeddings)), ("GET", "/v1/models", .free),
            ("HEAD", "/v1/models", .free), ("GET", "/v1/models/ft:gpt-4o:org::id", .free),
            ("GET", "/v1/models/meta/llama-3", .free),
            ("DELETE", "/v1/models/x", .closed(.methodNotAllowed)),
            ("POST", "/v1/batches", .batch(.create)), ("GET", "/v1/batches", .batch(.list)),
            ("GET", "/v1/batches/b", .batch(.retrieve)),
            ("POST", "/v1/batches/b/cancel", .batch(.cancel)),
            ("POST", "/v1/files", .batch(.createFile)), ("GET", "/v1/files", .batch(.listFiles)),
            ("GET", "/v1/files/f", .batch(.retrieveFile)),
            ("GET", "/v1/files/f/content", .batch(.fileContent)),
            ("DELETE", "/v1/files/f", .batch(.deleteFile)),
        ] as [Route])
    func openAI(_ method: String, _ path: String, _ kind: GatewayRoute.Kind) {
        #expect(GatewayRoute.classify(method: method, path: path, family: .openAI).kind == kind)
    }

    // What costs and is not metered is closed, and so is what nobody knows, and every path that
    // two programs may read differently.
    @Test(
        arguments: [
            ("POST", "/v1/images/generations", .closed(.notMetered("images"))),
            ("POST", "/v1/audio/speech", .closed(.notMetered("audio"))),
            ("GET", "/v1/realtime", .closed(.notMetered("realtime"))),
            ("POST", "/v1/fine_tuning/jobs", .closed(.notMetered("fine_tuning"))),
            ("POST", "/v1/assistants", .closed(.notMetered("assistants"))),
            ("POST", "/v1/threads/t/runs", .closed(.notMetered("threads"))),
            ("POST", "/v1/vector_stores", .closed(.notMetered("vector_stores"))),
            ("POST", "/v1/completions", .closed(.notMetered("completions"))),
            ("POST", "/v1/moderations", .closed(.notMetered("moderations"))),
            ("POST", "/v1/videos", .closed(.notMetered("videos"))),
            ("GET", "/v1/responses", .closed(.methodNotAllowed)),
            ("post", "/v1/embeddings", .closed(.methodNotAllowed)),
            ("PUT", "/v1/chat/completions", .closed(.methodNotAllowed)),
            ("POST", "/v1/messages", .closed(.unknown)),
            ("POST", "/v1/Chat/Completions", .closed(.unknown)),
            ("POST", "/v1/chat/completions/", .closed(.unknown)),
            ("POST", "//v1/chat/completions", .closed(.unknown)),
            ("POST", "/v1//chat/completions", .closed(.unknown)),
            ("POST", "/v1/v1/chat/completions", .closed(.unknown)),
            ("GET", "/v1/models/../images", .closed(.unknown)),
            ("GET", "/v1/models/./x", .closed(.unknown)),
            ("GET", "/v1/models/%2e%2e/images", .closed(.unknown)),
            ("GET", "/v1/models/a%2Fb", .closed(.unknown)),
            ("GET", "/v1/models/a\\b", .closed(.unknown)),
            ("GET", "/v1/models/a b", .closed(.unknown)),
            ("GET", "/v1/models/ä", .closed(.unknown)),
            ("GET", "", .closed(.unknown)), ("GET", "/", .closed(.unknown)),
            ("GET", "v1/models", .closed(.unknown)), ("GET", "/v1", .closed(.unknown)),
            ("GET", "/openai", .closed(.unknown)), ("GET", "/v2/models", .closed(.unknown)),
            ("POST", "/openai/deployments/d/v1/chat/completions", .closed(.unknown)),
        ] as [Route])
    func closed(_ method: String, _ path: String, _ kind: GatewayRoute.Kind) {
        #expect(GatewayRoute.classify(method: method, path: path, family: .openAI).kind == kind)
    }

    // What Anthropic's clients call.
    @Test(
        arguments: [
            ("POST", "/v1/messages", .metered(.anthropicMessages)),
            ("POST", "/messages", .metered(.anthropicMessages)),
            ("POST", "/v1/messages/count_tokens", .free), ("GET", "/v1/models", .free),
            ("GET", "/v1/models/claude-opus-4-8", .free),
            ("POST", "/v1/messages/batches", .batch(.create)),
            ("GET", "/v1/messages/batches", .batch(.list)),
            ("GET", "/v1/messages/batches/b", .batch(.retrieve)),
            ("POST", "/v1/messages/batches/b/cancel", .batch(.cancel)),
            ("GET", "/v1/messages/batches/b/results", .batch(.results)),
            ("DELETE", "/v1/messages/batches/b", .batch(.delete)),
            ("POST", "/v1/complete", .closed(.notMetered("complete"))),
            ("POST", "/v1/files", .closed(.notMetered("files"))),
            ("POST", "/v1/chat/completions", .closed(.unknown)),
            ("POST", "/openai/v1/messages", .closed(.unknown)),
            ("GET", "/v1/messages", .closed(.methodNotAllowed)),
            ("GET", "/v1/models/a/b", .closed(.unknown)),
        ] as [Route])
    func anthropic(_ method: String, _ path: String, _ kind: GatewayRoute.Kind) {
        #expect(GatewayRoute.classify(method: method, path: path, family: .anthropic).kind == kind)
    }

    // What came before the endpoint is told apart from it, so that it can be put behind any base
    // URL.
    @Test func parts() {
        let azure = GatewayRoute.classify(
            method: "POST", path: "/openai/deployments/d-1/chat/completions", family: .openAI)
        #expect(azure.deployment == "d-1")
        #expect(azure.endpoint == "/chat/completions")
        #expect(!azure.isVersioned)
        let plain = GatewayRoute.classify(
            method: "GET", path: "/v1/models/meta/llama", family: .openAI)
        #expect(plain.endpoint == "/models/meta/llama")
        #expect(plain.isVersioned)
        #expect(plain.deployment == nil)
    }
}
