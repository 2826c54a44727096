"""The `litellm` library, with the gateway as `api_base`."""

import os

# Its price list is in the package; nothing has to be fetched.
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

import litellm  # noqa: E402

from .cases import LONG, SHORT, Cases, refuses, refuses_async, run_async  # noqa: E402

litellm.telemetry = False
litellm.suppress_debug_info = True

CASES = Cases("litellm")
USER = [{"role": "user", "content": SHORT}]


def openai_arguments(caller):
    return {"model": "openai/gpt-4o", "api_base": caller.openai_url, "api_key": caller.key,
            "extra_headers": caller.headers, "messages": USER}


def anthropic_arguments(caller):
    return {"model": "anthropic/claude-haiku-4-5", "api_base": caller.anthropic_url,
            "api_key": caller.key, "extra_headers": caller.headers, "messages": USER,
            "max_tokens": 100}


@CASES.allowed()
def openai_chat(caller):
    answer = litellm.completion(**openai_arguments(caller))
    assert answer.usage.completion_tokens == 12


@CASES.allowed()
def openai_stream_async(caller):
    async def run():
        stream = await litellm.acompletion(
            **openai_arguments(caller), stream=True, stream_options={"include_usage": True})
        return [chunk async for chunk in stream]
    chunks = run_async(run())
    assert chunks[-1].usage.completion_tokens == 12


@CASES.allowed()
def anthropic_chat(caller):
    answer = litellm.completion(**anthropic_arguments(caller))
    assert answer.choices[0].finish_reason == "stop" and answer.usage.completion_tokens > 10


@CASES.allowed()
def anthropic_stream(caller):
    chunks = list(litellm.completion(**anthropic_arguments(caller), stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


@CASES.allowed()
def embeddings(caller):
    answer = litellm.embedding(
        model="openai/text-embedding-3-small", input=["one text"], api_base=caller.openai_url,
        api_key=caller.key, extra_headers=caller.headers)
    assert len(answer.data) == 1


@CASES.refused()
def openai_refused(caller):
    refuses(Exception, lambda: litellm.completion(**openai_arguments(caller)))


@CASES.refused()
def anthropic_refused_async(caller):
    run_async(refuses_async(
        Exception, lambda: litellm.acompletion(**anthropic_arguments(caller))))


@CASES.cut()
def openai_cut(caller):
    async def run():
        arguments = openai_arguments(caller) | {"messages": [{"role": "user", "content": LONG}]}
        stream = await litellm.acompletion(**arguments, stream=True)
        seen = 0
        async for _ in stream:
            seen += 1
            if seen == 5:
                break
        await stream.aclose() if hasattr(stream, "aclose") else None
    # The loop's end takes the connection with it.
    run_async(run())
