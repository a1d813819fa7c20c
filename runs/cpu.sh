#!/usr/bin/env bash
# A whole experiment, small, on a CPU: it makes data, trains an AFT model and its SFT twin (the same rows without proposals),
# measures how well each expects the held-out targets and how both learned, and has the held-out questions answered: the twin
# proposes, and the AFT model is the trained aggregator. OUT/report.html shows the results.
#   runs/cpu.sh [OUT]        resumes if you start it again; PROBLEMS, STEPS and QUESTIONS set its size
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-.cache/runs/cpu}
problems=${PROBLEMS:-400} steps=${STEPS:-60} questions=${QUESTIONS:-20}
aft() { npx aft "$@"; }
node() { node_modules/.bin/node "$@"; }

mkdir -p "$out"
aft train setup
[ -d "$out/data" ] || aft data build --format arithmetic --problems "$problems" --seed 7 --sft-twin --validation 0.06 \
  --tokenizer smollm2 --max-example-tokens 1000 -o "$out/data"

for kind in aft sft; do
  [ -e "$out/$kind/aft-model.json" ] || aft train recipes/smollm2-135m-cpu.yaml --data "$out/data" --rows "$kind" \
    --set max_steps="$steps" --set eval_steps="$((steps > 6 ? steps / 6 : 1))" -o "$out/$kind"
done

for model in base aft sft; do
  name=$([ "$model" = base ] && echo smollm2 || echo "$out/$model")
  aft analyze perplexity "$out/data" --model "$name" -o "$out/perplexity-$model"
done
aft analyze convergence "$out/aft" "$out/sft" -o "$out/convergence"

node runs/questions.ts "$out/data" "$out/questions.jsonl"
aft eval gsm8k "$out/questions.jsonl" --model "$out/sft" --trained "$out/aft" --limit "$questions" --width 4 \
  --max-tokens 160 -o "$out/eval"

about="Made from $problems problems of grade-school arithmetic with worked solutions and wrong drafts (aft data build). Two models
were trained on them from SmolLM2-135M-Instruct, for $steps steps each, with the same recipe and seed: aft sees the drafts of a
problem and learns to write the solution; its twin, sft, sees only the problem. Six percent of the problems were held out.

The held-out problems answer three questions. How well do the base model and both trained models expect the solutions
(perplexity): without drafts, with their own, and with those of another problem? How did the losses of both fall during training?
And how many of $questions questions are answered right? There sft proposes and aggregates, and aft is the trained aggregator.

One seed and a small model: this shows that the circle is complete, not that training helps."
aft report "$out/convergence" "$out"/perplexity-{base,aft,sft} "$out/eval" -o "$out/report.html" \
  --title "The whole circle, small" --about "$about"
