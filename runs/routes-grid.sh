#!/usr/bin/env bash
# How does the AFT model of `runs/routes.sh` do with more or fewer drafts than it was trained with, in more layers, with drafts in
# reverse order, and with drafts of another model? For each seed, over the test `prompts`:
#   grid       each width of WIDTHS at each depth of DEPTHS; 1 x 0 is one answer of the proposer. The layers between are sampled at
#              temperature 1, the last one at 0
#   reversed   the drafts in reverse order
#   other      the drafts of OTHER, a model; without it, of the seed's twin
#   runs/routes-grid.sh [OUT]   OUT is that of `runs/routes.sh`; resumes if you start it again. SEEDS, TEST (questions), WIDTHS,
#                               DEPTHS, WIDTH (of the last two) and THREADS set its size; SAVE=NAME keeps the table and every answer
#                               in bench/results. MODEL=FOLDER tests one trained model, such as models/aft-routes, whose proposer is
#                               FOLDER/proposer, in place of those of OUT
set -euo pipefail
cd "$(dirname "$0")/.."
model=${MODEL:-} out=${1:-.cache/runs/routes}
seeds=${SEEDS:-1 2 3} test=${TEST:-100} widths=${WIDTHS:-1,2,4,8,16} depths=${DEPTHS:-0,1,2,3} width=${WIDTH:-4}
aft() { node_modules/.bin/node bin/aft.js "$@"; }
node() { node_modules/.bin/node "$@"; }
shared=(--limit "$test" --template runs/routes-template.json --temperature 1 --answer-temperature 0 --max-tokens 64 --concurrency 24 ${THREADS:+--threads "$THREADS"})
mkdir -p "$out/tests"
[ -e "$out/tests/prompts.jsonl" ] || node runs/puzzle-rows.ts routes:choices=3,steps=3,parts=2,wordings=1-3 400 99 "$out/tests/prompts.jsonl"

for seed in $seeds; do
  at=$out/$seed
  trained=${model:-$at/aft} proposer=${model:-$at}/proposer other=${OTHER:-}
  [ -n "$model" ] || other=${other:-$at/twin}
  measure() { # FOLDER MODEL, then what differs
    local folder=$at/$1 model=$2
    shift 2
    aft eval puzzles "$out/tests/prompts.jsonl" --model "$model" --trained "$trained" "${shared[@]}" \
      --controls single,oracle,majority-parts-same,trained --width "$width" --depth 1 --seed "$seed" "$@" -o "$folder" >/dev/null
  }
  aft analyze scaling "$out/tests/prompts.jsonl" --task puzzles --model "$proposer" --aggregators "$trained" \
    --widths "$widths" --depths "$depths" "${shared[@]}" --seed "$seed" -o "$at/grid" >/dev/null
  measure grid-reversed "$proposer" --order reversed
  [ -z "$other" ] || measure grid-other "$other"
done
node runs/routes-grid-table.ts "$out" $seeds ${SAVE:+--save "$SAVE"}
