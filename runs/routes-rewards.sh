#!/usr/bin/env bash
# What do rewards teach an aggregator that right answers do not? One trained model goes on in two ways over the same puzzles and
# drafts of its own proposer:
#   sft    copies the right answers
#   grpo   samples GROUP answers and learns from the share of right lines of each; it sees no right answer
# Then each merges the same drafts to unseen puzzles. The table has the seconds of both trainings: choose SFT_STEPS so that
# they are about equal.
#   runs/routes-rewards.sh [OUT]   resumes if you start it again. MODEL (a folder), ROWS (puzzles), GRPO_STEPS (updates of 4 puzzles),
#                                  SFT_STEPS (of 8), GROUP, PUZZLES, TEST (questions), SEED and THREADS set its size; SAVE=NAME keeps
#                                  the table and every answer in bench/results. With the puzzles of the default an update of GRPO takes
#                                  42 seconds on one core with AVX2, and one of SFT about 20
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-.cache/runs/routes-rewards}
model=${MODEL:-models/aft-routes} rows=${ROWS:-320} grpo_steps=${GRPO_STEPS:-60} sft_steps=${SFT_STEPS:-200} test=${TEST:-400} seed=${SEED:-1}
puzzles=${PUZZLES:-routes:choices=3,steps=3,parts=2,wordings=1-3} group=${GROUP:-8}
aft() { node_modules/.bin/node bin/aft.js "$@"; }
node() { node_modules/.bin/node "$@"; }
sampled=(--temperature 1 --max-tokens 64 --concurrency 24 --seed "$seed" ${THREADS:+--threads "$THREADS"})
train() { # NAME STEPS, then what differs from the recipe
  local folder=$out/$1 steps=$2
  shift 2
  [ -e "$folder/aft-model.json" ] || aft train runs/routes-recipe.yaml --data "$out/data" --set base="$model" --set seed="$seed" \
    --set max_steps="$steps" --set save_steps="$steps" --set gguf=q8_0 "$@" -o "$folder"
}
measure() { # NAME MODEL
  aft eval puzzles "$out/test.jsonl" --model "$model/proposer" --trained "$2" --controls single,oracle,trained \
    --width 4 --depth 1 --answer-temperature 0 --template runs/routes-template.json "${sampled[@]}" -o "$out/test-$1" >/dev/null
}

aft train setup
mkdir -p "$out"
[ -e "$out/puzzles.jsonl" ] || node runs/puzzle-rows.ts "$puzzles" "$rows" "5$seed" "$out/puzzles.jsonl"
[ -e "$out/test.jsonl" ] || node runs/puzzle-rows.ts "$puzzles" "$test" 98 "$out/test.jsonl"
aft data propose "$out/puzzles.jsonl" --model "$model/proposer" --proposals 4 "${sampled[@]}" -o "$out/drafts.jsonl"
[ -d "$out/data" ] || aft data build "$out/drafts.jsonl" --target-file "$out/puzzles.jsonl" --min-proposals 1 --proposals 4 --no-near-duplicates \
  --keep-equal --template runs/routes-template.json --seed "$seed" -o "$out/data"

train grpo "$grpo_steps" --set objective=grpo --set reward=lines --set num_generations="$group" --set max_completion_length=64 \
  --set per_device_train_batch_size="$group" --set gradient_accumulation_steps=4 --set attn_implementation=sdpa --set learning_rate="${GRPO_RATE:-1.0e-5}"
train sft "$sft_steps" --set learning_rate="${SFT_RATE:-5.0e-5}"
measure before "$model"
for way in sft grpo; do measure "$way" "$out/$way"; done
node runs/routes-rewards-table.ts "$out" ${SAVE:+--save "$SAVE"}
