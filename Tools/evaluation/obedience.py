"""Does a model that was trained on phantoms draw what it is asked for? Measured from the pictures alone.

    obedience.py --phantoms PHANTOMS.h5 --instrument instrument.pt SAMPLES.h5...

The instrument is a small convolutional network that reads lesions (the logarithm of how many there are), laterality, field, pigment
group and camera from a photograph. It is trained on phantoms whose anatomy is known (PHANTOMS.h5, other eyes than the model saw), kept
in instrument.pt, and its own errors on phantoms that it did not see are printed beside the samples' figures.

Needs torch, h5py, scipy (Tools/reference/requirements.txt and h5py).
"""

import argparse
import json
import pathlib

import h5py
import numpy
import scipy.ndimage
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
        targets = {"lesions": torch.tensor([float(numpy.log1p(scipy.ndimage.label(mask)[1])) for mask in file["masks/lesions"][:]])}
        targets["grade"] = torch.from_numpy(file["cohort/dr_icdr"][:].astype("int64"))
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
        for out in (16, 48, 64, 96):
            layers += [torch.nn.Conv2d(width, out, 3, padding=1), torch.nn.BatchNorm2d(out), torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
            width = out
        self.body = torch.nn.Sequential(*layers)
        self.heads = torch.nn.ModuleDict({name: torch.nn.LazyLinear(len(values)) for name, values in classes.items()})
        # Lesions are counted: a sum over places.
        self.spots = torch.nn.Conv2d(48, 1, 1)

    def forward(self, x):
        fine = self.body[:8](x)
        coarse = self.body[8:](fine)
        result = {name: head(coarse.flatten(1)) for name, head in self.heads.items()}
        result["lesions"] = torch.log1p(torch.nn.functional.softplus(self.spots(fine)).sum((1, 2, 3)))
        return result


def trained(path, x, targets, classes, epochs=10):
    if path.exists():
        return torch.load(path, weights_only=False)
    torch.manual_seed(1)
    instrument = Instrument(classes)
    instrument(x[:2])
    optimizer = torch.optim.AdamW(instrument.parameters(), lr=2e-3)
    rows = torch.arange(len(x))[: len(x) * 9 // 10]
    for epoch in range(epochs):
        instrument.train()
        for group in optimizer.param_groups:
            group["lr"] = 2e-3 * (1 - epoch / epochs)
        for batch in rows[torch.randperm(len(rows))].split(64):
            noisy = x[batch] + 0.02 * torch.randn(len(batch), *x.shape[1:])
            found = instrument(noisy)
            loss = (found["lesions"] - targets["lesions"][batch]).pow(2).mean()
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
    print(json.dumps({"instrument on unseen phantoms": {
        "lesions against grade, Spearman": float(scipy.stats.spearmanr(found["lesions"], targets["grade"][held]).statistic),
        **{name: float((found[name].argmax(1) == targets[name][held]).float().mean()) for name in NOMINAL}}}))
    for path in arguments.samples:
        with h5py.File(path) as file:
            found = read(instrument, pictures(file))
            result = {"samples": len(file["images"])}
            grades = file["cohort_request/dr_icdr"][:] if "cohort_request/dr_icdr" in file else file["cohort/dr_icdr"][:].astype(float)
            asked = numpy.isfinite(grades) & (grades >= 0)
            if asked.any() and len(set(grades[asked])) > 1:
                result["lesions against grade, Spearman"] = float(scipy.stats.spearmanr(found["lesions"][asked], grades[asked]).statistic)
                result["lesions by grade"] = {f"{g:g}": round(float(found["lesions"][torch.from_numpy(grades == g)].expm1().mean()), 1) for g in sorted(set(grades[asked]))}
            for name in NOMINAL:
                column = file[f"cohort/{name}"]
                values = [names(column)[code] for code in column[:]]
                right = [instrument.classes[name][int(i)] == value for i, value in zip(found[name].argmax(1), values) if value in instrument.classes[name]]
                if right:
                    result[name] = sum(right) / len(right)
            print(json.dumps({path: result}))


if __name__ == "__main__":
    main()
