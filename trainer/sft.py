"""TRL's SFTTrainer, faster on a CPU: the output layer reads only the positions that are trained.

TRL scores all positions if there is no GPU. Rows of aggregation are long prompts with short targets, so with a vocabulary
of 49,152 tokens that is half of the time of a step of a small model.
"""

import torch
from trl import SFTTrainer

GROUP = 32  # batches: rows of like length are looked for in so many


class LikeLengths(torch.utils.data.Sampler):
    """Gives rows in batches of like length, the batches in random order; the same order for a seed and an epoch.

    Rows are padded to the longest of their batch, so rows of 100 and of 200 tokens in one batch waste a third of a step. The sampler
    of transformers gives the batches sorted, so that a long and a short stretch follow each other.
    """

    def __init__(self, lengths, batch_size, seed):
        self.lengths, self.batch_size, self.seed, self.epoch = lengths, batch_size, seed, 0

    def __len__(self):
        return len(self.lengths)

    def set_epoch(self, epoch):
        self.epoch = epoch

    def __iter__(self):
        random = torch.Generator().manual_seed(self.seed + self.epoch)
        order = torch.randperm(len(self.lengths), generator=random).tolist()
        size, batches = self.batch_size, []
        for start in range(0, len(order), GROUP * size):
            rows = sorted(order[start : start + GROUP * size], key=lambda row: self.lengths[row])
            batches += [rows[place : place + size] for place in range(0, len(rows), size)]
        whole = [batch for batch in batches if len(batch) == size]
        rest = [row for batch in batches if len(batch) < size for row in batch]  # stays last, else all after it are shifted
        for place in torch.randperm(len(whole), generator=random).tolist():
            yield from whole[place]
        yield from rest


class CpuTrainer(SFTTrainer):
    """Gives the same loss as SFTTrainer with `loss_type: nll`, without its entropy and accuracy."""

    def _get_train_sampler(self, train_dataset=None):
        data = self.train_dataset if train_dataset is None else train_dataset
        if self.args.train_sampling_strategy != "group_by_length":
            return super()._get_train_sampler(data)
        lengths = [len(ids) for ids in data["input_ids"]]
        return LikeLengths(lengths, self.args.train_batch_size, self.args.seed)

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        labels = inputs["labels"][:, 1:]
        trained = labels != -100
        columns = trained.any(dim=0).nonzero().flatten()
        fields = {name: value for name, value in inputs.items() if name != "labels"}
        logits = model(**fields, use_cache=False, logits_to_keep=columns).logits
        losses = torch.nn.functional.cross_entropy(
            logits.float().flatten(0, 1), labels[:, columns].flatten(), ignore_index=-100, reduction="sum"
        )
        count = trained.sum() if num_items_in_batch is None else num_items_in_batch
        loss = losses / torch.as_tensor(count).clamp(min=1)
        if num_items_in_batch is not None and self.args.average_tokens_across_devices:
            loss = loss * self.accelerator.num_processes
        if self.model.training:
            tokens = self.accelerator.gather_for_metrics(inputs["attention_mask"].sum())
            self._total_train_tokens += tokens.sum().item()
        return (loss, {"logits": logits}) if return_outputs else loss


def choose_trainer(args):
    """Returns the class that trains: TRL's own on a GPU, and for everything but the plain loss of padded rows."""
    plain = args.loss_type == "nll" and not (args.packing or args.padding_free or args.label_smoothing_factor)
    return CpuTrainer if args.use_cpu and plain else SFTTrainer
