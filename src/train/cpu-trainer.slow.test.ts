/** The CPU's trainer gives the loss and the gradients of TRL's own, and rows of like length in one batch if it is asked to. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { aft } from '../../test/command-line.ts'
import { makeTiny } from '../../test/tiny-model.ts'
import { findEnvironment, trainerFolder } from './environment.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'aft-cpu-trainer-'))
const tiny = path.join(folder, 'tiny')

beforeAll(async () => {
  expect(await aft(['train', 'setup'])).toMatchObject({ code: 0 })
  await makeTiny(tiny)
}, 600_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Prints losses and gradients of both trainers for a batch of three rows of unlike length, one without trained tokens. */
const program = `
import json, sys, torch
sys.path.insert(0, sys.argv[1])
from datasets import Dataset
from sft import CpuTrainer, choose_trainer
from trl import SFTConfig, SFTTrainer
tiny, out = sys.argv[2], sys.argv[3]
ids = torch.tensor([[5, 6, 7, 8, 9, 10, 11], [5, 9, 9, 4, 3, 0, 0], [8, 7, 6, 5, 4, 3, 2]])
mask = torch.tensor([[1] * 7, [1] * 5 + [0] * 2, [1] * 7])
labels = torch.tensor([[-100] * 4 + [9, 10, 11], [-100, -100, -100, 4, 3, -100, -100], [-100] * 7])
rows = Dataset.from_list([{"prompt": "a b", "completion": "c"}])
def args(**more):
    return SFTConfig(output_dir=out, use_cpu=True, bf16=False, report_to="none", loss_type="nll", **more)
found = []
for kind in (SFTTrainer, CpuTrainer):
    trainer = kind(model=tiny, args=args(), train_dataset=rows)
    trainer.model.train()
    for count in (None, torch.tensor(9)):
        trainer.model.zero_grad()
        batch = {"input_ids": ids, "attention_mask": mask, "labels": labels}
        loss = trainer.compute_loss(trainer.model, batch, num_items_in_batch=count)
        loss.backward()
        norm = torch.stack([p.grad.norm() for p in trainer.model.parameters()]).norm()
        found.append([loss.item(), norm.item(), trainer._total_train_tokens])
names = [choose_trainer(args(**more)).__name__ for more in ({}, {"packing": True}, {"label_smoothing_factor": 0.1})]
print(json.dumps({"found": found, "names": names}))
`

/** Prints the order of 1,000 rows of which each has one of four lengths: of two epochs, and of the first one again. */
const orders = `
import json, sys
sys.path.insert(0, sys.argv[1])
from datasets import Dataset
from sft import CpuTrainer
from trl import SFTConfig
lengths = [(7 * i) % 4 * 10 + 5 for i in range(1003)]
rows = Dataset.from_list([{"input_ids": [5] * n, "completion_mask": [1] * n} for n in lengths])
args = SFTConfig(output_dir=sys.argv[3], use_cpu=True, bf16=False, report_to="none", loss_type="nll", seed=3,
    train_sampling_strategy="group_by_length", per_device_train_batch_size=8)
trainer = CpuTrainer(model=sys.argv[2], args=args, train_dataset=rows)
found = []
for epoch in (0, 1, 0):
    sampler = trainer._get_train_sampler()
    sampler.set_epoch(epoch)
    found.append(list(sampler))
kept = [len(ids) for ids in trainer.train_dataset["input_ids"]]
print(json.dumps({"found": found, "lengths": kept, "batches": len(trainer.get_train_dataloader())}))
`

function run(script: string) {
  const { python } = findEnvironment()
  const said = execFileSync(python, ['-c', script, trainerFolder, tiny, path.join(folder, 'out')], {
    encoding: 'utf8',
    stdio: 'pipe',
    env: { ...process.env, OMP_NUM_THREADS: '1' },
  })
  return JSON.parse(said.trim().split('\n').at(-1) as string)
}

test('batches have rows of like length, in an order that the seed decides', () => {
  const { found, lengths, batches } = run(orders)
  const [first, second, again] = found as [number[], number[], number[]]
  expect(batches).toBe(126)
  expect(again).toEqual(first)
  expect(second).not.toEqual(first)
  const all = [...first.keys()]
  for (const order of [first, second]) expect([...order].sort((a, b) => a - b)).toEqual(all)
  const lengthsOf = (from: number) => first.slice(from, from + 8).map((row) => lengths[row] as number)
  const starts = all.filter((place) => place % 8 === 0)
  const mixed = starts.filter((from) => new Set(lengthsOf(from)).size > 1).length
  expect(mixed).toBeLessThanOrEqual(3 * 4 + 1) // at the borders between four lengths, in four groups of 32 batches
  const means = starts.map((from) => lengthsOf(from)[0] as number)
  const rises = means.filter((mean, i) => mean >= (means[i - 1] ?? 0)).length
  expect(rises / means.length).toBeLessThan(0.8) // not sorted: 0.63 is chance
})

test('loss, gradients and counted tokens are the same', () => {
  const { found, names } = run(program)
  const [theirs, scaled, ours, oursScaled] = found as [number[], number[], number[], number[]]
  expect(theirs[0]).toBeGreaterThan(0.1)
  for (const [mine, other] of [
    [ours, theirs],
    [oursScaled, scaled],
  ] as const) {
    expect(mine[0]).toBeCloseTo(other[0] as number, 4)
    expect(mine[1]).toBeCloseTo(other[1] as number, 3)
    expect(mine[2]).toBe(other[2])
  }
  expect(scaled[0]).not.toBeCloseTo(theirs[0] as number, 3)
  expect(names).toEqual(['CpuTrainer', 'SFTTrainer', 'SFTTrainer'])
})
