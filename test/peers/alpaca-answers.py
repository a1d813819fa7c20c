"""Answers instructions by alpaca_eval's own client for OpenAI-compatible servers; prints what came, as JSON."""

import json
import sys

import pandas as pd
from alpaca_eval import decoders, utils

instructions = pd.DataFrame({"instruction": json.loads(sys.argv[1])})
template = "<|im_start|>user\n{instruction}\n<|im_end|>"
prompts, _ = utils.make_prompts(instructions, template=template)
generate = decoders.get_fn_completions("openai_completions")
came = generate(prompts, model_name="aft-fast", max_tokens=24, temperature=0, price_per_token=1, n_retries=1)
print(json.dumps({"outputs": came["completions"], "tokens": list(map(float, came["price_per_example"]))}))
