"""Restricts a startup kit of NVIDIA FLARE to Fovea, at the participant that it belongs to: `python restrict_kit.py
KIT`.

Written are `local/resources.json` and `local/authorization.json`, from the kit's defaults: only the classes of Fovea
may run, no job brings code of its own, logs of a site stay there, and what a server stores lies in the kit, not under
/tmp.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

PERMISSIONS = {
    "lead": {
        "submit_job": "any",
        "manage_job": "n:submitter",
        "download_job": "n:submitter",
        "view": "any",
        "byoc": "none",
    },
}


def restrict(kit: Path) -> None:
    """A kit of a server, or of a site."""
    kit = kit.resolve()
    local = kit / "local"
    is_server = (kit / "startup/fed_server.json").exists()
    text = (local / "resources.json.default").read_text().replace("/tmp/nvflare/", f"{kit}/")
    resources = json.loads(text) | {
        "class_list_enforcement_mode": "enforce",
        "class_allow_list": ["fovea_nvflare.Rounds", "fovea_nvflare.Snapshots"]
        if is_server
        else ["fovea_nvflare.Step"],
    }
    if not is_server:
        resources["allow_log_streaming"] = False
    (local / "resources.json").write_text(json.dumps(resources, indent=2) + "\n")
    authorization = json.loads((local / "authorization.json.default").read_text()) | {"permissions": PERMISSIONS}
    (local / "authorization.json").write_text(json.dumps(authorization, indent=2) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    restrict(Path(sys.argv[1]))
