"""Example calls of all other functions on the pure list: `jax.scipy`, `jax.image`, `jax.tree`, `math`, NumPy, …"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.convert.examples import C, Examples, H, I, J, M, P, S, T, V, W, call, each, join

SPECIAL: Examples = join(
    each(
        "dawsn digamma erf erfc erfcx erfinv exp1 expi expit gamma gammaln gammasgn i0 i0e i1 i1e", call(P), call(0.5)
    ),
    each("entr log_ndtr ndtr ndtri logit loggamma fresnel sici spence factorial erfcinv", call(P), call(0.5)),
    each("wofz", call(C)),
    each("factorial", call(J)),
    each("beta betaln boxcox boxcox1p gammainc gammaincc kl_div rel_entr owens_t poch", call(P, P + 1.0), call(P, 0.5)),
    each("xlog1py xlogy", call(P, P), call(2.0, P)),
    each("zeta", call(P + 1.5, P), call(P + 1.5, 2.0)),
    each("comb", call(J + 3, J), call(5, 2)),
    each("betainc", call(P, P + 1.0, P)),
    each("hyp1f1", call(P, P + 1.0, P)),
    each("hyp2f1", call(P, P + 1.0, P + 2.0, P)),
    each("polygamma", call(1, P), call(J + 1, P)),
    each("expn", call(2, P), call(J + 1, P)),
    each("multigammaln", call(P + 3.0, 2)),
    each("bernoulli", call(4)),
    each("bessel_jn", call(P, v=2, n_iter=10)),
    each("log_softmax softmax", call(V), call(M, axis=0)),
    each("logsumexp", call(V), call(M, axis=1), call(V, b=P), call(V, return_sign=True)),
    each("log_ndtr", call(P, 2)),
    each("sph_harm_y", call(J[:1], J[:1] * 0, P[:1], P[1:2], n_max=3)),
)

FACTORED = jax.scipy.linalg.cho_factor(S)
PIVOTED = jax.scipy.linalg.lu_factor(S)
TRIANGLE, UNITARY = jax.scipy.linalg.schur(S)

SCIPY_LINALG: Examples = join(
    each("block_diag", call(M, S), call(V)),
    each("cho_factor", call(S), call(S, lower=True)),
    each("cho_solve", call(FACTORED, V[:3])),
    each("cholesky", call(S), call(S, lower=True)),
    each("circulant companion fiedler fiedler_companion", call(V)),
    each("convolution_matrix", call(V, 3), call(V, 5, mode="same")),
    each("det inv expm lu lu_factor polar schur sqrtm hessenberg", call(S)),
    each("expm", call(S, max_squarings=8)),
    each("dft hadamard helmert hilbert invhilbert invpascal pascal", call(4)),
    each("dft", call(4, "sqrtn")),
    each("hadamard", call(2, dtype=jnp.float32)),
    each("pascal invpascal", call(3, kind="lower")),
    each("eigh", call(S), call(S, eigvals_only=True), call(S, lower=False)),
    each("eigh_tridiagonal", call(V, W[:3], eigvals_only=True)),
    each("expm_frechet", call(S, S), call(S, S, compute_expm=False)),
    each("hankel toeplitz", call(V), call(V, W)),
    each("hessenberg", call(S, calc_q=True)),
    each("leslie", call(V, P[:3])),
    each("lu_solve", call(PIVOTED, V[:3]), call(PIVOTED, V[:3], trans=1)),
    each("lu", call(S, permute_l=True)),
    each("qr", call(M), call(M, mode="r"), call(M, mode="economic")),
    each("qr_multiply", call(S, S)),
    each("rsf2csf", call(TRIANGLE, UNITARY)),
    each("schur", call(S, output="complex")),
    each("solve", call(S, V[:3]), call(S, V[:3], assume_a="pos"), call(S, S, lower=True)),
    each("solve_sylvester", call(S, S, S)),
    each("solve_triangular", call(S, V[:3]), call(S, V[:3], lower=True, trans=1)),
    each("svd", call(M), call(M, full_matrices=False), call(M, compute_uv=False)),
)

STANDARD = (call(P), call(P, 0.25), call(P, loc=0.25, scale=2.0), call(0.5))
SHAPED = (call(P, 1.5), call(P, P + 0.5, 0.0, 2.0))
COUNTED = (call(J, 5, 0.25), call(J, J + 3, P, loc=0))
DENSITY = "logpdf pdf"
CUMULATIVE = "cdf logcdf logsf sf"
QUANTILE = "isf ppf"


def _module(name: str, *tables: Examples) -> Examples:
    return {f"{name}.{function}": calls for function, calls in join(*tables).items()}


STATS: Examples = join(
    _module("jax.scipy.stats", each("mode", call(J), call(M, axis=1)), each("rankdata sem", call(V), call(M, axis=1))),
    _module("jax.scipy.stats.bernoulli", each("cdf logpmf pmf", call(J, P), call(1, 0.25)), each("ppf", call(P, 0.25))),
    _module("jax.scipy.stats.beta", each(f"{DENSITY} {CUMULATIVE}", call(P, 1.5, 2.0), call(P, P, P + 1.0, 0.0, 1.0))),
    _module("jax.scipy.stats.betabinom", each("logpmf pmf", call(J, 5, 1.5, 2.0), call(J, J + 3, P, P))),
    _module("jax.scipy.stats.binom", each("logpmf pmf", *COUNTED)),
    *(
        _module(f"jax.scipy.stats.{name}", each(f"{DENSITY} {CUMULATIVE} {QUANTILE}", *STANDARD))
        for name in ("cauchy", "norm")
    ),
    *(
        _module(f"jax.scipy.stats.{name}", each(f"{DENSITY} {CUMULATIVE} ppf", *STANDARD))
        for name in ("expon", "gumbel_l", "gumbel_r")
    ),
    *(_module(f"jax.scipy.stats.{name}", each(f"{DENSITY} {CUMULATIVE}", *SHAPED)) for name in ("chi2", "gamma")),
    _module("jax.scipy.stats.pareto", each(f"{DENSITY} {CUMULATIVE}", call(P + 1.0, 1.5), call(P, P + 0.5, 0.0, 0.1))),
    _module("jax.scipy.stats.pareto", each("ppf", call(P, 1.5))),
    _module("jax.scipy.stats.dirichlet", each(DENSITY, call(P / P.sum(), P + 1.0))),
    _module("jax.scipy.stats.gennorm", each(f"{DENSITY} cdf", call(P, 1.5), call(V, P + 0.5))),
    _module("jax.scipy.stats.geom", each("logpmf pmf", call(J + 1, 0.25), call(J + 1, P, loc=0))),
    _module("jax.scipy.stats.laplace", each(f"{DENSITY} cdf", *STANDARD)),
    _module("jax.scipy.stats.logistic", each(f"{DENSITY} cdf sf {QUANTILE}", *STANDARD)),
    _module("jax.scipy.stats.multinomial", each("logpmf pmf", call(J, J.sum(), P / P.sum()))),
    _module("jax.scipy.stats.multivariate_normal", each(DENSITY, call(V[:3], W[:3], S), call(0.5, 0.25, 2.0))),
    _module("jax.scipy.stats.nbinom", each("logpmf pmf", *COUNTED)),
    _module("jax.scipy.stats.poisson", each("cdf entropy logpmf pmf", call(J, 2.0), call(J, P + 1.0))),
    _module("jax.scipy.stats.poisson", {"entropy": (call(2.0), call(P + 1.0))}),
    _module("jax.scipy.stats.t", each(DENSITY, *SHAPED)),
    _module("jax.scipy.stats.truncnorm", each(f"{DENSITY} {CUMULATIVE}", call(P, -1.0, 1.0), call(V, -P, P, 0.0, 2.0))),
    _module("jax.scipy.stats.uniform", each(f"{DENSITY} cdf ppf", *STANDARD)),
    _module("jax.scipy.stats.vonmises", each(DENSITY, call(P, 1.5), call(V, P))),
    _module("jax.scipy.stats.wrapcauchy", each(DENSITY, call(P, 0.5), call(V, P))),
)

SIGNAL: Examples = join(
    each("convolve correlate", call(V, W), call(V, W, mode="same"), call(V, W[:2], method="direct")),
    each("fftconvolve", call(V, W), call(V, W, "same")),
    each("convolve2d correlate2d", call(M, S), call(M, S[:2, :2], mode="same")),
    each("detrend", call(V), call(M, axis=0, type="constant")),
)

TREE = {"b": V, "a": (W, [2.0, None])}
FLAT = jax.tree.structure((0, 0))
STRUCTURE = jax.tree.structure(TREE)

TREES: dict[str, Examples] = {
    "jax.tree": join(
        each("flatten leaves structure flatten_with_path leaves_with_path", call(TREE), call(V), call((V, V))),
        each("unflatten", call(STRUCTURE, [V, W, 3.0])),
        each("transpose", call(FLAT, jax.tree.structure([0, 0, 0]), ([V, W, P], [W, V, P]))),
    ),
    "jax.tree_util": join(
        each(
            "tree_flatten tree_leaves tree_structure tree_flatten_with_path tree_leaves_with_path",
            *(call(TREE), call(V), call(None)),
        ),
        each("all_leaves", call([V, W]), call([V, (W,)])),
        each("keystr", call(jax.tree.leaves_with_path(TREE)[0][0])),
        each("tree_unflatten", call(STRUCTURE, [V, W, 3.0])),
        each("tree_transpose", call(FLAT, jax.tree.structure([0, 0, 0]), ([V, W, P], [W, V, P]))),
        each("treedef_children treedef_is_leaf", call(STRUCTURE)),
        each("treedef_tuple", call([STRUCTURE, FLAT])),
    ),
}

SMALL: dict[str, Examples] = {
    "jax.scipy.fft": join(
        each("dct idct", call(V), call(M, axis=0), call(V, norm="ortho"), call(V, n=3)),
        each("dctn idctn", call(M), call(M, norm="ortho")),
    ),
    "jax.scipy.ndimage": each(
        "map_coordinates",
        *(call(M, [P, P], order=1), call(M, [P, P], 0, mode="nearest"), call(M, [P, P], order=1, cval=2.0)),
    ),
    "jax.scipy.integrate": each("trapezoid", call(V), call(V, W), call(M, dx=0.5, axis=0)),
    "jax.image": join(
        each("resize", call(M, (6, 8), "linear"), call(M, shape=(2, 2), method="nearest"), call(M, (3, 4), "cubic")),
        each("scale_and_translate", call(M, (6, 8), (0, 1), P[:2] + 1.0, V[:2], "linear")),
    ),
    "jax.ops": each(
        "segment_max segment_min segment_prod segment_sum",
        *(call(V, J, 4), call(V, J, num_segments=3), call(M, J[:3], num_segments=4, indices_are_sorted=False)),
    ),
    "typing": each("cast", call(float, V), call(Any, 2.0), call("float", (V, W))),
}

FLOAT_FUNCTIONS = """
    acos asin atan atanh asinh cbrt ceil cos cosh degrees erf erfc exp exp2 expm1 fabs floor frexp gamma isfinite isinf
    isnan lgamma log log10 log1p log2 modf radians sin sinh sqrt tan tanh trunc ulp
"""

MATH: Examples = join(
    each(FLOAT_FUNCTIONS, call(0.5), call(1e-3)),
    each("acosh", call(1.5)),
    each("atan2 copysign fmod hypot nextafter pow remainder isclose", call(2.5, -1.5), call(2, 3)),
    each("comb perm", call(5, 2)),
    each("gcd lcm", call(12, 18), call(12, 18, 8)),
    each("factorial isqrt", call(5)),
    each("dist", call((0.0, 1.0), (3.0, 5.0))),
    each("sumprod", call((0.0, 1.0), (3.0, 5.0))),
    each("fma", call(2.0, 3.0, 0.5)),
    each("fsum prod", call((0.5, 0.25, 0.125))),
    each("ldexp", call(0.5, 3)),
)

NUMPY_UNARY = """
    absolute arcsin arccos arctan arcsinh arctanh cbrt ceil cos cosh deg2rad exp exp2 expm1 fabs floor isfinite isinf
    isnan log log10 log1p log2 negative positive rad2deg reciprocal rint round sign signbit sin sinh sqrt square tan
    tanh trunc logical_not
"""
NUMPY_BINARY = """
    add arctan2 copysign divide equal float_power floor_divide fmax fmin fmod greater greater_equal heaviside hypot
    less less_equal logaddexp logaddexp2 logical_and logical_or logical_xor maximum minimum multiply nextafter not_equal
    power remainder subtract true_divide
"""
NUMPY_TYPES = """
    bool_ complex128 complex64 float16 float32 float64 int16 int32 int64 int8 uint16 uint32 uint64 uint8
"""

NUMPY_STATIC: Examples = join(
    each(NUMPY_UNARY, call(0.5), call(np.float32(0.25))),
    each("arccosh", call(1.5)),
    each(NUMPY_BINARY, call(2.5, 1.5), call(np.float32(2.0), 3)),
    each("bitwise_and bitwise_or bitwise_xor gcd lcm left_shift right_shift", call(12, 3)),
    each("invert", call(6)),
    each("prod sum max min mean", call((2, 3, 4)), call((0.5, 2.5)), call(3)),
    each("isscalar", call(2.0), call("a")),
    each("can_cast", call(np.int8, np.float32)),
    each("dtype", call("float32"), call(np.int8), call(jnp.bfloat16)),
    each("finfo", call(np.float32), call("float64")),
    each("iinfo", call(np.int32)),
    each("issubdtype", call(np.float32, np.floating)),
    each("promote_types", call("int8", "float16")),
    each("result_type", call(np.float32, 2.0), call(np.int8, np.int16)),
    each(NUMPY_TYPES, call(1), call(2.0)),
)

JAX_STATIC: Examples = join(
    each("can_cast", call(np.int8, np.float32)),
    each("dtype", call("float32"), call(jnp.int8)),
    each("finfo", call(jnp.float32), call("bfloat16")),
    each("iinfo", call(jnp.int32)),
)

TWO_ARRAYS = "add sub mul truediv floordiv mod pow lt le eq ne ge gt"
TWO_INTEGERS = "and_ or_ xor lshift rshift"

OPERATOR: Examples = join(
    each(TWO_ARRAYS, call(P, W), call(P, 2), call(2.5, P), call(7, 3)),
    each(TWO_INTEGERS, call(J, J), call(12, 2)),
    each("matmul", call(M, V)),
    each("neg pos abs", call(V), call(H), call(-2)),
    each("inv invert", call(I), call(6)),
    each("getitem", call(V, 1), call((V, W), 0), call(T, (0, slice(None)))),
)
