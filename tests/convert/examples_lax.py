"""Example calls of the functions of `jax.lax`, `jax.nn` and `jax.random` that are on the pure list."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from tests.convert.examples import B, C, Examples, H, I, J, K, M, N, P, S, T, U, V, W, call, each, join

FLOAT_UNARY = """
    abs asinh atan bessel_i0e bessel_i1e cbrt ceil cos cosh erf erfc exp exp2 expm1 floor is_finite lgamma logistic neg
    reciprocal round sign sin sinh square tan tanh
"""
UNIT_UNARY = "acos asin atanh digamma erf_inv log log1p log2 rsqrt sqrt"
BINARY = "add sub mul div max min rem atan2 nextafter eq ne ge gt le lt"
IMAGE = T[:, None]  # batch 2, one channel, 3 by 4
KERNEL = M[None, None, :2, :2]
GATHER = lax.GatherDimensionNumbers(offset_dims=(), collapsed_slice_dims=(0,), start_index_map=(0,))
SCATTER = lax.ScatterDimensionNumbers(
    update_window_dims=(), inserted_window_dims=(0,), scatter_dims_to_operand_dims=(0,)
)

LAX: Examples = join(
    each(FLOAT_UNARY, call(V), call(H), call(2.5), call(N)),
    each(UNIT_UNARY, call(P), call(0.5)),
    each("acosh", call(P + 1.0)),
    each("conj real imag", call(C)),
    each("complex", call(V, W)),
    each(BINARY, call(V, W), call(V, 2.0), call(2.5, V), call(H, H), call(1.5, 2.0)),
    each("bitwise_and bitwise_or bitwise_xor mulhi", call(I, J), call(I, 3)),
    each("bitwise_not clz population_count", call(I)),
    each("shift_left shift_right_arithmetic shift_right_logical", call(J, J), call(J, 2)),
    each("pow", call(P, W), call(V, I), call(P, 2), call(P, 0.5)),
    each("integer_pow", call(V, 2), call(I, 3), call(V, 1)),
    each("igamma igammac igamma_grad_a random_gamma_grad zeta", call(P + 1.5, P)),
    each("polygamma", call(P + 1.0, P), call(1.0, P)),
    each("betainc", call(P, P + 1.0, P), call(1.0, 2.0, P)),
    each("clamp", call(0.0, V, 1.0), call(W - 5.0, V, W + 5.0)),
    each("approx_max_k approx_min_k", call(V, 2)),
    each("argmax argmin", call(M, 1, jnp.int32), call(V, axis=0, index_dtype=jnp.int32)),
    each("batch_matmul", call(T, T.transpose(0, 2, 1))),
    each("bitcast_convert_type", call(V, jnp.int32), call(V, jnp.float32)),
    each("broadcast", call(V, (2,)), call(V, ()), call(1.0, (3,))),
    each("broadcast_in_dim", call(V, (2, 4), (1,)), call(V, (4,), (0,))),
    each("broadcast_shapes", call((3, 1), (1, 4))),
    each("broadcast_to_rank", call(V, 2), call(V, 1)),
    each("broadcasted_iota", call(jnp.int32, (2, 3), 1), call(jnp.float32, (2,), dimension=0)),
    each("collapse", call(T, 0, 2), call(T, 1)),
    each("concatenate", call([V, W], 0), call((M, M), dimension=1), call([V], 0)),
    each("conv", call(IMAGE, KERNEL, (1, 1), "SAME"), call(IMAGE, KERNEL, (2, 1), padding="VALID")),
    each(
        "conv_general_dilated",
        call(IMAGE, KERNEL, (1, 1), [(0, 1), (1, 0)]),
        call(IMAGE, KERNEL, (1, 1), "SAME", dimension_numbers=("NCHW", "OIHW", "NCHW"), rhs_dilation=(1, 1)),
    ),
    each("conv_general_dilated_patches", call(IMAGE, (2, 2), (1, 1), "VALID")),
    each(
        "conv_general_dilated_local",
        call(IMAGE, jnp.ones((1, 4, 2, 3), jnp.float32), (1, 1), "VALID", filter_shape=(2, 2)),
    ),
    each("conv_transpose", call(IMAGE, KERNEL, (2, 2), "SAME", dimension_numbers=("NCHW", "OIHW", "NCHW"))),
    each("conv_with_general_padding", call(IMAGE, KERNEL, (1, 1), [(0, 0), (1, 1)], (1, 1), (1, 1))),
    each("conv_dimension_numbers", call((2, 1, 3, 4), (1, 1, 2, 2), ("NCHW", "OIHW", "NCHW"))),
    each("padtype_to_pads", call((3, 4), (2, 2), (1, 1), "SAME")),
    each("convert_element_type", call(V, jnp.int32), call(V, jnp.float32), call(N, jnp.float32), call(2.0, jnp.int8)),
    each("cumsum cumprod cummax cummin cumlogsumexp", call(V), call(M, axis=1), call(V, 0, reverse=True)),
    each("dot", call(M, V), call(V, W)),
    each("dot_general", call(M, V, (((1,), (0,)), ((), ()))), call(T, T, (((2,), (2,)), ((0,), (0,))))),
    each("dtype", call(V), call(2.0)),
    each("dynamic_index_in_dim", call(V, 1), call(M, J[0], 1), call(V, 2, keepdims=False)),
    each("dynamic_slice", call(V, (1,), (2,)), call(M, (J[0], 0), (2, 2)), call(V, (0,), (4,)), call(V, J[:1], (2,))),
    each("dynamic_slice_in_dim", call(V, 1, 2), call(M, J[0], 2, axis=1), call(V, 0, 4)),
    each("dynamic_update_index_in_dim", call(V, 9.0, 1, 0), call(M, M[0], J[0], axis=0)),
    each("dynamic_update_slice", call(V, W[:2], (1,)), call(M, M[:2, :2], (J[0], 0)), call(V, W, (0,))),
    each("dynamic_update_slice_in_dim", call(V, W[:2], 1, 0), call(M, M[:1], J[0], axis=0)),
    each("empty", call((2, 3), jnp.float32)),
    each("expand_dims", call(V, (0,)), call(V, ())),
    each("fft", call(C, lax.FftType.FFT, (4,)), call(V, "rfft", (4,))),
    each("full", call((2, 3), 1.5), call((2,), 3), call((2,), P[0]), call((), 2.0, jnp.float32)),
    each("full_like", call(V, 2.0), call(I, 1), call(V, P[0]), call(V, 1, dtype=jnp.int8), call(V, 2.0, shape=(2,))),
    each("gather", call(V, J[:, None], GATHER, (1,)), call(V, J[:, None], GATHER, slice_sizes=(1,), mode="clip")),
    each("index_in_dim", call(M, 1), call(M, -1, 1, keepdims=False)),
    each("index_take", call(V, (J,), (0,))),
    each("iota", call(jnp.int32, 4), call(jnp.float32, size=3)),
    each("optimization_barrier", call(V), call((V, {"a": W}))),
    each("pad", call(V, 0.0, ((1, 2, 0),)), call(V, P[0], [(0, 0, 1)]), call(V, 0.0, ((0, 0, 0),))),
    each("ragged_dot", call(M, T.transpose(0, 2, 1), jnp.array([1, 2], jnp.int32))),
    each("reduce_and reduce_or reduce_xor", call(B, (0,)), call(I, axes=(0,))),
    each("reduce_max reduce_min reduce_prod reduce_sum", call(V, (0,)), call(M, axes=(1,)), call(V, ())),
    each("reduce_precision", call(V, 5, 10)),
    each("reshape", call(M, (4, 3)), call(V, (4,)), call(M, new_sizes=(12,))),
    each("rev", call(V, (0,)), call(V, ())),
    each("rng_bit_generator", call(jnp.arange(4, dtype=jnp.uint32), (3,)), call(U, shape=(2,), dtype=jnp.uint32)),
    each("scatter scatter_add scatter_max scatter_min scatter_mul", call(V, J[:2, None], W[:2], SCATTER)),
    each("scatter_sub", call(V, J[:2, None], W[:2], SCATTER)),
    each("scatter_add", call(V, J[:2, None], W[:2], SCATTER, mode="drop", unique_indices=True)),
    each("select", call(B, V, W), call(B[0], V, W)),
    each("select_n", call(B, V, W), call(J % 2, V, W)),
    each("slice", call(V, (1,), (3,)), call(M, (0, 0), (3, 4)), call(V, (0,), (4,), (2,)), call(V, (0,), (4,))),
    each("slice_in_dim", call(V, 1, 3), call(M, 0, None, 2, axis=1), call(V, 0, 4)),
    each("sort", call(V), call(M, dimension=0), call((V, W)), call([V, W], num_keys=2)),
    each("sort_key_val", call(V, W)),
    each("split", call(V, (1, 3)), call(M, (2, 2), axis=1), call(V, (4,))),
    each("squeeze", call(M[None], (0,)), call(V, ())),
    each("stack", call([V, W]), call([V, W], axis=1)),
    each("unstack", call(M), call(M, axis=1)),
    each("stop_gradient", call(V), call((V, I)), call([V, None])),
    each("tile", call(V, (2,)), call(V, (1,))),
    each("top_k", call(V, 2), call(M, k=1)),
    each("transpose", call(M, (1, 0)), call(V, (0,))),
)

DIAGONAL = jnp.array([2.0, 3.0, 4.0], jnp.float32)
OFF_DIAGONAL = jnp.array([0.0, 0.5, 1.0], jnp.float32)

LAX_LINALG: Examples = join(
    each("cholesky", call(S), call(S, symmetrize_input=False)),
    each("cholesky_update", call(jnp.linalg.cholesky(S).T, DIAGONAL)),
    each("eig", call(S)),
    each("eigh", call(S), call(S, lower=False)),
    each("hessenberg", call(S)),
    each("householder_product", call(S, DIAGONAL)),
    each("lu", call(S)),
    each("lu_pivots_to_permutation", call(jnp.array([1, 2, 2], jnp.int32), 3)),
    each("qr", call(M), call(M, full_matrices=False)),
    each("schur", call(S)),
    each("svd", call(M), call(M, full_matrices=False), call(M, compute_uv=False)),
    each("symmetric_product", call(M, S), call(M, S, alpha=2.0, beta=0.5)),
    each("triangular_solve", call(S, S, left_side=True, lower=True)),
    each("tridiagonal", call(S)),
    each("tridiagonal_solve", call(OFF_DIAGONAL, DIAGONAL, OFF_DIAGONAL[::-1], S)),
)

ACTIVATIONS = """
    celu elu gelu hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu log_sigmoid log_softmax mish relu relu6 selu
    sigmoid silu soft_sign softmax softplus sparse_plus sparse_sigmoid squareplus swish tanh standardize logsumexp
    logmeanexp identity
"""

NN: Examples = join(
    each(ACTIVATIONS, call(V), call(H), call(M)),
    each("relu sigmoid tanh softplus silu gelu leaky_relu elu identity", call(2.5), call(N)),
    each("log1mexp", call(P)),
    each("glu", call(V), call(M, axis=1)),
    each("gelu", call(V, approximate=False)),
    each("elu celu", call(V, 0.5), call(V, alpha=P[0])),
    each("leaky_relu", call(V, 0.2), call(V, negative_slope=P[0])),
    each("squareplus", call(V, 2.0)),
    each("softmax log_softmax", call(M, axis=0), call(M, -1), call(M, axis=(0, 1)), call(V, where=B)),
    each("logsumexp", call(M, axis=1), call(V, b=P), call(V, keepdims=True), call(V, return_sign=True)),
    each("logmeanexp", call(M, axis=1)),
    each("one_hot", call(J, 4), call(2, 3), call(J, num_classes=5, dtype=jnp.int32), call(J, 4, axis=0)),
    each("standardize", call(M, axis=0), call(V, mean=0.5, variance=P[0]), call(V, epsilon=1e-3)),
    each("dot_product_attention", call(T[:, :, None], T[:, :, None], T[:, :, None])),
    each("dot_product_attention", call(T[:, :, None], T[:, :, None], T[:, :, None], scale=0.5, is_causal=True)),
)

SAMPLERS = """
    cauchy double_sided_maxwell exponential gumbel laplace logistic maxwell normal uniform bits rademacher lognormal
    rayleigh_of bernoulli
"""

RANDOM: Examples = join(
    each(SAMPLERS.replace("rayleigh_of", "").replace("double_sided_maxwell", ""), call(K), call(K, shape=(3,))),
    each("normal uniform exponential gumbel", call(K, (2, 2)), call(K, (3,), jnp.float16), call(K, dtype="float32")),
    each("uniform", call(K, (3,), minval=-1.0, maxval=2.0), call(K, (3,), jnp.float32, P[0], 2), call(K, (), maxval=5)),
    each("PRNGKey key", call(0), call(3), call(J[0]), call(2**31 - 1)),
    each("PRNGKey key", call(-1), call(np.int64(5))),
    each("key_data key_impl clone", call(K)),
    each("key_impl", call(jax.random.PRNGKey(0))),
    each("wrap_key_data", call(jax.random.key_data(K))),
    each("split", call(K), call(K, 3), call(K, num=(2, 2)), call(jax.random.PRNGKey(0))),
    each("fold_in", call(K, 3), call(K, J[0]), call(jax.random.PRNGKey(0), 2)),
    each("ball", call(K, 3), call(K, d=2, p=2.0, shape=(2,))),
    each("bernoulli", call(K, 0.25), call(K, P), call(K, P, (4,))),
    each("beta", call(K, 1.5, 2.0), call(K, P, W + 3.0), call(K, 1.0, 2.0, shape=(3,))),
    each("binomial", call(K, 5.0, 0.5), call(K, 4, P, shape=(4,))),
    each("categorical", call(K, V), call(K, M, axis=0), call(K, V, shape=(3,)), call(K, V, replace=False, shape=(2,))),
    each("chisquare t", call(K, 2.0), call(K, P + 1.0, shape=(4,))),
    each("choice", call(K, 5), call(K, V), call(K, V, (2,), replace=False), call(K, V, (3,), p=P / P.sum())),
    each("dirichlet", call(K, P), call(K, P, shape=(2,))),
    each("double_sided_maxwell", call(K, 0.5, 1.0, (3,)), call(K, V, P, shape=(4,))),
    each("f", call(K, 2.0, 3.0), call(K, P + 1.0, 2.0, shape=(4,))),
    each("gamma loggamma", call(K, 2.0), call(K, P + 1.0), call(K, 0.5, shape=(3,))),
    each("generalized_normal", call(K, 2.0, (3,))),
    each("geometric", call(K, 0.5), call(K, P, shape=(4,))),
    each("lognormal", call(K, 0.5), call(K, sigma=P[0], shape=(2,))),
    each("multinomial", call(K, 4.0, P / P.sum())),
    each("multivariate_normal", call(K, V[:3], S), call(K, V[:3], S, shape=(2,))),
    each("orthogonal", call(K, 3), call(K, n=2, shape=(2,))),
    each("pareto", call(K, 2.0), call(K, P + 1.0, shape=(4,))),
    each("permutation", call(K, 5), call(K, V), call(K, M, axis=1, independent=True)),
    each("poisson", call(K, 2.0), call(K, P * 4.0), call(K, 3, shape=(2,))),
    each("randint", call(K, (3,), 0, 10), call(K, (2,), J[0], 100), call(K, shape=(), minval=-5, maxval=5)),
    each("rayleigh", call(K, 2.0), call(K, P, shape=(4,))),
    each("triangular", call(K, 0.0, 0.5, 1.0), call(K, 0.0, P, 1.0, shape=(4,))),
    each("truncated_normal", call(K, -1.0, 1.0), call(K, -P, P, (4,)), call(K, -2, 2, (3,))),
    each("wald", call(K, 1.5), call(K, P, shape=(4,))),
    each("weibull_min", call(K, 1.0, 2.0), call(K, P, 2.0, shape=(4,))),
)
