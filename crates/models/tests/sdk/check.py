"""Holds requests and answers against the types of the providers' own SDKs.

Reads a JSON list of {"protocol", "kind": "request" | "answer", "body"} and writes a JSON list of errors, one for each; null where
there is none. Fields that the SDK does not know are errors too.
"""

import json
import sys
import types as modules
from collections.abc import Iterator
from typing import Optional

import anthropic.types as anthropic_types
import openai.types.chat as chat_types
import openai.types.responses as responses_types
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from google.genai import _common
from google.genai import types as google_types
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from openai.types.responses.response_create_params import ResponseCreateParamsNonStreaming
from pydantic import ConfigDict, TypeAdapter, ValidationError
from typing_extensions import is_typeddict


class GenerateContentBody(_common.BaseModel):
    """What the SDK sends: it has a type for each part of the body, and none for the whole."""

    contents: list[google_types.Content]
    system_instruction: Optional[google_types.Content] = None
    tools: Optional[list[google_types.Tool]] = None
    generation_config: Optional[google_types.GenerationConfig] = None


def forbid_unknown_fields() -> None:
    """TypedDicts let unknown fields pass unless each of them is told otherwise."""
    for name, module in list(sys.modules.items()):
        if isinstance(module, modules.ModuleType) and name.startswith(("openai.types", "anthropic.types")):
            for value in list(vars(module).values()):
                if is_typeddict(value):
                    value.__pydantic_config__ = ConfigDict(extra="forbid", arbitrary_types_allowed=True)


def force(value: object) -> None:
    """Iterables are validated when they are walked."""
    if isinstance(value, dict):
        for inner in value.values():
            force(inner)
    elif isinstance(value, (list, tuple, Iterator)):
        for inner in value:
            force(inner)


def checks() -> dict[tuple[str, str], TypeAdapter]:
    forbid_unknown_fields()
    return {
        ("openai_responses", "request"): TypeAdapter(ResponseCreateParamsNonStreaming),
        ("openai_responses", "answer"): TypeAdapter(responses_types.Response),
        ("openai_chat", "request"): TypeAdapter(CompletionCreateParamsNonStreaming),
        ("openai_chat", "answer"): TypeAdapter(chat_types.ChatCompletion),
        ("anthropic_messages", "request"): TypeAdapter(MessageCreateParamsNonStreaming),
        ("anthropic_messages", "answer"): TypeAdapter(anthropic_types.Message),
        ("gemini_generate_content", "request"): TypeAdapter(GenerateContentBody),
        ("gemini_generate_content", "answer"): TypeAdapter(google_types.GenerateContentResponse),
    }


def main() -> None:
    known = checks()
    errors = []
    for case in json.load(sys.stdin):
        try:
            force(known[case["protocol"], case["kind"]].validate_python(case["body"]))
            errors.append(None)
        except ValidationError as error:
            errors.append(str(error)[:2000])
    json.dump(errors, sys.stdout)


main()
