"""Talks to a rehearsal with the providers' own clients, as their users do: converse.py URL PROTOCOL

Plays the script to its `finish`, sending back what the client gave, and prints the number of answers. Each answer is read into the
client's types, which must take all of it.
"""

import json
import sys

TOOLS = ["bash", "edit", "finish"]
SCHEMA = {"type": "object", "properties": {"command": {"type": "string"}}}
LENGTH = 4_000


def as_sent(item):
    """What a client gave, as it came: no field added."""
    return json.loads(item.to_json(exclude_unset=True))


def messages(url):
    import anthropic

    client = anthropic.Anthropic(api_key="any", base_url=url, max_retries=0)
    tools = [{"name": name, "input_schema": SCHEMA} for name in TOOLS]
    thinking = {"type": "enabled", "budget_tokens": 1_024}
    said = [{"role": "user", "content": "go"}]
    while True:
        answer = client.messages.create(
            model="claude-haiku-4-5", max_tokens=LENGTH, messages=said, tools=tools, thinking=thinking
        )
        anthropic.types.Message.model_validate(answer.model_dump(), strict=True)
        calls = [block for block in answer.content if block.type == "tool_use"]
        results = [{"type": "tool_result", "tool_use_id": call.id, "content": "ran"} for call in calls]
        said += [{"role": "assistant", "content": [as_sent(block) for block in answer.content]}]
        said += [{"role": "user", "content": results}]
        yield [call.name for call in calls]


def responses(url):
    import openai

    client = openai.OpenAI(api_key="any", base_url=f"{url}/v1", max_retries=0)
    tools = [{"type": "function", "name": name, "parameters": SCHEMA, "strict": False} for name in TOOLS]
    said = [{"role": "user", "content": "go"}]
    while True:
        answer = client.responses.create(
            model="gpt-5-mini",
            input=said,
            tools=tools,
            store=False,
            include=["reasoning.encrypted_content"],
            max_output_tokens=LENGTH,
        )
        openai.types.responses.Response.model_validate(answer.model_dump(by_alias=True))
        calls = [item for item in answer.output if item.type == "function_call"]
        said += [as_sent(item) for item in answer.output]
        said += [{"type": "function_call_output", "call_id": call.call_id, "output": "ran"} for call in calls]
        yield [call.name for call in calls]


def chat(url):
    import openai

    client = openai.OpenAI(api_key="any", base_url=f"{url}/v1", max_retries=0)
    tools = [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in TOOLS]
    said = [{"role": "user", "content": "go"}]
    while True:
        answer = client.chat.completions.create(model="local", messages=said, tools=tools, max_tokens=LENGTH)
        openai.types.chat.ChatCompletion.model_validate(answer.model_dump())
        message = answer.choices[0].message
        said += [message.model_dump(exclude_none=True)]
        said += [{"role": "tool", "tool_call_id": call.id, "content": "ran"} for call in message.tool_calls]
        yield [call.function.name for call in message.tool_calls]


def gemini(url):
    from google import genai
    from google.genai import types

    options = types.HttpOptions(base_url=url, api_version="v1beta")
    client = genai.Client(api_key="any", http_options=options)
    declared = [types.FunctionDeclaration(name=name, parameters_json_schema=SCHEMA) for name in TOOLS]
    config = types.GenerateContentConfig(
        max_output_tokens=LENGTH,
        tools=[types.Tool(function_declarations=declared)],
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
    )
    said = [types.Content(role="user", parts=[types.Part(text="go")])]
    while True:
        answer = client.models.generate_content(model="gemini-3.1-pro-preview", contents=said, config=config)
        calls = answer.function_calls
        results = [types.FunctionResponse(id=call.id, name=call.name, response={"output": "ran"}) for call in calls]
        said += [answer.candidates[0].content]
        said += [types.Content(role="user", parts=[types.Part(function_response=result) for result in results])]
        yield [call.name for call in calls]


def main():
    url, protocol = sys.argv[1:]
    protocols = {"messages": messages, "responses": responses, "chat": chat, "gemini": gemini}
    for count, called in enumerate(protocols[protocol](url), start=1):
        if "finish" in called:
            print(count)
            return


main()
