#!/usr/bin/env bash
# Runs of several seeds share one denoiser, and --denoiser-seed trains another one:
# denoiser_seed.sh COMPARE_METHODS FOLDER
set -euo pipefail
compare=$1 folder=$2
fail() { echo "denoiser_seed.sh: $*" >&2; exit 1; }
rm -rf "$folder"

denoiser() {  # NAME OPTION...
  "$compare" --data fashion --method denoiser --denoiser-steps 1 --pictures 300 --runs "$folder/$1" \
    --weights "$folder/$1" "${@:2}" >/dev/null
  weights=$folder/$1/fashion_denoiser.safetensors
}
denoiser first
first=$weights
denoiser other_run --seed 1
cmp -s "$first" "$weights" || fail "the seed of a run changed the denoiser"
denoiser other_denoiser --denoiser-seed 1
! cmp -s "$first" "$weights" || fail "--denoiser-seed 1 trained the denoiser of seed 0"
