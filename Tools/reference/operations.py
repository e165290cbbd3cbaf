"""Writes Tests/TensorCoreTests/Fixtures/ops/<operation>-<case>.safetensors: outputs and gradients of single operations.

Tensors of a file:
    input.<name>   F32 (indices: I64)
    output         F64
    gradOutput     F32, random: the gradient that the pullback receives
    grad.<name>    F64, for every differentiable input, in the shape of that input

Layout "fovea": pictures [N, H, W, C], convolution weights [kh, kw, in, out], linear weights [in, out]. The permutations
to PyTorch's layouts are inside the graph, so gradients come out in Fovea's layout by themselves.
"""

import torch
import torch.nn.functional as F

import fixture

FOLDER = fixture.REPOSITORY / "Tests/TensorCoreTests/Fixtures/ops"
written = set()


def case(operation, name, function, inputs, **parameters):
    """Runs `function(**inputs, **parameters)` in float64 and writes the fixture. `inputs` maps a Draw to a
    dictionary."""
    title = f"{operation}-{name}"
    assert title not in written, title
    written.add(title)

    seed = fixture.seed_of(title)
    draw = fixture.Draw(seed)
    stored = inputs(draw)
    exact = {
        key: tensor.double().requires_grad_() if tensor.is_floating_point() else tensor
        for key, tensor in stored.items()
    }
    output = function(exact, **parameters)
    grad_output = draw.normal(*output.shape)
    output.backward(grad_output.double())

    tensors = {f"input.{key}": tensor for key, tensor in stored.items()}
    tensors |= {"output": output, "gradOutput": grad_output}
    tensors |= {f"grad.{key}": tensor.grad for key, tensor in exact.items() if tensor.is_floating_point()}
    for key, tensor in tensors.items():
        assert not tensor.is_floating_point() or torch.isfinite(tensor).all(), (title, key)
    certificate = {
        "operation": operation,
        "case": name,
        "parameters": parameters,
        "layout": "fovea",
        "script": "Tools/reference/operations.py",
        "seed": seed,
    } | fixture.versions()
    fixture.write(FOLDER / f"{title}.safetensors", tensors, certificate)


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


# The operations, each on a dictionary of float64 tensors.


def convolution(t, stride, padding):
    weight = t["weight"].permute(3, 2, 0, 1).contiguous()  # [kh, kw, in, out] -> [out, in, kh, kw]
    return nhwc(F.conv2d(nchw(t["x"]), weight, t.get("bias"), stride=stride, padding=padding))


def matmul(t, transposeLhs=False, transposeRhs=False):
    lhs = t["lhs"].mT if transposeLhs else t["lhs"]
    rhs = t["rhs"].mT if transposeRhs else t["rhs"]
    return lhs @ rhs


def linear(t):
    return F.linear(t["x"], t["weight"].T, t.get("bias"))


def group_norm(t, groups, eps):
    return nhwc(F.group_norm(nchw(t["x"]), groups, t["weight"], t["bias"], eps))


def group_norm_silu(t, groups, eps):
    return F.silu(group_norm(t, groups, eps))


def attention(t, heads):
    """[N, T, heads * d]: softmax(q k^T / sqrt(d)) v for every head, written out."""

    def split(x):  # [N, T, heads * d] -> [N, heads, T, d]
        return x.unflatten(-1, (heads, -1)).transpose(1, 2)

    q, k, v = split(t["q"]), split(t["k"]), split(t["v"])
    weights = torch.softmax(q @ k.mT / q.shape[-1] ** 0.5, dim=-1)
    return (weights @ v).transpose(1, 2).flatten(2)


def upsample_nearest(t, factor):
    return nhwc(F.interpolate(nchw(t["x"]), scale_factor=factor, mode="nearest"))


def average_pool(t, size):
    return nhwc(F.avg_pool2d(nchw(t["x"]), size))


def concatenate(t, axis):
    return torch.cat([t[str(index)] for index in range(len(t))], dim=axis)


def embedding(t):
    return F.embedding(t["indices"], t["table"])


def reduction(function):
    def reduce(t, axes, keepDimensions):
        if axes is None:
            assert not keepDimensions
            return function(t["x"])
        return function(t["x"], dim=axes, keepdim=keepDimensions)

    return reduce


# The cases.

PICTURE = (2, 3, 5, 4)


def arithmetic():
    functions = {
        "add": torch.add,
        "subtract": torch.subtract,
        "multiply": torch.multiply,
        "divide": torch.divide,
    }
    shapes = {
        "same": (PICTURE, PICTURE),
        "by_image": (PICTURE, (2, 1, 1, 4)),
        "by_channel": (PICTURE, (4,)),
        "by_one": (PICTURE, (1,)),
        "by_scalar": (PICTURE, ()),
        "image_first": ((2, 1, 1, 4), PICTURE),
        "scalar_first": ((), PICTURE),
    }
    for operation, function in functions.items():
        for name, (lhs, rhs) in shapes.items():
            case(
                operation,
                name,
                lambda t, function=function: function(t["lhs"], t["rhs"]),
                lambda draw, lhs=lhs, rhs=rhs: {"lhs": draw.normal(*lhs), "rhs": draw.away_from_zero(*rhs)},
            )


def products():
    def of(name, lhs, rhs, **parameters):
        case("matmul", name, matmul, lambda draw: {"lhs": draw.normal(*lhs), "rhs": draw.normal(*rhs)}, **parameters)

    of("plain", (5, 7), (7, 3))
    of("row_by_column", (1, 7), (7, 1))
    of("tall", (49, 17), (17, 5))  # more than 48 rows
    of("transposed_rhs", (5, 7), (3, 7), transposeRhs=True)
    of("transposed_lhs", (7, 5), (7, 3), transposeLhs=True)
    of("batched", (3, 4, 6), (3, 6, 5))
    of("batched_transposed_rhs", (3, 4, 6), (3, 5, 6), transposeRhs=True)

    def affine(name, x, outputs, bias=True):
        def inputs(draw):
            tensors = {"x": draw.normal(*x), "weight": draw.normal(x[-1], outputs)}
            return tensors | ({"bias": draw.normal(outputs)} if bias else {})

        case("linear", name, linear, inputs)

    affine("plain", (5, 7), 3)
    affine("one_row", (1, 7), 3)
    affine("tokens", (2, 6, 7), 4)
    affine("without_bias", (5, 7), 3, bias=False)


def convolutions():
    def of(name, size, kernel, stride, padding, channels, batch=2, bias=True):
        def inputs(draw):
            fan_in = kernel * kernel * channels[0]
            tensors = {
                "x": draw.normal(batch, *size, channels[0]),
                "weight": draw.normal(kernel, kernel, *channels, deviation=fan_in**-0.5),
            }
            return tensors | ({"bias": draw.normal(channels[1])} if bias else {})

        case("convolution", name, convolution, inputs, stride=stride, padding=padding)

    same = dict(kernel=3, stride=1, padding=1)
    of("3x3_odd", (7, 5), channels=(3, 5), **same)
    of("3x3_one_pixel", (1, 1), channels=(3, 5), **same)
    of("3x3_one_row", (1, 6), channels=(3, 5), **same)
    of("3x3_one_channel", (5, 7), channels=(1, 3), **same)
    of("3x3_to_one_channel", (4, 6), channels=(5, 1), **same)
    of("3x3_whole_tiles", (8, 8), channels=(3, 2), batch=1, **same)
    of("3x3_broken_tiles", (9, 13), channels=(2, 3), batch=1, **same)
    of("3x3_from_32", (5, 6), channels=(32, 3), batch=1, **same)
    of("3x3_to_32", (5, 6), channels=(3, 32), batch=1, **same)
    of("3x3_without_bias", (4, 5), channels=(3, 5), bias=False, **same)

    halving = dict(kernel=3, stride=2, padding=1)
    of("3x3_stride2_even", (8, 6), channels=(3, 5), **halving)
    of("3x3_stride2_odd", (7, 5), channels=(3, 5), **halving)
    of("3x3_stride2_mixed", (6, 7), channels=(5, 3), **halving)
    of("3x3_stride2_one_pixel", (1, 1), channels=(3, 5), **halving)
    of("3x3_stride2_from_32", (4, 5), channels=(32, 3), batch=1, **halving)

    pointwise = dict(kernel=1, stride=1, padding=0)
    of("1x1_odd", (7, 5), channels=(5, 3), **pointwise)
    of("1x1_one_pixel", (1, 1), channels=(3, 5), **pointwise)
    of("1x1_one_channel", (3, 4), channels=(1, 1), **pointwise)
    of("1x1_from_32", (3, 5), channels=(32, 3), batch=1, **pointwise)


def norms():
    def of(name, x, groups, eps=1e-5, mean=0.5, deviation=2.0):
        def inputs(draw):
            return {
                "x": draw.normal(*x, mean=mean, deviation=deviation),
                "weight": draw.normal(x[-1], mean=1.0, deviation=0.5),
                "bias": draw.normal(x[-1]),
            }

        case("group_norm", name, group_norm, inputs, groups=groups, eps=eps)
        case("group_norm_silu", name, group_norm_silu, inputs, groups=groups, eps=eps)

    of("4_groups", (2, 5, 3, 12), 4)
    of("1_group", (2, 3, 5, 6), 1)
    of("group_per_channel", (2, 5, 3, 6), 6)
    of("one_pixel", (2, 1, 1, 12), 3)
    of("32_channels", (1, 3, 5, 32), 8, eps=1e-6)
    of("small_variance", (2, 5, 3, 6), 3, deviation=3e-3)  # the variance is of eps's size
    of("large_mean", (2, 5, 3, 6), 3, mean=100.0, deviation=1.0)  # E[x^2] - E[x]^2 in float32 fails here


def activations():
    def of(operation, name, function, shape, **distribution):
        case(operation, name, lambda t: function(t["x"]), lambda draw: {"x": draw.normal(*shape, **distribution)})

    of("silu", "moderate", F.silu, PICTURE, deviation=2.0)
    of("silu", "extreme", F.silu, (2, 23), deviation=40.0)
    of("square", "picture", torch.square, PICTURE)
    of("square", "scalar", torch.square, ())
    of("exp", "picture", torch.exp, PICTURE)
    of("exp", "wide", torch.exp, (2, 23), deviation=15.0)

    def softmax(x):
        return torch.softmax(x, dim=-1)

    of("softmax", "plain", softmax, (4, 7))
    of("softmax", "deep", softmax, (2, 3, 5, 9), deviation=2.0)
    of("softmax", "one_column", softmax, (4, 1))
    of("softmax", "large_logits", softmax, (3, 11), mean=1000.0, deviation=3.0)

    def attend(name, batch, tokens, heads, width, deviation=1.0):
        shape = (batch, tokens, heads * width)

        def inputs(draw):
            return {key: draw.normal(*shape, deviation=deviation) for key in "qkv"}

        case("attention", name, attention, inputs, heads=heads)

    attend("1_head", 2, 7, 1, 5)
    attend("2_heads", 2, 9, 2, 4)
    attend("3_heads", 1, 15, 3, 5)
    attend("head_per_channel", 2, 6, 3, 1)
    attend("one_token", 2, 1, 2, 3)
    attend("sharp", 1, 9, 2, 4, deviation=5.0)


def rearrangements():
    def of(operation, name, function, shape, **parameters):
        case(operation, name, function, lambda draw: {"x": draw.normal(*shape)}, **parameters)

    of("upsample_nearest", "odd", upsample_nearest, (2, 3, 5, 4), factor=2)
    of("upsample_nearest", "one_pixel", upsample_nearest, (2, 1, 1, 3), factor=2)
    of("average_pool", "picture", average_pool, (2, 6, 4, 3), size=2)
    of("average_pool", "to_one_pixel", average_pool, (2, 2, 2, 5), size=2)

    def join(name, *shapes):
        def inputs(draw):
            return {str(index): draw.normal(*shape) for index, shape in enumerate(shapes)}

        case("concatenate", name, concatenate, inputs, axis=3)

    join("two", (2, 3, 5, 4), (2, 3, 5, 3))
    join("three", (2, 3, 2, 1), (2, 3, 2, 5), (2, 3, 2, 2))

    def look_up(name, rows, width, indices):
        def inputs(draw):
            return {"table": draw.normal(rows, width), "indices": torch.tensor(indices)}

        case("embedding", name, embedding, inputs)

    look_up("repeated", 5, 6, [3, 0, 3, 4, 3, 0, 1])  # row 2 is never read: its gradient is zero
    look_up("grid", 4, 3, [[1, 1, 0], [3, 1, 0]])

    for operation, function in (("sum", torch.sum), ("mean", torch.mean)):
        reduce = reduction(function)
        of(operation, "all", reduce, PICTURE, axes=None, keepDimensions=False)
        of(operation, "space", reduce, PICTURE, axes=[1, 2], keepDimensions=True)
        of(operation, "images_and_space", reduce, PICTURE, axes=[0, 1, 2], keepDimensions=True)
        of(operation, "first_axis", reduce, PICTURE, axes=[0], keepDimensions=True)
        of(operation, "last_axis", reduce, PICTURE, axes=[3], keepDimensions=True)
        of(operation, "middle_axes_dropped", reduce, PICTURE, axes=[1, 3], keepDimensions=False)


if __name__ == "__main__":
    arithmetic()
    products()
    convolutions()
    norms()
    activations()
    rearrangements()
    print(f"{len(written)} operation fixtures in {FOLDER.relative_to(fixture.REPOSITORY)}")
