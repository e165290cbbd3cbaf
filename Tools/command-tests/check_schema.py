"""check_schema.py SCHEMA FILE: an audit or an evaluation is what its schema describes, and spoilt copies are not."""

import copy
import json
import pathlib
import sys

import jsonschema

schema, found = (json.loads(pathlib.Path(path).read_text()) for path in sys.argv[1:])
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
problems = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:200]}" for e in validator.iter_errors(found)]
assert not problems, "\n".join(problems)


def closed(part, path="#"):
    """Every object of the schema says which keys it may have."""
    if isinstance(part, dict):
        if part.get("type") == "object":
            assert part.get("additionalProperties") is False or "propertyNames" in part, f"{path} is open"
        for key, value in part.items():
            closed(value, f"{path}/{key}")
    elif isinstance(part, list):
        for value in part:
            closed(value, path)


closed(schema)


def spoilt(place, value):
    changed = copy.deepcopy(found)
    target = changed
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    assert not validator.is_valid(changed), f"{place} = {value!r} is accepted"


SPOILT = {
    "fovea.audit": [
        (["patient"], "p-17"),
        (["verdict", "outcome"], "passed"),
        (["verdict", "reasons"], []),
        (["figures", "samples", "seed"], 3),
        (["figures", "training", "patients"], 83),
        (["figures", "copies", 0, "samplesUpperBound"], 1.2),
        (["figures", "copies", 0, "nearest"], [1]),
        (["figures", "copies", 0, "power", "disguised"], {"hits": 1, "count": 1}),
        (["figures", "policy", "falseAlarmRate"], 0.5),
        (["figures", "flaggedDigest"], "abc"),
    ],
    "fovea.evaluation": [
        (["patient"], "p-17"),
        (["kind"], "fovea.audit"),
        (["training", "patients"], 83),
        (["samples", "digest"], "abc"),
        (["usefulness", "tests", 0, "verdict"], "helpful"),
        (["usefulness", "tests", 0, "patients"], 23),
        (["usefulness", "tests", 0, "rows"], [1]),
        (["obedience", 0, "photographs", "shares"], [["all"]]),
    ],
}
for place, value in SPOILT[found["kind"]]:
    spoilt(place, value)
