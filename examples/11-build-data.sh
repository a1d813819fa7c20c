#!/usr/bin/env bash
# Makes up training data: problems, each with right and wrong drafts. Checks, shows and exports them.
#   examples/11-build-data.sh [FOLDER]
set -euo pipefail
out="${1:-arithmetic}"
npx aft data build --format arithmetic --problems 100 --seed 7 --plain 0.1 -o "$out"
npx aft data validate "$out"
npx aft data show "$out"
npx aft data export "$out" --to trl -o "$out-trl"
