#!/usr/bin/env bash
# What stands in a folder stays as it is unless the run goes on with it or was told to overwrite it:
# refused_runs.sh TRAIN_DENOISER COMPARE_METHODS FOLDER
set -euo pipefail
denoiser=$1 compare=$2 folder=$3
rm -rf "$folder"
mkdir -p "$folder"

fail() { printf '%s\n' "$@" >&2; exit 1; }
state() { (cd "$1" && find . -type f -exec sha256sum {} + | sort; find . -printf '%p %T@\n' | sort); }

# refused WORDS FOLDER COMMAND...: fails with WORDS and leaves the folder, times of files included, as it is.
refused() {
  local words=$1 where=$2 before
  shift 2
  before=$(state "$where")
  ! "$@" >"$folder.log" 2>&1 || fail "not refused: $*"
  grep -qF -- "$words" "$folder.log" || fail "$*: expected '$words', got:" "$(cat "$folder.log")"
  [[ $before == "$(state "$where")" ]] || fail "refused, but changed $where: $*"
}

# A finished run draws samples, which takes most of its time: these are killed once two steps are done.
two_steps() {
  "$denoiser" "$@" >/dev/null &
  for _ in $(seq 600); do
    [[ ! -e $run/report.html ]] && (($(wc -l <"$run/denoiser.metrics.jsonl") >= 2)) && break
    sleep 0.05
  done 2>/dev/null
  kill -9 $! 2>/dev/null || true
  wait $! 2>/dev/null || true
}

# A run of train_denoiser: nothing to resume, finished, another one in its place.
run=$folder/denoiser
narrow=(--base 8 --batch 4 --threads 1 --out "$run")
small=("${narrow[@]}" --steps 2)
refused "--resume: expected a run in" "$folder" "$denoiser" "${small[@]}" --resume
"$denoiser" "${small[@]}" >/dev/null
refused "a finished run" "$run" "$denoiser" "${small[@]}"
refused "denoiser_steps = 2" "$run" "$denoiser" "${narrow[@]}" --steps 3 --resume
refused "base_channels = 8" "$run" "$denoiser" --base 16 --batch 4 --steps 2 --out "$run" --resume
before=$(state "$run")
"$denoiser" "${small[@]}" --resume | grep -q "finished already: .*report.html" || fail "resuming a finished run said nothing of it"
[[ $before == "$(state "$run")" ]] || fail "resuming a finished run changed it"

# Killed before its first checkpoint: it begins at the start. Killed later: unfinished.
rm "$run"/report.html "$run"/denoiser.*
refused "an unfinished run" "$run" "$denoiser" "${small[@]}"
two_steps "${small[@]}" --resume
[[ $(wc -l <"$run/denoiser.metrics.jsonl") == 2 ]] || fail "a run without a checkpoint did not begin at the start"

# --overwrite leaves nothing of the old run, and nothing else is touched.
echo mine >"$run/notes.txt"
touch "$run/report.html" "$run/denoiser.safetensors"
sed -i 1d "$run/denoiser.metrics.jsonl"
two_steps "${narrow[@]}" --steps 100 --overwrite
[[ $(head -c 10 "$run/denoiser.metrics.jsonl") == '{"step":1,' && ! -e $run/report.html && ! -e $run/denoiser.safetensors && $(cat "$run/notes.txt") == mine ]] || fail "--overwrite did not begin anew"
refused "excludes" "$run" "$denoiser" "${small[@]}" --overwrite --resume

# compare_methods: the same, and what is in the results is not run again.
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
