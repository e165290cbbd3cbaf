"""Writes Tests/NetworksTests/Fixtures/*.safetensors: whole diffusers UNets, forward and backward, in float64.

unet2d-<case>.safetensors (metadata: the case, and the diffusers configuration under "config")
    <parameter path>           F32, the state dict under diffusers' names, in PyTorch's layouts (convolutions OIHW,
    linear [out, in]) input.sample               F32, NCHW
    input.timestep             F32, [N]
    input.classLabels          I64, [N], where the configuration has `num_class_embeds`
    input.classEmbedding       F32, [N, 4 * C0], where `class_embed_type` is "identity"
    intermediate.<module path> F32, what that module returned (in the first case only): to find where two forwards part
    output                     F64, NCHW
    gradOutput                 F32, NCHW
    grad.sample                F64, NCHW;  grad.classEmbedding  F64
    grad.<parameter path>      F32 (computed in float64), for every parameter

"vanishingGradients" in the metadata lists parameters whose gradient is zero by mathematics (the bias of the keys:
softmax does not see a constant): what the file holds for them is rounding, and a relative comparison is meaningless.

timestep_embedding-<case>.safetensors: input.timestep F32, [N]; output F64, [N, channels].

Every parameter is random, those that diffusers starts at zero or one too, so that no error hides behind a zero.
"""

import json
import math

import diffusers
import torch

import fixture

FOLDER = fixture.REPOSITORY / "Tests/NetworksTests/Fixtures"
VERSIONS = fixture.versions() | {"diffusers": fixture.release(diffusers)}


def timestep_embedding(timesteps, channels, flip_sin_to_cos, freq_shift):
    """Ho et al. 2020, sinusoids of the timestep as in diffusers' `get_timestep_embedding`, but in the timesteps' own
    precision.

    diffusers computes frequencies and sinusoids in float32, whatever the model's type.
    """
    half = channels // 2
    exponents = -math.log(10000) * torch.arange(half, dtype=timesteps.dtype) / (half - freq_shift)
    angles = timesteps[:, None] * torch.exp(exponents)[None, :]  # [N, half]
    parts = [torch.cos(angles), torch.sin(angles)] if flip_sin_to_cos else [torch.sin(angles), torch.cos(angles)]
    if channels % 2 == 1:
        parts.append(torch.zeros_like(timesteps)[:, None])
    return torch.cat(parts, dim=-1)


class ExactTimesteps(torch.nn.Module):
    """Takes the place of a model's `time_proj`, so that the reference is float64 throughout."""

    def __init__(self, original):
        super().__init__()
        self.original = original

    def forward(self, timesteps):
        assert timesteps.dtype == torch.float64
        original = self.original
        exact = timestep_embedding(
            timesteps, original.num_channels, original.flip_sin_to_cos, original.downscale_freq_shift
        )
        assert original.scale == 1 and torch.allclose(exact.float(), original(timesteps), atol=1e-4)
        return exact


def randomise(model, draw):
    """Fills every parameter with float32 numbers that keep activations of order one."""
    for name, parameter in model.named_parameters():
        if parameter.ndim >= 2 and "class_embedding" not in name:
            fan_in = parameter[0].numel()
            values = draw.normal(*parameter.shape, deviation=fan_in**-0.5)
        elif "norm" in name and name.endswith("weight"):
            values = draw.normal(*parameter.shape, mean=1.0, deviation=0.3)
        else:  # biases and embedding tables
            values = draw.normal(*parameter.shape, deviation=0.3)
        parameter.data = values.double()


def record_intermediates(model, into):
    def record(path):
        def hook(module, arguments, result):
            into[f"intermediate.{path}"] = (result[0] if isinstance(result, tuple) else result).detach().float()

        return hook

    down = [f"down_blocks.{index}" for index in range(len(model.down_blocks))]
    up = [
        f"up_blocks.{index}" for index in range(len(model.up_blocks) - 1)
    ]  # the last one's is large, and near the output
    for path in ["time_embedding", *down, "mid_block", *up]:
        model.get_submodule(path).register_forward_hook(record(path))


def unet(name, timesteps, size, classes=None, intermediates=False, **configuration):
    title = f"unet2d-{name}"
    seed = fixture.seed_of(title)
    draw = fixture.Draw(seed)
    model = diffusers.UNet2DModel(sample_size=size[0] if size[0] == size[1] else size, **configuration).double().eval()
    model.time_proj = ExactTimesteps(model.time_proj)
    randomise(model, draw)
    tensors = {key: parameter.detach().float() for key, parameter in model.state_dict().items()}
    if intermediates:
        record_intermediates(model, tensors)

    sample = draw.normal(len(timesteps), model.config.in_channels, *size)
    timestep = torch.tensor(timesteps, dtype=torch.float32)
    stored = {"sample": sample, "timestep": timestep}
    exact = {"sample": sample.double().requires_grad_()}
    labels = None
    if classes is not None:
        stored["classLabels"] = labels = torch.tensor(classes)
    elif model.config.class_embed_type == "identity":
        stored["classEmbedding"] = draw.normal(len(timesteps), 4 * model.config.block_out_channels[0])
        exact["classEmbedding"] = labels = stored["classEmbedding"].double().requires_grad_()

    output = model(exact["sample"], timestep.double(), class_labels=labels).sample
    assert output.dtype == torch.float64
    grad_output = draw.normal(*output.shape)
    output.backward(grad_output.double())

    gradients = {key: parameter.grad for key, parameter in model.named_parameters()}
    largest = max(gradient.norm().item() for gradient in gradients.values())
    vanishing = [key for key, gradient in gradients.items() if gradient.norm().item() < 1e-12 * largest]
    assert all(key.endswith("to_k.bias") for key in vanishing), vanishing

    tensors |= {f"input.{key}": tensor for key, tensor in stored.items()}
    tensors |= {"output": output, "gradOutput": grad_output}
    tensors |= {f"grad.{key}": tensor.grad for key, tensor in exact.items()}
    tensors |= {f"grad.{key}": gradient.float() for key, gradient in gradients.items()}
    certificate = {
        "network": "UNet2DModel",
        "case": name,
        "config": json.loads(model.to_json_string()),
        "layout": "pytorch",
        "images": "NCHW",
        "parameterGradients": "computed in F64, stored in F32",
        "vanishingGradients": sorted(vanishing),
        "script": "Tools/reference/networks.py",
        "seed": seed,
    }
    fixture.write(FOLDER / f"{title}.safetensors", tensors, certificate | VERSIONS)
    print(
        f"{title}: {sum(parameter.numel() for parameter in model.parameters())} parameters, "
        f"output's rms {output.std():.2f}"
    )


def timesteps(name, values, **parameters):
    timestep = torch.tensor(values, dtype=torch.float32)
    output = timestep_embedding(timestep.double(), **parameters)
    certificate = {
        "operation": "timestep_embedding",
        "case": name,
        "parameters": parameters,
        "script": "Tools/reference/networks.py",
    }
    path = FOLDER / f"timestep_embedding-{name}.safetensors"
    fixture.write(path, {"input.timestep": timestep, "output": output}, certificate | VERSIONS)


if __name__ == "__main__":
    unet(
        "classes",
        timesteps=[-1.375, 987.25],
        size=(16, 16),
        classes=[3, 0],
        intermediates=True,
        block_out_channels=(8, 12),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=4,  # three heads
        norm_num_groups=4,
        num_class_embeds=5,
    )
    unet(  # the base preset's structure, narrow
        "base",
        timesteps=[0.625, -0.3],
        size=(16, 16),
        block_out_channels=(4, 4, 8, 8),
        layers_per_block=2,
        down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        attention_head_dim=8,  # one head
        norm_num_groups=2,
    )
    unet(  # channels that fill no vector register, and pictures that are not square
        "embedding",
        timesteps=[0.0, 20.5],
        size=(16, 24),
        block_out_channels=(6, 10),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "UpBlock2D"),
        attention_head_dim=5,  # two heads, in the middle block only
        norm_num_groups=2,
        class_embed_type="identity",
    )

    moments = [-1.375, 0.0, 0.5, 3.0, 17.25, 999.0]
    timesteps("default", moments, channels=8, flip_sin_to_cos=True, freq_shift=0)
    timesteps("sine_first", moments, channels=8, flip_sin_to_cos=False, freq_shift=1)
    timesteps("odd_channels", moments, channels=7, flip_sin_to_cos=True, freq_shift=0)
