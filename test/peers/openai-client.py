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

# The loop of the client's own documents: it reads a choice of every chunk.
loop = ""
for chunk in client.chat.completions.create(**ask, stream=True):
    if chunk.choices[0].delta.content is not None:
        loop += chunk.choices[0].delta.content

# A second turn with the answer as the client writes it, null fields included.
more = [*ask["messages"], whole.choices[0].message.model_dump(), {"role": "user", "content": "Are you sure?"}]
second = client.chat.completions.create(**{**ask, "messages": more})

response = client.responses.create(
    model="aft-fast", input="What is the capital of France?", max_output_tokens=24, temperature=0
)
with client.responses.stream(
    model="aft-fast", input="What is the capital of France?", max_output_tokens=24, temperature=0
) as stream:
    streamed = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
    final = stream.get_final_response()

follow_up = client.responses.create(
    model="aft-fast", input="Are you sure?", previous_response_id=response.id, max_output_tokens=24
)

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
            "loop": loop,
            "second": second.choices[0].message.content,
            "follow_up": follow_up.output_text,
            "response": response.output_text,
            "response_usage": response.usage.model_dump(),
            "response_streamed": streamed,
            "response_final": final.output_text,
            "refused": refused,
            "models": [model.id for model in client.models.list()],
        }
    )
)
