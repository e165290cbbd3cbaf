"""The examples of docs/python.md run, each in a Python of its own, in a folder with a small samples.h5 and a small
photographs.h5."""

import os
import re
import subprocess
import sys
import unittest

import fovea_samples

from . import fixtures
from .fixtures import FolderCase

PAGE = os.path.join(os.path.dirname(__file__), "..", "..", "..", "docs", "python.md")


@unittest.skipUnless(os.path.exists(PAGE), "docs/python.md is not beside the tests")
class DocsTests(FolderCase):
    def test_examples(self):
        with open(PAGE, encoding="utf-8") as page:
            examples = re.findall(r"^```python\n(.*?)^```$", page.read(), re.MULTILINE | re.DOTALL)
        self.assertEqual(len(examples), 8)
        fixtures.write(self.path())
        fixtures.write_photographs(self.path("photographs.h5"))
        environment = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(fovea_samples.__file__))}
        for number, example in enumerate(examples):
            needed = {"torch": "torch" in example, "pandas": "to_pandas" in example}
            if any(used and fixtures.optional(name) is None for name, used in needed.items()):
                continue
            script = self.path(f"example-{number}.py")
            with open(script, "w", encoding="utf-8") as file:
                file.write(example)
            ran = subprocess.run(
                [sys.executable, script], cwd=self.folder, env=environment, capture_output=True, text=True
            )
            self.assertEqual(ran.returncode, 0, example + ran.stderr)
