# Section of Tools/test-commands: what a system refuses or lacks: sizes of files, locks, threads, open files, signals.
# Sourced by it.
# shellcheck shell=bash disable=SC2154

limits() {
    local files="env --default-signal=XFSZ fovea" code process
    # Whatever part of a file finds no room. The whole file has 859 KiB.
    for kibibytes in 20 300 600 850; do
        refuses "a file may have $kibibytes KiB (74): phantom" 74 "o.h5: .*could not be written: File too large" "$work/empty" \
            bash -c "ulimit -f $kibibytes; exec $files phantom --count 100 --size 64 --seed 1 --out empty/o.h5 --quiet"
    done
    refuses "a file may have 40 KiB (74): import" 74 "File too large" "$work/empty" \
        bash -c "ulimit -f 40; exec $files import photographs --site demo --one-patient-per-photo --size 192 --out empty/o.h5 --quiet"
    refuses "a file may have 20 KiB (74): sample" 74 "File too large" "$work/empty" bash -c \
        "ulimit -f 20; exec $files sample --model model/snapshot.safetensors --count 64 --steps 2 --seed 1 --out empty/o.h5 --quiet"
    fovea sample --model model/snapshot.safetensors --count 8 --steps 2 --seed 1 --out limits.h5 --quiet
    for form in png npz webdataset; do
        refuses "a file may have 1 KiB (74): export $form" 74 "could not be written: File too large" "$work/empty" \
            bash -c "ulimit -f 1; exec $files export limits.h5 --to $form --out empty/o --quiet"
    done
    refuses "a file may have 8 KiB (74): report" 74 "o.html: could not be written: File too large" "$work/empty" \
        bash -c "ulimit -f 8; exec $files report limits.h5 --out empty/o.html --quiet"

    check "few files may be open" bash -c "ulimit -n 24; exec fovea verify limits.h5 --quiet"
    if (( $(id -u) == 0 )) && cp "$fovea" limits.h5 "$work/empty/" && chmod 755 "$work" "$work/empty"; then
        for threads in 1 4 8; do
            refuses "a user may have $threads threads (74)" 74 "threads .*ulimit -u" "$work/empty" \
                setpriv --reuid 65534 --regid 65534 --clear-groups \
                bash -c "ulimit -u $threads; exec '$work/empty/$(basename "$fovea")' inspect --threads 1 '$work/empty/limits.h5'"
        done
        rm -f "$work/empty"/*
    else skipped "a user may have few threads" "only root can become a user of whom nothing else runs"; fi

    # A file that another program has open for writing.
    for file in phantoms.h5 limits.h5; do
        "$python" -c "import h5py, time; f = h5py.File('$file', 'r+'); open('held', 'w').close(); time.sleep(60)" &
        process=$!
        for _ in $(seq 200); do [[ -e held ]] && break; sleep 0.05; done
        refuses "$file is open elsewhere (74): inspect" 74 "is open for writing in another program" "$work/empty" fovea inspect "$file"
        refuses "$file is open elsewhere (74): verify" 74 "is open for writing in another program" "$work/empty" fovea verify "$file"
        kill $process; wait $process 2> /dev/null; rm -f held
    done

    # File systems without locks. Their answers differ.
    cat > no-locks.c << 'END'
#include <errno.h>
#include <stdlib.h>
int flock(int file, int operation) { (void)file; (void)operation; errno = atoi(getenv("FLOCK_ERRNO")); return -1; }
END
    if cc -shared -fPIC -o no-locks.so no-locks.c 2> /dev/null || clang -shared -fPIC -o no-locks.so no-locks.c 2> /dev/null; then
        for number in 38 37 95; do
            local without=(env "LD_PRELOAD=$work/no-locks.so" "FLOCK_ERRNO=$number" fovea)
            check "without locks ($number): phantom" "${without[@]}" phantom --count 10 --size 32 --seed 1 --out no-locks.h5 --force --quiet
            check "without locks ($number): train" "${without[@]}" train --data no-locks.h5 --preset tiny --size 32 --images 32 --out no-locks --force --quiet
            check "without locks ($number): sample" "${without[@]}" sample --model model/snapshot.safetensors --count 2 --steps 2 --seed 1 --out no-locks-s.h5 --force --quiet
            check "without locks ($number): export" "${without[@]}" export no-locks-s.h5 --to png --out no-locks-png --force --quiet
            check "without locks ($number): inspect" "${without[@]}" inspect no-locks-s.h5
            check "without locks ($number): verify, with one warning" bash -c \
                "'${without[0]}' '${without[1]}' '${without[2]}' fovea verify no-locks-s.h5 2> no-locks.txt && [[ \$(wc -l < no-locks.txt) == 1 ]] && grep -q 'has no locks' no-locks.txt"
        done
    else skipped "file systems without locks" "there is no C compiler"; fi

    # What was ignored at the start stays ignored.
    bash -c "trap '' INT HUP; exec fovea train --data phantoms.h5 --preset tiny --size 32 --images 1000000 --out ignoring --quiet" 2> /dev/null &
    process=$!
    for _ in $(seq 1000); do [[ -s ignoring/log.jsonl ]] && break; sleep 0.02; done
    kill -INT $process; kill -HUP $process; sleep 2
    check "signals that were ignored at the start end nothing" kill -0 $process
    refuses "a second training is told who holds the folder (73)" 73 "process $process on .* is writing into this folder" "$work/ignoring" \
        fovea train --data phantoms.h5 --out ignoring --resume
    kill -TERM $process; wait $process; code=$?
    check "and TERM saves" test $code == 75 -a -e ignoring/checkpoint.safetensors -a ! -e ignoring/.lock
}
