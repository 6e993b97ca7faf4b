#!/usr/bin/env bash
# The main job on people's own pictures, with and without labels, and an application of what it leaves:
# own_pictures.sh PYTHON TRAIN_DIFFSIAM FOLDER [FIND_PICTURES]
set -euo pipefail
python=$1 diffsiam=$2 folder=$3 find_pictures=${4:-}
rm -rf "$folder"
mkdir -p "$folder"
fail() { printf '%s\n' "$@" >&2; exit 1; }
has() { grep -qF -- "$2" "$1" || fail "expected '$2' in $1:" "$(cat "$1")"; }

"$python" "$(dirname "${BASH_SOURCE[0]}")/draw_pictures.py" "$folder/pictures"
small=(--size 16 --base 8 --denoiser-steps 3 --denoiser-batch 8 --steps 3 --siamese-batch 8 --batch 8 --threads 1)

# An estimate writes nothing.
"$diffsiam" "${small[@]}" --data "$folder/pictures" --estimate --out "$folder/run" >"$folder/log" 2>&1
has "$folder/log" "154 files of pictures"
has "$folder/log" "3 classes"
has "$folder/log" "GB for networks and activations"
[[ ! -e $folder/run ]] || fail "--estimate left a run"

# A picture that cannot be read is named, and is left out when that is asked for.
! "$diffsiam" "${small[@]}" --data "$folder/pictures" --out "$folder/run" >"$folder/log" 2>&1 || fail "a broken picture passed"
has "$folder/log" "broken.png"
has "$folder/log" "--skip-unreadable leaves such pictures out"
"$diffsiam" "${small[@]}" --data "$folder/pictures" --skip-unreadable --tensorboard --overwrite --out "$folder/run" >"$folder/log" 2>&1 ||
  fail "$(cat "$folder/log")"
has "$folder/log" "153 pictures, 10 to 40 pixels wide"
has "$folder/log" "3 of them are equal to an earlier one"
has "$folder/log" "skipped circles/broken.png"
has "$folder/run/result.json" '"knn"'
has "$folder/run/report.html" "of 3 classes"
ls "$folder/run/tensorboard/diffsiam/"events.out.tfevents.* >/dev/null || fail "no curves for TensorBoard"

# The application finds a picture that the run has seen as the nearest one to itself, and edits it.
if [[ -n $find_pictures ]]; then
  "$find_pictures" "$folder/run" "$folder/pictures/squares/7.png" --towards circles --out "$folder/found.png" >"$folder/log" 2>&1 ||
    fail "$(cat "$folder/log")"
  [[ $(grep -m 1 -v '^found in' "$folder/log") == *"$folder/pictures/squares/7.png" ]] || fail "not nearest to itself:" "$(cat "$folder/log")"
  [[ -s $folder/found.png ]] || fail "no picture was drawn"
  ! "$find_pictures" "$folder/run" "$folder/pictures/squares/7.png" --towards hexagons --out "$folder/not.png" >"$folder/log" 2>&1 ||
    fail "an unknown class passed"
  has "$folder/log" "hexagons"
  ! grep -q "found in" "$folder/log" || fail "an unknown class was refused after the search"
fi

# The settings of the run are refused for other pictures.
! "$diffsiam" "${small[@]}" --data "$folder/pictures" --skip-unreadable --fit pad --resume --out "$folder/run" \
  >"$folder/log" 2>&1 || fail "a run was resumed with pictures that are cut otherwise"
has "$folder/log" "fit"

# Without labels, grey, of another size, with settings from a file.
mkdir "$folder/flat"
find "$folder/pictures" -name '*.png' ! -name broken.png | while read -r path; do cp "$path" "$folder/flat/$(basename "$(dirname "$path")")-${path##*/}"; done
printf '{"denoiser_steps": 2, "steps": 2, "base": 8, "siamese_batch": 8, "denoiser_batch": 8, "batch": 8}\n' >"$folder/settings.json"
"$diffsiam" --data "$folder/flat" --size 16 --channels 1 --threads 1 --settings "$folder/settings.json" --steps 3 \
  --out "$folder/grey" >"$folder/log" 2>&1 || fail "$(cat "$folder/log")"
has "$folder/grey/result.json" '"view_retrieval"'
has "$folder/grey/config.json" '"denoiser_steps": 2'
has "$folder/grey/config.json" '"steps": 3'
has "$folder/grey/config.json" '"channels": 1'

# A file of settings that holds another word or value is refused with what it may be.
printf '{"stepps": 2}' >"$folder/settings.json"
! "$diffsiam" --data "$folder/flat" --settings "$folder/settings.json" --out "$folder/bad" >"$folder/log" 2>&1 || fail "stepps passed"
has "$folder/log" '"stepps"'
printf '{"steps": "many"}' >"$folder/settings.json"
! "$diffsiam" --data "$folder/flat" --settings "$folder/settings.json" --out "$folder/bad" >"$folder/log" 2>&1 || fail "many passed"
has "$folder/log" '"steps" to be a whole number'
[[ ! -e $folder/bad ]] || fail "a refused run left a folder"
