//! Whole answers of each protocol, as the providers write them. The SDKs' own types say so: see `sdk.rs`.

use serde_json::{Value, json};

use crate::provider::{Part, reply};

/// A body with a status of success.
pub fn ok(body: &Value) -> Part {
    Part::Answer(200, vec![], body.to_string())
}

/// Anthropic's.
pub fn messages(content: Value, stop: &str) -> Value {
    let usage = json!({"input_tokens": 10, "output_tokens": 5});
    serde_json::from_str(&reply(content, stop, usage)).unwrap()
}

/// OpenAI's: `output` items; 100 tokens in, of which 60 read and 30 written, 20 out, of which 8 reasoning.
pub fn responses(model: &str, output: Value) -> Value {
    json!({
        "id": "resp_1", "object": "response", "created_at": 1_795_000_000, "status": "completed", "error": null,
        "incomplete_details": null, "instructions": null, "metadata": {}, "model": model, "output": output,
        "parallel_tool_calls": true, "temperature": 1.0, "tool_choice": "auto", "tools": [], "top_p": 1.0,
        "service_tier": "default", "store": false,
        "usage": {
            "input_tokens": 100, "output_tokens": 20, "total_tokens": 120,
            "input_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30,
                                     "cache_write_tokens_details": {"ttl_12h_tokens": 10, "ttl_30m_tokens": 20}},
            "output_tokens_details": {"reasoning_tokens": 8},
        },
    })
}

/// Reasoning, as OpenAI returns it encrypted.
pub fn reasoning() -> Value {
    json!({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAAA+/=="})
}

/// A call of OpenAI's.
pub fn function_call(id: &str, name: &str, arguments: &str) -> Value {
    json!({"type": "function_call", "id": format!("fc_{id}"), "call_id": id, "name": name, "arguments": arguments,
           "status": "completed"})
}

/// Words of OpenAI's.
pub fn output_text(text: &str) -> Value {
    json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
           "content": [{"type": "output_text", "text": text, "annotations": []}]})
}

/// Chat completions: 100 tokens in, of which 60 read, 20 out, of which 8 reasoning.
pub fn chat(model: &str, message: Value, finish: &str) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_795_000_000, "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": null}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120,
                  "prompt_tokens_details": {"cached_tokens": 60}, "completion_tokens_details": {"reasoning_tokens": 8}},
    })
}

/// Google's: 100 tokens in, of which 60 read, 12 out and 8 of thoughts.
pub fn generated(model: &str, parts: Value, finish: &str) -> Value {
    json!({
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}],
        "usageMetadata": {"promptTokenCount": 100, "cachedContentTokenCount": 60, "candidatesTokenCount": 12,
                          "thoughtsTokenCount": 8, "totalTokenCount": 120},
        "modelVersion": model, "responseId": "g_1",
    })
}
