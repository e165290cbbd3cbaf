"""The table that `realism` prints."""


def distances(found):
    lines = [f"{'Compared with the photographs':<66}{'KD':>8}{'95 % interval':>18}{'AUC':>8}"]
    for name, row in found.items():
        low, high = row["kd_interval"]
        lines.append(f"{name:<66}{row['kd']:8.3f}{f'{low:.3f} to {high:.3f}':>18}{row['auc']:8.3f}")
    return lines


def spectrum(found):
    lines = [
        f"{'Power of green inside the eye, as a share of the photographs':<66}"
        + "".join(f"{name:>11}" for name in found["octaves"])
    ]
    for name, ratios in found["ratios"].items():
        lines.append(f"{name:<66}" + "".join("    unknown" if ratio is None else f"{ratio:11.2f}" for ratio in ratios))
    return lines + ["(octaves in cycles per pixel, coarse to fine)"]


def quartiles(values):
    """The median, and the outer quartiles in brackets; `values` are the lower, the median and the upper."""
    return "unknown" if values is None else "{1:.3g} ({0:.3g} to {2:.3g})".format(*values)


def vessels(found, level):
    lines = [f"{'Vessels, median (quartiles)':<36}{'pictures':>9}{'density':>26}{'tree':>26}{'periphery':>26}"]
    for name, row in found.items():
        cells = [quartiles(row[key]["quartiles"]) for key in ("density", "tree", "periphery")]
        lines.append(f"{name:<36}{row['pictures']:9}" + "".join(f"{cell:>26}" for cell in cells))
    share = level["median_density_of_photographs"]
    note = f"the filter's threshold is {level['level']:.3f}, at which the median photograph has {share:.0%}"
    return lines + [f"(lengths in radii of the eye; {note})"]


def discs(found, known):
    head = f"{'Optic discs, share of pictures':<36}{'pictures':>9}{'none':>8}{'one':>8}{'more':>8}{'macula':>9}"
    lines = [f"{head}{'strength':>26}"]
    for name, row in [*found.items(), *(known or {}).items()]:
        pictures, macula = (
            f"{row[key]:{form}}" if key in row else "" for key, form in (("pictures", "d"), ("macula", ".3f"))
        )
        counts = "".join(f"{row[key]:8.3f}" for key in ("0", "1", "2+"))
        lines.append(f"{name:<36}{pictures:>9}{counts}{macula:>9}{quartiles(row['strength']):>26}")
    return lines


def table(result):
    """Plain text."""
    anatomy = result["anatomy"]
    counts = f"{result['samples']} samples, {result['photographs']} photographs ({result['split']}), "
    counts += f"{result['other_photographs']} other photographs, {result['size']} pixels"
    head = [counts, f"Sites: {', '.join(result['sites'])}"]
    parts = [
        head,
        [*distances(result["distances"]), "(blurs are Gaussians; their deviation is in pixels of a picture of 256)"],
        spectrum(result["spectrum"]),
        vessels(anatomy["vessels"], anatomy["vessel_threshold"]),
        discs(anatomy["discs"], anatomy["discs of known number"]),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts)
