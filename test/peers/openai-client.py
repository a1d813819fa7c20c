"""Asks a server by the official Python client in every way that it has; prints what came, as JSON."""

import json
import sys

from openai import BadRequestError, OpenAI

client = OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)
ask = {
    "model": "aft-fast",
    "messages": [{"role": "user", "content": "What is the capital of France?"}],
    "max_tokens": 24,
    "temperature": 0,
}
whole = client.chat.completions.create(**ask)

text = ""
usage = None
for chunk in client.chat.completions.create(**ask, stream=True, stream_options={"include_usage": True}):
    for choice in chunk.choices:
        text += choice.delta.content or ""
    usage = chunk.usage or usage

response = client.responses.create(
    model="aft-fast", input="What is the capital of France?", max_output_tokens=24, temperature=0
)
with client.responses.stream(
    model="aft-fast", input="What is the capital of France?", max_output_tokens=24, temperature=0
) as stream:
    streamed = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
    final = stream.get_final_response()

try:
    client.chat.completions.create(**{**ask, "messages": []})
    refused = None
except BadRequestError as error:
    refused = error.param

print(
    json.dumps(
        {
            "whole": whole.choices[0].message.content,
            "aft": whole.model_extra["aft"],
            "usage": whole.usage.model_dump(),
            "streamed": text,
            "streamed_usage": usage.model_dump(),
            "response": response.output_text,
            "response_usage": response.usage.model_dump(),
            "response_streamed": streamed,
            "response_final": final.output_text,
            "refused": refused,
            "models": [model.id for model in client.models.list()],
        }
    )
)
