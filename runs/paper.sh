#!/usr/bin/env bash
# The published setting: 64,000 rows of UltraFeedback, an 8B or 7B base, all weights, one node of 8 GPUs. Never run here.
#   runs/paper.sh ULTRAFEEDBACK_FOLDER TARGETS.jsonl [llama-3.1-8b | mistral-7b]
# TARGETS.jsonl has a stronger model's aggregation for each prompt, as `aft data label` writes it, without its proposals.
# It resumes if you start it again. These variables add steps:
#   PERPLEXITY=200         makes GGUF files of both models and scores 200 held-out targets with each (slow on a CPU)
#   AFT_MODEL, SFT_MODEL   the two models once they are served, such as http://127.0.0.1:8000/v1#NAME; with JUDGE they are evaluated
#   JUDGE                  an engine, such as openai:gpt-4.1; it compares the bare SFT twin with the aggregating AFT model
#   DRY=1                  prints only what the evaluation would cost
#   ALPACA_EVAL, MT_BENCH, GSM8K, JUDGE_TEMPLATE, GAMED, DIFFICULTY   benchmark files by path; the others are fetched from their owners
#   OUT                    the folder for all results
set -euo pipefail
cd "$(dirname "$0")/.."
source=$1 targets=$2 recipe=${3:-llama-3.1-8b}
out=${OUT:-.cache/runs/$recipe}
aft() { npx aft "$@"; }

mkdir -p "$out/eval"
aft train setup
aft doctor
[ -d "$out/data" ] || aft data build "$source" --format ultrafeedback --target-file "$targets" --proposals 4 --sft-twin -o "$out/data"
for rows in aft sft; do
  [ -e "$out/$rows/README.md" ] ||
    aft train "recipes/$recipe.yaml" --data "$out/data" --rows "$rows" --set gguf=none -o "$out/$rows"
  [ -d "$out/$rows-vllm" ] || aft train export "$out/$rows" -o "$out/$rows-vllm"
done
aft analyze convergence --group aft="$out/aft" --group sft="$out/sft" -o "$out/convergence"

if [ -n "${PERPLEXITY:-}" ]; then
  for rows in aft sft; do
    [ -e "$out/$rows/aft-model.json" ] ||
      aft train "recipes/$recipe.yaml" --data "$out/data" --rows "$rows" --set gguf=q8_0 -o "$out/$rows"
    aft analyze perplexity "$out/data" --model "$out/$rows" --limit "$PERPLEXITY" -o "$out/perplexity-$rows"
  done
fi

if [ -z "${AFT_MODEL:-}" ] || [ -z "${SFT_MODEL:-}" ] || [ -z "${JUDGE:-}" ]; then
  echo "Serve both: vllm serve $out/aft-vllm --port 8000, vllm serve $out/sft-vllm --port 8001. Then set JUDGE, and"
  echo "AFT_MODEL=http://127.0.0.1:8000/v1#$out/aft-vllm SFT_MODEL=http://127.0.0.1:8001/v1#$out/sft-vllm, and start this again."
  exit
fi

# The AFT model has width 5 and depth 2, the SFT twin gives one answer; both are judged in the same way.
dry=${DRY:+--dry-run}
baseline=${ALPACA_EVAL:-$(aft eval fetch alpaca-eval baseline)}
evaluate() { # NAME MODEL DEPTH
  local name=$1 model=$2 depth=$3 outputs=$out/eval/$1.json
  aft run "$baseline" --output-format alpaca-eval --generator "$name" --model "$model" --width 5 --depth "$depth" \
    --max-tokens 2048 -o "$outputs" $dry
  [ -e "$outputs" ] || outputs=$baseline # in a dry run, for its size
  aft eval alpaca-eval --outputs "$outputs" --baseline "$baseline" --judge "$JUDGE" \
    --official ${JUDGE_TEMPLATE:+--judge-template "$JUDGE_TEMPLATE"} ${GAMED:+--gamed "$GAMED"} \
    ${DIFFICULTY:+--instruction-difficulty "$DIFFICULTY"} \
    -o "$out/eval/alpaca-eval-$name" $dry
  aft eval mt-bench "${MT_BENCH:---official}" --model "$model" --judge "$JUDGE" --width 5 --depth "$depth" \
    -o "$out/eval/mt-bench-$name" $dry
}
evaluate aft "$AFT_MODEL" 2
evaluate sft "$SFT_MODEL" 0
# The twin proposes, and both aggregate what it proposed: the table compares each with one answer, best of n and majority.
aft eval gsm8k "${GSM8K:---official}" --model "$SFT_MODEL" --trained "$AFT_MODEL" --width 5 --depth 1 -o "$out/eval/gsm8k" $dry
[ -n "$dry" ] || aft report "$out"/eval/{gsm8k,alpaca-eval-aft,alpaca-eval-sft,mt-bench-aft,mt-bench-sft} "$out/convergence" \
  ${PERPLEXITY:+"$out/perplexity-aft" "$out/perplexity-sft"} -o "$out/report.html"
