# Sections of Tools/test-commands: documentation, packages, files and bad input. Sourced by it.
# shellcheck shell=bash disable=SC2154

# Every fence of README.md and docs/ that is marked `test` runs, in order, in one folder for each document.
documents() {
    local document name folder fences fence line
    for document in "$root/README.md" "$root"/docs/*.md; do
        name="${document#"$root/"}"
        folder="$work/documents/$(basename "$document" .md)"
        mkdir -p "$folder"
        ln -s "$root/Tools" "$root/docs" "$root/Checkpoints" "$folder/"
        "$python" - "$document" "$folder" << 'END'
import pathlib, re, sys
text = pathlib.Path(sys.argv[1]).read_text()
for match in re.finditer(r"^```(sh|python) test\n(.*?)^```$", text, re.M | re.S):
    line = text[:match.start()].count("\n") + 1
    pathlib.Path(sys.argv[2], f".fence-{line:04d}.{match[1]}").write_text(match[2])
END
        fences=("$folder"/.fence-*)
        [[ -e "${fences[0]}" ]] || continue
        for fence in "${fences[@]}"; do
            line="$(basename "${fence%.*}" | sed -E 's/.fence-0*//')"
            case "$fence" in
                *.sh) check "$name line $line runs" env -C "$folder" timeout 300 bash -euo pipefail "$fence" ;;
                *.python) check "$name line $line runs" env -C "$folder" timeout 300 python3 "$fence" ;;
            esac
        done
    done
}

# What Tools/install-packages says and does, with stand-ins for Swift, dpkg, apt-get, id and sudo.
packages() {
    local stubs="$work/stubs" tool="$root/Tools/install-packages"
    mkdir -p "$stubs"
    stub() { printf '#!/bin/sh\n%s\n' "$2" > "$stubs/$1"; chmod +x "$stubs/$1"; }
    plain() {
        rm -f "$stubs"/* "$work/apt.txt"
        local name
        for name in bash sh env sed head dirname cat grep; do ln -sf "$(command -v $name)" "$stubs/$name"; done
        stub swift 'echo "Swift version 6.3.1 (swift-6.3.1-RELEASE)"'
        stub dpkg-query 'case "$*" in *libpng-dev*|*python3-h5py*) exit 1 ;; *) printf installed ;; esac'
        stub apt-get "echo \"apt-get \$*\" >> $work/apt.txt"
        stub id 'echo 0'
    }
    # installs NAME CODE PATTERN [ARGUMENT...]: an empty pattern means that it says nothing.
    installs() {
        local name="$1" code="$2" pattern="$3" found; shift 3
        env PATH="$stubs" "$tool" "$@" > "$work/said.txt" 2>&1; found=$?
        local right=no
        if [[ -z "$pattern" ]]; then [[ -s "$work/said.txt" ]] || right=yes
        elif grep -qE -- "$pattern" "$work/said.txt"; then right=yes; fi
        if (( found == code )) && [[ $right == yes ]]; then passed "$name"
        else failed "$name" "exit code $found, expected $code and /$pattern/" "$(cat "$work/said.txt")"; fi
    }
    plain
    installs "as root, only the missing package is installed" 0 "Installing Debian packages: libpng-dev$"
    check "as root, apt-get updates and installs" grep -qxE "apt-get install .* libpng-dev" "$work/apt.txt"
    plain
    installs "--tests asks for what the tests need" 0 "libpng-dev python3-h5py$" --tests
    plain; stub dpkg-query 'printf installed'
    installs "nothing is said where all is there" 0 ""
    check "nothing is installed where all is there" test ! -e "$work/apt.txt"
    plain; stub id 'echo 1000'; stub sudo 'echo sudo >> '"$work/apt.txt"'; exec "$@"'
    installs "with sudo where not root" 0 "libpng-dev"
    check "with sudo, twice" test "$(grep -c '^sudo$' "$work/apt.txt")" == 2
    plain; stub id 'echo 1000'
    installs "neither root nor sudo" 1 "As root: apt-get update && apt-get install libpng-dev"
    plain; stub apt-get '[ "$1" != update ] || { echo "E: no network" >&2; exit 100; }'
    installs "a failing apt-get update is reported, and the rest goes on" 0 "apt-get update failed"
    plain; stub apt-get 'echo "E: no network" >&2; exit 100'
    installs "a failing installation" 1 "could not be installed .*: libpng-dev"
    plain; rm "$stubs/swift"
    installs "no Swift" 1 "Install Swift 6.3 or newer"
    SUDO_USER=somebody installs "no Swift on root's PATH" 1 "Run this without sudo"
    plain; stub swift 'echo "Swift version 6.1.2 (swift-6.1.2-RELEASE)"'
    installs "Swift is too old" 1 "Swift 6.1 was found .*6.3 or newer is needed"
    plain; stub swift 'echo "Swift version 6.10 (swift-6.10-RELEASE)"'
    installs "Swift 6.10 is newer than 6.3" 0 "libpng-dev"
    plain; rm "$stubs/dpkg-query" "$stubs/apt-get"
    installs "no Debian, no libraries" 1 "This is no Debian"
    stub pkg-config 'exit 0'
    installs "no Debian, but the libraries" 0 ""
}

# Help, versions, JSON, overwriting, and what every file promises.
contract() {
    local command
    check "doctor runs" bash -c 'fovea doctor || (( $? == 1 ))'
    for command in import "map guess" "map list" "map show" terms phantom train sample inspect verify replay export report import-model export-model doctor; do
        check "fovea $command --help has an example" bash -c "fovea $command --help | grep -q '^ *Example:'"
    done
    check "a command that does not exist is usage (64)" bash -c 'fovea bogus 2> /dev/null; (( $? == 64 ))'
    check "an option that is missing is usage (64)" bash -c 'fovea sample 2> /dev/null; (( $? == 64 ))'
    check "a reader that goes away is no crash" bash -c \
        'set -o pipefail; for i in 1 2 3 4 5; do { fovea inspect model/snapshot.safetensors; echo $? > code; } | head -n 1 > /dev/null; grep -qx 0 code || exit 1; done'
    refuses "a result that cannot be printed is a failed write (74)" 74 "standard output" "$work/empty" \
        bash -c 'fovea inspect phantoms.h5 --json > /dev/full'

    fovea import photographs --site demo --labels photographs/labels.csv --map map.yaml --size 64 --out imported.h5 --json \
        > import.json 2> /dev/null
    check "import --json" json_has import.json kept refused duplicates patients splits unread trainPatients trainPairs auditOutlook quality page
    says "import measures the quality, and states that it did" \
        'j["quality"]["source"] == "measured" and sum(j["quality"]["measured"].values()) == j["kept"]' import.json
    check "the page about an import is private" test "$(stat -c %a imported.import.html)" = 600
    says "import keeps every phantom" 'j["kept"] == 24 and j["patients"] == 12 and not j["refused"]' import.json
    fovea sample --model model/snapshot.safetensors --count 20 --cohort dr_icdr=3 --cohort dr_icdr=2.5 --seed 3 \
        --out samples.h5 --json > sample.json 2> /dev/null
    check "sample --json" json_has sample.json count seconds output model
    fovea train --data phantoms.h5 --out model-json --preset tiny --size 32 --images 160 --json > train.json 2> /dev/null
    check "train --json" json_has train.json images_seen images_per_second loss snapshot peak_mib
    fovea doctor --json > doctor.json 2> /dev/null
    check "doctor --json" json_has doctor.json ok checks
    check "h5py finds every field of a phantom dataset, an imported one and a sample set" \
        "$python" "$root/Tools/python/check_samples.py" phantoms.h5 imported.h5 samples.h5
    check "names of photographs are not in the dataset" bash -c '! grep -q "photograph-00" imported.h5'
    local file
    for file in phantoms.h5 imported.h5 samples.h5 model/snapshot.safetensors model/checkpoint.safetensors; do
        check "inspect $file" fovea inspect "$file"
        check "inspect $file --json" bash -c "fovea inspect $file --json > inspect.json && '$python' -m json.tool inspect.json"
    done

    refuses "an output that exists stays (73): phantom" 73 "exists already" "$work" \
        fovea phantom --count 3 --size 32 --seed 1 --out phantoms.h5 --quiet
    refuses "an output that exists stays (73): import" 73 "exists already" "$work" \
        fovea import photographs --site demo --one-patient-per-photo --out imported.h5 --quiet
    refuses "an output that exists stays (73): sample" 73 "exists already" "$work" \
        fovea sample --model model/snapshot.safetensors --count 1 --out samples.h5 --quiet
    refuses "a run that exists stays (73)" 73 "--resume" "$work" \
        fovea train --data phantoms.h5 --out model --preset tiny --size 32 --images 160 --quiet
    check "--force replaces" fovea sample --model model/snapshot.safetensors --count 1 --out samples.h5 --force --quiet
    cp samples.h5 changed.h5
    printf 'x' | dd of=changed.h5 bs=1 seek=5000 conv=notrunc status=none
    refuses "a sample set in which a byte has changed (1)" 1 "changed" "$work/empty" fovea inspect changed.h5
}

# The list of bad input: photographs and labels.
input() {
    local out="$work/out" name
    mkdir -p "$out"
    local import=(fovea import)
    local each=(--site demo --one-patient-per-photo --size 64 --out "$out/o.h5" --quiet)
    refuses "an empty folder (65)" 65 "empty: holds no photographs" "$out" "${import[@]}" empty "${each[@]}"
    refuses "a folder that is not there (66)" 66 "nowhere: does not exist" "$out" "${import[@]}" nowhere "${each[@]}"
    for name in \
        "truncated:truncated.jpg: .*truncated" "text:text.jpg: .*JPEG" "nothing:nothing.jpg: is empty" \
        "cmyk:cmyk.jpg: .*CMYK" "huge:huge.png: .*20000" "grey:grey.png: no field of view" \
        "black:black.png: no field of view" "noise:noise.png: no field of view"
    do
        refuses "a folder with nothing but ${name%%:*} (65)" 65 "${name#*:}" "$out" "${import[@]}" "only-${name%%:*}" "${each[@]}"
    done

    # Beside good photographs, each is refused and the rest is imported.
    check "import goes on beside eight bad photographs" bash -c \
        "fovea import mixed ${each[*]} --json > mixed.json && [[ -f $out/o.h5 ]]"
    says "the eight bad ones are named with a reason, the eight good ones kept" \
        'j["kept"] == 8 and sorted(r["file"] for r in j["refused"]) == ["black.png", "cmyk.jpg", "grey.png", "huge.png", "noise.png", "nothing.jpg", "text.jpg", "truncated.jpg"] and all(r["reason"] for r in j["refused"])' \
        mixed.json
    rm -f "$out"/*

    local labelled=(--site demo --map map.yaml --size 64 --out "$out/o.h5" --quiet)
    refuses "a label column that is missing (65)" 65 'no-column.csv: has no column "grade"' "$out" \
        "${import[@]}" photographs --labels no-column.csv "${labelled[@]}"
    refuses "a grade of 7 (65)" 65 'grade-7.csv line 5: .*"7"' "$out" \
        "${import[@]}" photographs --labels grade-7.csv "${labelled[@]}"
    check "two labels for one photograph: import goes on" bash -c \
        "fovea import photographs --labels two-labels.csv ${labelled[*]} --json > two.json"
    says "two labels for one photograph: it is named, and its grade" \
        'j["labelConflicts"] == [{"file": "photograph-0001.png", "attributes": ["dr_icdr"]}]' two.json
    check "two labels for one photograph: the grade is unknown" "$python" -c "
import h5py, json
row = next(p['row'] for p in json.load(open('$out/o.import-report.json'))['photographs'] if p['file'] == 'photograph-0001.png')
grades = h5py.File('$out/o.h5')['cohort/dr_icdr'][:]
assert grades[row] == -1 and (grades == -1).sum() == 1, grades"
    rm -f "$out"/*

    refuses "no patient column and no word about it (64)" 64 "one-patient-per-photo" "$out" \
        "${import[@]}" photographs --site demo --size 64 --out "$out/o.h5" --quiet
    refuses "a site with a space (64)" 64 "site" "$out" \
        "${import[@]}" photographs --site "a b" --one-patient-per-photo --out "$out/o.h5" --quiet
    refuses "an output in a folder that is not there (73)" 73 "does not exist" "$out" \
        "${import[@]}" photographs --site demo --one-patient-per-photo --out "$out/nowhere/o.h5" --quiet
    refuses "a photograph where a dataset is needed (65)" 65 "whole.jpg" "$out" \
        fovea train --data whole.jpg --out "$out/run" --preset tiny --size 32 --quiet
    refuses "a dataset where a snapshot is needed (65)" 65 "phantoms.h5" "$out" \
        fovea sample --model phantoms.h5 --count 1 --out "$out/o.h5" --quiet
    refuses "table and map exchanged (65)" 65 "did you swap --labels and --map" "$out" \
        "${import[@]}" photographs --labels map.yaml --map photographs/labels.csv --site demo --out "$out/o.h5" --quiet
    refuses "a table where the map belongs (65)" 65 "expected a map .* found a table .*; fovea map guess" "$out" \
        "${import[@]}" photographs --labels photographs/labels.csv --map photographs/labels.csv --site demo --out "$out/o.h5" --quiet
    refuses "a map that is not there (66)" 66 "did you mean idrid" "$out" \
        "${import[@]}" photographs --labels photographs/labels.csv --map idrd --site demo --out "$out/o.h5" --quiet
    refuses "a table in which no row names a photograph (65)" 65 "the table names \"x.png\", and the folder holds" "$out" \
        bash -c "sed '1!d' photographs/labels.csv > header && { cat header; echo 'x.png,'\$(sed -n '2s/^[^,]*,//p' photographs/labels.csv); } > none.csv && fovea import photographs --labels none.csv --map map.yaml --site demo --out $out/o.h5 --quiet"
    check "a table and a map come through pipes" bash -c \
        "fovea import photographs --labels <(cat photographs/labels.csv) --map <(cat map.yaml) --site demo --size 32 --out piped.h5 --quiet && fovea verify piped.h5 --quiet"
    refuses "the suffix of a picture for a sample set (64)" 64 "s.png: ends like a picture" "$out" \
        fovea sample --model model/snapshot.safetensors --count 1 --out "$out/s.png" --quiet
    refuses "a run's folder where a snapshot is needed (65)" 65 "give model/snapshot.safetensors" "$out" \
        fovea sample --model model --count 1 --out "$out/o.h5" --quiet
    refuses "terms that are stated already (73)" 73 "states the licence .* already; give --force" "$out" \
        fovea terms phantoms.h5 --licence other --quiet
    check "a draft of a map is read as a map" bash -c "fovea map guess photographs/labels.csv > draft.yaml && grep -q 'file: {column: photograph}' draft.yaml"
    refuses "a checkpoint where a snapshot is needed (65)" 65 "a checkpoint of a training; give model/snapshot.safetensors" "$out" \
        fovea sample --model model/checkpoint.safetensors --count 1 --out "$out/o.h5" --quiet
    refuses "a sample set where a dataset is needed (65)" 65 "expected a data set, found a sample set" "$out" bash -c \
        "fovea sample --model model/snapshot.safetensors --count 1 --out set.h5 --quiet --force && fovea train --data set.h5 --out $out/run --quiet"
    refuses "a grade of 7 in a request (64)" 64 'dr_icdr "7"' "$out" \
        fovea sample --model model/snapshot.safetensors --count 1 --cohort dr_icdr=7 --out "$out/o.h5" --quiet
    refuses "an attribute that the model does not know (64)" 64 "not conditioned on site" "$out" \
        fovea sample --model model/snapshot.safetensors --count 1 --cohort site=phantom --out "$out/o.h5" --quiet
    printf 'learningRatte: 1e-3\n' > unknown-key.yaml
    refuses "an unknown setting (65)" 65 "unknown-key.yaml.*learningRatte" "$out" \
        fovea train --data phantoms.h5 --out "$out/run" --config unknown-key.yaml --quiet
    local setting
    for setting in "batchSize: 0" "learningRate: .inf" "noiseLevels: {mean: .nan}" "network: {normGroups: 0}" \
        "network: {normGroups: 32, blockOutChannels: [3, 6, 6, 6]}" "network: {blockOutChannels: [-32, 64, 64, 64]}" \
        "network: {attentionHeadDim: -1}" "network: {time: {kind: fourier}}" "size: -64" "weightDecay: .inf"
    do
        { echo "$setting"; [[ "$setting" == size* ]] || echo "size: 32"; } > hostile.yaml
        name="$(grep -oE '[a-zA-Z]+: ' <<< "$setting" | tail -n 1)"
        refuses "a setting that makes no training: $setting (65)" 65 "${name%%:*}" "$out" \
            fovea train --data phantoms.h5 --out "$out/run" --config hostile.yaml --quiet
    done
    : > empty.h5
    refuses "an empty file (65)" 65 "empty.h5: is empty" "$out" fovea inspect empty.h5
    refuses "a file that is not there (66)" 66 "nowhere.h5" "$out" fovea inspect nowhere.h5
    refuses "a folder (65)" 65 "found a folder of pictures; name a file" "$out" fovea inspect photographs
    refuses "a text (65)" 65 "map.yaml" "$out" fovea inspect map.yaml
    refuses "resuming where there is no run (66)" 66 "holds no run" "$out" \
        fovea train --data phantoms.h5 --out "$out/run" --resume --quiet
}

# Full and read-only file systems, in a mount namespace of our own (needs root, or user namespaces).
disks() {
    local how
    for how in "unshare --mount" "unshare --map-root-user --mount"; do
        # shellcheck disable=SC2086
        if $how bash -c 'mount -t tmpfs -o size=1m none "$0"' "$work/empty" 2> /dev/null; then
            # shellcheck disable=SC2086
            $how bash "$root/Tools/test-commands" --fovea "$fovea" --inside disks_inside "$work"
            return
        fi
    done
    skipped "full disk, read-only output" "no tmpfs can be mounted here, neither as root nor in a user namespace"
}

disks_inside() {
    local full="$work/full" fixed="$work/read-only"
    mkdir -p "$full" "$fixed"
    mount -t tmpfs -o size=256k none "$full" && mount -t tmpfs none "$fixed" && mount -o remount,ro "$fixed" || {
        failed "mounts for the tests of full and read-only disks"
        return
    }
    refuses "full disk (74): import" 74 "full.*(space|write|written)" "$full" \
        fovea import photographs --site demo --one-patient-per-photo --size 192 --out "$full/o.h5" --quiet
    refuses "full disk (74): phantom" 74 "o.h5.*(space|write|written)" "$full" \
        fovea phantom --count 40 --size 192 --seed 1 --out "$full/o.h5" --quiet
    # What is finished stays, and nothing else.
    local sampling=(sample --model model/snapshot.safetensors --count 300 --steps 2 --seed 1 --out "$full/o.h5" --quiet)
    refuses "full disk (74): sample" 74 "o.h5.*No space left.* of 300 samples are kept in .*--resume" "$work/empty" fovea "${sampling[@]}"
    check "full disk: what is finished is kept, and nothing else" test "$(ls -A "$full")" == o.h5.unfinished
    mount -o remount,size=16m "$full"
    check "full disk: with space again the sampling goes on" fovea "${sampling[@]}" --resume
    check "full disk: the set is whole" fovea verify "$full/o.h5" --quiet
    rm -rf "${full:?}"/*
    mount -o remount,size=256k "$full"
    # A run's folder keeps its configuration and log; weights are whole or absent.
    mkdir "$full/run"
    refuses "full disk (74): train, new run" 74 "space|written" "$full/run" bash -c \
        "fovea train --data phantoms.h5 --out $full/run --preset tiny --size 32 --images 160 --quiet; code=\$?; rm -f $full/run/config.yaml $full/run/log.jsonl; exit \$code"
    rm -rf "${full:?}"/*
    # A checkpoint that cannot be replaced stays as it was.
    mount -o remount,size=16m "$full"
    fovea train --data phantoms.h5 --out "$full/run" --preset tiny --size 32 --images 160 --quiet
    local before; before="$(sha256sum < "$full/run/checkpoint.safetensors")"
    dd if=/dev/zero of="$full/ballast" bs=64k status=none 2> /dev/null
    refuses "full disk (74): train, resumed" 74 "space|written" "$full" \
        fovea train --data phantoms.h5 --out "$full/run" --resume --images 320 --quiet
    check "full disk: the checkpoint from before is whole" test "$before" == "$(sha256sum < "$full/run/checkpoint.safetensors")"
    rm -f "$full/ballast"
    check "full disk: with space again the training goes on" \
        fovea train --data phantoms.h5 --out "$full/run" --resume --images 320 --quiet

    refuses "read-only output (73): import" 73 "o.h5.*[Rr]ead-only" "$fixed" \
        fovea import photographs --site demo --one-patient-per-photo --size 64 --out "$fixed/o.h5" --quiet
    refuses "read-only output (73): phantom" 73 "o.h5.*[Rr]ead-only" "$fixed" \
        fovea phantom --count 4 --size 64 --seed 1 --out "$fixed/o.h5" --quiet
    refuses "read-only output (73): sample" 73 "o.h5.*[Rr]ead-only" "$fixed" \
        fovea sample --model model/snapshot.safetensors --count 1 --out "$fixed/o.h5" --quiet
    refuses "read-only output (73): train" 73 "run.*[Rr]ead[- ]only" "$fixed" \
        fovea train --data phantoms.h5 --out "$fixed/run" --preset tiny --size 32 --images 160 --quiet
}
