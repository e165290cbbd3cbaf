# Section of Tools/test-commands: audit. Sourced by it.
# shellcheck shell=bash disable=SC2154

# What an audit of small phantoms writes, and what it refuses. The samples are of a model that hardly learned anything, and without a positive
# control there is no pass.
audit() {
    mkdir audit && cd audit || return
    export XDG_CACHE_HOME="$work/audit/cache"
    fovea phantom --count 100 --size 64 --seed 3 --out p.h5 --quiet
    fovea train --data p.h5 --out m --preset tiny --size 64 --images 64 --quiet
    fovea sample --model m/snapshot.safetensors --count 40 --steps 2 --seed 2 --out s.h5 --quiet
    # A detector that hardly learned anything, in seconds.
    printf 'detectorSteps: 20\nplantedPhotographs: 4\ncalibrationPhotographs: 16\ncontrolSamples: 16\nmembershipDraws: 1\n' > policy.yaml
    audited() {  # FOLDER ARGUMENT...: the audit said no
        local out="$1" code; shift
        fovea audit s.h5 --train p.h5 --policy policy.yaml --out "$out" "$@" > "$out.json" 2> "$out.txt"; code=$?
        (( code == 1 )) || { cat "$out.txt"; return 1; }
    }
    check "an audit without a control does not pass (1)" audited a --json
    check "and says so before it starts" grep -q "this audit cannot pass: the model was not given; there is no positive control; 40 samples are too few, and at least 199 are needed" a.txt
    says "audit --json has the contract's keys" 'j["verdict"] in ("fail", "no-power") and j["reasons"] and {"flagged", "tests", "output", "samples"} <= set(j) and j["samples"] == 40' a.json
    check "audit.json is what docs/audit.schema.json says" "$python" "$root/Tools/command-tests/check_schema.py" "$root/docs/audit.schema.json" a/public/audit.json
    says "noise is no photograph, and membership was not tested" 'any("are not photographs" in r for r in j["reasons"]) and any("membership was not tested" in r for r in j["reasons"])' a.json
    check "public/ holds no picture" bash -c '[[ -s a/public/audit.json && -s a/public/audit.html && -z "$(find a/public -type f ! -name audit.json ! -name audit.html)" ]] && ! grep -lE "data:image|<img" -r a/public'
    check "private/ is its owner's alone" bash -c '[[ "$(stat -c %a a/private)" == 700 && "$(stat -c %a p.h5.audits.jsonl)" == 600 ]]'
    says "and names the deviation" 'j["figures"]["policy"]["detectorSteps"] == 20' a/public/audit.json
    check "the same audit again" audited b --json
    check "the same audit gives the same bytes" diff -r a b
    refuses "an audit that exists is not replaced (73)" 73 "exists; give --force" "$work/audit" fovea audit s.h5 --train p.h5 --out a --quiet
    head -c 40000 s.h5 > cut.h5
    echo words > words.h5
    refuses "a truncated sample set (65)" 65 "cut.h5" "$work/audit" fovea audit cut.h5 --train p.h5 --out c --quiet
    refuses "a text file (65)" 65 "words.h5" "$work/audit" fovea audit words.h5 --train p.h5 --out c --quiet
    refuses "samples that are not there (66)" 66 "none.h5: does not exist" "$work/audit" fovea audit none.h5 --train p.h5 --out c --quiet
    echo 'leastPowr: 0' > wrong.yaml
    refuses "a policy with an unknown key (65)" 65 "unknown key leastPowr" "$work/audit" \
        fovea audit s.h5 --train p.h5 --out c --policy wrong.yaml --quiet
    # Nothing leaves on such an audit.
    fovea parcel keygen --out officer.key --quiet
    check "an audit of a model with a control" audited signed --model m/snapshot.safetensors --positive-control --json
    check "an audit is not signed while it is made (64)" bash -c 'fovea audit s.h5 --train p.h5 --key officer.key --out c 2> text; (( $? == 64 )) && grep -q "fovea audit sign c --key officer.key" text'
    check "nor without an answer (1)" bash -c 'fovea audit sign signed --key officer.key < /dev/null > text 2>&1; (( $? == 1 )) && grep -q "nothing has changed" text && [[ ! -e signed/public/manifest.json ]]'
    check "nor after another answer than yes (1)" bash -c 'echo no | fovea audit sign signed --key officer.key > text 2>&1; (( $? == 1 )) && [[ ! -e signed/public/manifest.json ]]'
    check "an unsigned audit is verified, and verify says that nobody signed it" bash -c 'fovea verify signed > text && grep -q "nobody has signed it" text'
    check "it is signed after it was read" bash -c 'echo yes | fovea audit sign signed --key officer.key > text 2>&1 && grep -q "the set: s.h5, 40 samples of 64 x 64, content" text && grep -q "a weaker limit than the usual one: detectorSteps is 20" text && grep -q "Sign it as" text'
    refuses "and not twice (77)" 77 "is signed already, by" "$work/audit" fovea audit sign signed --key officer.key --yes --quiet
    check "the signed audit is verified with its set" bash -c 'fovea verify signed --samples s.h5 > text && grep -q "covers the page" text'
    check "by each of its names, and inspected" bash -c 'for f in signed/public signed/public/audit.json signed/public/audit.html; do fovea verify "$f" --quiet || exit 1; fovea inspect "$f" --quiet || exit 1; done'
    cp -r signed edited
    sed -i 's/0 of 40/0 of 9999/; s/No verdict/Pass/' edited/public/audit.html
    check "an edited page is found (1)" bash -c 'fovea verify edited 2> text; (( $? == 1 )) && grep -q "audit.html: is not the file that .* signed; it was changed" text'
    refuses "and nothing is released on it (77)" 77 "audit.html: is not the file" "$work/audit" fovea release s.h5 --audit edited --key officer.key --out r.h5 --quiet
    rm edited/public/manifest.json*
    check "also without its manifest (1)" bash -c 'fovea verify edited 2> text; (( $? == 1 )) && grep -q "manifest.json: is missing" text'
    says "the control is stated" 'j["figures"]["control"]["source"] == "closedForm" and j["figures"]["membership"]["members"] > 0' signed/public/audit.json
    check "audit.json with membership and control is what the schema says" "$python" "$root/Tools/command-tests/check_schema.py" "$root/docs/audit.schema.json" signed/public/audit.json
    fovea phantom --count 100 --size 64 --seed 5 --out c.h5 --quiet
    fovea train --data p.h5 --canaries c.h5 --out with-canaries --preset tiny --size 64 --images 64 --quiet
    check "an audit with a model of canaries" audited canaries --canary-model with-canaries/snapshot.safetensors --canaries c.h5 --json
    says "states what it remembers" 'j["figures"]["canaries"]["result"]["canaries"]["count"] == 100 and j["figures"]["canaries"]["result"]["epsilon"] >= 0 and not any("canaries" in t for t in j["figures"]["notTested"])' canaries/public/audit.json
    check "audit.json with canaries is what the schema says" "$python" "$root/Tools/command-tests/check_schema.py" "$root/docs/audit.schema.json" canaries/public/audit.json
    refuses "a model without canaries in its place (65)" 65 "expected a model that was trained with canaries, found one without; fovea train --canaries" "$work/audit" \
        fovea audit s.h5 --train p.h5 --policy policy.yaml --canary-model m/snapshot.safetensors --canaries c.h5 --out d --quiet
    refuses "other phantoms (65)" 65 "canaries: expected the file" "$work/audit" \
        fovea audit s.h5 --train p.h5 --policy policy.yaml --canary-model with-canaries/snapshot.safetensors --canaries p.h5 --out d --quiet
    check "--canaries alone (64)" bash -c 'fovea audit s.h5 --train p.h5 --canaries c.h5 --out d; (( $? == 64 ))'
    refuses "a set whose audit is no pass is not released (77)" 77 "verdict is (no-power|fail)" "$work/audit" fovea release s.h5 --audit signed --key officer.key --out r.h5 --quiet
    refuses "nor on an unsigned audit (77)" 77 "is not signed" "$work/audit" fovea release s.h5 --audit a --key officer.key --out r.h5 --quiet
    fovea sample --model m/snapshot.safetensors --count 8 --steps 2 --independent-seeds --out other.h5 --quiet
    check "verify tells the audit of another set (1)" bash -c 'fovea verify signed --samples other.h5 2> text; (( $? == 1 )) && grep -q "other.h5: is not the set that was audited" text'
    refuses "nor on the audit of another set (77)" 77 "expected an audit of" "$work/audit" fovea release other.h5 --audit signed --key officer.key --out r.h5 --quiet
    refuses "a model with an audit that is no pass is not exported (77)" 77 "at least 1000, found 40|nothing says" "$work/audit" fovea export-model m/snapshot.safetensors --audit signed --out unet --quiet
    sed -i 's/"verdict" : "[a-z-]*"/"verdict" : "pass"/; s/"outcome" : "[a-z-]*"/"outcome" : "pass"/' signed/public/audit.json
    refuses "an edited audit is refused (77)" 77 "is not what" "$work/audit" fovea release s.h5 --audit signed --key officer.key --out r.h5 --quiet
    # A pass under limits that this model can meet, with copies as the control; then everything that leaves.
    printf 'detectorSteps: 60\nplantedPhotographs: 4\ncalibrationPhotographs: 16\nmembershipDraws: 1\nleastPower: 0\nlargestCopyRate: 0.2\nlargestPhotographDistance: 10\nmembershipLeftOut: a test of the command line\n' > lenient.yaml
    "$python" - << 'END'
import h5py, os, PIL.Image
os.mkdir("twin")
with h5py.File("p.h5") as file:
    for row in range(16):
        PIL.Image.fromarray(file["images"][row]).save(f"twin/{row}.png")
END
    check "an audit that passes" fovea audit s.h5 --train p.h5 --policy lenient.yaml --positive-control twin --out passed --quiet
    refuses "which nobody has signed, so nothing is released (77)" 77 "is not signed; a privacy officer reads it and signs it: fovea audit sign" "$work/audit" \
        fovea release s.h5 --audit passed --key officer.key --out released.h5 --quiet
    check "it is signed" fovea audit sign passed --key officer.key --yes --quiet
    says "and says which limits were others" '"largestCopyRate is 0.2, by default 0.015" in open("passed/public/audit.html").read()' passed/public/audit.json
    check "its set is released" fovea release s.h5 --audit passed --key officer.key --out released.h5 --quiet
    check "the released set is verified" fovea verify released.h5 --quiet
    check "against its audit, too" bash -c 'fovea verify passed --samples released.h5 --quiet && ! fovea verify signed --samples released.h5 --quiet 2> text'
    check "its card, its report, its export and inspect name the weaker limits first" bash -c 'fovea report released.h5 --out limits.html --quiet && fovea export released.h5 --to png --out limits --quiet && fovea inspect released.h5 > inspected && for f in released.card.md limits.html limits/README.md inspected; do grep -q ", by weaker limits than the usual ones (calibrationPhotographs is 16, by default 400" $f || { echo "$f does not"; exit 1; }; done'
    check "and reported with what the audit found" bash -c 'fovea report released.h5 --out released.html --quiet && grep -q "Retinal identity" released.html && ! grep -q "nobody has tested" released.html'
    check "no training photograph, digest or patient is in what leaves" "$python" "$root/Tools/command-tests/check_no_patient.py" p.h5 released.h5 released.html passed/public/audit.json passed/public/audit.html
    "$python" - << 'END'
import h5py, shutil
shutil.copy("released.h5", "leaking.h5")
with h5py.File("p.h5") as data, h5py.File("leaking.h5", "r+") as file:
    file["images"][5] = data["images"][9]
END
    check "which is found where it is put into the set" bash -c '! "$0" "$1" p.h5 leaking.h5 2> leaking.txt && grep -q "leaking.h5 holds" leaking.txt' "$python" "$root/Tools/command-tests/check_no_patient.py"
    "$python" - << 'END'
import h5py, hashlib, shutil
shutil.copy("s.h5", "flagged.h5")
with h5py.File("flagged.h5", "r+") as file:
    kind = file.attrs.get_id("releasable").dtype
    file.attrs.create("releasable", b"YES" if kind.kind == "S" else "YES", dtype=kind if kind.kind == "S" else None)
data = bytearray(open("flagged.h5", "rb").read())
head = bytes(data[:512]).decode().rstrip("\0")
old = [word for word in head.split() if len(word) == 64][0]
data[:512] = head.replace(old, hashlib.sha256(bytes(data[512:])).hexdigest()).encode().ljust(512, bytes([data[511]]))
open("flagged.h5", "wb").write(data)
END
    for command in "inspect flagged.h5" "report flagged.h5 --out flagged.html" "export flagged.h5 --to png --out flagged"; do
        # shellcheck disable=SC2086
        check "a set that only calls itself releasable: fovea $command (1, 65)" bash -c 'fovea $0 2> text; code=$?; (( code == 1 || code == 65 )) && grep -qE "releasable" text && ! grep -q "May be released" flagged/README.md flagged.html 2> /dev/null' "$command"
    done
    check "the ledger names the audits of the model" bash -c '[[ "$(wc -l < p.h5.audits.jsonl)" -ge 1 ]]'
    check "independent seeds and a seed do not go together (64)" bash -c 'fovea sample --model m/snapshot.safetensors --count 2 --independent-seeds --seed 3 --out t.h5; (( $? == 64 ))'
    unset XDG_CACHE_HOME
    cd ..
}
