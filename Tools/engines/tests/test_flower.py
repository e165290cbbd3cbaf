"""Two sites and two rounds under Flower: a SuperLink and two SuperNodes with TLS and keys on loopback."""

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


class FlowerTests(unittest.TestCase):
    def setUp(self) -> None:
        self.federation = Federation(WORK / "federation")
        self.work = WORK / "flower" / self._testMethodName
        shutil.rmtree(self.work, ignore_errors=True)
        (self.work / "keys").mkdir(parents=True)
        self.processes = Processes(self.work / "logs")
        self.addCleanup(self.processes.stop)
        self.address = f"localhost:{free_port()}"

    def environment(self, name: str, **more: object) -> dict[str, object]:
        """Nothing is told to Flower's makers, and nothing is installed."""
        quiet = {"FLWR_TELEMETRY_ENABLED": 0, "FLWR_DISABLE_UPDATE_CHECK": 1}
        return (
            os.environ
            | quiet
            | {"FLWR_HOME": self.work / "home" / name, "PYTHONPATH": ENGINES, "PATH": f"{BIN}:{os.environ['PATH']}"}
            | more
        )

    def openssl(self, *arguments: object) -> None:
        made = call(["openssl", *arguments], os.environ, self.work / "keys")
        self.assertEqual(made.returncode, 0, made.stderr)

    def make_certificates(self) -> None:
        """An authority, a certificate of the server, and a key of each site."""
        new = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-days", 30]
        self.openssl("req", "-x509", *new, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=fovea")
        self.openssl(
            "req",
            "-x509",
            *new,
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-keyout",
            "server.key",
            "-out",
            "server.pem",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        )
        for name in SITES:
            self.assertEqual(
                call(
                    ["ssh-keygen", "-q", "-t", "ecdsa", "-b", 384, "-N", "", "-f", name], os.environ, self.work / "keys"
                ).returncode,
                0,
            )

    def flwr(self, *arguments: object) -> dict:
        result = call(
            [BIN / "flwr", *arguments, "coordinator", "--format", "json"], self.environment("coordinator"), self.work
        )
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return json.loads(result.stdout)

    def start(self, timeout: int = 300) -> None:
        self.make_certificates()
        keys = self.work / "keys"
        port = self.address.split(":")[1]
        self.processes.start(
            "superlink",
            [
                BIN / "flower-superlink",
                "--host",
                "127.0.0.1",
                "--port",
                port,
                "--ssl-ca-certfile",
                keys / "ca.pem",
                "--ssl-certfile",
                keys / "server.pem",
                "--ssl-keyfile",
                keys / "server.key",
                "--enable-supernode-auth",
                "--disable-runtime-dependency-installation",
            ],
            self.environment(
                "superlink", FOVEA_COORDINATOR=self.federation.coordinator_file(self.work, timeout=timeout)
            ),
        )
        home = self.work / "home/coordinator"
        home.mkdir(parents=True)
        (home / "config.toml").write_text(
            f'[superlink]\ndefault = "coordinator"\n\n[superlink.coordinator]\n'
            f'address = "{self.address}"\nroot-certificates = "{keys}/ca.pem"\n'
        )
        self.processes.wait_for(
            "the SuperLink",
            lambda: (
                call([BIN / "flwr", "list", "coordinator"], self.environment("coordinator"), self.work).returncode == 0
            ),
        )
        for name in SITES:
            self.flwr("supernode", "register", keys / f"{name}.pub")

    def start_site(self, name: str, **changes: object) -> None:
        keys = self.work / "keys"
        self.processes.start(
            name,
            [
                BIN / "flower-supernode",
                "--superlink",
                self.address,
                "--root-certificates",
                keys / "ca.pem",
                "--auth-supernode-private-key",
                keys / name,
                "--port",
                free_port(),
                "--max-retries",
                3,
            ],
            self.environment(name, FOVEA_SITE=self.federation.site_file(name, self.work, **changes)),
        )

    def run_app(self) -> dict:
        run = self.flwr("run", ENGINES / "flower_app")["run-id"]
        ended: dict = {}

        def is_finished() -> bool:
            ended.update(self.flwr("list", "--run-id", run)["runs"][0])
            return ended["status"].startswith("finished")

        self.processes.wait_for("the run", is_finished, 200, every=4)
        return ended

    def test_two_rounds_equal_a_merge_by_files(self) -> None:
        self.start()
        for name in SITES:
            self.start_site(name)
        ended = self.run_app()
        self.assertEqual(ended["status"], "finished:completed", self.processes.text("superlink"))
        for number in range(1, ROUNDS + 1):
            self.compare(self.work / f"out/round-{number}.safetensors", number)
        # A run that ended early goes on from its last round.
        self.federation.coordinator_file(
            self.work, base=self.work / "out/round-1.safetensors", out=self.work / "again", first_round=2, rounds=1
        )
        self.assertEqual(self.run_app()["status"], "finished:completed", self.processes.text("superlink"))
        self.compare(self.work / "again/round-2.safetensors", 2)

    def compare(self, path: Path, number: int) -> None:
        found = difference(path, self.federation.folder / f"files/round-{number}.safetensors")
        print(f"flower: round {number}: largest relative difference of a tensor {found:.2g}")
        self.assertLess(found, 1e-6)

    def test_a_site_that_fails_ends_the_run_with_its_sentence(self) -> None:
        self.start()
        self.start_site("site-1")
        self.start_site("site-2", data=self.work / "nothing")
        ended = self.run_app()
        self.assertEqual(ended["status"], "finished:failed")
        self.assertRegex(
            ended["status-details"], r"round 1: node \d+: .*site-2: fovea: <data>: is no folder \(exit code 66\)"
        )
        self.assertFalse((self.work / "out").exists(), "a round was averaged")

    def test_a_key_that_is_not_registered_is_refused(self) -> None:
        self.start()
        keys = self.work / "keys"
        (keys / "site-1").unlink()
        call(["ssh-keygen", "-q", "-t", "ecdsa", "-b", 384, "-N", "", "-f", "site-1"], os.environ, keys)
        self.start_site("site-1")
        self.processes.wait_for("the refusal", lambda: self.processes.running["site-1"].poll() is not None)
        self.assertIn("Failed to activate SuperNode", self.processes.text("site-1"))


if __name__ == "__main__":
    unittest.main()
