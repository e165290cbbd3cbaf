# Sections of Tools/test-commands: training, models of others, parcels, the first command, kills and damage. Sourced by it.
# shellcheck shell=bash disable=SC2154

# Trainings that are stopped and resumed give the bytes of one that was not.
training() {
    local settings=(--data phantoms.h5 --preset tiny --size 32 --images 960 --seed 7)
    check "training straight through" fovea train "${settings[@]}" --out straight --quiet
    # Whoever runs in the background of a script ignores INT, unless it is told otherwise.
    env --default-signal=INT fovea train "${settings[@]}" --out stopped --quiet 2> stopped.txt &
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
        "timeout --preserve-status --signal=INT 4 env --default-signal=INT fovea train --data phantoms.h5 --preset tiny --size 32 --images 1000000 --out twice --quiet 2> twice.txt; (( \$? == 75 )) && [[ -e twice/checkpoint.safetensors ]]"
    # A terminal that is closed, and a batch system before its limit.
    for signal in HUP USR1; do
        check "$signal saves as Ctrl-C does" bash -c \
            "timeout --preserve-status --signal=$signal 2 env --default-signal=$signal fovea train --data phantoms.h5 --preset tiny --size 32 --images 1000000 --out by-$signal --quiet 2> /dev/null; (( \$? == 75 )) && [[ -e by-$signal/checkpoint.safetensors ]]"
    done
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

# What a training says of itself, wavelets, and adapters on a base.
tuning() {
    local kind name
    # foretold NAME FILE: the peak that a training foretold is within 15 % of the one that it had.
    foretold() { says "$1" 'abs(j["estimated_peak_mib"] - j["peak_mib"]) <= 0.15 * j["peak_mib"]' "$2"; }
    check "a training in wavelet space" bash -c \
        "fovea train --data phantoms.h5 --preset tiny --size 32 --space wavelet --images 320 --out wavelet --json --quiet > wavelet.json"
    foretold "the memory that it foretold, within 15 %" wavelet.json
    check "its curve" "$python" -c '
import xml.dom.minidom
xml.dom.minidom.parse("wavelet/curve.svg").getElementsByTagName("polyline")[0]'
    check "a larger network" bash -c "fovea train --data phantoms.h5 --preset small --size 32 --images 32 --out larger --json --quiet > larger.json"
    foretold "its memory, within 15 %, too" larger.json
    printf 'batchSize: 1024\n' > huge.yaml
    refuses "a training that does not fit (64)" 64 "would fit" "$work/empty" \
        fovea train --data phantoms.h5 --preset base --size 32 --config huge.yaml --out empty/huge --memory 1000 --quiet
    printf 'network: {blockOutChannels: [4096, 4096, 4096, 4096], layersPerBlock: 8}\n' > endless.yaml
    refuses "a network that fits no machine (64)" 64 "MiB for [0-9]+ parameters" "$work/empty" \
        fovea train --data phantoms.h5 --size 32 --config endless.yaml --out empty/endless --quiet
    for kind in ffa lora full; do
        check "tuning a base: $kind" fovea train --data phantoms.h5 --base model/snapshot.safetensors --adapter $kind --images 160 --out "$kind" --quiet
    done
    mkdir adapters
    cp ffa/snapshot.adapter.safetensors adapters/india.adapter.safetensors
    cp lora/snapshot.adapter.safetensors adapters/uk.safetensors
    check "adapters mixed by weight" fovea sample --model model/snapshot.safetensors --mix india=0.6,uk=0.3 --adapters adapters --count 2 --out mixed.h5 --quiet
    check "a mixture is on record" "$python" -c '
import h5py, json
f = h5py.File("mixed.h5")
digest = f["runs/model_digest"].asstr()[0]
lineage = json.loads(f[f"models/{digest}/lineage"].asstr()[()])
assert [(p["name"], p["weight"]) for p in lineage["parcels"]] == [("india", 0.6), ("uk", 0.3)], lineage
assert abs(f["provenance/site_weight"][0].sum() - 1) < 1e-6'
    refuses "an adapter of another base (65)" 65 "base: expected" "$work/empty" \
        fovea sample --model full/snapshot.safetensors --mix india=1 --adapters adapters --count 1 --out empty/o.h5
    for name in "india=0.8,uk=0.3:at most 1" "india:name=weight" "../india=1:without folders" "india=0.2,india=0.2:each name once"; do
        refuses "a mixture of ${name%%:*} (64)" 64 "--mix: expected .*${name#*:}" "$work/empty" \
            fovea sample --model model/snapshot.safetensors --mix "${name%%:*}" --adapters adapters --count 1 --out empty/o.h5
    done
    refuses "a cohort that was hardly seen (64)" 64 "fewer than 5 patients" "$work/empty" \
        fovea sample --model model/snapshot.safetensors --cohort dr_icdr=ungradable --count 1 --out empty/o.h5
    echo kept > unseen.h5
    refuses "the same with --force, which replaces outputs and nothing else (64)" 64 "allow-small-cohorts draws it" "$work/empty" \
        fovea sample --model model/snapshot.safetensors --cohort dr_icdr=ungradable --count 1 --out unseen.h5 --force --quiet
    check "the output that was to be replaced is still there" grep -q kept unseen.h5
    check "the same, insisted on" fovea sample --model model/snapshot.safetensors --cohort dr_icdr=ungradable --count 1 --out unseen.h5 \
        --allow-small-cohorts --force --quiet
    check "inspect says what was insisted on" bash -c 'fovea inspect unseen.h5 | grep -q "^warning: .*fewer than 5 patients.*dr_icdr=ungradable"'
    fovea sample --model model/snapshot.safetensors --count 4 --steps 2 --cohort 'dr_icdr=3..4' --guidance 0.5 --out joined.h5 --json > joined.json 2> /dev/null
    says "guidance below 1 is called weaker than asked" '"weaker than asked" in j["warnings"][0]' joined.json
    check "joined grades: every field" python3 "$root/Tools/python/check_samples.py" joined.h5
    check "joined grades: verified" fovea verify joined.h5
    refuses "guidance 0 (64)" 64 "ignore what is asked for; 1 means no guidance" "$work/empty" \
        fovea sample --model model/snapshot.safetensors --count 1 --cohort dr_icdr=3 --guidance 0 --out zero.h5
}

# A model of two networks goes the whole way: trained, stopped, sampled, replayed, tuned.
two_networks() {
    local settings=(--data phantoms.h5 --preset tiny --size 32 --space dct --seed 5)
    check "a training with two networks" bash -c 'fovea train "$@" --images 640 --out two --json --quiet > two.json' - "${settings[@]}"
    says "the memory that it foretold, within 15 %" 'abs(j["estimated_peak_mib"] - j["peak_mib"]) <= 0.15 * j["peak_mib"]' two.json
    check "the same, stopped after 320 images" fovea train "${settings[@]}" --images 320 --out two-halves --quiet
    check "and resumed on one thread" fovea train --data phantoms.h5 --out two-halves --resume --images 640 --threads 1 --quiet
    check "the same snapshot" cmp two/snapshot.safetensors two-halves/snapshot.safetensors
    check "the fine network's loss is in its log, and falls" "$python" -c '
import json
fine = [line["fine_loss"] for line in map(json.loads, open("two/log.jsonl")) if "fine_loss" in line]
assert len(fine) == 80 and fine[-1] < fine[0], (len(fine), fine[0], fine[-1])'
    check "inspect names the fine network" bash -c "fovea inspect two/snapshot.safetensors | grep -q 'a fine network, dct-2, denoises up to a noise of 0.5'"
    check "its samples" fovea sample --model two/snapshot.safetensors --count 3 --steps 6 --seed 1 --out two.h5 --quiet
    check "h5py finds every field of them" "$python" "$root/Tools/python/check_samples.py" two.h5
    check "their surround was made black, and the file says so" "$python" -c '
import h5py, json
f = h5py.File("two.h5")
assert json.loads(f["runs/schedule"].asstr()[0])["surround"] == "black"'
    check "guidance acts on the coarse network alone" bash -c "fovea sample --model two/snapshot.safetensors --count 2 --steps 6 --guidance 2 --seed 1 --out guided.h5 --quiet"
    check "and the file says where" "$python" -c '
import h5py, json
schedule = json.loads(h5py.File("guided.h5")["runs/schedule"].asstr()[0])
low, high = schedule["guidance_interval"]
assert abs(low - 0.5 / 4) < 1e-6 and abs(high - 160) < 1e-6 and schedule["sigma_start"] == 160, schedule
assert 6 < schedule["evaluations"] < 12, schedule
factor, below = schedule["noise_gain"]
assert abs(factor - 1.04) < 1e-6 and abs(below - 0.2 / 4) < 1e-6, schedule
scale, low, high = schedule["autoguidance"]
assert abs(scale - 1.4) < 1e-6 and abs(low - 0.3 / 4) < 1e-6 and abs(high - 20 / 4) < 1e-6, schedule'
    check "without autoguidance other pictures" bash -c "fovea sample --model two/snapshot.safetensors --count 3 --steps 6 --seed 1 --autoguidance 1 --out plain.h5 --quiet"
    check "and the file has none" "$python" -c '
import h5py, json
plain, guided = (h5py.File(name) for name in ("plain.h5", "two.h5"))
assert "autoguidance" not in json.loads(plain["runs/schedule"].asstr()[0])
assert (plain["images"][:] != guided["images"][:]).any()'
    refuses "one disc in pictures of 32 pixels (64)" 64 "square pictures of 64 pixels and more" "$work/empty" \
        fovea sample --model two/snapshot.safetensors --count 1 --one-disc --out empty/o.h5
    refuses "maps of structures in pictures of 32 pixels (64)" 64 "--structure: expected square pictures of 128 pixels and more" "$work/empty" \
        fovea sample --model two/snapshot.safetensors --count 1 --structure --out empty/o.h5
    refuses "autoguidance of 5 (64)" 64 "--autoguidance: expected 1 to 4; 1 means none, found 5" "$work/empty" \
        fovea sample --model two/snapshot.safetensors --count 1 --autoguidance 5 --out empty/o.h5
    refuses "autoguidance of a model without a guiding network (64)" 64 "needs a guiding network" "$work/empty" \
        fovea sample --model "$root/Checkpoints/open-64.safetensors" --count 1 --autoguidance 1.5 --out empty/o.h5
    check "replayed, too" fovea replay guided.h5 --model two/snapshot.safetensors
    check "replayed on one thread, one at a time: all bits equal" fovea replay two.h5 --model two/snapshot.safetensors --threads 1 --batch 1
    check "an adapter on both networks" fovea train --data phantoms.h5 --base two/snapshot.safetensors --adapter ffa --images 80 --out two-adapter --quiet
    check "it changes both" "$python" -c '
import json, struct
data = open("two-adapter/snapshot.adapter.safetensors", "rb").read()
names = json.loads(data[8:8 + struct.unpack("<Q", data[:8])[0]]).keys()
assert any(n.startswith("fine.conv_in") for n in names) and any(n.startswith("conv_in") for n in names), sorted(names)'
    refuses "a diffusers folder of two networks (65)" 65 "expected one network, as a diffusers folder holds it, found 2 networks" "$work/empty" \
        fovea export-model two/snapshot.safetensors --out empty/folder
    refuses "a crop that is larger than the pictures (65)" 65 "fine.cropSize: expected a multiple of 4 up to 32, found 64" "$work/empty" bash -c \
        "printf 'fine: {cropSize: 64}\n' > crop.yaml && fovea train --data phantoms.h5 --preset tiny --size 32 --space dct --config crop.yaml --out empty/run --quiet"
}

# A model that was trained with canaries stays.
canaries() {
    fovea phantom --count 100 --size 32 --seed 3 --out canaries.h5 --quiet
    fovea phantom --count 40 --size 32 --seed 3 --out few.h5 --quiet
    check "a training with canaries" fovea train --data phantoms.h5 --base model/snapshot.safetensors --adapter ffa --canaries canaries.h5 --images 160 --out canary --quiet
    check "and resumed" fovea train --data phantoms.h5 --out canary --images 320 --resume --quiet
    check "it says so" "$python" -c '
import json, struct
for name in ("snapshot", "snapshot.adapter", "checkpoint"):
    data = open(f"canary/{name}.safetensors", "rb").read()
    header = json.loads(data[8:8 + struct.unpack("<Q", data[:8])[0]])
    mark = json.loads(header["__metadata__"]["fovea"])["canaries"]
    assert mark["count"] == 100 and 30 < mark["included"] < 70 and mark["repetitions"] == 1, mark'
    fovea parcel keygen --out canary.key --quiet
    refuses "it is not exported, whatever the reason (77)" 77 "canaries.*never leaves" "$work/empty" \
        fovea export-model canary/snapshot.safetensors --unaudited "a reason" --out empty/o
    refuses "nor sealed (77)" 77 "canaries.*never leaves" "$work/empty" \
        fovea parcel seal canary/snapshot.adapter.safetensors --key canary.key --site phantom --round 1 --purpose DUO:0000042 --unaudited "a reason" --out empty/o.parcel
    refuses "nor signed as a base (77)" 77 "canaries.*never leaves" "$work/empty" \
        fovea parcel sign canary/snapshot.safetensors --key canary.key --out empty/o.safetensors
    refuses "nor is a step on it taken (77)" 77 "canaries.*never leaves" "$work/empty" bash -c \
        "mkdir -p canary-site && cp phantoms.h5 canary-site/ && fovea federate-step --init canary/snapshot.safetensors --out empty/o.safetensors --metrics empty/m.json --data canary-site --round 1 --images 16"
    refuses "40 phantoms are too few (65)" 65 "canaries: expected at least 100" "$work/empty" \
        fovea train --data phantoms.h5 --canaries few.h5 --preset tiny --size 32 --images 32 --out empty/o --quiet
}

# Diffusers folders, in and out.
interchange() {
    local folders="$root/Tests/InterchangeTests/Fixtures"
    check "a diffusers folder is imported" fovea import-model "$folders/epsilon" --licence CC0-1.0 --out epsilon.safetensors --quiet
    check "and sampled" fovea sample --model epsilon.safetensors --count 2 --steps 4 --out epsilon.h5 --quiet
    check "and trained on" fovea train --data phantoms.h5 --base epsilon.safetensors --adapter full --images 32 --out on-epsilon --quiet
    check "and exported again" fovea export-model epsilon.safetensors --out epsilon --quiet
    check "with the same weights" "$python" -c '
import json, struct, sys
def tensors(path):
    data = open(path, "rb").read(); n = struct.unpack("<Q", data[:8])[0]; h = json.loads(data[8:8 + n]); h.pop("__metadata__", 0)
    return {k: data[8 + n + v["data_offsets"][0]:8 + n + v["data_offsets"][1]] for k, v in h.items()}
a, b = (tensors(p + "/diffusion_pytorch_model.safetensors") for p in (sys.argv[1], "epsilon"))
assert a == b and len(a) > 50' "$folders/epsilon"
    refuses "an export that exists stays (73)" 73 "exists already" "$work/epsilon" fovea export-model epsilon.safetensors --out epsilon
    check "classes by name" bash -c "fovea import-model '$folders/classes' --classes dr_icdr=0,1,2,3,4,ungradable,null --out classes.safetensors --quiet && fovea sample --model classes.safetensors --cohort dr_icdr=2.5 --guidance 2 --steps 3 --count 2 --out classes.h5 --quiet"
    check "classes without names are imported" fovea import-model "$folders/classes" --out nameless.safetensors --quiet
    refuses "and not sampled (64)" 64 "--classes" "$work/empty" fovea sample --model nameless.safetensors --count 1 --out empty/o.h5
    refuses "a class that is not one (64)" 64 "--classes: .*found 9" "$work/empty" \
        fovea import-model "$folders/classes" --classes dr_icdr=0,1,2,3,4,9,null --out empty/o.safetensors
    refuses "a folder that is not there (66)" 66 "nowhere: does not exist" "$work/empty" fovea import-model nowhere --out empty/o.safetensors
    cp -r "$folders/epsilon" strange && sed -i 's/"AttnDownBlock2D"/"SkipDownBlock2D"/' strange/config.json
    refuses "a block that is not computed here (65)" 65 "down_block_types: .*SkipDownBlock2D" "$work/empty" \
        fovea import-model strange --out empty/o.safetensors
    check "a model of phantoms needs no audit" fovea export-model model/snapshot.safetensors --out phantom-folder --quiet
    refuses "a model of patients does (77)" 77 "--unaudited" "$work/empty" \
        fovea export-model "$root/Checkpoints/open-64.safetensors" --out empty/o
    check "or a reason" fovea export-model "$root/Checkpoints/open-64.safetensors" --unaudited "open photographs" --out open-folder --quiet
}

# Signed weights: sealed, checked, opened, mixed.
parcels() {
    fovea phantom --count 120 --size 32 --seed 7 --out site.h5 --quiet
    printf 'images: 320\nvalidateEveryImages: 160\n' > at-site.yaml
    check "a site trains an adapter" fovea train --data site.h5 --out at-site --base model/snapshot.safetensors --adapter ffa --config at-site.yaml --quiet
    local name key; name="$("$python" -c 'import h5py; print(h5py.File("site.h5").attrs["site"])')"
    check "a key pair" fovea parcel keygen --out site.key --quiet
    check "the private key is its owner's alone" test "$(stat -c %a site.key)" == 600
    refuses "a key is never overwritten (73)" 73 "exists already" "$work/empty" fovea parcel keygen --out site.key --force
    local sealing=(parcel seal at-site/snapshot.adapter.safetensors --key site.key --site "$name" --round 1 --out site.parcel --quiet)
    refuses "a parcel needs a purpose (64)" 64 "--purpose: expected what the weights may be used for, at least one code, found none; the codes are DUO:0000042 .general research use" "$work/empty" fovea "${sealing[@]}"
    check "seal" fovea "${sealing[@]}" --purpose DUO:0000042 --single-site --contact "data@example.org"
    fovea parcel open site.parcel --json > parcel.json 2> /dev/null
    says "open says what is in it" 'j["statement"]["round"] == 1 and j["statement"]["selfTest"] and not j["trusted"]' parcel.json
    key="$(tail -n 1 site.key.pub)"
    fovea parcel keygen --out coordinator.key --quiet
    printf 'version: 1\nproject: test\ncoordinator: %s\nmembers:\n  - {name: %s, key: %s, from: 2026-01-01, until: 2099-12-31}\n' \
        "$(tail -n 1 coordinator.key.pub)" "$name" "$key" > TRUST.yaml
    refuses "a list that nobody signed (77)" 77 "is not signed" "$work/empty" fovea parcel open site.parcel --trust TRUST.yaml
    refuses "a list that another signs (77)" 77 "coordinator: expected" "$work/empty" fovea parcel trust TRUST.yaml --key site.key
    check "the coordinator signs the list" fovea parcel trust TRUST.yaml --key coordinator.key --quiet
    check "open, trusted" fovea parcel open site.parcel --trust TRUST.yaml --out opened.safetensors --quiet
    check "verify, trusted" fovea verify site.parcel --trust TRUST.yaml --quiet
    ln -s site.parcel site.safetensors
    check "a parcel is an adapter to mix in" fovea sample --model model/snapshot.safetensors --mix site=0.5 --adapters . --count 2 --steps 2 --out mixed-parcel.h5 --quiet
    echo "withdrawn: [bonn]" >> TRUST.yaml
    refuses "a list that was changed (77)" 77 "is not what [0-9a-f-]+ signed" "$work/empty" fovea verify site.parcel --trust TRUST.yaml --quiet
    "$python" -c 'import sys
data = bytearray(open("site.parcel", "rb").read()); data[-5] ^= 1; open("changed.parcel", "wb").write(data)'
    refuses "a changed weight (77)" 77 "signature does not fit" "$work/empty" fovea parcel open changed.parcel
    refuses "and verify says so (1)" 1 "signature" "$work/empty" fovea verify changed.parcel --quiet
    refuses "weights without a signature (65)" 65 "is not a parcel" "$work/empty" fovea parcel open at-site/snapshot.adapter.safetensors
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
    mkdir killed-samples
    check "60 SIGKILLs over sampling, packing and exporting" env -C killed-samples \
        "$python" "$root/Tools/command-tests/kill_samples.py" "$work/model/snapshot.safetensors" 60
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
    fovea sample --model model/snapshot.safetensors --count 24 --cohort dr_icdr=3 --seed 1 --out sound.h5 --quiet
    check "300 damaged sample sets: all are found" "$python" "$root/Tools/command-tests/damage_samples.py" sound.h5 300
    if (( code == 0 )); then passed "200 damaged snapshots: $(tail -n 1 "$work/corruption.txt")"
    else failed "200 damaged snapshots" "$(tail -n 1 "$work/corruption.txt")" "$(head -n 20 "$work/corruption.txt")"; fi
}
