#!/usr/bin/env bash
# The whole circle, small, on a CPU and with nothing but this project: a model, data, perplexities, an AFT model and its SFT
# twin (the same rows without proposals), and how both fare on the held-out rows. About 30 minutes on two idle cores.
#   runs/cpu.sh [FOLDER]        started again it goes on where it was
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-.cache/runs/cpu}
steps=${STEPS:-60}
rows=${ROWS:-400}
aft() { npx aft "$@"; }

mkdir -p "$out"
aft train setup
[ -d "$out/data" ] || aft data build --format arithmetic --rows "$rows" --seed 7 --sft-twin --validation 0.1 \
  --tokenizer smollm2-q4_1 --max-tokens 1000 -o "$out/data"

for kind in aft sft; do
  resume=$([ -e "$out/$kind/metrics.jsonl" ] && echo --resume || true)
  [ -e "$out/$kind/aft-model.json" ] || aft train recipes/smollm2-135m-cpu.yaml --data "$out/data" --rows "$kind" \
    --set max_steps="$steps" --set eval_steps="$((steps / 3))" -o "$out/$kind" $resume
done

for model in smollm2-q4_1 "$out/aft" "$out/sft"; do
  node_modules/.bin/node runs/perplexity.ts "$out/data" --model "$model" -o "$out/perplexity-$(basename "$model").json"
done
