#!/usr/bin/env bash
# What matters in aggregation fine-tuning, one thing at a time, on puzzles. A proposer learns right answers; then one model is
# trained per arm, all from the proposer, with as many updates:
#   drafts-K       K drafts in training (DRAFTS); each is tested with each number of drafts of WIDTHS
#   right-S        a share S of the drafts is right (RIGHT), as far as a row has so many
#   own-S          a share S of the drafts is the proposer's own (OWN), the others are guesses
# The arm drafts-BASE, with the first number of DRAFTS, is tested with drafts in shuffled order too. Each test has other
# aggregators over the same drafts: the proposer itself, untrained, and votes and picks as in `aft eval`.
#   runs/ablations.sh [OUT]   resumes if you start it again. DRY=1 prints what it would take. STEPS, PROPOSER_STEPS (updates of
#                             BATCH rows), TEST (questions), SEEDS (samples per question), PUZZLES and RECIPE set its size
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-.cache/runs/ablations}
drafts=${DRAFTS:-4 1 2 8} widths=${WIDTHS:-2 4 8 16} right=${RIGHT-0 0.5 1} own=${OWN-0 0.5}
steps=${STEPS:-400} proposer_steps=${PROPOSER_STEPS:-150} batch=${BATCH:-8} test=${TEST:-400} seeds=${SEEDS:-3}
puzzles=${PUZZLES:-routes:choices=3,steps=2,wordings=1-3} recipe=${RECIPE:-runs/routes-recipe.yaml}
base=${drafts%% *}
rows=$((steps * batch * 10 / 9 + 60))
aft() { npx aft "$@"; }
node() { node_modules/.bin/node "$@"; }
most() { printf '%s\n' "$@" | sort -n | tail -1; }
arms=()
for k in $drafts; do arms+=("drafts-$k"); done
for share in $right; do arms+=("right-$share"); done
for share in $own; do arms+=("own-$share"); done
sampled=$(most $drafts 8)

if [ -n "${DRY:-}" ]; then
  calls=0
  for width in $widths; do calls=$((calls + test * seeds * (2 * width + 12))); done
  echo "arms: ${arms[*]}"
  echo "trainings: 1 of $((proposer_steps * batch)) rows, ${#arms[@]} of $((steps * batch)) rows"
  echo "drafts: $rows prompts x $sampled"
  echo "tests: $test questions x $seeds seeds, at ${widths// /, } drafts for the arms drafts-*, at $base for the others"
  echo "completions per arm drafts-*: at most about $calls of 96 tokens"
  exit 0
fi

train() { # NAME STEPS, then what differs from the recipe
  local folder=$out/$1 of=$2
  shift 2
  [ -e "$folder/aft-model.json" ] || aft train "$recipe" "$@" --set max_steps="$of" \
    --set per_device_train_batch_size="$batch" --set save_steps="$((of > 4 ? of / 4 : 1))" \
    --set eval_steps="$((of > 10 ? of / 10 : 1))" -o "$folder"
}
shown=(--min-proposals 1 --no-near-duplicates --keep-equal --validation 0.1 --template runs/routes-template.json)
measure() { # ARM WIDTH, then what differs
  local name=$1-$2 arm=$1 width=$2
  shift 2
  [ $# -eq 0 ] || name=$name-shuffled
  aft eval puzzles "$out/test.jsonl" --model "$out/proposer" --trained "$out/$arm" \
    --template runs/routes-template.json --width "$width" --depth 1 --temperature 1 --max-tokens 96 --judge-max-tokens 16 \
    --seeds "$seeds" "$@" -o "$out/eval/$name" >/dev/null
}

aft train setup
mkdir -p "$out/eval"
[ -e "$out/test.jsonl" ] || node runs/puzzle-rows.ts "$puzzles" "$test" 99 "$out/test.jsonl"
[ -e "$out/rows.jsonl" ] || node runs/puzzle-rows.ts "$puzzles" "$rows" 2 "$out/rows.jsonl"
[ -d "$out/data-proposer" ] || aft data build --format puzzles --puzzles "$puzzles" \
  --problems "$((proposer_steps * batch * 10 / 9 + 60))" --seed 1 --sft-twin "${shown[@]}" -o "$out/data-proposer"
train proposer "$proposer_steps" --data "$out/data-proposer" --rows sft
aft data propose "$out/rows.jsonl" --model "$out/proposer" --proposals "$sampled" --temperature 1 --max-tokens 64 -o "$out/own.jsonl"

for arm in "${arms[@]}"; do
  share=${arm#*-} count=$base
  case $arm in
    drafts-*) count=$share how=(--drafts "$share") ;;
    right-*) how=(--drafts "$base" --right "$share") ;;
    own-*) how=(--drafts "$base" --own "$share") ;;
  esac
  [ -e "$out/$arm.jsonl" ] || node runs/ablation-rows.ts "$out/own.jsonl" "$out/rows.jsonl" "$puzzles" 2 "$out/$arm.jsonl" "${how[@]}"
  [ -d "$out/data-$arm" ] || aft data build "$out/$arm.jsonl" --proposals "$count" "${shown[@]}" -o "$out/data-$arm"
  train "$arm" "$steps" --data "$out/data-$arm" --set base="$out/proposer/model"
  case $arm in
    drafts-*) for width in $widths; do measure "$arm" "$width"; done ;;
    *) measure "$arm" "$(most "$base" 2)" ;;
  esac
done
measure "drafts-$base" "$(most "$base" 2)" --order shuffled

results=("$out"/eval/*/result.json)
named=()
for result in "${results[@]}"; do named+=("$(basename "$(dirname "$result")")=$(dirname "$result")"); done
aft eval table "${named[@]}" >"$out/table.txt"
aft report "${results[@]%/result.json}" -o "$out/report.html"
cat "$out/table.txt"
