"""The names on the pure list, by module.

A function is here when calling it while staging cannot be noticed: it reads its arguments only, keeps nothing, prints
nothing, calls no Python function that it is handed, and gives under a trace what it gives eagerly. Each name has an
example in `tests/convert/pure_examples.py`, and is tested for all of that.
"""

from __future__ import annotations

ARRAY_NAMES: dict[str, str] = {
    "jax.numpy": """
        abs absolute acos acosh add all allclose amax amin angle any append arange arccos arccosh arcsin arcsinh
        arctan arctan2 arctanh argmax argmin argpartition argsort argwhere around array array_equal array_equiv
        array_split asarray asin asinh astype atan atan2 atanh atleast_1d atleast_2d atleast_3d average bartlett
        bincount bitwise_and bitwise_count bitwise_invert bitwise_left_shift bitwise_not bitwise_or
        bitwise_right_shift bitwise_xor blackman block broadcast_arrays broadcast_shapes broadcast_to cbrt ceil
        choose clip column_stack compress concat concatenate conj conjugate convolve copy copysign corrcoef correlate
        cos cosh count_nonzero cov cross cumprod cumsum cumulative_prod cumulative_sum deg2rad degrees delete diag
        diag_indices diag_indices_from diagflat diagonal diff digitize divide divmod dot dsplit dstack ediff1d einsum
        empty empty_like equal exp exp2 expand_dims expm1 extract eye fabs fill_diagonal flatnonzero flip fliplr
        flipud float_power floor floor_divide fmax fmin fmod frexp full full_like gcd geomspace gradient greater
        greater_equal hamming hanning heaviside histogram histogram2d histogram_bin_edges histogramdd hsplit hstack
        hypot i0 identity imag indices inner insert interp intersect1d invert isclose iscomplex iscomplexobj isdtype
        isfinite isin isinf isnan isneginf isposinf isreal isrealobj isscalar issubdtype ix_ kaiser kron lcm ldexp
        left_shift less less_equal lexsort linspace log log10 log1p log2 logaddexp logaddexp2 logical_and logical_not
        logical_or logical_xor logspace matmul matrix_transpose matvec max maximum mean median meshgrid min minimum
        mod modf moveaxis multiply nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin
        nanpercentile nanprod nanquantile nanstd nansum nanvar ndim negative nextafter nonzero not_equal ones
        ones_like outer packbits pad partition percentile permute_dims place poly polyadd polyder polydiv polyfit
        polyint polymul polysub polyval positive pow power prod promote_types ptp put put_along_axis quantile rad2deg
        radians ravel ravel_multi_index real reciprocal remainder repeat reshape resize result_type right_shift rint
        roll rollaxis roots rot90 round searchsorted select setdiff1d setxor1d shape sign signbit sin sinc sinh size
        sort sort_complex spacing split sqrt square squeeze stack std subtract sum swapaxes take take_along_axis tan
        tanh tensordot tile trace transpose trapezoid tri tril tril_indices tril_indices_from triu
        triu_indices triu_indices_from true_divide trunc union1d unique unique_all unique_counts unique_inverse
        unique_values unpackbits unravel_index unstack unwrap vander var vdot vecdot vecmat vsplit vstack where zeros
        zeros_like
        bfloat16 bool bool_ complex128 complex64 float16 float32 float64 float8_e4m3fn float8_e5m2 int16 int32 int4
        int64 int8 uint16 uint32 uint4 uint64 uint8
        ufunc.accumulate ufunc.at ufunc.outer ufunc.reduce ufunc.reduceat
    """,
    "jax.numpy.linalg": """
        cholesky cond cross det diagonal eig eigh eigvals eigvalsh inv lstsq matmul matrix_norm matrix_power
        matrix_rank matrix_transpose multi_dot norm outer pinv qr slogdet solve svd svdvals tensordot tensorinv
        tensorsolve trace vecdot vector_norm
    """,
    "jax.numpy.fft": """
        fft fft2 fftfreq fftn fftshift hfft ifft ifft2 ifftn ifftshift ihfft irfft irfft2 irfftn rfft rfft2 rfftfreq
        rfftn
    """,
    "jax.nn": """
        celu dot_product_attention elu gelu glu hard_sigmoid hard_silu hard_swish hard_tanh identity leaky_relu
        log1mexp log_sigmoid log_softmax logmeanexp logsumexp mish one_hot relu relu6 selu sigmoid silu soft_sign
        softmax softplus sparse_plus sparse_sigmoid squareplus standardize swish tanh
    """,
    "jax.lax": """
        abs acos acosh add approx_max_k approx_min_k argmax argmin asin asinh atan atan2 atanh batch_matmul
        bessel_i0e bessel_i1e betainc bitcast_convert_type bitwise_and bitwise_not bitwise_or bitwise_xor broadcast
        broadcast_in_dim broadcast_shapes broadcast_to_rank broadcasted_iota cbrt ceil clamp clz collapse complex
        concatenate conj conv conv_dimension_numbers conv_general_dilated conv_general_dilated_local
        conv_general_dilated_patches conv_transpose conv_with_general_padding convert_element_type cos cosh
        cumlogsumexp cummax cummin cumprod cumsum digamma div dot dot_general dtype dynamic_index_in_dim dynamic_slice
        dynamic_slice_in_dim dynamic_update_index_in_dim dynamic_update_slice dynamic_update_slice_in_dim empty eq erf
        erf_inv erfc exp exp2 expand_dims expm1 fft floor full full_like gather ge gt igamma igamma_grad_a igammac
        imag index_in_dim index_take integer_pow iota is_finite le lgamma log log1p log2 logistic lt max min mul mulhi
        ne neg nextafter optimization_barrier pad padtype_to_pads polygamma population_count pow ragged_dot
        random_gamma_grad real reciprocal reduce_and reduce_max reduce_min reduce_or reduce_precision reduce_prod
        reduce_sum reduce_xor rem reshape rev rng_bit_generator round rsqrt scatter scatter_add scatter_max
        scatter_min scatter_mul scatter_sub select select_n shift_left shift_right_arithmetic shift_right_logical sign
        sin sinh slice slice_in_dim sort sort_key_val split sqrt square squeeze stack stop_gradient sub tan tanh tile
        top_k transpose unstack zeta
    """,
    "jax.lax.linalg": """
        cholesky cholesky_update eig eigh hessenberg householder_product lu lu_pivots_to_permutation qr schur svd
        symmetric_product triangular_solve tridiagonal tridiagonal_solve
    """,
    "jax.random": """
        PRNGKey ball bernoulli beta binomial bits categorical cauchy chisquare choice clone dirichlet
        double_sided_maxwell exponential f fold_in gamma generalized_normal geometric gumbel key key_data key_impl
        laplace loggamma logistic lognormal maxwell multinomial multivariate_normal normal orthogonal pareto
        permutation poisson rademacher randint rayleigh split t triangular truncated_normal uniform wald weibull_min
        wrap_key_data
    """,
    "jax.scipy.special": """
        bernoulli bessel_jn beta betainc betaln boxcox boxcox1p comb dawsn digamma entr erf erfc erfcinv erfcx erfinv
        exp1 expi expit expn factorial fresnel gamma gammainc gammaincc gammaln gammasgn hyp1f1 hyp2f1 i0 i0e i1 i1e
        kl_div log_ndtr log_softmax loggamma logit logsumexp multigammaln ndtr ndtri owens_t poch polygamma rel_entr
        sici softmax spence sph_harm_y wofz xlog1py xlogy zeta
    """,
    "jax.scipy.linalg": """
        block_diag cho_factor cho_solve cholesky circulant companion convolution_matrix det dft eigh eigh_tridiagonal
        expm expm_frechet fiedler fiedler_companion hadamard hankel helmert hessenberg hilbert inv invhilbert
        invpascal leslie lu lu_factor lu_solve pascal polar qr qr_multiply rsf2csf schur solve solve_sylvester
        solve_triangular sqrtm svd toeplitz
    """,
    "jax.scipy.stats": "mode rankdata sem",
    "jax.scipy.stats.bernoulli": "cdf logpmf pmf ppf",
    "jax.scipy.stats.beta": "cdf logcdf logpdf logsf pdf sf",
    "jax.scipy.stats.betabinom": "logpmf pmf",
    "jax.scipy.stats.binom": "logpmf pmf",
    "jax.scipy.stats.cauchy": "cdf isf logcdf logpdf logsf pdf ppf sf",
    "jax.scipy.stats.chi2": "cdf logcdf logpdf logsf pdf sf",
    "jax.scipy.stats.dirichlet": "logpdf pdf",
    "jax.scipy.stats.expon": "cdf logcdf logpdf logsf pdf ppf sf",
    "jax.scipy.stats.gamma": "cdf logcdf logpdf logsf pdf sf",
    "jax.scipy.stats.gennorm": "cdf logpdf pdf",
    "jax.scipy.stats.geom": "logpmf pmf",
    "jax.scipy.stats.gumbel_l": "cdf logcdf logpdf logsf pdf ppf sf",
    "jax.scipy.stats.gumbel_r": "cdf logcdf logpdf logsf pdf ppf sf",
    "jax.scipy.stats.laplace": "cdf logpdf pdf",
    "jax.scipy.stats.logistic": "cdf isf logpdf pdf ppf sf",
    "jax.scipy.stats.multinomial": "logpmf pmf",
    "jax.scipy.stats.multivariate_normal": "logpdf pdf",
    "jax.scipy.stats.nbinom": "logpmf pmf",
    "jax.scipy.stats.norm": "cdf isf logcdf logpdf logsf pdf ppf sf",
    "jax.scipy.stats.pareto": "cdf logcdf logpdf logsf pdf ppf sf",
    "jax.scipy.stats.poisson": "cdf entropy logpmf pmf",
    "jax.scipy.stats.t": "logpdf pdf",
    "jax.scipy.stats.truncnorm": "cdf logcdf logpdf logsf pdf sf",
    "jax.scipy.stats.uniform": "cdf logpdf pdf ppf",
    "jax.scipy.stats.vonmises": "logpdf pdf",
    "jax.scipy.stats.wrapcauchy": "logpdf pdf",
    "jax.scipy.signal": "convolve convolve2d correlate correlate2d detrend fftconvolve",
    "jax.scipy.fft": "dct dctn idct idctn",
    "jax.scipy.ndimage": "map_coordinates",
    "jax.scipy.integrate": "trapezoid",
    "jax.image": "resize scale_and_translate",
    "jax.ops": "segment_max segment_min segment_prod segment_sum",
    "jax.tree": "flatten flatten_with_path leaves leaves_with_path structure transpose unflatten",
    "jax.tree_util": """
        all_leaves keystr tree_flatten tree_flatten_with_path tree_leaves tree_leaves_with_path tree_structure
        tree_transpose tree_unflatten treedef_children treedef_is_leaf treedef_tuple
    """,
    "typing": "cast",
}

# Called on static numbers, strings, types and tuples of them only; the result is such a value again.
STATIC_NAMES: dict[str, str] = {
    "jax.numpy": "can_cast dtype finfo iinfo",
    "math": """
        acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist erf erfc exp exp2 expm1
        fabs factorial floor fma fmod frexp fsum gamma gcd hypot isclose isfinite isinf isnan isqrt lcm ldexp lgamma log
        log10 log1p log2 modf nextafter perm pow prod radians remainder sin sinh sqrt sumprod tan tanh trunc ulp
    """,
    "numpy": """
        absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh bitwise_and bitwise_or bitwise_xor can_cast
        cbrt ceil copysign cos cosh deg2rad divide dtype equal exp exp2 expm1 fabs finfo float_power floor floor_divide
        fmax fmin fmod gcd greater greater_equal heaviside hypot iinfo invert isfinite isinf isnan isscalar issubdtype
        lcm left_shift less less_equal log log10 log1p log2 logaddexp logaddexp2 logical_and logical_not logical_or
        logical_xor max maximum mean min minimum multiply negative nextafter not_equal positive power prod
        promote_types rad2deg reciprocal remainder result_type right_shift rint round sign signbit sin sinh sqrt square
        subtract sum tan tanh true_divide trunc
        bool_ complex128 complex64 float16 float32 float64 int16 int32 int64 int8 uint16 uint32 uint64 uint8
    """,
}

# The operator module's functions, and the operator that each stands for; a sign with one argument is the unary one.
# What changes its left operand in place, where that can be changed, is written with its "=".
OPERATORS: dict[str, str] = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "truediv": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "**",
    "matmul": "@",
    "and_": "&",
    "or_": "|",
    "xor": "^",
    "lshift": "<<",
    "rshift": ">>",
    "neg": "-",
    "pos": "+",
    "inv": "~",
    "invert": "~",
    "lt": "<",
    "le": "<=",
    "eq": "==",
    "ne": "!=",
    "ge": ">=",
    "gt": ">",
    "getitem": "[]",
    "abs": "abs",
}
