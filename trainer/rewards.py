"""Rewards of sampled answers, for training with GRPO. The named ones read answers as src/lib/answer-text.ts and
src/lib/numbered-lines.ts do; src/train/grpo.slow.test.ts compares both.
"""

import importlib.util
import json
import re

NUMBER = re.compile(r"(?<![\w.,])[-+]?\d[\d,]*(?:\.\d+)?(?!\.?\w)", re.ASCII)
MATH = re.compile(r"\\[a-z]|[\^/√π]", re.I)


def score_answer(text, target, prompt=None):
    """1 if the final answer of both is the same, else 0."""
    return float(read_answer(text) == read_answer(target))


def score_lines(text, target, prompt=None):
    """The share of the numbered lines of `target` that `text` has too, from 0 to 1."""
    lines, right = read_lines(text), read_lines(target)
    return sum(lines.get(number) == line for number, line in right.items()) / max(1, len(right))


named = {"answer": score_answer, "lines": score_lines}


def load_reward(name):
    """Returns a named reward, or the function `reward(text, target, prompt)` of a Python file."""
    if name in named:
        return named[name]
    spec = importlib.util.spec_from_file_location("aft_reward", name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not callable(getattr(module, "reward", None)):
        raise ValueError(f"{name}: expected a function reward(text, target, prompt), which returns a number")
    return module.reward


def read_answer(text):
    """The final answer that a text states: after the last `####`, in the last `\\boxed{}`, after "answer is", or the last number."""
    known = read_json(text)
    if known is not None:
        return known
    marked = last(r"(?<!#)#{4,}(?!#)\s*([^\n]+)", text) or last_boxed(text) or last(r"(?i)answer(?:\s+is\b|:)[\s:]*([^\n]+)", text)
    return normalize(marked or last(r"(-?\$?\d[\d,]*(?:\.\d+)?)", text) or text)


def read_json(text):
    if not re.match(r"\s*[\[{]", text):
        return None
    try:
        return json.dumps(json.loads(text), sort_keys=True)
    except ValueError:
        return None


def last(pattern, text):
    found = re.findall(pattern, text, re.ASCII)
    return found[-1] if found else None


def last_boxed(text):
    at = text.rfind("\\boxed{")
    if at < 0:
        return None
    start, braces = at + len("\\boxed{"), 1
    for i in range(start, len(text)):
        braces += {"{": 1, "}": -1}.get(text[i], 0)
        if braces == 0:
            return text[start:i]
    return None


def normalize(answer):
    bare = re.sub(r"</?\w+>", "", answer.replace("{,}", ","), flags=re.ASCII).replace("\u2212", "-")
    plain = re.sub(r"[*_`$\\]", "", bare).strip().rstrip(".!").strip()
    first = re.match(r"(-?\d[\d,]*(?:\.\d+)?)\s*%?(?:\s|$)", plain, re.ASCII)
    numbers = [] if MATH.search(bare.replace("\\boxed", "")) else NUMBER.findall(plain)
    number = first.group(1) if first else numbers[0] if len(numbers) == 1 else None
    if number is not None:
        return float(number.replace(",", ""))
    return re.sub(r"\s+", " ", plain.lower())


def read_lines(text):
    """The lines `(1) …` by their number; the last one if a number comes twice. Spaces and a full stop at the end do not matter."""
    found = re.findall(r"(?m)^[ \t]*\((\d{1,2})\)[ \t]*(\S.*)$", text, re.ASCII)
    return {number: " ".join(re.sub(r"\.$", "", line.strip()).split()) for number, line in found}
