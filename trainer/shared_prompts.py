"""GRPO that reads each prompt once for all answers of its group.

TRL puts the prompt before each answer. A prompt of aggregation holds several drafts, so it is far longer than an answer, and a
group of eight reads it eight times. Here the answers of a group follow their prompt in one row. Each sees the prompt and
itself, at the positions that it would have alone, so log probabilities and gradients are those of TRL but for rounding.
"""

from contextlib import contextmanager
from dataclasses import dataclass

import torch
from trl import GRPOTrainer
from trl.trainer import grpo_trainer

PADDING, PROMPT = -1, 0  # owners of tokens; answers are owners from 1


@dataclass
class Packed:
    """Prompts with their answers, one prompt a row; all of them (rows, tokens).

    The prompt's last token stands before each answer once more, since from it the first token of an answer is predicted.
    """

    ids: torch.Tensor
    positions: torch.Tensor
    owners: torch.Tensor
    labels: torch.Tensor  # -100 where nothing is predicted
    answers: list[tuple[int, int, int]]  # of each answer: its row, its first token there, and their number

    def mask(self):
        """Which tokens (third dimension) each token (second) sees: (rows, 1, tokens, tokens), boolean."""
        owners = self.owners
        causal = torch.ones(owners.shape[1], owners.shape[1], dtype=torch.bool, device=owners.device).tril()
        shared = (owners == PROMPT)[:, None, :] | (owners[:, :, None] == owners[:, None, :])
        return (causal & shared)[:, None]

    def unpack(self, values, width):
        """What the model says of each label, (rows, tokens - 1), as (answers, width); 0 after the end of an answer."""
        found = values.new_zeros(len(self.answers), width)
        for answer, (row, start, count) in enumerate(self.answers):
            if count:
                found[answer, :count] = values[row, start - 1 : start - 1 + count]
        return found


def pack(ids, mask, width):
    """Packs prompts, padded on the left, with answers of at most `width` tokens, padded on the right: (answers, tokens)."""
    rows, answers = {}, []
    for tokens, seen in zip(ids.tolist(), mask.bool().tolist()):
        prompt = tuple(token for token, keep in zip(tokens[:-width], seen[:-width]) if keep)
        answer = [token for token, keep in zip(tokens[-width:], seen[-width:]) if keep]
        row = rows.setdefault(prompt, {"place": len(rows), "ids": [*prompt[:-1]], "answers": []})
        answers.append((row["place"], len(row["ids"]) + 1, len(answer)))
        row["ids"] += [prompt[-1], *answer]
        row["answers"].append(len(answer))
    length = max(len(row["ids"]) for row in rows.values())
    fills = {"ids": 0, "positions": 0, "owners": PADDING, "labels": -100}
    tensors = {name: torch.full((len(rows), length), fill) for name, fill in fills.items()}
    for prompt, row in rows.items():
        place, start = row["place"], len(prompt) - 1
        tensors["ids"][place, : len(row["ids"])] = torch.tensor(row["ids"])
        tensors["positions"][place, :start] = torch.arange(start)
        tensors["owners"][place, :start] = PROMPT
        for owner, count in enumerate(row["answers"], 1):
            end = start + 1 + count
            tensors["positions"][place, start:end] = torch.arange(len(prompt) - 1, len(prompt) + count)
            tensors["owners"][place, start:end] = owner
            tensors["labels"][place, start + 1 : end] = tensors["ids"][place, start + 1 : end]
            start = end
    return Packed(**{name: tensor.to(ids.device) for name, tensor in tensors.items()}, answers=answers)


def can_share(model):
    """Whether attention takes such a mask: not with flash attention, windows, or layers that have a state in place of it."""
    config = model.config.get_text_config()
    kinds = getattr(config, "layer_types", None)
    sees_all = set(kinds) == {"full_attention"} if kinds else not getattr(config, "sliding_window", None)
    has_turns = any(getattr(config, name, None) for name in ("rope_parameters", "rope_theta"))  # positions are relative
    return sees_all and has_turns and config._attn_implementation in ("eager", "sdpa")


class SharedPromptTrainer(GRPOTrainer):
    """Gives the answers and the losses of GRPOTrainer."""

    def _generate_single_turn(self, prompt_ids, images, multimodal_fields, num_generations, **others):
        bare = self.accelerator.unwrap_model(self.model)
        is_plain = not (images or multimodal_fields or self.use_vllm or self.use_transformers_continuous_batching)
        with reading_once(bare, num_generations if is_plain and can_share(bare) else 1):
            return super()._generate_single_turn(prompt_ids, images, multimodal_fields, num_generations, **others)

    def _prepare_inputs(self, generation_batch):
        with unshuffled():
            return super()._prepare_inputs(generation_batch)

    def _get_per_token_logps_and_entropies(
        self,
        model,
        input_ids,
        attention_mask,
        logits_to_keep,
        batch_size=None,
        compute_entropy=False,
        compute_aux_loss=False,
        **others,
    ):
        bare = self.accelerator.unwrap_model(model)
        if compute_aux_loss or any(value is not None for value in others.values()) or not can_share(bare):
            return super()._get_per_token_logps_and_entropies(
                model, input_ids, attention_mask, logits_to_keep, batch_size, compute_entropy, compute_aux_loss, **others
            )
        packed = pack(input_ids, attention_mask, logits_to_keep)
        mask = packed.mask()
        if bare.config.get_text_config()._attn_implementation == "eager":  # which adds the mask
            mask = torch.zeros_like(mask, dtype=bare.dtype).masked_fill_(~mask, torch.finfo(bare.dtype).min)
        inputs = {"input_ids": packed.ids, "attention_mask": mask, "position_ids": packed.positions}
        with self.accelerator.autocast():
            logps, entropies = self.score(model, inputs, packed.labels)
        entropies = packed.unpack(entropies, logits_to_keep) if compute_entropy else None
        return packed.unpack(logps, logits_to_keep), entropies, None

    def score(self, model, inputs, labels):
        """The log probability of each label and the entropy there, (rows, tokens - 1)."""
        if labels.device.type != "cpu":
            outputs = model(**inputs, labels=labels, fused_lm_head=True)
            return outputs.log_probs, outputs.entropy
        # On a CPU TRL's own scores every position, which costs as much again as the small model.
        labels = labels[:, 1:]
        trained = labels != -100
        columns = trained.any(dim=0).nonzero().flatten()
        logits = model(**inputs, use_cache=False, logits_to_keep=columns).logits.float() / self.temperature
        logps = logits.log_softmax(-1)
        found = logps.gather(-1, labels[:, columns].clamp(min=0)[..., None])[..., 0]
        with torch.set_grad_enabled(torch.is_grad_enabled() and self._entropy_bonus_enabled):
            entropies = -(logps.exp() * logps).sum(-1)
        return tuple(values.new_zeros(labels.shape).index_copy(1, columns, values) for values in (found, entropies))


@contextmanager
def reading_once(model, group):
    """`model.generate` reads a prompt once that comes `group` times in a row, and writes the same answers."""
    generate = model.generate

    def generate_shared(input_ids, attention_mask, **others):
        given = input_ids, attention_mask
        ids, mask = (tensor[::group] for tensor in given)
        is_alike = all(one.repeat_interleave(group, 0).equal(whole) for one, whole in zip((ids, mask), given))
        if group > 1 and is_alike and ids.shape[1] > 1:
            ids, mask = ids[:, :-1], mask[:, :-1]  # `generate` reads the last token itself
            positions = (mask.cumsum(-1) - 1).clamp(min=0)
            read = model(ids, attention_mask=mask, position_ids=positions, use_cache=True, logits_to_keep=1)
            read.past_key_values.batch_repeat_interleave(group)
            others["past_key_values"] = read.past_key_values
        return generate(input_ids=input_ids, attention_mask=attention_mask, **others)

    model.generate = generate_shared
    try:
        yield
    finally:
        del model.generate


@contextmanager
def unshuffled():
    """Answers to one prompt stay together, so that they are in the same batch."""
    shuffle = grpo_trainer.shuffle_sequence_dict
    grpo_trainer.shuffle_sequence_dict = lambda batch: batch
    try:
        yield
    finally:
        grpo_trainer.shuffle_sequence_dict = shuffle
