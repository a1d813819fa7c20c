"""Asks a server by litellm, on the wires of OpenAI and of Anthropic; prints what came, as JSON."""

import json
import sys

import litellm

ask = {
    "messages": [{"role": "user", "content": "What is the capital of France?"}],
    "max_tokens": 24,
    "temperature": 0,
    "api_key": "none",
    "num_retries": 0,
}
came = {}
for name, address in (("openai", sys.argv[1]), ("anthropic", sys.argv[1].removesuffix("/v1"))):
    model = f"{name}/aft-fast"
    whole = litellm.completion(model=model, api_base=address, **ask)
    chunks = litellm.completion(model=model, api_base=address, stream=True, **ask)
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    usage = {field: getattr(whole.usage, field) for field in ("prompt_tokens", "completion_tokens", "total_tokens")}
    came[name] = {"whole": whole.choices[0].message.content, "streamed": streamed, "usage": usage}
print(json.dumps(came))
