# Sections of Tools/test-commands: training, sampling, the first command, kills and damage. Sourced by it.
# shellcheck shell=bash disable=SC2154

# Trainings that are stopped and resumed give the bytes of one that was not.
training() {
    local settings=(--data phantoms.h5 --preset tiny --size 32 --images 960 --seed 7)
    check "training straight through" fovea train "${settings[@]}" --out straight --quiet
    fovea train "${settings[@]}" --out stopped --quiet 2> stopped.txt &
    local process=$! code
    for _ in $(seq 2000); do
        [[ -e stopped/log.jsonl ]] && (( $(wc -l < stopped/log.jsonl) >= 8 )) && break
        sleep 0.01
    done
    kill -INT $process
    wait $process; code=$?
    if (( code == 75 )) && grep -q -- --resume stopped.txt; then passed "Ctrl-C saves, says how to go on, and exits 75"
    else failed "Ctrl-C saves, says how to go on, and exits 75" "exit code $code" "$(cat stopped.txt)"; fi
    # timeout sends the signal to the process and to its group: two signals, one request.
    check "two signals at once are one request" bash -c \
        "timeout --preserve-status --signal=INT 4 fovea train --data phantoms.h5 --preset tiny --size 32 --images 1000000 --out twice --quiet 2> twice.txt; (( \$? == 75 )) && [[ -e twice/checkpoint.safetensors ]]"
    check "it stopped on the way" bash -c '(( $(wc -l < stopped/log.jsonl) < 60 ))'
    check "it resumes" fovea train --data phantoms.h5 --out stopped --resume --quiet
    check "stopped and resumed: the same checkpoint" cmp straight/checkpoint.safetensors stopped/checkpoint.safetensors
    check "stopped and resumed: the same snapshot" cmp straight/snapshot.safetensors stopped/snapshot.safetensors
    check "stopped and resumed: the same losses in the log" "$python" -c '
import json
def losses(run): return [(l["images_seen"], l.get("loss")) for l in map(json.loads, open(run + "/log.jsonl"))]
assert losses("straight") == losses("stopped") and len(losses("straight")) == 60, (len(losses("straight")), len(losses("stopped")))'
    # The same numbers with less memory: blocks keep their inputs alone.
    printf 'recompute: true\n' > recompute.yaml
    check "a training that recomputes" fovea train "${settings[@]}" --config recompute.yaml --out recomputed --quiet
    check "recomputing gives the same weights" "$python" -c '
import json, struct
def weights(run):
    data = open(run + "/snapshot.safetensors", "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    return data[8 + length:]
assert len(weights("straight")) > 10000 and weights("straight") == weights("recomputed")'
    check "bench states what the contract says, and steps take no new memory" bash -c '
        fovea bench --preset tiny --batch 2 --size 16 --repeats 2 --ops --json --quiet > bench.json &&
        "$0" -c "
import json
r = json.load(open(\"bench.json\"))
assert {\"forward_ms\", \"step_ms\", \"peak_mib\", \"sgemm_gflops\", \"threads\", \"blas_core\", \"conv3x3\"} <= set(r), r.keys()
assert r[\"new_buffers\"] == 0, r[\"new_buffers\"]
assert len(r[\"conv3x3\"]) >= 10 and len(r[\"operations\"]) > len(r[\"conv3x3\"])
assert all(c[k] > 0 for c in r[\"conv3x3\"] for k in (\"height\", \"width\", \"in\", \"out\", \"forward_gflops\", \"backward_gflops\"))
"' "$python"
    check "bench of an odd size (64)" bash -c 'fovea bench --size 20 2> bench.txt; (( $? == 64 )) && grep -q "expected a multiple of 8, found 20" bench.txt'
    check "one thread" fovea train "${settings[@]}" --out one --threads 1 --quiet
    check "one thread: the same checkpoint" cmp straight/checkpoint.safetensors one/checkpoint.safetensors
    refuses "resumed with another training set (65)" 65 "training set" "$work/straight" bash -c \
        "fovea phantom --count 50 --size 32 --seed 9 --out other.h5 --quiet && cp -r straight other && fovea train --data other.h5 --out other --resume --images 1920 --quiet"
}

# equal A B [FIRST COUNT]: the pictures and their digests in B are those of the rows of A.
equal() {
    "$python" - "$@" << 'END'
import sys, h5py
a, b = h5py.File(sys.argv[1]), h5py.File(sys.argv[2])
first, count = map(int, sys.argv[3:5]) if len(sys.argv) > 3 else (0, len(a["images"]))
for name in ("images", "provenance/digest", "provenance/seed", "provenance/index", "cohort/dr_icdr"):
    x, y = a[name][first:first + count], b[name][:]
    assert x.shape == y.shape and count > 0, (name, x.shape, y.shape)
    assert (x == y).all(), f"{name} differs"
assert len({d.tobytes() for d in a["provenance/digest"][:]}) == len(a["images"]), "two samples are the same"
END
}

# A sample depends on its seed and number alone.
sampling() {
    local settings=(--model model/snapshot.safetensors --seed 11 --cohort dr_icdr=3 --quiet)
    check "64 samples" fovea sample "${settings[@]}" --count 64 --out s64.h5
    check "64 samples on one thread" fovea sample "${settings[@]}" --count 64 --threads 1 --out s64-1.h5
    check "1 and 2 threads give the same pixels" equal s64.h5 s64-1.h5
    check "sample 17 alone" fovea sample "${settings[@]}" --first 17 --count 1 --out s17.h5
    check "sample 17 alone equals sample 17 of 64" equal s64.h5 s17.h5 17 1
    check "batches of 5" fovea sample "${settings[@]}" --count 64 --batch 5 --out s64-5.h5
    check "batches of 5 and of 16 give the same pixels" equal s64.h5 s64-5.h5
    check "another seed" fovea sample "${settings[@]/11/12}" --count 64 --out s64-12.h5
    check "another seed gives other pixels" bash -c "! cmp -s s64.h5 s64-12.h5"
    printf 'count,dr_icdr\n3,0\n2,4\n1,\n' > plan.csv
    check "a plan" fovea sample --model model/snapshot.safetensors --plan plan.csv --seed 1 --guidance 1.5 --out plan.h5 --quiet
    check "a plan's cohorts" "$python" -c 'import h5py
assert h5py.File("plan.h5")["cohort/dr_icdr"][:].tolist() == [0, 0, 0, 4, 4, -2]'

    # Stopped on the way: what is finished is whole under the final name, and the message says how to get the rest.
    fovea sample "${settings[@]}" --count 4000 --out part.h5 2> part.txt &
    local process=$! code
    sleep 3
    kill -INT $process
    wait $process; code=$?
    if (( code == 75 )) && grep -q -- "--first" part.txt; then passed "Ctrl-C keeps what is finished and exits 75"
    else failed "Ctrl-C keeps what is finished and exits 75" "exit code $code" "$(cat part.txt)"; fi
    check "the finished part is a whole sample set" "$python" "$root/Tools/python/check_samples.py" part.h5
    mkdir killed
    fovea sample "${settings[@]}" --count 4000 --out killed/s.h5 2> /dev/null &
    process=$!
    sleep 2
    kill -KILL $process
    wait $process 2> /dev/null
    check "killed: no half sample set under the final name" test ! -e killed/s.h5
}

# The README's first command.
quickstart() {
    if [[ ! -f "$root/Checkpoints/open-64.safetensors" ]]; then
        failed "Tools/quickstart" "Checkpoints/open-64.safetensors is missing"
        return
    fi
    mkdir -p quick/elsewhere
    check "Tools/quickstart, from another folder" env -C quick/elsewhere "$root/Tools/quickstart" "$work/quick/Samples"
    check "Tools/quickstart, again" env -C quick/elsewhere "$root/Tools/quickstart" "$work/quick/Samples"
    check "it makes two files and no other" test "$(ls quick/Samples | tr '\n' ' ')" == "quickstart.contact-sheet.png quickstart.h5 "
    check "h5py finds every field of its sample set" "$python" "$root/Tools/python/check_samples.py" quick/Samples/quickstart.h5
    check "the model is at most 15 MB" test "$(stat -c %s "$root/Checkpoints/open-64.safetensors")" -le 15000000
}

# --long: twenty SIGKILLs at random moments over one training.
kills() {
    local settings=(--data phantoms.h5 --preset tiny --size 32 --seed 7) count=0 code process
    printf 'checkpointEveryImages: 64\nvalidateEveryImages: 320\npreviewEveryImages: 1000000\nimages: 19200\n' > kills.yaml
    check "a long training straight through" fovea train "${settings[@]}" --config kills.yaml --out long --quiet
    fovea train "${settings[@]}" --config kills.yaml --out killed-run --quiet 2> kills.txt &
    process=$!
    until [[ -e killed-run/checkpoint.safetensors ]]; do sleep 0.05; done
    RANDOM=1
    while (( count < 20 )); do
        sleep "$(( RANDOM % 3 )).$(( RANDOM % 10 ))"
        kill -KILL $process 2> /dev/null || break
        wait $process 2> /dev/null
        count=$(( count + 1 ))
        fovea train --data phantoms.h5 --out killed-run --resume --quiet 2>> kills.txt &
        process=$!
        sleep 0.3
    done
    wait $process; code=$?
    check "killed $count times, it ends all the same" test "$code" -eq 0
    check "20 kills happened" test "$count" -eq 20
    check "killed and resumed: the same checkpoint" cmp long/checkpoint.safetensors killed-run/checkpoint.safetensors
    check "killed and resumed: the same best snapshot" cmp long/best.safetensors killed-run/best.safetensors
    check "killed and resumed: no other files" diff <(ls -A long) <(ls -A killed-run)
}

# --long: one byte of a snapshot changed, 200 times: refused or accepted, but never a crash and never a hang.
corruption() {
    "$python" - > "$work/corruption.txt" << 'END'
import os, random, subprocess, sys
data = bytearray(open("model/snapshot.safetensors", "rb").read())
header = 8 + int.from_bytes(data[:8], "little")
random.seed(1)
bad = refused = 0
for trial in range(200):
    # Half of them in the header, which is what a parser can stumble over.
    place = random.randrange(header) if trial % 2 else random.randrange(len(data))
    changed = bytearray(data)
    changed[place] ^= 1 << random.randrange(8) if trial % 4 < 2 else random.randrange(1, 256)
    open("corrupt.safetensors", "wb").write(changed)
    for command in (["inspect", "corrupt.safetensors"],
                    ["sample", "--model", "corrupt.safetensors", "--count", "1", "--steps", "2", "--out", "corrupt.h5", "--force", "--quiet"]):
        try:
            ran = subprocess.run(["fovea"] + command, capture_output=True, timeout=30)
            refused += ran.returncode in (65, 66)
            wrong = ran.returncode not in (0, 64, 65)
        except subprocess.TimeoutExpired:
            wrong, ran = True, None
        if wrong:
            bad += 1
            print(f"byte {place} from {data[place]:#04x} to {changed[place]:#04x}: fovea {command[0]}:",
                  "hangs" if ran is None else f"exit code {ran.returncode}, {ran.stderr[-300:].decode(errors='replace')}")
print(f"400 commands, {refused} refused, {bad} crashed or hung")
sys.exit(bad > 0)
END
    local code=$?
    if (( code == 0 )); then passed "200 damaged snapshots: $(tail -n 1 "$work/corruption.txt")"
    else failed "200 damaged snapshots" "$(tail -n 1 "$work/corruption.txt")" "$(head -n 20 "$work/corruption.txt")"; fi
}
