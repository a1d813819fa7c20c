"""Asks a server by the official Anthropic client for Python; prints what came, as JSON."""

import json
import sys

import anthropic

client = anthropic.Anthropic(base_url=sys.argv[1], api_key="none", max_retries=0)
question = {"role": "user", "content": "What is the capital of France?"}
# Its methods have no argument for the temperature.
ask = {"model": "aft-fast", "max_tokens": 24, "extra_body": {"temperature": 0}, "messages": [question]}

whole = client.messages.create(**ask)
with client.messages.stream(**ask) as stream:
    streamed = "".join(stream.text_stream)
    final = stream.get_final_message()
messages = [question, {"role": "assistant", "content": whole.content}, {"role": "user", "content": "Are you sure?"}]
second = client.messages.create(**{**ask, "messages": messages})
counted = client.messages.count_tokens(model="aft-fast", messages=[question]).input_tokens
try:
    client.messages.create(**{**ask, "messages": []})
    refused = None
except anthropic.BadRequestError as error:
    refused = error.body["error"]["type"]

print(
    json.dumps(
        {
            "whole": whole.content[0].text,
            "usage": whole.usage.model_dump(),
            "aft": whole.model_extra["aft"],
            "stopReason": whole.stop_reason,
            "streamed": streamed,
            "final": final.content[0].text,
            "finalUsage": final.usage.model_dump(),
            "second": second.content[0].text,
            "counted": counted,
            "refused": refused,
            "models": [model.id for model in client.models.list()],
        }
    )
)
