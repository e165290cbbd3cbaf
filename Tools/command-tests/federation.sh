# Section federation of Tools/test-commands: rounds by files, merging, withdrawal, steps of engines, simulation. Sourced by it.
# shellcheck shell=bash disable=SC2154

# Two sites and a coordinator, two rounds in a folder; then one site leaves.
federation() {
    local seal site key=coordinator.key
    mkdir fed && cd fed || return
    check "phantoms are dealt out to two sites, and simulated" bash -c \
        'fovea simulate --sites 2 --rounds 2 --data ../phantoms.h5 --base ../model/snapshot.safetensors --images 64 --draws 2 --out sim --json --quiet > simulation.json'
    says "it compares three arms on two splits" 'len(j["comparisons"]) == 8 and {c["second"] for c in j["comparisons"]} == {"local", "pooled"}' simulation.json
    check "its curves" "$python" -c '
import xml.dom.minidom
assert len(xml.dom.minidom.parse("sim/curves.svg").getElementsByTagName("polyline")) == 6'
    check "it goes on where it was" fovea simulate --sites 2 --rounds 2 --data ../phantoms.h5 --base ../model/snapshot.safetensors --images 64 --draws 2 --out sim --quiet
    refuses "more sites than there are patients for (64)" 64 "--sites: expected so few" "$work/empty" \
        fovea simulate --sites 90 --rounds 1 --data ../phantoms.h5 --base ../model/snapshot.safetensors --out many --quiet

    for site in coordinator site-1 site-2; do fovea parcel keygen --out $site.key --quiet; done
    {
        printf 'version: 1\nproject: test\ncoordinator: %s\nmembers:\n' "$(tail -n 1 coordinator.key.pub)"
        for site in site-1 site-2; do printf '  - {name: %s, key: %s, from: 2026-01-01, until: 2099-12-31}\n' "$site" "$(tail -n 1 $site.key.pub)"; done
    } > TRUST.yaml
    fovea parcel trust TRUST.yaml --key $key --quiet
    check "a round begins" fovea round init round-1 --base ../model/snapshot.safetensors --trust TRUST.yaml --key $key --deadline 2099-12-31 --quiet
    refuses "a folder holds one round (73)" 73 "holds a round already" "$work/empty" fovea round init round-1 --base ../model/snapshot.safetensors --trust TRUST.yaml --key $key
    refuses "a base that nobody signed (77)" 77 "is unsigned" "$work/empty" \
        fovea train --data sim/sites/site-1.h5 --out train --base ../model/snapshot.safetensors --trust TRUST.yaml --images 32 --quiet
    seal=(--purpose DUO:0000042 --expires 2099-12-31)
    for site in site-1 site-2; do
        mkdir $site
        cp sim/sites/$site.h5 $site
        printf 'learningRate: 1e-3\n' > $site/step.yaml
        check "a step at $site" fovea federate-step --init round-1/base.safetensors --out $site.safetensors --metrics $site.json --data $site --round 1 \
            --images 64 --adapter ffa --trust TRUST.yaml --quiet
    done
    says "its metrics" 'j["patients"] > 0 and j["images_seen"] == 64 and j["validation_loss"] > 0' site-1.json
    printf 'path: /etc\n' > site-2/step.yaml
    refuses "settings that do not exist (65)" 65 "unknown key path" "$work/empty" \
        fovea federate-step --init round-1/base.safetensors --out s.safetensors --metrics s.json --data site-2 --round 1 --quiet
    check "site-1 delivers" fovea parcel seal site-1.safetensors --key site-1.key --site site-1 --round 1 "${seal[@]}" --out round-1/parcels/site-1.parcel --quiet
    fovea round status round-1 --json > status.json 2> /dev/null
    says "the status says who has not" '{d["site"]: d["state"] for d in j["deliveries"]} == {"site-1": "delivered", "site-2": "missing"}' status.json
    refuses "a round waits for its sites (1)" 1 "waits for site-2 until 2099-12-31" "$work/empty" fovea round close round-1 --key $key --quiet
    echo nonsense > round-1/parcels/site-2.parcel
    fovea round status round-1 --json > status.json 2> /dev/null
    says "a file that is none is refused, and nobody's" '[d["state"] for d in j["deliveries"]] == ["delivered", "missing"] and [(d["file"], d["reason"][:7]) for d in j["others"]] == [("site-2.parcel", "refused")]' status.json
    cp sim/sites/site-1.h5 round-1/parcels/notes.txt
    cp site-1.key round-1/key.parcel
    refuses "a data set and a key in the folder are named (1)" 1 "holds what may not be here .key.parcel and 1 more" "$work/empty" bash -c 'fovea round status round-1 --quiet 2> warned.txt; code=$?; grep "^fovea" warned.txt >&2; exit $code'
    check "each by its content" bash -c 'grep -q "round-1/parcels/notes.txt: is a data set" warned.txt && grep -q "round-1/key.parcel: is a private key" warned.txt'
    refuses "and the round is not closed (77)" 77 "round-1/key.parcel: is a private key" "$work/empty" fovea round close round-1 --key $key --early --quiet
    rm round-1/parcels/notes.txt round-1/key.parcel
    cp round-1/parcels/site-1.parcel round-1/parcels/copy.parcel
    check "site-2 delivers" fovea parcel seal site-2.safetensors --key site-2.key --site site-2 --round 1 "${seal[@]}" --out round-1/parcels/site-2.parcel --quiet --force
    # Two coordinators at once: one closes, the other is told, and nothing half is left.
    fovea round close round-1 --key $key --json > one.json 2> one.txt & local one=$!
    fovea round close round-1 --key $key --json > two.json 2> two.txt & local two=$! codes
    wait $one; codes=$?
    wait $two; codes+=" $?"
    if [[ "$codes" == "0 73" || "$codes" == "73 0" ]]; then passed "two coordinators at once"; else failed "two coordinators at once" "$codes" "$(cat one.txt two.txt)"; fi
    check "nothing half is left" test -z "$(find round-1 -name '*.part')"
    check "the merged model is signed and whole" fovea verify round-1/merged.safetensors --trust TRUST.yaml --quiet
    cp site-1.safetensors round-1/parcels/late.parcel
    fovea round status round-1 --json > status.json 2> /dev/null
    says "who was merged, what was a copy, and what came too late" '[d["state"] for d in j["deliveries"]] == ["merged", "merged"] and {d["file"]: d["reason"] for d in j["others"]} == {"site-1.parcel": "does not count: is a copy of copy.parcel", "late.parcel": "arrived after closing, not merged"}' status.json
    rm round-1/parcels/late.parcel
    fovea inspect round-1/merged.safetensors > inspect.txt
    check "inspect tells of the merge" grep -q "merged in round 1 by mean with 0.5: site-2" inspect.txt

    check "is it better for a site than its own" bash -c 'fovea validate round-1/merged.safetensors --against ../model/snapshot.safetensors --data sim/sites/site-1.h5 --draws 4 --json > validate.json 2> /dev/null'
    says "the losses of both, patient by patient" 'j["patients"] > 0 and abs(j["loss"] - j["other"] - j["difference"]) < 1e-9 and j["low"] <= j["difference"] <= j["high"]' validate.json
    refuses "models of other pictures (65)" 65 "model: expected pictures of 32 x 32" "$work/empty" \
        fovea validate round-1/merged.safetensors --against "$root/Checkpoints/open-64.safetensors" --data sim/sites/site-1.h5
    check "merge, in the other order" bash -c 'fovea merge round-1/parcels/site-2.parcel round-1/parcels/site-1.parcel --base round-1/base.safetensors --trust TRUST.yaml --key coordinator.key --out merged.safetensors --json > merged.json 2> /dev/null'
    check "the same bytes" cmp merged.safetensors round-1/merged.safetensors
    says "two sites are too few to screen" 'j["screening"]["state"] == "too few" and [s["weight"] for s in j["sites"]] == [0.5, 0.5] and j["signed"]' merged.json
    refuses "a parcel of another round (77)" 77 "round: expected 4, found 1" "$work/empty" \
        fovea merge round-1/parcels/site-1.parcel --base round-1/base.safetensors --trust TRUST.yaml --round 4 --out empty.safetensors
    refuses "a base that is none of theirs (65)" 65 "base: expected" "$work/empty" \
        fovea merge round-1/parcels/site-1.parcel --base merged.safetensors --trust TRUST.yaml --round 1 --out empty.safetensors
    check "going on without what is refused" bash -c 'fovea merge round-1/parcels/*.parcel ../model/snapshot.safetensors --base round-1/base.safetensors --trust TRUST.yaml --exclude-bad --out some.safetensors --json > some.json 2> /dev/null'
    says "and naming it" 'len(j["excluded"]) == 1 and "is not a parcel" in j["excluded"][0]["reason"] and len(j["sites"]) == 2' some.json

    refuses "a purpose that is not permitted (77)" 77 "--purpose: expected DUO:0000042" "$work/empty" \
        fovea sample --model merged.safetensors --count 2 --purpose DUO:0000006 --out no.h5 --quiet
    check "a purpose that is" fovea sample --model merged.safetensors --count 3 --steps 2 --purpose DUO:0000042 --out samples.h5 --quiet
    refuses "one site alone that does not permit it (77)" 77 "site-1 is 0.9 of the model and does not permit" "$work/empty" \
        fovea sample --model round-1/base.safetensors --mix site-1=0.9,site-2=0.1 --adapters round-1/parcels --count 2 --out no.h5 --quiet
    check "the samples say how much of which site they are" "$python" -c '
import h5py
f = h5py.File("samples.h5")
assert abs(f["provenance/site_weight"][0].sum() - 1) < 1e-6 and 0.5 in f["provenance/site_weight"][0].tolist()
assert "DUO:0000042" in f.attrs["permitted_uses"] and "2099-12-31" in f.attrs["permitted_uses"], f.attrs["permitted_uses"]'

    sha256sum TRUST.yaml TRUST.yaml.sig > list.sha256
    refuses "a withdrawal that lacks a base says so (66)" 66 "nothing was changed; --mark-only marks the site" "$work/empty" \
        fovea withdraw --site site-2 --from merged.safetensors --parcels round-1/parcels --trust TRUST.yaml --key coordinator.key --out without.safetensors --quiet
    check "and leaves the list as it was" sha256sum -c --quiet list.sha256
    check "a dry run" bash -c 'fovea withdraw --site site-2 --from merged.safetensors --parcels . --trust TRUST.yaml --key coordinator.key --out without.safetensors --dry-run | grep -q "TRUST.yaml: site-2 would be marked" && test ! -e without.safetensors'
    check "leaves it, too" sha256sum -c --quiet list.sha256
    check "a site leaves" bash -c 'fovea withdraw --site site-2 --from merged.safetensors --parcels . --samples samples.h5 --trust TRUST.yaml --key coordinator.key --out without.safetensors --json > withdrawn.json 2> /dev/null'
    says "what it touched" '"./merged.safetensors" in j["models"] and j["sample_sets"] == [{"file": "samples.h5", "samples": 3}] and j["marked"]' withdrawn.json
    check "as if it had never been there" bash -c 'sed "/withdrawn/d" TRUST.yaml > NEVER.yaml && fovea parcel trust NEVER.yaml --key coordinator.key --quiet &&
        fovea merge round-1/parcels/site-1.parcel --base round-1/base.safetensors --trust NEVER.yaml --key coordinator.key --out never.safetensors --quiet && cmp never.safetensors without.safetensors'
    refuses "a model of it is not sampled (77)" 77 "site-2 was withdrawn .on ....-..-..: no reason was given., says round-1/TRUST.yaml" "$work/empty" \
        fovea sample --model round-1/merged.safetensors --count 1 --out no.h5 --quiet
    refuses "a mark is taken back with a reason (64)" 64 "--reason: expected why the mark is taken back" "$work/empty" \
        fovea withdraw --take-back --site site-2 --trust TRUST.yaml --key coordinator.key --quiet
    check "with one it is" fovea withdraw --take-back --site site-2 --trust TRUST.yaml --key coordinator.key --reason "a mistake" --parcels . --quiet
    check "and the model may be sampled again" fovea sample --model round-1/merged.safetensors --count 1 --steps 2 --out again.h5 --quiet
    check "a mark without a model" fovea withdraw --mark-only --site site-2 --trust TRUST.yaml --key coordinator.key --reason "after all" --quiet
    fovea parcel trust TRUST.yaml > trust.txt
    check "the list keeps all three acts" test "$(grep -cE "^site-2: (withdrawn|mark taken back) on .* by .*: (no reason was given|a mistake|after all)$" trust.txt)" == 3
    refuses "what it touched fails (1)" 1 "site-2 was withdrawn" "$work/empty" fovea verify samples.h5 --trust TRUST.yaml --quiet
    refuses "and is no base any more (77)" 77 "site-2 was withdrawn" "$work/empty" \
        fovea train --data sim/sites/site-1.h5 --out train --base merged.safetensors --trust TRUST.yaml --images 32 --quiet
    refuses "later rounds are named (1)" 1 "to be trained again from here: round 2" "$work/empty" \
        fovea withdraw --site site-1 --from sim/round-2/merged.safetensors --parcels sim --out again.safetensors --quiet
    rm -f again.safetensors
    cd "$work" || return
}
