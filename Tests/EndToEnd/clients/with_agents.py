"""OpenAI's Agents SDK, on Responses (its default) and on Chat Completions."""

import agents
import openai

from .cases import LONG, Cases, refuses_async, run_async

CASES = Cases("openai-agents")
# Traces would go to OpenAI.
agents.set_tracing_disabled(True)


@agents.function_tool
def get_weather(city: str) -> str:
    """The weather at a place."""
    return f"sunny in {city}"


def agent(sdk, kind=agents.OpenAIResponsesModel):
    return agents.Agent(
        name="Helper", instructions="Answer shortly.", tools=[get_weather],
        model=kind(model="gpt-4o", openai_client=sdk))


def run(caller, body):
    async def inside():
        async with openai.AsyncOpenAI(
                base_url=caller.openai_url, api_key=caller.key,
                default_headers=caller.headers) as sdk:
            return await body(sdk)
    return run_async(inside())


QUESTION = "Ask get_weather about Rome."


@CASES.allowed(calls=2)
def responses(caller):
    async def body(sdk):
        return await agents.Runner.run(agent(sdk), QUESTION)
    result = run(caller, body)
    assert result.final_output and result.context_wrapper.usage.requests == 2


@CASES.allowed(calls=2)
def responses_streamed(caller):
    async def body(sdk):
        result = agents.Runner.run_streamed(agent(sdk), QUESTION)
        async for _ in result.stream_events():
            pass
        return result
    result = run(caller, body)
    assert result.final_output and result.context_wrapper.usage.output_tokens > 0


@CASES.allowed(calls=2)
def chat(caller):
    async def body(sdk):
        return await agents.Runner.run(
            agent(sdk, agents.OpenAIChatCompletionsModel), QUESTION)
    assert run(caller, body).final_output


@CASES.allowed(calls=2)
def chat_streamed(caller):
    async def body(sdk):
        result = agents.Runner.run_streamed(
            agent(sdk, agents.OpenAIChatCompletionsModel), QUESTION)
        async for _ in result.stream_events():
            pass
        return result
    assert run(caller, body).final_output


@CASES.refused()
def responses_refused(caller):
    async def body(sdk):
        await refuses_async(
            openai.APIStatusError, lambda: agents.Runner.run(agent(sdk), QUESTION))
    run(caller, body)


@CASES.cut()
def responses_cut(caller):
    async def body(sdk):
        result = agents.Runner.run_streamed(agent(sdk), LONG)
        seen = 0
        async for _ in result.stream_events():
            seen += 1
            if seen == 12:
                break
        result.cancel()
    run(caller, body)
