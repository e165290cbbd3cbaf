"""Writes Tests/InterchangeTests/Fixtures/<case>/: diffusers folders as `save_pretrained` writes them, and what they
compute.

    config.json, diffusion_pytorch_model.safetensors   by UNet2DModel.save_pretrained
    scheduler_config.json                              by the scheduler's
    batch.safetensors    sample [N, C, H, W], timesteps [N], labels [N] or class_embedding [N, width]: F32; output: F64
    sigmas.safetensors   sigma, timesteps, F64: noise levels of the scheduler's timesteps, with (1 - a) / a of its
                         alphas_cumprod;
                         noisy [N, C, H, W], level [N], denoised: what the scheduler makes of the network's prediction

Every parameter is random. The network runs in float64, its embedding of timesteps in float32, as diffusers has it.
"""

import diffusers
import torch

import fixture
from networks import randomise

FOLDER = fixture.REPOSITORY / "Tests/InterchangeTests/Fixtures"
VERSIONS = fixture.versions() | {"diffusers": fixture.release(diffusers)}


def predicted_clean(prediction, sample, alpha, output):
    """What diffusers' DDPMScheduler.step calls pred_original_sample (formula 15 of Ho et al. 2020, and its
    siblings)."""
    if prediction == "epsilon":
        return (sample - (1 - alpha).sqrt() * output) / alpha.sqrt()
    if prediction == "v_prediction":
        return alpha.sqrt() * sample - (1 - alpha).sqrt() * output
    return output


def folder(name, size=(16, 16), scheduler=None, timesteps=(3.0, 907.0), **configuration):
    title = f"folder-{name}"
    draw = fixture.Draw(fixture.seed_of(title))
    sample_size = size[0] if size[0] == size[1] else size
    model = diffusers.UNet2DModel(sample_size=sample_size, **configuration).eval()
    randomise(model, draw)
    model = model.float()
    if model.config.time_embedding_type == "fourier":  # angles of a few turns
        model.time_proj.weight.data *= 2
    target = FOLDER / name
    target.mkdir(parents=True, exist_ok=True)
    model.save_pretrained(target)
    steps = diffusers.DDPMScheduler(**(scheduler or {}))
    steps.save_config(target)
    (target / "diffusion_pytorch_model.safetensors").chmod(0o644)

    model = model.double()
    time_proj = model.time_proj
    if model.config.time_embedding_type != "learned":  # float32 timesteps, as in diffusers
        model.time_proj = type(
            "Rounded", (torch.nn.Module,), {"forward": lambda self, t: time_proj.float()(t.float()).double()}
        )()
    timestep = torch.tensor(timesteps)
    if model.config.time_embedding_type == "learned":
        timestep = timestep.long()
    tensors = {"sample": draw.normal(len(timestep), model.config.in_channels, *size), "timesteps": timestep.float()}
    labels = None
    if model.config.class_embed_type == "identity":
        tensors["class_embedding"] = draw.normal(len(timestep), model.time_embedding.linear_2.out_features)
        labels = tensors["class_embedding"].double()
    elif model.config.num_class_embeds is not None:
        labels = torch.arange(len(timestep)) * 2 % model.config.num_class_embeds
        tensors["labels"] = labels.float()
    with torch.no_grad():
        tensors["output"] = model(tensors["sample"].double(), timestep, class_labels=labels).sample
    certificate = {"case": name, "script": "Tools/reference/folders.py", "seed": fixture.seed_of(title)} | VERSIONS
    fixture.write(target / "batch.safetensors", tensors, certificate)

    if model.config.time_embedding_type == "fourier":
        return  # ln 0 at the first timestep: no sampler of betas goes with it
    alphas = steps.alphas_cumprod.double()
    chosen = torch.tensor([0, 1, 250, 611, steps.config.num_train_timesteps - 1])
    level = torch.tensor([250, 611])
    noisy = draw.normal(2, model.config.in_channels, *size)
    alpha = alphas[level].view(-1, 1, 1, 1)
    with torch.no_grad():  # the sampler's x is the scheduler's over sqrt(alpha)
        output = model(noisy.double(), level, class_labels=labels).sample
    fixture.write(
        target / "sigmas.safetensors",
        {
            "timesteps": chosen.double(),
            "sigma": ((1 - alphas) / alphas).sqrt()[chosen],
            "noisy": (noisy.double() / alpha.sqrt()),
            "level": ((1 - alphas) / alphas).sqrt()[level],
            "denoised": predicted_clean(steps.config.prediction_type, noisy.double(), alpha, output),
        },
        certificate,
    )
    print(f"{title}: output's rms {tensors['output'].std():.2f}")


PLAIN = dict(block_out_channels=(8, 16), layers_per_block=1, norm_num_groups=4, attention_head_dim=8)
BLOCKS = {False: ("DownBlock2D", "UpBlock2D"), True: ("AttnDownBlock2D", "AttnUpBlock2D")}


def blocks(*attention):
    """Block types for attention at these levels."""
    return dict(
        down_block_types=tuple(BLOCKS[a][0] for a in attention),
        up_block_types=tuple(BLOCKS[a][1] for a in reversed(attention)),
    )


if __name__ == "__main__":
    folder("epsilon", **PLAIN, **blocks(False, True))
    # No attention anywhere, channels that fill no vector register, velocity.
    folder(
        "no_attention",
        size=(12, 20),
        scheduler=dict(
            prediction_type="v_prediction", beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012
        ),
        block_out_channels=(9, 15),
        layers_per_block=1,
        norm_num_groups=3,
        add_attention=False,
        **blocks(False, False),
    )
    # Attention at several levels, heads that leave channels over, three layers.
    folder(
        "attention_everywhere",
        scheduler=dict(prediction_type="sample", beta_schedule="squaredcos_cap_v2"),
        block_out_channels=(10, 12),
        layers_per_block=3,
        norm_num_groups=2,
        attention_head_dim=4,
        **blocks(True, True),
    )
    folder(
        "classes", scheduler=dict(beta_schedule="squaredcos_cap_v2"), num_class_embeds=7, **PLAIN, **blocks(True, False)
    )
    folder("identity", class_embed_type="identity", **PLAIN, **blocks(False, True))
    # As google/ddpm-* have it.
    folder(
        "padding",
        size=(16, 16),
        flip_sin_to_cos=False,
        freq_shift=1,
        downsample_padding=0,
        norm_eps=1e-6,
        **(PLAIN | dict(attention_head_dim=None)),
        **blocks(False, True),
    )
    folder("fourier", time_embedding_type="fourier", timesteps=(0.3, 41.5), **PLAIN, **blocks(False, False))
    folder("learned", time_embedding_type="learned", num_train_timesteps=1000, **PLAIN, **blocks(False, False))
    # Attention on one way only, no middle, a width of its own for the embedding, one level more.
    folder(
        "one_way",
        mid_block_type=None,
        time_embedding_dim=20,
        center_input_sample=True,
        block_out_channels=(4, 8, 8),
        layers_per_block=1,
        norm_num_groups=2,
        attention_head_dim=2,
        down_block_types=("DownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D", "AttnUpBlock2D"),
    )
    folder("grey", in_channels=1, out_channels=1, **PLAIN, **blocks(False, False))
    folder(
        "middle_groups",
        attn_norm_num_groups=2,
        scheduler=dict(num_train_timesteps=700, prediction_type="v_prediction"),
        timesteps=(3.0, 607.0),
        **PLAIN,
        **blocks(False, False),
    )
