"""The diffusers models of two of Fovea's networks, and the timed pieces of work."""

import torch
from diffusers import UNet2DModel

CLASSES = 5
# By name: what diffusers is told, and what `fovea bench` is.
NETWORKS = dict(
    base=(
        dict(
            sample_size=64,
            in_channels=3,
            out_channels=3,
            layers_per_block=2,
            block_out_channels=(64, 128, 256, 256),
            down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
        ),
        ["--preset", "base"],
    ),
    # The preset `small` for photographs of 256 pixels: three levels of wavelets.
    wavelet=(
        dict(
            sample_size=32,
            in_channels=192,
            out_channels=192,
            layers_per_block=2,
            block_out_channels=(64, 128, 128),
            down_block_types=("DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"),
            up_block_types=("AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D"),
            attention_head_dim=32,
            norm_num_groups=16,
        ),
        ["--preset", "small", "--channels", "192", "--size", "32"],
    ),
)


class Reference:
    """Forward passes and training steps, channels last; bfloat16 by autocast."""

    def __init__(self, batch: int, network: str = "base"):
        torch.manual_seed(1)
        configuration = NETWORKS[network][0]
        self.model = UNet2DModel(**configuration, num_class_embeds=CLASSES).to(memory_format=torch.channels_last)
        shape = (batch, configuration["in_channels"], configuration["sample_size"], configuration["sample_size"])
        self.sample = torch.randn(shape).to(memory_format=torch.channels_last)
        self.target = torch.randn(shape).to(memory_format=torch.channels_last)
        self.timesteps = torch.rand(batch) * 1000
        self.labels = torch.arange(batch) % CLASSES
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=1e-4)

    def output(self):
        return self.model(self.sample, self.timesteps, class_labels=self.labels).sample

    def loss(self):
        return torch.nn.functional.mse_loss(self.output().float(), self.target)

    def forward(self, bfloat16: bool = False):
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
            return self.output()

    def step(self, bfloat16: bool = False):
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=bfloat16):
            loss = self.loss()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
