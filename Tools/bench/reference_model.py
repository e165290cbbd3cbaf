"""The diffusers model of Fovea's base preset, and the timed pieces of work."""

import torch
from diffusers import UNet2DModel

CLASSES = 5
CONFIGURATION = dict(
    sample_size=64, in_channels=3, out_channels=3, layers_per_block=2, block_out_channels=(64, 128, 256, 256),
    down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D", "DownBlock2D"),
    up_block_types=("UpBlock2D", "AttnUpBlock2D", "UpBlock2D", "UpBlock2D"), num_class_embeds=CLASSES)


class Reference:
    """Forward passes and training steps, channels last; bfloat16 by autocast."""

    def __init__(self, batch: int):
        torch.manual_seed(1)
        self.model = UNet2DModel(**CONFIGURATION).to(memory_format=torch.channels_last)
        self.sample = torch.randn(batch, 3, 64, 64).to(memory_format=torch.channels_last)
        self.target = torch.randn(batch, 3, 64, 64).to(memory_format=torch.channels_last)
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
