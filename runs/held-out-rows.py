"""Losses of single held-out rows at the checkpoints of training runs, and the noise of gradients at fixed weights.

    python runs/held-out-rows.py BASE OUT.json ROWS aft=DATA:RUN,RUN sft=DATA:RUN,RUN

DATA is a folder with train.jsonl and validation.jsonl, RUN a folder of `aft train` with LoRA that kept its checkpoints. Noise
is the variance of the gradient of one row, divided by the squared norm of their mean, over ROWS training rows at the weights
before training and after it. What is done is in OUT.json and is not done again.
"""

import json
import os
import re
import sys

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer

base, out, rows, *groups = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(base)
done = json.load(open(out)) if os.path.exists(out) else {}


def save():
    with open(out + ".unfinished", "w") as file:
        json.dump(done, file, indent=1)
    os.replace(out + ".unfinished", out)


def encode(row):
    """Returns the tokens of a row, and how many of them are the prompt."""
    prompt = tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, return_dict=False)
    whole = tokenizer.apply_chat_template(row["prompt"] + row["completion"], return_dict=False)
    return torch.tensor([whole]), len(prompt)


def read(folder, name, limit=None):
    with open(os.path.join(folder, name)) as file:
        return [encode(json.loads(line)) for line in file][:limit]


def loss_of(model, tokens, start):
    logits = model(tokens, use_cache=False).logits[0, start - 1 : -1].float()
    return torch.nn.functional.cross_entropy(logits, tokens[0, start:])


def adapted(folder):
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    if folder is None:
        torch.manual_seed(1)
        return get_peft_model(model, LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM"))
    return PeftModel.from_pretrained(model, folder, is_trainable=True)


def noise(model, of):
    """Welford over the gradients of rows, without keeping them."""
    mean, squares = None, 0.0
    for count, (tokens, start) in enumerate(of, 1):
        model.zero_grad()
        loss_of(model, tokens, start).backward()
        gradient = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None])
        if mean is None:
            mean = torch.zeros_like(gradient)
        change = gradient - mean
        mean += change / count
        squares += (change * (gradient - mean)).sum().item()
    variance = squares / max(1, len(of) - 1)
    # The squared norm of the mean of n rows has the variance / n too much.
    signal = max(mean.pow(2).sum().item() - variance / len(of), 1e-12)
    return {"rows": len(of), "variance": variance, "squared_mean": signal, "noise": variance / signal}


def steps_of(run):
    found = [re.fullmatch(r"checkpoint-(\d+)", name) for name in os.listdir(run)]
    return sorted(int(match[1]) for match in found if match)


for group in groups:
    name, rest = group.split("=", 1)
    data, runs = rest.split(":", 1)
    held_out, train = read(data, "validation.jsonl"), read(data, "train.jsonl", int(rows))
    for run in runs.split(","):
        steps = steps_of(run)
        for step in [0, *steps]:
            key = f"{name} {os.path.basename(run)} {step}"
            if key in done:
                continue
            model = adapted(None if step == 0 else os.path.join(run, f"checkpoint-{step}"))
            with torch.no_grad():
                losses = [loss_of(model, *row).item() for row in held_out]
            done[key] = {"group": name, "run": os.path.basename(run), "step": step, "losses": losses}
            if step in (0, steps[-1]):
                done[key]["gradient"] = noise(model, train)
            save()
            print(f"{key}: {sum(losses) / len(losses):.4f} nats", file=sys.stderr)
save()
