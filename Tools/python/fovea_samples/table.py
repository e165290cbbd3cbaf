"""A sample set as a table."""

from .checks import ORDINALS


def frame(samples):
    """One row a sample, row i is sample i: pandas.DataFrame. Raises ImportError where pandas is absent.

    Columns: each cohort attribute (categorical, names in the order of codes), `<attribute>_request` of the ordinal ones
    (float32, NaN for none), seed, index, run, digest (of the pixels, hexadecimal), model (its digest) and
    `site_weight_<site>` of each site (float32).
    """
    try:
        import pandas
    except ModuleNotFoundError as error:
        raise ImportError(
            "fovea_samples: to_pandas() needs pandas, which is not installed (pip install pandas)"
        ) from error
    columns = {}
    for attribute in samples.attributes:
        names, which = samples.named(attribute)
        columns[attribute] = pandas.Categorical.from_codes(which, names)
    requests = samples.requests
    for attribute in ORDINALS:
        columns[f"{attribute}_request"] = requests[attribute]
    for name in ("seed", "index", "run"):
        columns[name] = samples.column(name)
    columns["digest"] = [digest.tobytes().hex() for digest in samples.column("digest")]
    models = [run["model_digest"] for run in samples.runs]
    columns["model"] = pandas.Categorical([models[run] for run in columns["run"]], samples.models)
    weights = samples.column("site_weight")
    for site, name in enumerate(samples.site_names):
        columns[f"site_weight_{name}"] = weights[:, site]
    return pandas.DataFrame(columns)
