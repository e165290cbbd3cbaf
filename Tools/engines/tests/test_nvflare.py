"""Two sites and two rounds under NVIDIA FLARE, provisioned, with mutual TLS on loopback."""

from __future__ import annotations

import json
import os
import shutil
import sys
import unittest
from pathlib import Path

from processes import Processes, call, free_port

from fixture import ENGINES, ROUNDS, SITES, Federation, difference

WORK = Path(os.environ["ENGINES_WORK"])
BIN = Path(sys.executable).parent
ADMIN = "lead@hospital.example"


class NVFlareTests(unittest.TestCase):
    def setUp(self) -> None:
        self.federation = Federation(WORK / "federation")
        self.work = WORK / "nvflare" / self._testMethodName
        shutil.rmtree(self.work, ignore_errors=True)
        (self.work / "home").mkdir(parents=True)
        self.environment = os.environ | {
            "HOME": self.work / "home",
            "PYTHONPATH": ENGINES,
            "PATH": f"{BIN}:{os.environ['PATH']}",
        }
        self.processes = Processes(self.work / "logs")
        self.addCleanup(self.processes.stop)

    def provision(self) -> None:
        """Startup kits with certificates, restricted to Fovea."""
        project = (ENGINES / "nvflare_project.yml").read_text()
        (self.work / "project.yml").write_text(project.replace("8002", str(free_port())))
        made = call(
            [BIN / "nvflare", "provision", "-p", "project.yml", "-w", "kits", "--force"], self.environment, self.work
        )
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        self.kits = self.work / "kits/fovea/prod_00"
        for name in ("localhost", *SITES):
            made = call([sys.executable, ENGINES / "restrict_kit.py", self.kits / name], self.environment, self.work)
            self.assertEqual(made.returncode, 0, made.stderr)

    def start(self, name: str, variable: str, file: Path) -> None:
        self.processes.start(
            name, [self.kits / name / "startup/sub_start.sh", "--once"], self.environment | {variable: file}
        )

    def nvflare(self, *arguments: object) -> dict:
        command = [BIN / "nvflare", "--format", "json", *arguments, "--startup-kit", self.kits / ADMIN]
        result = call(command, self.environment, self.work)
        try:
            return json.loads(result.stdout.strip().splitlines()[-1])
        except (IndexError, ValueError):
            return {"status": "error", "message": result.stdout + result.stderr}

    def start_all(self, timeout: int = 300, **changes: object) -> None:
        """The server and both sites; the changes are of the second site's configuration."""
        self.provision()
        self.start("localhost", "FOVEA_COORDINATOR", self.federation.coordinator_file(self.work, timeout=timeout))
        for name in SITES:
            self.start(
                name, "FOVEA_SITE", self.federation.site_file(name, self.work, **(changes if name == "site-2" else {}))
            )
        self.processes.wait_for("two sites", lambda: self.processes.text("localhost").count("Client: New client") == 2)

    def run_job(self, folder: Path) -> str:
        """Runs a job, and says how it ended."""
        submitted = self.nvflare("job", "submit", "-j", folder)
        self.assertEqual(submitted["status"], "ok", submitted)
        ended = self.nvflare("job", "wait", submitted["data"]["job_id"], "--timeout", 200)
        return ended["data"]["status"]

    def test_two_rounds_equal_a_merge_by_files(self) -> None:
        self.start_all()
        self.assertEqual(self.run_job(ENGINES / "nvflare_job"), "FINISHED:COMPLETED")
        for number in range(1, ROUNDS + 1):
            self.compare(self.work / f"out/round-{number}.safetensors", number)
        # A run that ended early goes on from its last round.
        self.federation.coordinator_file(
            self.work, base=self.work / "out/round-1.safetensors", out=self.work / "again", first_round=2, rounds=1
        )
        self.assertEqual(self.run_job(ENGINES / "nvflare_job"), "FINISHED:COMPLETED")
        self.compare(self.work / "again/round-2.safetensors", 2)

    def compare(self, path: Path, number: int) -> None:
        found = difference(path, self.federation.folder / f"files/round-{number}.safetensors")
        print(f"nvflare: round {number}: largest relative difference of a tensor {found:.2g}")
        self.assertLess(found, 1e-6)

    def test_a_site_that_fails_ends_the_run_and_code_in_a_job_is_refused(self) -> None:
        self.start_all(data=self.work / "nothing")
        self.assertEqual(self.run_job(ENGINES / "nvflare_job"), "FINISHED:EXECUTION_EXCEPTION")
        self.assertIn("round 1: site-2: fovea: <data>: is no folder (exit code 66)", self.processes.text("localhost"))
        self.assertFalse((self.work / "out").exists(), "a round was averaged")
        foreign = self.work / "foreign"
        shutil.copytree(ENGINES / "nvflare_job", foreign)
        (foreign / "app/custom").mkdir()
        (foreign / "app/custom/own.py").write_text("raise SystemExit\n")
        self.assertEqual(self.run_job(foreign), "FINISHED:FAILED_TO_RUN")
        self.assertIn("BYOC not permitted", self.processes.text("localhost"))


if __name__ == "__main__":
    unittest.main()
