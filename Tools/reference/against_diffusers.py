"""Random diffusers models through Fovea and back. Called by Tools/reference/against-diffusers."""

import argparse
import logging
import random
import subprocess
import tempfile

import diffusers
import torch
from safetensors.torch import load_file, save_file

logging.disable(logging.WARNING)
TOLERANCE = 1e-4


def configuration(draw):
    """A UNet2DModel that diffusers itself accepts, of any shape that Fovea should know."""
    levels = draw.randint(1, 4)
    groups = draw.choice([1, 2, 3, 4, 5, 8])
    widths = [groups * draw.randint(1, 40 // groups + 1) for _ in range(levels)]
    attends = [draw.random() < 0.4 for _ in range(2 * levels)]
    found = dict(
        block_out_channels=widths,
        layers_per_block=draw.randint(1, 3),
        norm_num_groups=groups,
        down_block_types=[("Attn" if a else "") + "DownBlock2D" for a in attends[:levels]],
        up_block_types=[("Attn" if a else "") + "UpBlock2D" for a in attends[levels:]],
        add_attention=draw.random() < 0.8,
        downsample_padding=draw.choice([0, 1]),
        center_input_sample=draw.random() < 0.2,
        norm_eps=draw.choice([1e-5, 1e-6, 1e-3]),
        flip_sin_to_cos=draw.random() < 0.5,
        freq_shift=draw.choice([0, 1]),
        time_embedding_type=draw.choice(["positional"] * 3 + ["fourier", "learned"]),
        num_train_timesteps=1000,
        in_channels=(channels := draw.choice([3, 3, 1])),
        out_channels=channels,
        time_embedding_dim=draw.choice([None, None, 24]),
        mid_block_type=draw.choice(["UNetMidBlock2D"] * 5 + [None]),
    )
    if found["time_embedding_type"] == "positional" and widths[0] < 4:
        found["freq_shift"] = 0
    smallest = min(widths)
    found["attention_head_dim"] = draw.choice([None] + [d for d in (1, 2, 3, 8, 16) if d <= smallest])
    kind = draw.choice(["none", "none", "classes", "identity"])
    if kind == "classes":
        found["num_class_embeds"] = draw.randint(1, 12)
    elif kind == "identity":
        found["class_embed_type"] = "identity"
    multiple = 2 ** (levels - 1)
    found["sample_size"] = [multiple * draw.randint(1, 24 // multiple + 1) for _ in range(2)]
    return found


def relative(a, b):
    return float((a.double() - b.double()).norm() / b.double().norm().clamp_min(1e-30))


def check(fovea, draw, folder):
    model = diffusers.UNet2DModel(**configuration(draw)).eval()
    model.save_pretrained(f"{folder}/in")
    diffusers.DDPMScheduler().save_config(f"{folder}/in")
    batch = draw.randint(1, 3)
    tensors = {
        "sample": torch.randn(batch, model.config.in_channels, *model.config.sample_size),
        "timesteps": torch.randint(1, 1000, (batch,)).float(),
    }
    timesteps, labels = tensors["timesteps"], None
    if model.config.time_embedding_type == "learned":
        timesteps = timesteps.long()
    if model.config.class_embed_type == "identity":
        labels = tensors["class_embedding"] = torch.randn(batch, model.time_embedding.linear_2.out_features)
    elif model.config.num_class_embeds:
        labels = torch.randint(0, model.config.num_class_embeds, (batch,))
        tensors["labels"] = labels.float()
    with torch.no_grad():
        expected = model(tensors["sample"], timesteps, class_labels=labels).sample
    save_file(tensors, f"{folder}/batch.safetensors")
    for words in (
        ["import-model", f"{folder}/in", "--out", f"{folder}/snapshot.safetensors"],
        ["bench", "--exchange", folder, "--model", f"{folder}/snapshot.safetensors"],
        ["export-model", f"{folder}/snapshot.safetensors", "--out", f"{folder}/out"],
    ):
        done = subprocess.run([fovea, *words], capture_output=True, text=True)
        if done.returncode != 0:
            return f"fovea {words[0]}: {done.stderr.strip()}"
    difference = relative(load_file(f"{folder}/results.safetensors")["output"], expected)
    again = diffusers.UNet2DModel.from_pretrained(f"{folder}/out").eval()
    with torch.no_grad():
        back = relative(again(tensors["sample"], timesteps, class_labels=labels).sample, expected)
    before, after = model.state_dict(), again.state_dict()
    same = before.keys() == after.keys() and all(torch.equal(before[key], after[key]) for key in before)
    check.worst = max(check.worst, difference)
    # Twice the same weights do not give the same bits in PyTorch: its sums depend on where tensors lie in memory.
    if same and difference <= TOLERANCE and back <= 1e-5:
        return None
    return (
        f"output differs by {difference:.1e}, after export by {back:.1e}; weights {'the same' if same else 'changed'}"
    )


check.worst = 0.0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fovea", required=True)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    failed = 0
    for number in range(arguments.count):
        draw = random.Random(arguments.seed * 100_000 + number)
        torch.manual_seed(number)
        with tempfile.TemporaryDirectory() as folder:
            problem = check(arguments.fovea, draw, folder)
        if problem:
            failed += 1
            drawn = configuration(random.Random(arguments.seed * 100_000 + number))
            print(f"FAILED  model {number}: {problem}\n        {drawn}", flush=True)
    print(f"worst relative difference {check.worst:.1e}")
    print(f"{arguments.count - failed} passed, {failed} failed, 0 skipped")
    raise SystemExit(failed > 0)


main()
