"""LangChain's chat models and a LangGraph agent."""

import anthropic
import openai
import pydantic
from langchain_anthropic import ChatAnthropic
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

from .cases import LONG, SHORT, Cases, refuses, refuses_async, run_async

CASES = Cases("langchain")
GRAPH = Cases("langgraph")


class Event(pydantic.BaseModel):
    """An event."""

    name: str
    date: str


@tool
def get_weather(city: str) -> str:
    """The weather at a place."""
    return f"sunny in {city}"


def chat_openai(caller, **more):
    return ChatOpenAI(
        model="gpt-4o", base_url=caller.openai_url, api_key=caller.key,
        default_headers=caller.headers, **more)


def chat_anthropic(caller, **more):
    return ChatAnthropic(
        model="claude-haiku-4-5", base_url=caller.anthropic_url, api_key=caller.key,
        default_headers=caller.headers, max_tokens=200, **more)


@CASES.allowed()
def openai_invoke(caller):
    answer = chat_openai(caller).invoke(SHORT)
    assert answer.usage_metadata["output_tokens"] == 12


@CASES.allowed()
def openai_stream_without_usage(caller):
    chunks = list(chat_openai(caller, stream_usage=False).stream(SHORT))
    assert all(chunk.usage_metadata is None for chunk in chunks)
    assert len("".join(chunk.text for chunk in chunks).split()) == 12


@CASES.allowed()
def openai_stream_with_usage(caller):
    async def run():
        total = None
        async for chunk in chat_openai(caller, stream_usage=True).astream(SHORT):
            total = chunk if total is None else total + chunk
        return total
    assert run_async(run()).usage_metadata["output_tokens"] == 12


@CASES.allowed()
def openai_tools(caller):
    answer = chat_openai(caller).bind_tools([get_weather], tool_choice="any").invoke("Rome?")
    assert answer.tool_calls[0]["name"] == "get_weather"


@CASES.allowed()
def openai_structured(caller):
    answer = chat_openai(caller).with_structured_output(Event).invoke(SHORT)
    assert isinstance(answer, Event)


@CASES.allowed()
def openai_responses(caller):
    answer = chat_openai(caller, use_responses_api=True).invoke(SHORT)
    assert answer.usage_metadata["output_tokens"] == 12


@CASES.allowed()
def openai_embeddings(caller):
    # Without this it sends token ids, which need OpenAI's own encodings from the network.
    model = OpenAIEmbeddings(
        model="text-embedding-3-small", base_url=caller.openai_url, api_key=caller.key,
        default_headers=caller.headers, check_embedding_ctx_length=False)
    assert len(model.embed_query("one text")) == 1_536


@CASES.allowed()
def anthropic_invoke(caller):
    answer = chat_anthropic(caller).invoke(SHORT)
    assert answer.usage_metadata["output_tokens"] > 10


@CASES.allowed()
def anthropic_stream(caller):
    total = None
    for chunk in chat_anthropic(caller).stream(SHORT):
        total = chunk if total is None else total + chunk
    assert total.usage_metadata["output_tokens"] > 10


@CASES.allowed()
def anthropic_tools(caller):
    answer = chat_anthropic(caller).bind_tools([get_weather], tool_choice="any").invoke("Rome?")
    assert answer.tool_calls[0]["args"] == {"city": "some city"}


@CASES.refused()
def openai_refused(caller):
    refuses(openai.APIStatusError, lambda: chat_openai(caller).invoke(SHORT))


@CASES.refused()
def anthropic_refused(caller):
    refuses(anthropic.APIStatusError, lambda: list(chat_anthropic(caller).stream(SHORT)))


@CASES.cut()
def openai_cut(caller):
    async def run():
        stream = chat_openai(caller).astream(LONG)
        seen = 0
        async for _ in stream:
            seen += 1
            if seen == 5:
                break
        await stream.aclose()
    run_async(run())


def agent(caller):
    """The usual loop: model, tools, model, until no tool is wanted."""
    model = chat_openai(caller, stream_usage=True).bind_tools([get_weather])
    graph = StateGraph(MessagesState)
    graph.add_node("model", lambda state: {"messages": [model.invoke(state["messages"])]})
    graph.add_node("tools", ToolNode([get_weather]))
    graph.add_edge(START, "model")
    graph.add_conditional_edges("model", tools_condition)
    graph.add_edge("tools", "model")
    return graph.compile()


QUESTION = {"messages": [{"role": "user", "content": "Ask get_weather about Rome."}]}


@GRAPH.allowed(calls=2)
def agent_loop(caller):
    messages = agent(caller).invoke(QUESTION)["messages"]
    assert [message.type for message in messages] == ["human", "ai", "tool", "ai"]
    assert all(message.usage_metadata for message in messages if message.type == "ai")


@GRAPH.allowed(calls=2)
def agent_loop_streaming(caller):
    used = [chunk.usage_metadata["output_tokens"]
            for chunk, _ in agent(caller).stream(QUESTION, stream_mode="messages")
            if getattr(chunk, "usage_metadata", None)]
    assert len(used) == 2 and all(used)


@GRAPH.refused()
def agent_refused(caller):
    refuses(openai.APIStatusError, lambda: agent(caller).invoke(QUESTION))


@GRAPH.cut()
def agent_cut(caller):
    async def run():
        stream = agent(caller).astream(
            {"messages": [{"role": "user", "content": LONG}]}, stream_mode="messages")
        async for _ in stream:
            break
        await stream.aclose()
    run_async(run())
