#!/usr/bin/env bash
# The published setting: 64,000 rows of UltraFeedback, an 8B or 7B base, all weights, one node of 8 GPUs. Never run here.
#   runs/paper.sh ULTRAFEEDBACK_FOLDER TARGETS.jsonl [llama-3.1-8b | mistral-7b]
# TARGETS.jsonl: a stronger model's aggregation for each prompt, as `aft data label` writes it; its proposals are not needed.
set -euo pipefail
cd "$(dirname "$0")/.."
source=$1 targets=$2 recipe=${3:-llama-3.1-8b}
out=.cache/runs/$recipe
aft() { npx aft "$@"; }

mkdir -p "$out"
aft train setup
aft doctor
[ -d "$out/data" ] || aft data build "$source" --format ultrafeedback --target "$targets" --proposals 4 --sft-twin -o "$out/data"
for rows in aft sft; do
  resume=$([ -e "$out/$rows/metrics.jsonl" ] && echo --resume || true)
  aft train "recipes/$recipe.yaml" --data "$out/data" --rows "$rows" --set gguf=none -o "$out/$rows" $resume
  [ -d "$out/$rows-vllm" ] || aft train export "$out/$rows" -o "$out/$rows-vllm"
done
echo "serve one: vllm serve $out/aft-vllm; then: npx aft eval, with --model http://127.0.0.1:8000/v1#$out/aft-vllm"
