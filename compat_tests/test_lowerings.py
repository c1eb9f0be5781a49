"""Every lowering of convolution and pooling against XLA's plain operations: values, gradients, gradients of those."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from kjax import backend as K
from kjax.backend import _canonical, _lowerings, _pooled, convolution
from kjax.backend._channels import channel_sums, spread
from kjax.backend._windows import Window, make_window
from kjax.engine._programs import is_slow_in_loop

pytestmark = pytest.mark.optimized

# input (batch, space..., channels), kernel, strides, padding, dilations: each kind of lowering once or twice.
CONVOLUTIONS: dict[str, tuple[Any, ...]] = {
    "valid": ((5, 7, 8, 5), (3, 3, 5, 6), (1, 1), "valid", (1, 1)),
    "same": ((1, 6, 5, 8), (3, 2, 8, 4), (1, 1), "same", (1, 1)),
    "columns": ((3, 8, 7, 1), (3, 3, 1, 4), (1, 1), "valid", (1, 1)),
    "strided": ((2, 9, 10, 4), (3, 4, 4, 6), (2, 3), "same", (1, 1)),
    "stride beyond the window": ((2, 9, 10, 8), (2, 1, 8, 3), (3, 2), "valid", (1, 1)),
    "rows left over": ((2, 10, 11, 6), (3, 3, 6, 2), (2, 2), "valid", (1, 1)),
    "dilated": ((2, 11, 9, 5), (3, 2, 5, 4), (1, 1), "same", (2, 3)),
    "pointwise": ((3, 5, 4, 6), (1, 1, 6, 3), (2, 1), "valid", (1, 1)),
    "sequence": ((3, 12, 5), (4, 5, 6), (1,), "causal", (2,)),
    "strided sequence": ((3, 12, 9), (5, 9, 2), (2,), "same", (1,)),
    "volume": ((2, 5, 6, 4, 3), (3, 2, 3, 3, 4), (1, 1, 1), "same", (1, 1, 1)),
    "strided volume": ((2, 6, 7, 5, 4), (2, 3, 2, 4, 3), (2, 2, 1), "valid", (1, 1, 1)),
}
DEPTHWISE: dict[str, tuple[Any, ...]] = {
    "same": ((5, 6, 7, 4), (3, 3, 4, 1), (1, 1), "same", (1, 1)),
    "multiplied": ((3, 7, 6, 2), (2, 3, 2, 3), (2, 2), "valid", (1, 1)),
    "dilated sequence": ((2, 11, 3), (3, 3, 2), (1,), "causal", (2,)),
}
POOLS: dict[str, tuple[Any, ...]] = {
    "halved": ((2, 8, 6, 3), (2, 2), (2, 2), "valid"),
    "rows left over": ((2, 7, 9, 3), (2, 2), (2, 2), "valid"),
    "overlapping": ((2, 9, 7, 2), (3, 3), (2, 2), "same"),
    "every cell": ((1, 5, 6, 2), (3, 2), (1, 1), "same"),
    "gaps": ((2, 9, 9, 2), (2, 2), (3, 4), "valid"),
    "sequence": ((3, 11, 2), (3,), (2,), "same"),
    "volume": ((2, 4, 5, 6, 2), (2, 2, 2), (2, 2, 2), "same"),
    "large": ((2, 14, 12, 2), (7, 6), (7, 3), "same"),
}


def random(*shape: int) -> Any:
    return jnp.asarray(np.random.standard_normal(shape).astype("float32"))


def window_of(case: tuple[Any, ...]) -> Window:
    x, kernel, strides, padding, dilations = case
    return make_window(padding, x[1:-1], kernel[:-2], strides, dilations)


def plain(x: Any, kernel: Any, window: Window, groups: int = 1) -> Any:
    """XLA's convolution, with the gradients that JAX gives it."""
    letters = "DHW"[-window.rank :]
    names = (f"N{letters}C", f"{letters}IO", f"N{letters}C")
    return lax.conv_general_dilated(
        x, kernel, window.strides, window.pads, None, window.dilations, names, feature_group_count=groups
    )


def plain_depthwise(x: Any, kernel: Any, window: Window) -> Any:
    return plain(x, kernel.reshape((*window.sizes, 1, -1)), window, kernel.shape[-2])


def first_and_second_order(function: Callable[..., Any]) -> Callable[..., Any]:
    """Value, gradients, and the gradients of a penalty on the gradients, as a GAN's critic needs them."""

    def penalty(a: Any, b: Any) -> Any:
        slopes = jax.grad(lambda a, b: jnp.sum(jnp.sin(function(a, b))), argnums=(0, 1))(a, b)
        return sum(jnp.sum(jnp.square(slope)) for slope in slopes)

    def everything(a: Any, b: Any) -> Any:
        first = jax.grad(lambda a, b: jnp.sum(jnp.cos(function(a, b))), argnums=(0, 1))(a, b)
        return function(a, b), first, jax.grad(penalty, argnums=(0, 1))(a, b)

    return everything


def assert_close(got: Any, wanted: Any) -> None:
    """Equal to float32 rounding: relative to the largest number of the array, since sums run in another order."""
    for one, other in zip(jax.tree.leaves(got), jax.tree.leaves(wanted), strict=True):
        assert one.shape == other.shape
        scale = max(1.0, float(np.abs(other).max(initial=0)))
        np.testing.assert_allclose(np.asarray(one) / scale, np.asarray(other) / scale, atol=5e-6, rtol=0)


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolution_equals_the_plain_one(name: str) -> None:
    case = CONVOLUTIONS[name]
    window, x, kernel = window_of(case), random(*case[0]), random(*case[1])
    got = jax.jit(first_and_second_order(lambda x, k: _lowerings.convolve(x, k, window)))(x, kernel)
    assert_close(got, jax.jit(first_and_second_order(lambda x, k: plain(x, k, window)))(x, kernel))


@pytest.mark.parametrize("name", DEPTHWISE)
def test_depthwise_equals_the_plain_one(name: str) -> None:
    case = DEPTHWISE[name]
    window, x, kernel = window_of(case), random(*case[0]), random(*case[1])
    got = jax.jit(first_and_second_order(lambda x, k: _lowerings.depthwise(x, k, window)))(x, kernel)
    assert_close(got, jax.jit(first_and_second_order(lambda x, k: plain_depthwise(x, k, window)))(x, kernel))


def test_depthwise_gradient_sums_groups_of_images_that_do_not_divide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kjax.backend._depthwise.CACHED_NUMBERS", 2 * 6 * 7 * 4)
    test_depthwise_equals_the_plain_one("same")


@pytest.mark.parametrize("name", ["strided", "valid", "strided volume", "strided sequence", "dilated"])
def test_transposed_convolution_is_the_gradient(name: str) -> None:
    case = CONVOLUTIONS[name]
    window, kernel = window_of(case), random(*case[1])
    g = random(case[0][0], *window.outputs, case[1][-1])
    like = jax.ShapeDtypeStruct(case[0], "float32")

    def wanted(g: Any, kernel: Any) -> Any:
        return jax.linear_transpose(lambda x: plain(x, kernel, window), like)(g)[0]

    got = jax.jit(first_and_second_order(lambda g, k: _lowerings.convolve_transposed(g, k, window)))(g, kernel)
    assert_close(got, jax.jit(first_and_second_order(wanted))(g, kernel))


@pytest.mark.parametrize("groups", [2, 6])
def test_groups_of_channels(groups: int) -> None:
    window = make_window("same", (6, 5), (3, 3), (1, 1))
    x, kernel = random(2, 6, 5, 6), random(3, 3, 6 // groups, 12)
    got = jax.jit(jax.value_and_grad(lambda k: jnp.mean(jnp.square(_lowerings.convolve(x, k, window, groups)))))(kernel)
    assert_close(got, jax.jit(jax.value_and_grad(lambda k: jnp.mean(jnp.square(plain(x, k, window, groups)))))(kernel))


def test_forward_derivatives_and_vmap() -> None:
    case = CONVOLUTIONS["strided"]
    window, x, kernel, dx = window_of(case), random(*case[0]), random(*case[1]), random(*case[0])
    value, slope = jax.jvp(lambda x: _lowerings.convolve(x, kernel, window), (x,), (dx,))
    assert_close((value, slope), (plain(x, kernel, window), plain(dx, kernel, window)))
    pools = [lambda x: K.pool2d(x, (3, 5), (3, 5)), lambda x: jnp.max(x.reshape(2, 3, 3, 2, 5, 4), (2, 4))]
    assert_close(*(jax.jvp(pool, (x,), (dx,)) for pool in pools))
    kernels = jnp.stack([kernel, 2 * kernel])
    by_kernel = jax.vmap(lambda k: _lowerings.convolve(x, k, window))(kernels)
    assert_close(by_kernel, jnp.stack([plain(x, k, window) for k in kernels]))
    per_sample = jax.vmap(jax.grad(lambda x, k: jnp.sum(_lowerings.convolve(x[None], k, window)), argnums=1), (0, None))
    assert_close(jnp.sum(per_sample(x, kernel), 0), jax.grad(lambda k: jnp.sum(plain(x, k, window)))(kernel))


def test_sums_of_channels_and_their_transposes() -> None:
    x, v = random(3, 4, 5, 6), random(6)
    plainly = jnp.sum(x, (0, 1, 2)), jnp.broadcast_to(v.reshape(1, 1, 1, 6), x.shape)
    assert_close((channel_sums(x), spread(v, x.shape)), plainly)
    slope = jax.grad(lambda v: jnp.sum(jnp.square(spread(v, x.shape) * x)))(v)
    assert_close(slope, 2 * v * jnp.sum(jnp.square(x), (0, 1, 2)))
    assert_close(jax.grad(lambda x: jnp.sum(jnp.square(channel_sums(x))))(x), 2 * spread(channel_sums(x), x.shape))


def reduced(x: Any, window: Window, operation: Any, start: float) -> Any:
    widths = (1, *window.sizes, 1), (1, *window.strides, 1), ((0, 0), *window.pads, (0, 0))
    return lax.reduce_window(x, start, operation, *widths)


@pytest.mark.parametrize("kind", ["max", "sum"])
@pytest.mark.parametrize("name", POOLS)
def test_pooling_equals_the_plain_one(name: str, kind: str) -> None:
    shape, sizes, strides, padding = POOLS[name]
    window = make_window(padding, shape[1:-1], sizes, strides)
    x = random(*shape)
    ours = _lowerings.pool_max if kind == "max" else _lowerings.pool_sum
    theirs = (lax.max, -np.inf) if kind == "max" else (lax.add, 0.0)

    def with_slope(function: Callable[[Any], Any]) -> Any:
        return jax.jit(lambda x: (function(x), jax.grad(lambda x: jnp.sum(jnp.sin(function(x))))(x)))(x)

    assert_close(with_slope(lambda x: ours(x, window)), with_slope(lambda x: reduced(x, window, *theirs)))


def test_gradient_of_a_gradient_through_max_pooling() -> None:
    x = random(2, 6, 6, 3)

    def penalty(pool: Callable[[Any], Any]) -> Any:
        slope = jax.grad(lambda x: jnp.sum(jnp.tanh(pool(x))))
        return jax.jit(jax.grad(lambda x: jnp.sum(jnp.square(slope(x)))))(x)

    wanted = penalty(lambda x: jnp.max(x.reshape(2, 3, 2, 3, 2, 3), (2, 4)))
    assert_close(penalty(lambda x: K.pool2d(x, (2, 2), (2, 2))), wanted)


@pytest.mark.parametrize("taps", [_pooled.MOST_TAPS, 1])
def test_a_tie_goes_to_the_first(taps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pooled, "MOST_TAPS", taps)
    slope = jax.jit(jax.grad(lambda x: jnp.sum(K.pool2d(x, (2, 2), (2, 2)))))(jnp.zeros((1, 2, 4, 1)))
    np.testing.assert_array_equal(slope[0, :, :, 0], [[1, 0, 1, 0], [0, 0, 0, 0]])


def test_the_largest_of_a_window_with_a_number_that_is_none() -> None:
    x = jnp.array([1.0, np.nan, 3.0, 2.0]).reshape(1, 2, 2, 1)
    assert np.isnan(K.pool2d(x, (2, 2), (2, 2))).all()


def looped(step: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda x, k: lax.fori_loop(0, 2, lambda _, k: k - 0.01 * step(x, k), k)


def slope_of(x: Any, k: Any) -> Any:
    return jax.grad(lambda k: jnp.sum(jnp.sin(K.pool2d(K.conv2d(x, k), (2, 2), (2, 2)))))(k)


def test_inside_of_a_loop() -> None:
    x, kernel = random(3, 7, 7, 2), random(2, 2, 2, 3)
    stepped = kernel - 0.01 * slope_of(x, kernel)
    assert_close(jax.jit(looped(slope_of))(x, kernel), stepped - 0.01 * slope_of(x, stepped))


def test_what_is_slow_in_a_loop() -> None:
    x, kernel, square = random(2, 8, 8, 6), random(3, 3, 6, 6), make_window("same", (8, 8), (3, 3), (1, 1))

    def is_slow(function: Callable[[Any, Any], Any]) -> bool:
        traced = jax.jit(looped(jax.grad(lambda a, b: jnp.sum(jnp.sin(function(a, b))), argnums=1))).trace(x, kernel)
        return is_slow_in_loop(traced.jaxpr)

    assert is_slow(lambda x, k: plain(x, k, square))
    assert not is_slow(lambda x, k: K.conv2d(x, k, padding="same"))
    assert not is_slow(lambda x, k: K.conv2d(jnp.moveaxis(x, -1, 1), k, (2, 2), data_format="channels_first"))
    assert not is_slow(lambda x, k: K.depthwise_conv2d(x, k[..., :1]))
    assert not is_slow(lambda x, k: K.conv2d_transpose(x, k, (2, 16, 16, 6), (2, 2), "same"))
    assert not is_slow(lambda x, k: K.pool2d(K.conv2d(x, k), (3, 3), (1, 1), "same", pool_mode="avg"))


def test_a_loop_keeps_the_arrangement_that_xla_is_fast_in() -> None:
    """What is compiled is a convolution of XLA's own arrangement, in a loop's body too."""
    program = jax.jit(looped(slope_of), compiler_options=_lowerings.compiler_options())
    text = program.lower(random(3, 7, 7, 2), random(2, 2, 2, 3)).compile().as_text()
    assert text is not None
    assert "dim_labels=" not in text.replace("dim_labels=b01f_01io->b01f", "")


def test_other_devices_run_the_plain_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    x, kernel, tap = random(2, 7, 6, 4), random(3, 2, 4, 6), random(2, 2, 4, 3)

    def results(x: Any) -> list[Any]:
        return [
            K.conv2d(x, kernel, (2, 1), "same"),
            K.conv2d(x, kernel[:, :, :2], dilation_rate=2)[..., :4],
            K.conv2d_transpose(x, tap.swapaxes(2, 3), (2, 14, 12, 3), (2, 2), "same"),
            K.depthwise_conv2d(x, tap),
            K.pool2d(x, (3, 3), (2, 2), "same"),
            K.pool2d(x, (2, 3), (2, 1), pool_mode="avg"),
        ]

    def with_slopes(x: Any) -> Any:
        return results(x), jax.grad(lambda x: sum(jnp.sum(jnp.sin(y)) for y in results(x)))(x)

    here = jax.jit(with_slopes)(x)
    monkeypatch.setattr(_lowerings, "on_cpu", lambda: False)
    plainly = jax.jit(lambda x: with_slopes(x))
    assert "reduce_window_max" in str(plainly.trace(x).jaxpr)
    assert_close(here, plainly(x))


def test_shapes_alone() -> None:
    """Programs with a batch of unknown size are traced with a large one: nothing may grow with it."""
    x, kernel = jax.ShapeDtypeStruct((40320, 28, 28, 3), "float32"), jax.ShapeDtypeStruct((3, 3, 3, 8), "float32")
    window = make_window("same", (28, 28), (3, 3), (1, 1))
    assert jax.eval_shape(lambda x, k: _lowerings.convolve(x, k, window), x, kernel).shape == (40320, 28, 28, 8)
    slope = jax.make_jaxpr(jax.grad(lambda k, x: jnp.sum(_lowerings.convolve(x, k, window))))(kernel, x)
    assert len(slope.eqns) < 10


def test_first_layers_use_columns_and_others_do_not() -> None:
    window = make_window("valid", (8, 8), (3, 3), (1, 1))

    def names(channels: int) -> set[str]:
        x, kernel = random(1, 8, 8, channels), random(3, 3, channels, 4)
        return {e.primitive.name for e in jax.make_jaxpr(lambda x, k: _canonical.forward(x, k, window))(x, kernel).eqns}

    assert "dot_general" in str(names(3))
    assert "conv_general_dilated" not in names(3)
    assert "conv_general_dilated" in names(8)


class TestBiased:
    """A convolution and its bias as one operation, against XLA's convolution and a plain sum."""

    @staticmethod
    def sums(window: Window) -> tuple[Any, Any]:
        """A number that depends on all of input, kernel and bias: by kjax, and plainly."""

        def joined(x: Any, kernel: Any, bias: Any) -> Any:
            return jnp.sin(_lowerings.convolve_biased(x, kernel, bias, window)).sum()

        def apart(x: Any, kernel: Any, bias: Any) -> Any:
            return jnp.sin(plain(x, kernel, window) + bias.reshape((1,) * (x.ndim - 1) + (-1,))).sum()

        return joined, apart

    @pytest.mark.parametrize("name", ["valid", "same", "columns", "strided", "sequence", "strided sequence"])
    def test_gradients_and_those_of_gradients(self, name: str) -> None:
        case = CONVOLUTIONS[name]
        arrays = random(*case[0]), random(*case[1]), random(case[1][-1])
        joined, apart = self.sums(window_of(case))

        def everything(f: Any) -> Any:
            first = jax.grad(f, (0, 1, 2))
            return jax.jvp(first, arrays, arrays), jax.grad(lambda *a: sum((g**2).sum() for g in first(*a)))(*arrays)

        for ours, expected in zip(*(jax.tree.leaves(everything(f)) for f in (joined, apart)), strict=True):
            np.testing.assert_allclose(ours, expected, rtol=2e-3, atol=2e-3 * float(jnp.abs(expected).max()))

    def test_a_tap_that_always_sees_the_input_is_found_or_refused(self) -> None:
        inside = make_window("same", (6, 6), (3, 3), (1, 1), (1, 1))
        assert inside.always == (1, 1)
        between = make_window("same", (6,), (2,), (1,), (5,))  # each tap sees padding somewhere
        assert between.always is None
        assert _lowerings.convolve_biased(random(1, 6, 2), random(2, 2, 3), random(3), between) is None

    def test_a_layer_trains_its_bias_where_no_tap_sees_all(self) -> None:
        x, kernel, bias = random(2, 6, 2), random(2, 2, 3), random(3)
        window = make_window("same", (6,), (2,), (1,), (5,))
        ours = jax.grad(lambda b: (convolution.convolve(x, kernel, b, 1, "same", None, 5) ** 2).sum())(bias)
        expected = jax.grad(lambda b: ((plain(x, kernel, window) + b[None, None]) ** 2).sum())(bias)
        np.testing.assert_allclose(ours, expected, rtol=1e-5)
