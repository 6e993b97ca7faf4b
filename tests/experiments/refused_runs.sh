#!/usr/bin/env bash
# A run that stands in a folder stays as it is, and what is in the results is not run again:
# refused_runs.sh COMPARE_METHODS FOLDER
set -euo pipefail
compare=$1 folder=$2
source "$(dirname "${BASH_SOURCE[0]}")/../support/refused.sh"
rm -rf "$folder"
mkdir -p "$folder"

few=(--data fashion --method pca --runs "$folder/runs" --weights "$folder/weights" --denoiser-steps 1)
cell=("${few[@]}" --pictures 300 --results "$folder/results.jsonl")
"$compare" "${cell[@]}" >/dev/null
before=$(state "$folder")
"$compare" "${cell[@]}" | grep -q "there already" || fail "a cell was run again"
[[ $before == "$(state "$folder")" ]] || fail "a cell that is there already was touched"
refused "--runs: expected a folder without a run" "$folder" "$compare" "${few[@]}" --pictures 300 --results "$folder/others.jsonl"
refused "pictures = 300" "$folder" "$compare" "${few[@]}" --pictures 301 --resume --results "$folder/others.jsonl"
lines=$(wc -l <"$folder/results.jsonl")
"$compare" "${cell[@]}" --overwrite >/dev/null
(($(wc -l <"$folder/results.jsonl") == 2 * lines)) || fail "--overwrite did not measure again"
