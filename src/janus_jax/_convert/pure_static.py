"""The parameters of pure functions in which a Python number has to stay one."""

from __future__ import annotations

from janus_jax._convert.names import words

# Wherever they occur, these want a Python value: a tracer raises.
ALWAYS_STATIC: frozenset[str] = words(
    """
    aggregate_to_topk antialias approximate assume_a assume_unique axes axis axis1 axis2 axisa axisb axisc
    batch_group_count batch_size bias bins bitorder broadcast_dimensions bucket_size c_and_lower calc_q check_finite
    compute_expm compute_left_eigenvectors compute_right_eigenvectors compute_schur_vectors compute_uv conjugate
    conjugate_a copy count cval decimals deg degrees descending destination diff_n dimension dimension_numbers
    dimensions dims dtype edge_order eigvals_only endpoint equal_nan exact exponent_bits feature_group_count fft_lengths
    fft_type filter_shape full full_matrices hermitian in_shape include_initial increasing independent index_dtype
    indices_are_sorted indices_or_sections inplace invert is_causal is_stable keepdims kth left_side length lhs_dilation
    limit_index limit_indices local_window_size lu_and_piv mantissa_bits max_iterations max_squarings minlength n_iter
    n_max ndim ndmin new_dtype new_shape new_sizes num num_classes num_keys num_segments ord order
    overwrite_a overwrite_b overwrite_c pad_width padding padding_config permutation permutation_size permute_l pivoting
    precision preferred_element_type promote_integers rank recall_target reduction_dimension
    reduction_input_size_override repeats repetition replace reps retstep return_counts return_index return_inverse
    return_residual return_sign returned reverse rhs_dilation rowvar series_order size sizes slice_size
    slice_sizes sort_eigenvalues sorted source sparse spatial_dims stable start_dimension stop_dimension stride strides
    strip_zeros subset_by_index symmetrize_input symmetrize_output total_repeat_length trans transpose_a
    transpose_kernel trim_leading_zeros unique_indices unit_diagonal unroll upper_triangular use_consistent_padding
    window_shape window_strides wrap wrap_negative_indices
    """
)

# Of names that mean something else elsewhere: the functions in which they do.
STATIC_IN: dict[str, str] = {
    "M": """
        jax.numpy.bartlett jax.numpy.blackman jax.numpy.hamming jax.numpy.hanning jax.numpy.kaiser jax.numpy.eye
        jax.numpy.tri
    """,
    "N": "jax.numpy.eye jax.numpy.tri jax.numpy.vander",
    "a": "jax.random.choice",
    "alpha": "jax.lax.linalg.symmetric_product",
    "beta": "jax.lax.linalg.symmetric_product",
    "d": "jax.random.ball jax.scipy.special.multigammaln",
    "ddof": "jax.numpy.cov",
    "fill_value": "jax.numpy.intersect1d",
    "ind": "jax.numpy.linalg.tensorinv",
    "index": "jax.lax.index_in_dim",
    "k": """
        jax.numpy.diag jax.numpy.diagflat jax.numpy.rot90 jax.numpy.tril jax.numpy.triu jax.numpy.tril_indices
        jax.numpy.triu_indices jax.numpy.tril_indices_from jax.numpy.triu_indices_from jax.numpy.polyint
        jax.lax.approx_max_k jax.lax.approx_min_k jax.lax.top_k
    """,
    "lower": """
        jax.lax.linalg.eigh jax.lax.linalg.triangular_solve jax.lax.linalg.tridiagonal jax.scipy.linalg.cho_factor
        jax.scipy.linalg.cholesky jax.scipy.linalg.eigh jax.scipy.linalg.solve jax.scipy.linalg.solve_triangular
    """,
    "m": "jax.numpy.polyder jax.numpy.polyint jax.numpy.tril_indices jax.numpy.triu_indices jax.random.orthogonal",
    "n": """
        jax.numpy.diag_indices jax.numpy.diff jax.numpy.identity jax.numpy.tril_indices jax.numpy.triu_indices
        jax.numpy.linalg.matrix_power jax.numpy.fft.fft jax.numpy.fft.ifft jax.numpy.fft.rfft jax.numpy.fft.ihfft
        jax.numpy.fft.irfft jax.numpy.fft.hfft jax.numpy.fft.fftfreq jax.numpy.fft.rfftfreq jax.random.orthogonal
        jax.scipy.special.bernoulli jax.scipy.linalg.convolution_matrix jax.scipy.linalg.dft jax.scipy.linalg.hadamard
        jax.scipy.linalg.helmert jax.scipy.linalg.hilbert jax.scipy.linalg.invhilbert jax.scipy.linalg.invpascal
        jax.scipy.linalg.pascal jax.scipy.fft.dct jax.scipy.fft.idct
    """,
    "obj": "jax.numpy.delete",
    "offset": "jax.numpy.diagonal jax.numpy.linalg.diagonal",
    "right": "jax.numpy.digitize",
    "s": """
        jax.numpy.fft.fft2 jax.numpy.fft.ifft2 jax.numpy.fft.fftn jax.numpy.fft.ifftn jax.numpy.fft.rfft2
        jax.numpy.fft.rfftn jax.numpy.fft.irfft2 jax.numpy.fft.irfftn jax.scipy.fft.dctn jax.scipy.fft.idctn
    """,
    "shapes": "jax.numpy.broadcast_shapes jax.lax.broadcast_shapes",
    "start": "jax.numpy.arange jax.numpy.rollaxis",
    "start_index": "jax.lax.slice_in_dim",
    "start_indices": "jax.lax.slice",
    "step": "jax.numpy.arange",
    "stop": "jax.numpy.arange",
    "type": "jax.scipy.fft.dct jax.scipy.fft.dctn jax.scipy.fft.idct jax.scipy.fft.idctn jax.scipy.linalg.eigh",
    "upper": "jax.numpy.linalg.cholesky",
    "v": "jax.scipy.special.bessel_jn",
    "x": "jax.random.permutation",
    # An integer exponent that is a Python number is multiplied out, one that is a tracer is not: other bits, and for
    # integer arrays another outcome.
    "x2": "jax.numpy.power jax.numpy.pow",
    "y": "jax.lax.integer_pow jax.lax.pow",
}

# A shape is static everywhere but here.
DYNAMIC_SHAPE: frozenset[str] = frozenset({"jax.numpy.unravel_index"})


def is_static(function: str, parameter: str) -> bool:
    """Whether a Python number given as `parameter` of the function has to stay a Python number."""
    if parameter == "shape":
        return function not in DYNAMIC_SHAPE
    return parameter in ALWAYS_STATIC or function in STATIC_IN.get(parameter, "").split()
