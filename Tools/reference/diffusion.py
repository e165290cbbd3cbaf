"""Writes Tests/DiffusionTests/Fixtures/: noise levels, preconditioning, sampling, random numbers, optimizer and
averages.

"Karras" is Karras et al. 2022, "Elucidating the design space of diffusion-based generative models".

Formulas in one variable are evaluated with 50 decimal digits and rounded once, so each number is the float64 nearest to
the truth. Everything else is float64 on float32 inputs.
"""

import decimal
import json
from decimal import Decimal

import torch

import fixture
import philox

FOLDER = fixture.REPOSITORY / "Tests/DiffusionTests/Fixtures"
SCRIPT = {"script": "Tools/reference/diffusion.py"}
decimal.getcontext().prec = 50


def write(subject, case, tensors, **metadata):
    title = f"{subject}-{case}"
    certificate = {"subject": subject, "case": case} | metadata | SCRIPT | fixture.versions()
    fixture.write(FOLDER / f"{title}.safetensors", tensors, certificate)


def doubles(values):
    return torch.tensor([float(value) for value in values], dtype=torch.float64)


# Noise levels.


def karras_schedule(steps, sigma_min, sigma_max, rho):
    """Karras eq. 5, and a zero at the end: steps + 1 noise levels. One step starts at sigma_max."""
    low, high, rho = Decimal(sigma_min), Decimal(sigma_max), Decimal(rho)
    first, last = high ** (1 / rho), low ** (1 / rho)
    spans = max(steps - 1, 1)
    return doubles([(first + (last - first) * index / spans) ** rho for index in range(steps)] + [0])


def schedules():
    def of(case, steps, sigmaMin, sigmaMax, rho):
        sigmas = karras_schedule(steps, sigmaMin, sigmaMax, rho)
        assert sigmas[0] == sigmaMax and (steps == 1 or sigmas[-2] == sigmaMin)
        parameters = {"steps": steps, "sigmaMin": sigmaMin, "sigmaMax": sigmaMax, "rho": rho}
        write("karras_schedule", case, {"output": sigmas}, parameters=parameters)

    of("paper", 18, 0.002, 80.0, 7.0)
    of("short", 5, 0.002, 80.0, 7.0)
    of("two_steps", 2, 0.002, 80.0, 7.0)
    of("one_step", 1, 0.002, 80.0, 7.0)
    of("wavelets", 32, 0.002, 20.0, 7.0)
    of("linear", 6, 0.25, 10.0, 1.0)
    of("rho_3", 9, 0.02, 35.5, 3.0)


def preconditioning():
    """Karras table 1: D(x; sigma) = c_skip x + c_out F(c_in x; c_noise), and the loss weight that makes F's loss
    uniform."""

    def of(case, sigma_data):
        levels = [0.002, 0.01, 0.05, 0.1, 0.3, 0.5, 0.75, 1.0, 1.7, 5.0, 20.0, 80.0]
        data = Decimal(sigma_data)
        rows = {name: [] for name in ("cSkip", "cOut", "cIn", "cNoise", "lossWeight")}
        for sigma in map(Decimal, levels):
            total = sigma**2 + data**2
            rows["cSkip"].append(data**2 / total)
            rows["cOut"].append(sigma * data / total.sqrt())
            rows["cIn"].append(1 / total.sqrt())
            rows["cNoise"].append(sigma.ln() / 4)
            rows["lossWeight"].append(total / (sigma * data) ** 2)
        tensors = {"input.sigma": doubles(levels)} | {
            f"output.{name}": doubles(values) for name, values in rows.items()
        }
        write("preconditioning", case, tensors, parameters={"sigmaData": sigma_data})

    of("pixels", 0.5)
    of("coarse_band", 2.5)
    of("fine_band", 0.01)


# Sampling.


def gaussian_denoiser(mean, deviation):
    """The ideal denoiser of pixels that are independent N(mean, deviation^2): the posterior mean given x = y + sigma
    n."""

    def denoise(x, sigma):
        return mean + deviation**2 / (deviation**2 + sigma**2) * (x - mean)

    return denoise


def heun(denoise, x, sigma, sigma_next, previous):
    """Karras algorithm 1 without churn; the step to zero is Euler's."""
    slope = (x - denoise(x, sigma)) / sigma
    x_next = x + (sigma_next - sigma) * slope
    if sigma_next == 0:
        return x_next
    slope_next = (x_next - denoise(x_next, sigma_next)) / sigma_next
    return x + (sigma_next - sigma) * (slope + slope_next) / 2


def dpm_solver_2m(denoise, x, sigma, sigma_next, previous):
    """Lu et al. 2022, DPM-Solver++, algorithm 2, with alpha = 1 and lambda = -ln sigma. First and last step are of
    first order.

    `previous` is (x, sigma) before the step before.
    """
    denoised = denoise(x, sigma)
    if sigma_next == 0:
        return denoised
    if previous is not None:
        x_before, sigma_before = previous
        ratio = torch.log(sigma_before / sigma) / torch.log(sigma / sigma_next)
        denoised = (1 + 1 / (2 * ratio)) * denoised - 1 / (2 * ratio) * denoise(x_before, sigma_before)
    return sigma_next / sigma * x + (1 - sigma_next / sigma) * denoised


def trajectory(step, denoise, start, sigmas):
    """All states, [steps + 1, ...]: the first is the start."""
    states = [start]
    for index in range(len(sigmas) - 1):
        previous = (states[-2], sigmas[index - 1]) if index > 0 else None
        states.append(step(denoise, states[-1], sigmas[index], sigmas[index + 1], previous))
    return torch.stack(states)


def sampling():
    shape = (2, 3, 2, 3)  # NHWC
    for step in (heun, dpm_solver_2m):
        for steps in (5, 18):
            parameters = {"steps": steps, "sigmaMin": 0.002, "sigmaMax": 80.0, "rho": 7.0}
            seed = fixture.seed_of("sampling")  # one problem for all step rules
            draw = fixture.Draw(seed)
            mean = draw.normal(*shape, deviation=0.5)
            deviation = draw.normal(*shape).abs() * 0.4 + 0.05
            start = draw.normal(*shape, deviation=80.0)

            sigmas = karras_schedule(steps, 0.002, 80.0, 7.0)
            mean64, deviation64, start64 = mean.double(), deviation.double(), start.double()
            states = trajectory(step, gaussian_denoiser(mean64, deviation64), start64, sigmas)
            # The probability flow ODE in closed form: (x - mean) / sqrt(deviation^2 + sigma^2) is constant.
            exact = mean64 + (start64 - mean64) * deviation64 / (deviation64**2 + 80.0**2).sqrt()
            tensors = {
                "input.start": start,
                "input.mean": mean,
                "input.deviation": deviation,
                "sigmas": sigmas,
                "output": states[-1],
                "trajectory": states,
                "exact": exact,
            }
            write(
                f"sampling_{step.__name__}", f"{steps}_steps", tensors, parameters=parameters, layout="fovea", seed=seed
            )
            error = ((states[-1] - exact).norm() / exact.norm()).item()
            print(f"{step.__name__}, {steps} steps: {error:.1e} from the exact solution")


# Random numbers.


def random_numbers():
    def hexadecimal(words):
        return " ".join(f"{word:08x}" for word in words)

    def vector(counter, key, source):
        return {
            "counter": hexadecimal(counter),
            "key": hexadecimal(key),
            "output": hexadecimal(philox.philox(counter, key)),
            "source": source,
        }

    words = fixture.Draw(fixture.seed_of("philox")).generator.integers(0, 1 << 32, size=(5, 6)).tolist()
    vectors = [vector(counter, key, "Random123") for counter, key, _ in philox.PUBLISHED]
    vectors += [vector((index, 0, 0, 0), (42, 0), "philox.py") for index in range(3)]
    vectors += [vector(row[:4], row[4:], "philox.py") for row in words]
    document = {"generator": "Philox 4x32-10, words from the lowest", "vectors": vectors} | SCRIPT
    path = FOLDER / "philox.json"
    path.write_text(json.dumps(document, indent=1) + "\n")
    path.chmod(0o644)


# Training.


def optimizer():
    """torch.optim.AdamW: Adam (Kingma and Ba 2015) with bias correction, decay decoupled (Loshchilov and Hutter
    2019)."""

    def of(case, weightDecay, learningRates, betas=(0.9, 0.95), eps=1e-8):
        seed = fixture.seed_of("adam")  # the same problem for all cases
        draw = fixture.Draw(seed)
        initial = draw.normal(7)
        # Ordinary gradients, one that is always zero, one near eps, one large.
        scales = torch.tensor([1.0, 1.0, 1.0, 1.0, 0.0, 1e-8, 1e3])
        gradients = draw.normal(len(learningRates), 7) * scales

        parameter = torch.nn.Parameter(initial.double())
        adam = torch.optim.AdamW([parameter], lr=1.0, betas=betas, eps=eps, weight_decay=weightDecay, foreach=False)
        states, firsts, seconds = [], [], []
        for rate, gradient in zip(learningRates, gradients, strict=True):
            adam.param_groups[0]["lr"] = rate
            parameter.grad = gradient.double()
            adam.step()
            states.append(parameter.detach().clone())
            firsts.append(adam.state[parameter]["exp_avg"].clone())
            seconds.append(adam.state[parameter]["exp_avg_sq"].clone())
        tensors = {
            "input.parameters": initial,
            "input.gradients": gradients,  # [steps, 7]
            "output": torch.stack(states),  # [steps, 7], after each step
            "output.firstMoment": torch.stack(firsts),
            "output.secondMoment": torch.stack(seconds),
        }
        parameters = {
            "weightDecay": weightDecay,
            "learningRates": learningRates,
            "beta1": betas[0],
            "beta2": betas[1],
            "eps": eps,
        }
        write("adam", case, tensors, parameters=parameters, seed=seed)

    of("plain", 0.0, [0.01] * 5)
    of("weight_decay", 0.01, [0.01] * 5)
    of("warm_up", 0.01, [0.0, 0.005, 0.01, 0.01, 0.0025])


def moving_average():
    """average = beta average + (1 - beta) parameters, with beta = 0.5^(images of the step / half-life in images)."""

    def of(case, halfLifeInImages, imagesPerStep):
        seed = fixture.seed_of("ema")
        draw = fixture.Draw(seed)
        initial = draw.normal(6)
        parameters = draw.normal(len(imagesPerStep), 6)

        average, averages = initial.double(), []
        betas = [Decimal("0.5") ** (Decimal(images) / Decimal(halfLifeInImages)) for images in imagesPerStep]
        for beta, current in zip(map(float, betas), parameters.double(), strict=True):
            average = beta * average + (1 - beta) * current
            averages.append(average)
        tensors = {
            "input.initial": initial,  # the average before the first step
            "input.parameters": parameters,  # [steps, 6]
            "betas": doubles(betas),
            "output": torch.stack(averages),  # [steps, 6], after each step
        }
        metadata = {"halfLifeInImages": halfLifeInImages, "imagesPerStep": imagesPerStep}
        write("ema", case, tensors, parameters=metadata, seed=seed)

    of("half_life_per_step", 8, [8] * 5)  # beta is one half
    of("uneven_steps", 20, [4, 8, 8, 16, 1])
    of("long", 500000, [64] * 5)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    schedules()
    preconditioning()
    sampling()
    random_numbers()
    optimizer()
    moving_average()
    print(f"{len(list(FOLDER.iterdir()))} files in {FOLDER.relative_to(fixture.REPOSITORY)}")
