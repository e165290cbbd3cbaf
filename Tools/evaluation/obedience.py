"""Does a model that was trained on phantoms draw what it is asked for? Measured from the pictures alone.

    obedience.py --phantoms PHANTOMS.h5 --instrument instrument.pt SAMPLES.h5...

The instrument is a small convolutional network that reads severity (the grade, as a number), the area of lesions,
laterality, field, pigment group and camera from a photograph. It is trained on phantoms whose anatomy is known
(PHANTOMS.h5, other eyes than the model saw), kept in instrument.pt, and its own errors on phantoms that it did not see
are printed beside the samples' figures.

Needs torch, h5py, scipy (Tools/reference/requirements.txt and h5py).
"""

import argparse
import json
import pathlib

import h5py
import numpy
import scipy.stats
import torch

NOMINAL = ["laterality", "field", "ethnicity", "camera"]


def names(column):
    """Code to name, in the order of codes."""
    return {code: name for name, code in h5py.check_enum_dtype(column.dtype).items()}


def pictures(file):
    return torch.from_numpy(file["images"][:]).permute(0, 3, 1, 2).float() / 127.5 - 1


def phantoms(path):
    """Pictures, targets by name, the classes of each attribute."""
    with h5py.File(path) as file:
        targets = {"lesions": torch.from_numpy(numpy.log1p((file["masks/lesions"][:] > 0).sum((1, 2)))).float()}
        targets["grade"] = torch.from_numpy(file["cohort/dr_icdr"][:]).float()
        classes = {}
        for attribute in NOMINAL:
            column = file[f"cohort/{attribute}"]
            found = [names(column)[code] for code in column[:]]
            classes[attribute] = sorted(set(found))
            targets[attribute] = torch.tensor([classes[attribute].index(name) for name in found])
        return pictures(file), targets, classes


class Instrument(torch.nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.classes = classes
        width, layers = 3, []
        for out, pools in ((16, True), (32, False), (48, True), (64, True), (96, True)):
            layers += [torch.nn.Conv2d(width, out, 3, padding=1), torch.nn.BatchNorm2d(out), torch.nn.ReLU()]
            layers += [torch.nn.MaxPool2d(2)] if pools else []
            width = out
        self.body = torch.nn.Sequential(*layers)
        self.heads = torch.nn.ModuleDict({name: torch.nn.LazyLinear(len(values)) for name, values in classes.items()})
        self.severity = torch.nn.Sequential(torch.nn.LazyLinear(64), torch.nn.ReLU(), torch.nn.Linear(64, 2))

    def forward(self, x):
        found = self.body(x)
        result = {name: head(found.flatten(1)) for name, head in self.heads.items()}
        severity = self.severity(torch.cat([found.mean((2, 3)), found.amax((2, 3))], 1))
        return result | {"grade": severity[:, 0], "lesions": severity[:, 1]}


def trained(path, x, targets, classes, epochs=8):
    if path.exists():
        return torch.load(path, weights_only=False)
    torch.manual_seed(1)
    instrument = Instrument(classes)
    instrument(x[:2])
    x = x.to(memory_format=torch.channels_last)
    instrument.to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(instrument.parameters(), lr=2e-3)
    rows = torch.arange(len(x) * 9 // 10)
    for epoch in range(epochs):
        instrument.train()
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * (1 - epoch / epochs)
        for batch in rows[torch.randperm(len(rows))].split(64):
            noisy = x[batch] + 0.02 * torch.randn(len(batch), *x.shape[1:])
            found = instrument(noisy)
            loss = sum((found[name] - targets[name][batch]).pow(2).mean() for name in ("grade", "lesions"))
            loss = loss + sum(torch.nn.functional.cross_entropy(found[name], targets[name][batch]) for name in classes)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    torch.save(instrument, path)
    return instrument


@torch.no_grad()
def read(instrument, x):
    instrument.eval()
    parts = [instrument(part) for part in x.split(128)]
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}


DARKNESS = {"phantom-light": 0, "phantom-medium": 1, "phantom-dark": 2}


def pigment(instrument, found):
    """The pigment group that is expected, as a number: neighbouring groups meet in a point, and light varies."""
    weights = torch.tensor([float(DARKNESS[name]) for name in instrument.classes["ethnicity"]])
    return found["ethnicity"].softmax(1) @ weights


def spearman(found, expected):
    return round(float(scipy.stats.spearmanr(found, expected).statistic), 3)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--phantoms", required=True)
    parser.add_argument("--instrument", type=pathlib.Path, required=True)
    parser.add_argument("samples", nargs="*")
    arguments = parser.parse_args()
    x, targets, classes = phantoms(arguments.phantoms)
    instrument = trained(arguments.instrument, x, targets, classes)
    held = slice(len(x) * 9 // 10, None)
    found = read(instrument, x[held])
    print(
        json.dumps(
            {
                "instrument on unseen phantoms": {
                    "severity against grade, Spearman": spearman(found["grade"], targets["grade"][held]),
                    "lesions against grade, Spearman": spearman(found["lesions"], targets["grade"][held]),
                    "pigment, Spearman": spearman(
                        pigment(instrument, found),
                        [DARKNESS[classes["ethnicity"][i]] for i in targets["ethnicity"][held]],
                    ),
                    **{name: float((found[name].argmax(1) == targets[name][held]).float().mean()) for name in NOMINAL},
                }
            }
        )
    )
    for path in arguments.samples:
        with h5py.File(path) as file:
            found = read(instrument, pictures(file))
            result = {"samples": len(file["images"])}
            grades = (
                file["cohort_request/dr_icdr"][:]
                if "cohort_request/dr_icdr" in file
                else file["cohort/dr_icdr"][:].astype(float)
            )
            asked = numpy.isfinite(grades) & (grades >= 0)
            if asked.any() and len(set(grades[asked])) > 1:
                result["severity against grade, Spearman"] = spearman(found["grade"][asked], grades[asked])
                result["lesions against grade, Spearman"] = spearman(found["lesions"][asked], grades[asked])
                result["pixels of lesions by grade"] = {
                    f"{g:g}": round(float(found["lesions"][torch.from_numpy(grades == g)].expm1().mean()), 1)
                    for g in sorted(set(grades[asked]))
                }
            for name in NOMINAL:
                column = file[f"cohort/{name}"]
                values = [names(column)[code] for code in column[:]]
                right = [
                    instrument.classes[name][int(i)] == value
                    for i, value in zip(found[name].argmax(1), values)
                    if value in instrument.classes[name]
                ]
                if right:
                    result[name] = sum(right) / len(right)
                if name == "ethnicity" and len(set(values)) > 1 and set(values) <= set(DARKNESS):
                    result["pigment, Spearman"] = spearman(
                        pigment(instrument, found), [DARKNESS[value] for value in values]
                    )
            print(json.dumps({path: result}))


if __name__ == "__main__":
    main()
