"""The `anthropic` package: sync, async, streaming, tools, thinking, caching."""

import anthropic

from .cases import LONG, SHORT, Cases, refuses, refuses_async, run_async

CASES = Cases("anthropic")
MODEL = "claude-haiku-4-5"
USER = [{"role": "user", "content": SHORT}]
TOOLS = [{"name": "get_weather", "description": "The weather at a place.", "input_schema": {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}]


def client(caller):
    return anthropic.Anthropic(
        base_url=caller.anthropic_url, api_key=caller.key, default_headers=caller.headers)


def async_client(caller):
    return anthropic.AsyncAnthropic(
        base_url=caller.anthropic_url, api_key=caller.key, default_headers=caller.headers)


@CASES.allowed()
def message(caller):
    answer = client(caller).messages.create(model=MODEL, max_tokens=100, messages=USER)
    assert answer.stop_reason == "end_turn" and answer.content[0].text


@CASES.allowed()
def message_async(caller):
    async def run():
        async with async_client(caller) as sdk:
            return await sdk.messages.create(model=MODEL, max_tokens=5, messages=USER)
    answer = run_async(run())
    assert answer.stop_reason == "max_tokens" and answer.usage.output_tokens <= 5


@CASES.allowed()
def stream(caller):
    with client(caller).messages.stream(model=MODEL, max_tokens=100, messages=USER) as stream:
        text = "".join(stream.text_stream)
        answer = stream.get_final_message()
    assert answer.content[0].text == text and answer.usage.output_tokens > 1


@CASES.allowed()
def stream_events_async(caller):
    async def run():
        async with async_client(caller) as sdk:
            stream = await sdk.messages.create(
                model=MODEL, max_tokens=100, messages=USER, stream=True)
            return [event.type async for event in stream]
    types = run_async(run())
    assert types[0] == "message_start" and types[-1] == "message_stop"


@CASES.allowed(calls=2)
def tools(caller):
    sdk = client(caller)
    messages = [{"role": "user", "content": "How is the weather in Paris?"}]
    answer = sdk.messages.create(
        model=MODEL, max_tokens=200, messages=messages, tools=TOOLS,
        tool_choice={"type": "any"})
    call = answer.content[-1]
    assert answer.stop_reason == "tool_use" and call.input["city"]
    messages += [
        {"role": "assistant", "content": answer.content},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}]}]
    last = sdk.messages.create(model=MODEL, max_tokens=200, messages=messages, tools=TOOLS)
    assert last.stop_reason == "end_turn"


@CASES.allowed()
def tools_streaming(caller):
    with client(caller).messages.stream(
            model=MODEL, max_tokens=200, messages=USER, tools=TOOLS,
            tool_choice={"type": "tool", "name": "get_weather"}) as stream:
        answer = stream.get_final_message()
    assert answer.content[-1].input == {"city": "some city"}


@CASES.allowed()
def thinking(caller):
    with client(caller).messages.stream(
            model=MODEL, max_tokens=2_000, messages=USER,
            thinking={"type": "enabled", "budget_tokens": 1_024}) as stream:
        answer = stream.get_final_message()
    assert [block.type for block in answer.content] == ["thinking", "text"]
    assert answer.content[0].signature


@CASES.allowed(calls=3)
def caching(caller):
    def ask(ttl):
        return client(caller).messages.create(
            model=MODEL, max_tokens=20, messages=USER, system=[
                {"type": "text", "text": f"{caller.customer} {ttl} " + "long " * 1_500,
                 "cache_control": {"type": "ephemeral", "ttl": ttl}}]).usage
    assert ask("5m").cache_creation.ephemeral_5m_input_tokens > 1_500
    assert ask("5m").cache_read_input_tokens > 1_500
    assert ask("1h").cache_creation.ephemeral_1h_input_tokens > 1_500


@CASES.allowed(calls=0)
def count_tokens(caller):
    assert client(caller).messages.count_tokens(model=MODEL, messages=USER).input_tokens > 5


@CASES.allowed(calls=0)
def models(caller):
    assert MODEL in [model.id for model in client(caller).models.list()]


@CASES.refused()
def message_refused(caller):
    error = refuses(anthropic.APIStatusError, lambda: client(caller).messages.create(
        model=MODEL, max_tokens=100, messages=USER))
    assert error.body["type"] == "error" and error.body["error"]["type"] == "billing_error"


@CASES.refused()
def stream_refused_async(caller):
    async def run():
        async with async_client(caller) as sdk:
            await refuses_async(anthropic.APIStatusError, lambda: sdk.messages.create(
                model=MODEL, max_tokens=100, messages=USER, stream=True))
    run_async(run())


@CASES.cut()
def stream_cut(caller):
    with client(caller).messages.stream(
            model=MODEL, max_tokens=1_000,
            messages=[{"role": "user", "content": LONG}]) as stream:
        for _, _ in zip(range(5), stream.text_stream):
            pass


@CASES.cut()
def stream_cut_async(caller):
    async def run():
        async with async_client(caller) as sdk:
            async with sdk.messages.stream(
                    model=MODEL, max_tokens=1_000,
                    messages=[{"role": "user", "content": LONG}]) as stream:
                async for _ in stream.text_stream:
                    break
    run_async(run())
