"""The same GRPO training by TRL's trainer and by ours, which reads a prompt once for its group; prints what each update logged.

    python bench/grpo-peer.py BASE DATA REWARD OUT '{"max_steps": 3, …}'

DATA is a folder with train.jsonl, REWARD as in a recipe. The last argument has fields of GRPOConfig. Both draw the same answers as
long as their numbers are the same but for rounding; TRL's answers stay in order too, so that batches are the same.
"""

import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../trainer"))

import torch
from grpo import make_reward, read_prompts
from peft import LoraConfig
from shared_prompts import SharedPromptTrainer, unshuffled
from transformers import AutoTokenizer, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

base, data, reward, out, fields = sys.argv[1:]
lora = LoraConfig(r=8, target_modules="all-linear", task_type="CAUSAL_LM")
tokenizer = AutoTokenizer.from_pretrained(base, padding_side="left")
prompts = read_prompts({"train": [os.path.join(data, "train.jsonl")]})


class Clock(TrainerCallback):
    def __init__(self):
        self.ends = [time.perf_counter()]

    def on_step_end(self, *args, **others):
        self.ends.append(time.perf_counter())


def train(kind):
    config = {"logging_steps": 1, "save_strategy": "no", "report_to": "none", "bf16": False, "use_cpu": True}
    args = GRPOConfig(output_dir=out, disable_tqdm=True, **config, **json.loads(fields))
    torch.manual_seed(args.seed)
    trainer = kind(base, make_reward(reward), args, prompts, processing_class=tokenizer, peft_config=lora)
    clock = Clock()
    trainer.add_callback(clock)
    with unshuffled():
        trainer.train()
    logs = [log for log in trainer.state.log_history if "loss" in log]
    names = ["loss", "reward", "grad_norm", "entropy", "num_tokens", "completions/mean_length"]
    seconds = [end - start for start, end in zip(clock.ends, clock.ends[1:])]
    return [{**{name: log[name] for name in names}, "seconds": taken} for log, taken in zip(logs, seconds)]


print(json.dumps({"trl": train(GRPOTrainer), "shared": train(SharedPromptTrainer)}))
