"""The `openai` package: sync, async, streaming, tools, parse helpers, Responses, embeddings."""

import openai
import pydantic

from .cases import LONG, SHORT, Cases, refuses, refuses_async, run_async

CASES = Cases("openai")
USER = [{"role": "user", "content": SHORT}]
TOOLS = [{"type": "function", "function": {
    "name": "get_weather", "description": "The weather at a place.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}},
                   "required": ["city"], "additionalProperties": False}, "strict": True}}]
RESPONSES_TOOLS = [{"type": "function", **TOOLS[0]["function"]}]


class Event(pydantic.BaseModel):
    name: str
    date: str
    participants: list[str]


def client(caller):
    return openai.OpenAI(
        base_url=caller.openai_url, api_key=caller.key, default_headers=caller.headers)


def async_client(caller):
    return openai.AsyncOpenAI(
        base_url=caller.openai_url, api_key=caller.key, default_headers=caller.headers)


@CASES.allowed()
def chat(caller):
    answer = client(caller).chat.completions.create(model="gpt-4o", messages=USER)
    assert answer.choices[0].finish_reason == "stop" and answer.usage.completion_tokens == 12
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + 12


@CASES.allowed()
def chat_async(caller):
    async def run():
        async with async_client(caller) as sdk:
            return await sdk.chat.completions.create(model="gpt-4o", messages=USER)
    assert run_async(run()).choices[0].message.content


@CASES.allowed()
def output_limit(caller):
    answer = client(caller).chat.completions.create(
        model="gpt-4o", messages=USER, max_completion_tokens=5)
    assert answer.choices[0].finish_reason == "length" and answer.usage.completion_tokens == 5


@CASES.allowed()
def several_choices(caller):
    answer = client(caller).chat.completions.create(model="gpt-4o", messages=USER, n=3)
    assert len(answer.choices) == 3 and answer.usage.completion_tokens == 36


@CASES.allowed()
def stream_without_usage(caller):
    stream = client(caller).chat.completions.create(model="gpt-4o", messages=USER, stream=True)
    chunks = list(stream)
    # Nothing that was not asked for: no usage, and no chunk without choices, on which many
    # programs stumble that read `chunk.choices[0]`.
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)
    assert len("".join(chunk.choices[0].delta.content or "" for chunk in chunks).split()) == 12


@CASES.allowed()
def stream_with_usage(caller):
    stream = client(caller).chat.completions.create(
        model="gpt-4o", messages=USER, stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    assert chunks[-1].choices == [] and chunks[-1].usage.completion_tokens == 12
    assert all(chunk.usage is None for chunk in chunks[:-1])


@CASES.allowed()
def stream_async(caller):
    async def run():
        async with async_client(caller) as sdk:
            stream = await sdk.chat.completions.create(
                model="gpt-4o", messages=USER, stream=True)
            return [chunk.choices[0].delta.content async for chunk in stream]
    assert len([text for text in run_async(run()) if text]) == 12


@CASES.allowed(calls=2)
def tools(caller):
    sdk = client(caller)
    messages = [{"role": "user", "content": "How is the weather in Paris?"}]
    answer = sdk.chat.completions.create(
        model="gpt-4o", messages=messages, tools=TOOLS, tool_choice="required")
    call = answer.choices[0].message.tool_calls[0]
    assert call.function.name == "get_weather" and "city" in call.function.arguments
    messages += [answer.choices[0].message,
                 {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
    last = sdk.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS)
    assert last.choices[0].message.content


@CASES.allowed()
def tools_streaming(caller):
    with client(caller).chat.completions.stream(
            model="gpt-4o", messages=USER, tools=TOOLS, tool_choice="required") as stream:
        for _ in stream:
            pass
        answer = stream.get_final_completion()
    call = answer.choices[0].message.tool_calls[0]
    assert call.function.parsed_arguments["city"] and answer.choices[0].finish_reason == "tool_calls"


@CASES.allowed()
def parse(caller):
    answer = client(caller).chat.completions.parse(
        model="gpt-4o", messages=USER, response_format=Event)
    assert isinstance(answer.choices[0].message.parsed, Event)


@CASES.allowed()
def reasoning(caller):
    answer = client(caller).chat.completions.create(
        model="gpt-5-mini", messages=USER, reasoning_effort="low")
    details = answer.usage.completion_tokens_details
    assert details.reasoning_tokens == 32 and answer.usage.completion_tokens == 44


@CASES.allowed()
def cached_prompt(caller):
    answer = client(caller).chat.completions.create(model="gpt-4o", messages=[
        {"role": "user", "content": "word " * 1500 + "[[output=5,cached=1024]]"}])
    assert answer.usage.prompt_tokens_details.cached_tokens == 1024


@CASES.allowed()
def flex_tier(caller):
    answer = client(caller).chat.completions.create(
        model="gpt-5-mini", messages=USER, service_tier="flex")
    assert answer.service_tier == "flex"


@CASES.allowed(calls=2)
def responses(caller):
    sdk = client(caller)
    first = sdk.responses.create(model="gpt-4o", input=SHORT, instructions="Be brief.")
    assert first.status == "completed" and len(first.output_text.split()) == 12
    second = sdk.responses.create(
        model="gpt-4o", input=SHORT, previous_response_id=first.id)
    assert second.usage.input_tokens > first.usage.total_tokens


@CASES.allowed()
def responses_streaming(caller):
    with client(caller).responses.create(
            model="gpt-5-mini", input=SHORT, stream=True) as stream:
        events = list(stream)
    assert events[0].type == "response.created" and events[-1].type == "response.completed"
    assert events[-1].response.usage.output_tokens_details.reasoning_tokens == 64


@CASES.allowed()
def responses_async_streaming(caller):
    async def run():
        async with async_client(caller) as sdk:
            async with sdk.responses.stream(model="gpt-4o", input=SHORT) as stream:
                async for _ in stream:
                    pass
                return await stream.get_final_response()
    assert len(run_async(run()).output_text.split()) == 12


@CASES.allowed()
def responses_tools(caller):
    answer = client(caller).responses.create(
        model="gpt-4o", input="What does get_weather say of Rome?", tools=RESPONSES_TOOLS)
    call = answer.output[-1]
    assert call.type == "function_call" and call.name == "get_weather"


@CASES.allowed()
def responses_parse(caller):
    answer = client(caller).responses.parse(model="gpt-4o", input=SHORT, text_format=Event)
    assert isinstance(answer.output_parsed, Event)


@CASES.allowed()
def embeddings(caller):
    answer = client(caller).embeddings.create(
        model="text-embedding-3-small", input=["one text", "and another"], dimensions=64)
    assert [len(item.embedding) for item in answer.data] == [64, 64]


@CASES.allowed(calls=0)
def models(caller):
    assert "gpt-4o" in [model.id for model in client(caller).models.list()]


@CASES.refused()
def chat_refused(caller):
    error = refuses(openai.APIStatusError, lambda: client(caller).chat.completions.create(
        model="gpt-4o", messages=USER))
    assert error.type == "spend_limit" or error.code, error.body


@CASES.refused()
def stream_refused(caller):
    refuses(openai.APIStatusError, lambda: client(caller).chat.completions.create(
        model="gpt-4o", messages=USER, stream=True))


@CASES.refused()
def responses_refused_async(caller):
    async def run():
        async with async_client(caller) as sdk:
            await refuses_async(openai.APIStatusError, lambda: sdk.responses.create(
                model="gpt-4o", input=SHORT))
    run_async(run())


@CASES.refused()
def embeddings_refused(caller):
    refuses(openai.APIStatusError, lambda: client(caller).embeddings.create(
        model="text-embedding-3-small", input="words " * 2000))


@CASES.cut()
def stream_cut(caller):
    stream = client(caller).chat.completions.create(
        model="gpt-4o", messages=[{"role": "user", "content": LONG}], stream=True)
    for _, _ in zip(range(5), stream):
        pass
    stream.close()


@CASES.cut()
def responses_cut_async(caller):
    async def run():
        async with async_client(caller) as sdk:
            stream = await sdk.responses.create(model="gpt-4o", input=LONG, stream=True)
            seen = 0
            async for _ in stream:
                seen += 1
                if seen == 12:
                    break
            await stream.close()
    run_async(run())
