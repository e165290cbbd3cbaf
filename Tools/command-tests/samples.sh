# Sections of Tools/test-commands: sampling, provenance, the Python package, exports, reports. Sourced by it.
# shellcheck shell=bash disable=SC2154

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

# Whether drawn pictures help: the folder of an evaluation, its resumption and its refusals.
evaluation() {
    fovea phantom --count 110 --size 64 --seed 31 --out ev-site.h5 --quiet
    fovea phantom --count 40 --size 64 --seed 32 --out ev-drawn.h5 --quiet
    fovea phantom --count 70 --size 64 --seed 33 --site elsewhere --out ev-test.h5 --quiet
    local evaluate=(fovea evaluate ev-drawn.h5 --train ev-site.h5 --test ev-test.h5 --task disease --positive dr --by sex --seeds 2 --size 32 --quiet)
    local long=("${evaluate[@]}" --steps 300 --parts usefulness --arms resampled,added-40-resampled)
    check "an evaluation" "${evaluate[@]}" --steps 10 --out ev
    check "evaluation.json is what docs/evaluation.schema.json says" "$python" "$root/Tools/command-tests/check_schema.py" "$root/docs/evaluation.schema.json" ev/evaluation.json
    check "its page shows no picture, and what is private is" bash -c '! grep -q "<img" ev/report.html && grep -q "synthetic pictures" ev/report.html && [ "$(stat -c %a ev/private)" = 700 ]'
    # The mean colours of each picture stand in for a network, which these tests do not have.
    PYTHONPATH="$root/Tools/python" PYTHONDONTWRITEBYTECODE=1 "$python" -c '
import picture_features
for name, files in {"ev": ["ev-drawn.h5", "ev-site.h5"], "ev-other": ["ev-test.h5"]}.items():
    picture_features.write(name + ".safetensors", "colours", files, lambda pictures: pictures.mean((1, 2)))'
    check "features of another program" "${evaluate[@]}" --parts fidelity --features ev.safetensors --out ev-features
    check "are in the figures and on the page" bash -c 'grep -q "colours: 3 features" ev-features/report.html && "$0" -c "import json; assert [kind[\"features\"] for kind in json.load(open(\"ev-features/evaluation.json\"))[\"fidelity\"][\"all\"][\"kinds\"] if kind[\"name\"] == \"colours\"] == [3]"' "$python"
    refuses "features of other pictures (65)" 65 "pictures of ev-site.h5 that are compared, found 0 of them" "$work/empty" \
        "${evaluate[@]}" --parts fidelity --features ev-other.safetensors --out "$work/empty/ev"
    refuses "features for a part that is left out (64)" 64 "\-\-features: expected the part fidelity" "$work/empty" \
        "${evaluate[@]}" --parts anatomy --features ev.safetensors --out "$work/empty/ev"
    check "one that is stopped by Ctrl-C" bash -c 'timeout --preserve-status --signal=INT 3 "$@" --out ev-stopped; [ $? = 75 ]' _ "${long[@]}"
    check "goes on to the figures of one that is not" bash -c '"$@" --out ev-stopped --resume && "$@" --out ev-whole && cmp ev-stopped/evaluation.json ev-whole/evaluation.json' _ "${long[@]}"
    refuses "other settings under --resume (64)" 64 "of other files or settings" "$work/empty" "${long[@]}" --out ev-stopped --resume --force --doses 0.3
    refuses "an evaluation that exists is kept (73)" 73 "ev/report.html: exists already" "$work/empty" "${evaluate[@]}" --out ev
    refuses "a test set of the training photographs (65)" 65 "of its photographs, pixel by pixel" "$work/empty" \
        fovea evaluate ev-drawn.h5 --train ev-site.h5 --test ev-site.h5 --task disease --out "$work/empty/ev"
    refuses "an attribute outside the schema (64)" 64 "\-\-task: expected dr_icdr, .*found \"grade\"" "$work/empty" \
        fovea evaluate ev-drawn.h5 --train ev-site.h5 --task grade --out "$work/empty/ev"
    refuses "a part that does not exist (64)" 64 "\-\-parts: expected fidelity, anatomy, usefulness, obedience" "$work/empty" \
        fovea evaluate ev-drawn.h5 --train ev-site.h5 --task disease --parts looks --out "$work/empty/ev"
    refuses "one class (65)" 65 "at least two classes" "$work/empty" \
        fovea evaluate ev-drawn.h5 --train ev-site.h5 --task disease --positive dr,healthy --out "$work/empty/ev"
}

# What a plan asks for is what is drawn.
planning() {
    fovea phantom --count 120 --size 32 --seed 7 --out plan-site.h5 --quiet
    fovea train --data plan-site.h5 --out plan-run --preset tiny --size 32 --images 64 --quiet
    check "a plan of grades" bash -c "fovea plan plan-site.h5 --by dr_icdr --target interval=0.1 --dose 0.5 --out grades.csv --json > grades.json"
    check "samples by the plan" fovea sample --model plan-run/snapshot.safetensors --plan grades.csv --seed 1 --out grades.h5 --quiet
    check "its cells are the samples' and the dataset's" "$python" -c '
import json, h5py, numpy
plan, samples, site = json.load(open("grades.json")), h5py.File("grades.h5"), h5py.File("plan-site.h5")
drawn, grade, train = samples["cohort/dr_icdr"][:], site["cohort/dr_icdr"][:], site["split"][:] == 0
assert plan["to_sample"] == len(drawn) > 0
for cell in plan["cells"]:
    code = int(cell["cohort"]["dr_icdr"])
    assert cell["to_sample"] == (drawn == code).sum(), cell
    assert cell["photographs"] == ((grade == code) & train).sum(), cell'
    check "table and page are private" bash -c '[ "$(stat -c %a grades.csv grades.html | tr "\n" " ")" = "600 600 " ]'
    refuses "a plan that exists is kept (73)" 73 "grades.csv: exists already; give --force" "$work/empty" \
        fovea plan plan-site.h5 --by dr_icdr --out grades.csv
    refuses "a page that exists is kept (73)" 73 "pages-only.html: exists already" "$work/empty" \
        bash -c "touch pages-only.html; fovea plan plan-site.h5 --by dr_icdr --out pages-only.csv"
    refuses "an attribute outside the schema (64)" 64 "\-\-by: expected attributes \(dr_icdr, .*found \"grade\"" "$work/empty" \
        fovea plan plan-site.h5 --by grade --out "$work/empty/p.csv"
    refuses "a dose out of range (64)" 64 "\-\-dose: expected 0.1 to 4.0 pictures for each photograph, found 5.0" "$work/empty" \
        fovea plan plan-site.h5 --by dr_icdr --dose 5 --out "$work/empty/p.csv"
    refuses "an interval out of range (64)" 64 "\-\-target: expected interval=0.02 to 0.4, found interval=0.9" "$work/empty" \
        fovea plan plan-site.h5 --by dr_icdr --target interval=0.9 --out "$work/empty/p.csv"
    refuses "a table of shares that is not there (66)" 66 "absent.csv" "$work/empty" \
        fovea plan plan-site.h5 --by dr_icdr --target absent.csv --out "$work/empty/p.csv"
}

# The same eyes in other cohorts.
counterfactuals() {
    fovea phantom --count 120 --size 64 --seed 7 --out cf-site.h5 --quiet
    fovea train --data cf-site.h5 --out cf-run --preset tiny --size 64 --images 640 --quiet
    fovea sample --model cf-run/snapshot.safetensors --count 4 --cohort dr_icdr=0 --seed 3 --steps 4 --out cf.h5 --quiet
    local pairs=(fovea counterfactual cf.h5 --model cf-run/snapshot.safetensors --quiet)
    check "every grade of two eyes" "${pairs[@]}" --change dr_icdr=0..4 --count 2 --out pairs.h5
    check "each original is a row of the set, and its counterfactuals follow it" "$python" -c '
import h5py, numpy
pairs, source = h5py.File("pairs.h5"), h5py.File("cf.h5")
assert pairs["provenance/original"][:].tolist() == [-1, 0, 0, 0, 0, 0, -1, 6, 6, 6, 6, 6]
assert pairs["cohort/dr_icdr"][:].tolist() == [0, 0, 1, 2, 3, 4] * 2
assert (pairs["images"][[0, 6]] == source["images"][:2]).all() and (pairs["images"][1] == pairs["images"][0]).all()
own, changed = (pairs["images"][row].astype(int) for row in (0, 5))
assert (pairs["structure/difference"][5] == (abs(own - changed).sum(2) + 1) // 3).all() and (own != changed).any()'
    check "verified" fovea verify pairs.h5
    check "replayed, all bits equal" bash -c "fovea replay pairs.h5 --model cf-run/snapshot.safetensors --threads 1 --batch 5 --json | grep -q '\"equal\":12.*\"mode\":\"bitwise\"'"
    check "h5py finds every field" "$python" "$root/Tools/python/check_samples.py" pairs.h5
    check "a page with a slider for each eye, and the figures beside it" bash -c '[ "$(grep -c "type=.range" pairs.pairs.html)" = 2 ] && "$0" -c "import json; assert len(json.load(open(\"pairs.pairs.json\"))[\"pairs\"]) == 10"' "$python"
    check "an export names the original" bash -c "fovea export pairs.h5 --to png --out pairs-png --quiet && head -1 pairs-png/metadata.csv | grep -q ',original,'"
    check "and has the differences as pictures" "$python" -c '
import h5py, numpy
from PIL import Image
for row, map in enumerate(h5py.File("pairs.h5")["structure/difference"][:]):
    assert (numpy.asarray(Image.open(f"pairs-png/structure/difference/{row:06}.png")) == map[..., None]).all(), row'
    check "stopped by Ctrl-C" bash -c 'timeout --preserve-status --signal=INT 1 "$@" --change dr_icdr=1..4 --batch 1 --out halves.h5; [ $? = 75 ] || [ -e halves.h5 ]' _ "${pairs[@]}"
    check "it goes on to the same set" bash -c '"$@" --change dr_icdr=1..4 --out halves.h5 --resume && "$@" --change dr_icdr=1..4 --out whole.h5' _ "${pairs[@]}"
    check "pixel by pixel" equal whole.h5 halves.h5
    refuses "another change under --resume of a complete set (64)" 64 "was drawn of other rows, changes or settings" "$work/empty" \
        "${pairs[@]}" --change dr_icdr=2..4 --out whole.h5 --resume
    refuses "an attribute that the model does not know (64)" 64 "is not conditioned on site" "$work/empty" \
        "${pairs[@]}" --change site=elsewhere --out "$work/empty/p.h5"
    refuses "no change (64)" 64 "\-\-change: expected what to change" "$work/empty" "${pairs[@]}" --out "$work/empty/p.h5"
    refuses "a row that is not there (64)" 64 "expected rows from 0 to 3, each once, found 4" "$work/empty" \
        "${pairs[@]}" --change dr_icdr=3 --row 4 --out "$work/empty/p.h5"
    refuses "a counterfactual of a counterfactual (64)" 64 "expected no counterfactual, found row 1" "$work/empty" \
        fovea counterfactual pairs.h5 --model cf-run/snapshot.safetensors --change dr_icdr=3 --row 1 --out "$work/empty/p.h5"
    refuses "a scale of 0.5 (64)" 64 "\-\-scale: expected 1.0 to 10.0, found 0.5" "$work/empty" \
        "${pairs[@]}" --change dr_icdr=3 --scale 0.5 --out "$work/empty/p.h5"
    refuses "another model (65)" 65 "model of row 0: expected" "$work/empty" \
        fovea counterfactual cf.h5 --model "$root/Checkpoints/open-64.safetensors" --change dr_icdr=3 --out "$work/empty/p.h5"
    refuses "a set that exists is kept (73)" 73 "pairs.h5: exists already" "$work/empty" \
        "${pairs[@]}" --change dr_icdr=3 --out pairs.h5
    refuses "two attributes for classifiers to read (64)" 64 "changes of one attribute" "$work/empty" \
        "${pairs[@]}" --change dr_icdr=3,sex=male --train cf-site.h5 --out "$work/empty/p.h5"
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

    # Stopped on the way, gone on with, and ended before its time.
    env --default-signal=INT fovea sample "${settings[@]}" --count 4000 --out part.h5 2> part.txt &
    local process=$! code kept
    sleep 3
    refuses "a second run on the same output is told who holds it (73)" 73 "being made by process $process on" "$work/empty" \
        fovea sample "${settings[@]}" --count 4000 --out part.h5 --resume
    kill -INT $process
    wait $process; code=$?
    kept="$(sed -nE 's/.*--resume --count ([0-9]+)$/\1/p' part.txt)"
    if (( code == 75 )) && [[ -n "$kept" ]]; then passed "Ctrl-C keeps what is finished and exits 75"
    else failed "Ctrl-C keeps what is finished and exits 75" "exit code $code" "$(cat part.txt)"; fi
    check "no half sample set under the final name" test ! -e part.h5
    refuses "what is unfinished is not overwritten (73)" 73 "not finished; give --resume" "$work/empty" \
        fovea sample "${settings[@]}" --count 4000 --out part.h5
    refuses "nor mixed with another run (64)" 64 "guidance: expected 1.0" "$work/empty" \
        fovea sample "${settings[@]}" --count 4000 --guidance 2 --out part.h5 --resume
    refuses "nor with another seed (64)" 64 "another seed" "$work/empty" \
        fovea sample "${settings[@]/11/12}" --count 4000 --out part.h5 --resume
    check "it ends with what is there" fovea sample "${settings[@]}" --count "${kept:-1}" --out part.h5 --resume
    check "the finished part is a whole sample set" "$python" "$root/Tools/python/check_samples.py" part.h5
    check "and again, with nothing to do" fovea sample "${settings[@]}" --count "${kept:-1}" --out part.h5 --resume
    check "nothing else is left" bash -c '[[ "$(echo part*)" == "part.contact-sheet.png part.h5 part.txt" ]]'
    check "shards of 20" fovea sample "${settings[@]}" --count 64 --shard-size 20 --out shards.h5
    check "shards hold the same pixels" equal s64.h5 shards.h5
    check "h5py finds every field of a set of shards" "$python" "$root/Tools/python/check_samples.py" shards.h5 shards-00003-of-00004-*.h5
    mkdir killed
    fovea sample "${settings[@]}" --count 4000 --batch 4 --out killed/s.h5 2> /dev/null &
    process=$!
    sleep 3
    kill -KILL $process
    wait $process 2> /dev/null
    check "killed: no half sample set under the final name" test ! -e killed/s.h5
    local finished; finished="$(grep -ao chunkLength killed/s.h5.unfinished/samples.journal | wc -l)"
    env --default-signal=INT fovea sample "${settings[@]}" --count 4000 --out killed/s.h5 --resume 2> killed.txt &
    process=$!
    sleep 1
    kill -INT $process
    wait $process
    kept="$(sed -nE 's/.*stopped; ([0-9]+) of 4000 samples are kept.*/\1/p' killed.txt)"
    check "killed: all but the batch in work is there" test "$finished" -ge 8 -a "${kept:-0}" -ge "$(( finished - 4 ))"
}

# What a sample set says can be checked: verify, replay, the tree.
provenance() {
    check "a set, by two threads in batches of 7" fovea sample --model model/snapshot.safetensors --count 40 --cohort dr_icdr=3 --cohort dr_icdr=1.5 \
        --guidance 1.5 --seed 3 --batch 7 --threads 2 --out made.h5 --quiet
    check "verify finds nothing wrong" fovea verify made.h5
    fovea verify made.h5 --json > verify.json 2> /dev/null
    says "verify --json has the contract's keys" 'j["ok"] is True and j["failures"] == []' verify.json
    refuses "with a trust list an unsigned file fails (1)" 1 "signature: the file is unsigned" "$work/empty" \
        bash -c "fovea parcel keygen --out judge.key --quiet && printf 'version: 1\nproject: test\ncoordinator: %s\nmembers: []\n' \"\$(tail -n 1 judge.key.pub)\" > trust.yaml && fovea parcel trust trust.yaml --key judge.key --quiet && fovea verify made.h5 --trust trust.yaml --quiet"
    check "replay on one thread, one at a time: all bits equal" fovea replay made.h5 --model model/snapshot.safetensors --threads 1 --batch 1
    fovea replay made.h5 --model model/snapshot.safetensors --fraction 0.05 --json > replay.json 2> /dev/null
    says "replay --json has the contract's keys" 'j["checked"] == 2 == j["equal"] and j["mode"] == "bitwise" and j["failures"] == []' replay.json
    # Another BLAS core: another mode, stated.
    if grep -qw avx2 /proc/cpuinfo; then
        OPENBLAS_CORETYPE=Sandybridge fovea replay made.h5 --model model/snapshot.safetensors --json > core.json 2> /dev/null
        says "replay on another BLAS core says so" 'j["mode"] == "psnr" and j["equal"] == 40' core.json
    else skipped "replay on another BLAS core" "this CPU has no second one"; fi
    refuses "replay with another model (65)" 65 "none of its samples was made by" "$work/empty" \
        fovea replay made.h5 --model "$root/Checkpoints/open-64.safetensors"
    refuses "replay of a data set (65)" 65 "expected a sample set, found" "$work/empty" fovea replay phantoms.h5 --model model/snapshot.safetensors
    refuses "replay of a row that is not there (64)" 64 "index: expected 0 to 39, found 40" "$work/empty" \
        fovea replay made.h5 --model model/snapshot.safetensors --index 40
    "$python" - << 'END'
data = bytearray(open("made.h5", "rb").read())
data[len(data) // 2] ^= 4
open("changed.h5", "wb").write(data)
END
    refuses "one flipped bit is found (1)" 1 "bytes of the file" "$work/empty" fovea verify changed.h5 --quiet
    refuses "and not inspected (1)" 1 "has changed since it was written" "$work/empty" fovea inspect changed.h5
    refuses "nor replayed (1)" 1 "has changed since it was written" "$work/empty" fovea replay changed.h5 --model model/snapshot.safetensors
    check "shards" fovea sample --model model/snapshot.safetensors --count 40 --cohort dr_icdr=3 --cohort dr_icdr=1.5 \
        --guidance 1.5 --seed 3 --shard-size 15 --out pieces.h5 --quiet
    check "verify follows shards" fovea verify pieces.h5
    check "replay follows shards" fovea replay pieces.h5 --model model/snapshot.safetensors --index 20 --index 39
    local piece; piece="$(ls pieces-00001-of-00003-*.h5)"
    mv "$piece" away.h5
    refuses "a missing shard is noticed by verify (1)" 1 "$piece is missing" "$work/empty" fovea verify pieces.h5 --quiet
    refuses "and by inspect (66)" 66 "$piece is missing" "$work/empty" fovea inspect pieces.h5
    cp pieces-00000-of-00003-*.h5 "$piece"
    refuses "another file under its name, too (1)" 1 "row 15" "$work/empty" fovea verify pieces.h5 --quiet
}

# The Python package: its own tests, then Fovea's files.
python-package() {
    fovea sample --model model/snapshot.safetensors --count 24 --cohort dr_icdr=3 --cohort dr_icdr=2.5 --seed 1 --out read.h5 --quiet
    fovea sample --model model/snapshot.safetensors --count 24 --cohort dr_icdr=3 --cohort dr_icdr=2.5 --seed 1 --shard-size 10 --out read-shards.h5 --quiet
    check "tests of fovea_samples" env FOVEA_TEST_SAMPLES="$work/read.h5" "$python" -m unittest discover -s "$root/Tools/python/tests" -t "$root/Tools/python"
    check "it reads a set of shards as the whole one" env PYTHONPATH="$root/Tools/python" "$python" -c '
import fovea_samples
with fovea_samples.open("read.h5") as one, fovea_samples.open("read-shards.h5") as many:
    one.verify_user_block(), many.verify(), many.verify_user_block()
    assert (one.images(range(24)) == many.images(range(24))).all() and len(many.filter(dr_icdr=2.5)) == 12
    a, b = one.provenance(13), many.provenance(13)
    assert a["digest"] == b["digest"] and a["model"]["digest"] == b["model"]["digest"] and one.cohort(13) == many.cohort(13)'
    cp -r "$root/Tools/python" package
    if "$python" -m pip --version > /dev/null 2>&1; then
        check "pip installs it" "$python" -m pip install --quiet --no-deps --no-build-isolation --no-index --target installed ./package
        check "and it works from there" env PYTHONPATH="$work/installed" "$python" -c 'import fovea_samples; assert len(fovea_samples.open("read.h5")) == 24'
    else skipped "pip installs the package" "there is no pip"; fi
}

# Pages about sample sets, in a browser where there is one.
reports() {
    local out="$work/pages"
    mkdir -p "$out"
    fovea sample --model model/snapshot.safetensors --seed 5 --count 30 --cohort dr_icdr=0 --cohort dr_icdr=2.5 --out pages.h5 --quiet
    fovea report pages.h5 --out "$out/page.html" --json > report.json 2> /dev/null
    check "report --json" json_has report.json output samples shown bytes
    says "all samples are shown" 'j["samples"] == 30 and j["shown"] == 30 and j["bytes"] < 9500000' report.json
    check "report --most shows some, and the page says so" bash -c \
        "fovea report pages.h5 --most 10 --out $out/ten.html --quiet && grep -q '10 of 30 samples are shown' $out/ten.html"
    refuses "a page that exists stays (73)" 73 "exists already" "$out" fovea report pages.h5 --out "$out/page.html" --quiet
    check "--force replaces a page" fovea report pages.h5 --out "$out/page.html" --force --quiet
    refuses "a page over its own sample set (64)" 64 "is an input" "$out" fovea report pages.h5 --out ./pages.h5 --force --quiet
    refuses "a report of a dataset (65)" 65 "expected a sample set, found" "$out" fovea report phantoms.h5 --out "$out/no.html" --quiet
    refuses "a report of a snapshot (65)" 65 "expected a sample set, found" "$out" fovea report model/snapshot.safetensors --out "$out/no.html" --quiet
    refuses "a report of nothing (66)" 66 "does not exist" "$out" fovea report nowhere.h5 --out "$out/no.html" --quiet
    refuses "a page in a folder that is not there (73)" 73 "does not exist" "$out" fovea report pages.h5 --out "$out/no/page.html" --quiet
    cp pages.h5 changed-pages.h5
    printf 'x' | dd of=changed-pages.h5 bs=1 seek=5000 conv=notrunc status=none
    refuses "a report of a sample set in which a byte has changed (1)" 1 "changed" "$out" fovea report changed-pages.h5 --out "$out/no.html" --quiet
    if ! "$python" -c 'import selenium' 2> /dev/null || ! command -v chromium > /dev/null || ! command -v chromedriver > /dev/null; then
        skipped "the page in a browser" "needs python3-selenium, chromium and chromium-driver"
        return
    fi
    check "the page in a browser" "$python" "$root/Tools/check-report" "$out/page.html" --samples pages.h5
    sed 's/large.alt = image.alt/large.alt = image.src/' "$out/page.html" > "$out/changed.html"
    check "a page whose script was changed fails in a browser" bash -c \
        "! '$python' '$root/Tools/check-report' $out/changed.html > $out/said.txt 2>&1 && grep -q '^FAILED' $out/said.txt"
}

# Other forms of a sample set, read with other libraries.
exports() {
    fovea sample --model model/snapshot.safetensors --count 25 --cohort dr_icdr=3 --cohort dr_icdr=2.5 --seed 1 --out forms.h5 --quiet
    mkdir forms
    local form
    for form in png npz webdataset; do
        check "export --to $form" fovea export forms.h5 --to $form --out forms/$form --shard-size 10 --quiet
        check "verify $form" fovea verify forms/$form
    done
    fovea export forms.h5 --to png --out forms/png --force --json > export.json 2> /dev/null
    check "export --json" json_has export.json output format samples files bytes
    check "PIL, numpy and tarfile find the same pixels, labels and digests" "$python" - << 'END'
import csv, hashlib, io, json, pathlib, tarfile
import h5py, numpy as np
from PIL import Image
set = h5py.File("forms.h5")
images, digests = set["images"][:], [d.tobytes().hex() for d in set["provenance/digest"][:]]
def look(picture, row):
    assert picture.info["Provenance digest"] == digests[row] and picture.info["Model digest"] == set["runs/model_digest"].asstr()[0]
    assert "digitalsourcetype/trainedAlgorithmicMedia</" in picture.info["XML:com.adobe.xmp"]
    assert (np.asarray(picture) == images[row]).all()
table = list(csv.DictReader(open("forms/png/metadata.csv")))
assert len(table) == 25 and [line["dr_icdr"] for line in table[:3]] == ["3", "2.5", "3"]
for row, line in enumerate(table):
    look(Image.open("forms/png/images/" + line["file"]), row)
arrays = np.load("forms/npz/npz.npz")
assert (arrays["train_images"] == images).all() and arrays["train_labels"].shape == (25, 1) and arrays["train_labels"][:3, 0].tolist() == [3, -2, 3]
assert all(arrays[f"{s}_images"].shape == (0,) + images.shape[1:] and arrays[f"{s}_labels"].shape == (0, 1) for s in ("val", "test"))
assert str(arrays["synthetic"]) == "YES" and [d.tobytes().hex() for d in arrays["digest"]] == digests
row = 0
for number in range(3):
    members = tarfile.open(f"forms/webdataset/webdataset-00000{number}.tar")
    for picture, text in zip(members.getmembers()[::2], members.getmembers()[1::2]):
        assert picture.name[:-4] == text.name[:-5]
        look(Image.open(io.BytesIO(members.extractfile(picture).read())), row)
        details = json.load(members.extractfile(text))
        assert details["row"] == row and details["digest"] == digests[row] and details["synthetic"] is True
        row += 1
assert row == 25
for form in ("png", "npz", "webdataset"):
    listed = json.load(open(f"forms/{form}/export.json"))["files"]
    assert all(hashlib.sha256(pathlib.Path("forms", form, f["name"]).read_bytes()).hexdigest() == f["sha256"] for f in listed)
    croissant = json.load(open(f"forms/{form}/croissant.json"))
    assert croissant["conformsTo"] == "http://mlcommons.org/croissant/1.0"
END
    refuses "a folder that exists stays (73)" 73 "exists already" "$work/forms" fovea export forms.h5 --to png --out forms/png --quiet
    refuses "a folder of others stays, with --force too (73)" 73 "no folder that export wrote" "$work/empty" fovea export forms.h5 --to png --out "$work/empty" --force --quiet
    refuses "an export of a data set (65)" 65 "expected a sample set, found" "$work/forms" fovea export phantoms.h5 --to png --out forms/no --quiet
    "$python" -c 'from PIL import Image; p = "forms/png/images/000003.png"; i = Image.open(p); i.load(); i.save(p)'
    refuses "a picture that was saved by an editor is found (1)" 1 "images/000003.png: (SHA-256|bytes)" "$work/empty" fovea verify forms/png --quiet
}
