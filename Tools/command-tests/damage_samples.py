#!/usr/bin/env python3
"""Changes one byte of a sample set, many times, and has `fovea verify` look.

    damage_samples.py S.h5 COUNT [SEED]      with fovea on the PATH

A quarter of the bytes lie in the first 4 kB. Every change must be found (exit code 1), without a crash and within two
minutes. Prints what was named; exit 1 where a change was missed.
"""

import collections
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

data = pathlib.Path(sys.argv[1]).read_bytes()
count = int(sys.argv[2])
random.seed(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
named, wrong = collections.Counter(), []
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "damaged.h5")
    for trial in range(count):
        place = random.randrange(4096) if trial % 4 == 0 else random.randrange(len(data))
        changed = bytearray(data)
        changed[place] ^= random.randrange(1, 256)
        pathlib.Path(path).write_bytes(changed)
        ran = subprocess.run(["fovea", "verify", path, "--json"], capture_output=True, timeout=120)
        if ran.returncode != 1:
            wrong.append(f"byte {place}: exit code {ran.returncode}, {ran.stderr[-200:].decode(errors='replace')}")
            continue
        places = {finding["where"].split(" row ")[0] for finding in json.loads(ran.stdout)["failures"]}
        specific = places - {"bytes of the file", "content", "first block"}
        named[min(specific) if specific else "first block" if "first block" in places else "nothing that is read"] += 1
for problem in wrong[:20]:
    print(problem)
print(
    f"{count} changed bytes, {len(wrong)} missed or crashed on; named: "
    + ", ".join(f"{what} {n}" for what, n in named.most_common())
)
sys.exit(bool(wrong))
