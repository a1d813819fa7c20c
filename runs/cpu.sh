#!/usr/bin/env bash
# The whole circle, small, on a CPU and with nothing but this project: data, an AFT model and its SFT twin (the same rows
# without proposals), how likely the held-out targets are to each of them, and the held-out questions answered by the base
# model beside every control, the trained aggregator among them. OUT/report.html shows the answers.
#   runs/cpu.sh [OUT]        started again it goes on where it was; ROWS, STEPS and QUESTIONS set its size
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-.cache/runs/cpu}
rows=${ROWS:-400} steps=${STEPS:-60} questions=${QUESTIONS:-20}
aft() { npx aft "$@"; }
node() { node_modules/.bin/node "$@"; }

mkdir -p "$out"
aft train setup
[ -d "$out/data" ] || aft data build --format arithmetic --rows "$rows" --seed 7 --sft-twin --validation 0.1 \
  --tokenizer smollm2-q4_1 --max-tokens 1000 -o "$out/data"

for kind in aft sft; do
  resume=$([ -e "$out/$kind/metrics.jsonl" ] && echo --resume || true)
  [ -e "$out/$kind/aft-model.json" ] || aft train recipes/smollm2-135m-cpu.yaml --data "$out/data" --rows "$kind" \
    --set max_steps="$steps" --set eval_steps="$((steps / 3))" -o "$out/$kind" $resume
done

for model in base aft sft; do
  name=$([ "$model" = base ] && echo smollm2-q4_1 || echo "$out/$model")
  aft analyze perplexity "$out/data" --model "$name" -o "$out/perplexity-$model"
done
aft analyze convergence "$out/aft" "$out/sft" -o "$out/convergence"

node runs/questions.ts "$out/data" "$out/questions.jsonl"
aft eval gsm8k "$out/questions.jsonl" --model smollm2-q4_1 --trained "$out/aft" --limit "$questions" --width 4 \
  --max-tokens 160 --no-progress -o "$out/eval"
aft report "$out/eval" -o "$out/report.html"
