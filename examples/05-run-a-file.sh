#!/usr/bin/env bash
# Answers a file of prompts. Interrupt it and start it again: it resumes.
#   examples/05-run-a-file.sh [MODEL]
set -euo pipefail
cd "$(dirname "$0")"
npx aft run prompts.jsonl -o "${OUT:-answers.jsonl}" --model "${1:-smollm2}" --width 3 --depth 1 --max-tokens 48
