"""The names that end a conversion, by reason and module; each is tested in `tests/convert/test_refused.py`."""

from __future__ import annotations

from typing import TypeAlias

Names: TypeAlias = dict[str, str]

_FRAME_ACCESS: Names = {
    "builtins": "locals vars globals dir eval exec compile breakpoint",
    "sys": """
        _getframe _getframemodulename _current_frames _current_exceptions exc_info exception call_tracing settrace
        gettrace setprofile getprofile
    """,
    "inspect": """
        stack currentframe trace getouterframes getinnerframes getframeinfo getargvalues getclosurevars getsource
        getsourcelines getsourcefile getfile
    """,
    "traceback": """
        extract_stack extract_tb format_exception format_exc format_stack format_tb print_exc print_exception print_last
        print_stack print_tb walk_stack walk_tb clear_frames StackSummary TracebackException
    """,
    "pdb": "set_trace post_mortem pm run runcall runeval Pdb",
    "dis": "dis distb show_code",
    "jax.debug": "breakpoint",
}

_IDENTITY: Names = {
    "builtins": "id hash",
    "weakref": """
        ref proxy finalize getweakrefcount getweakrefs WeakMethod WeakSet WeakKeyDictionary WeakValueDictionary
    """,
}

_EFFECT: Names = {
    "builtins": "print help exit quit __import__",
    "warnings": """
        warn warn_explicit showwarning simplefilter filterwarnings resetwarnings catch_warnings formatwarning
    """,
    "logging": """
        debug info warning warn error exception critical fatal log basicConfig disable shutdown captureWarnings
        addLevelName getLogger setLoggerClass makeLogRecord setLogRecordFactory Handler StreamHandler FileHandler
        NullHandler LoggerAdapter Logger
    """,
    "pprint": "pprint pp",
    "sys": """
        exit setrecursionlimit setswitchinterval displayhook excepthook breakpointhook addaudithook audit
        set_int_max_str_digits set_asyncgen_hooks
    """,
    "atexit": "register unregister",
    "signal": "signal alarm setitimer raise_signal pause",
    "importlib": "import_module reload invalidate_caches",
    "subprocess": "run call check_call check_output getoutput getstatusoutput Popen",
    "shutil": "copy copy2 copyfile copytree move rmtree",
    "numpy": "seterr seterrcall setbufsize set_printoptions printoptions errstate",
    "jax.numpy": "set_printoptions printoptions",
    "jax": """
        clear_caches block_until_ready effects_barrier copy_to_host_async print_environment_info named_scope
        ensure_compile_time_eval disable_jit enable_x64 debug_nans debug_infs debug_key_reuse check_tracer_leaks
        checking_leaks log_compiles default_device default_matmul_precision default_prng_impl enable_checks
        enable_custom_prng explain_cache_misses legacy_prng_key no_execution no_tracing numpy_dtype_promotion
        numpy_rank_promotion set_mesh softmax_custom_jvp thread_guard threefry_partitionable transfer_guard
        transfer_guard_device_to_device transfer_guard_device_to_host transfer_guard_host_to_device
        allow_f16_reductions array_garbage_collection_guard make_user_context new_ref empty_ref free_ref freeze
    """,
    "jax.tree_util": """
        register_dataclass register_pytree_node register_pytree_node_class register_pytree_with_keys
        register_pytree_with_keys_class register_static
    """,
    "jax.debug": "visualize_array_sharding visualize_sharding",
    "jax.profiler": """
        start_trace stop_trace start_server stop_server trace annotate_function save_device_memory_profile
        device_memory_profile TraceAnnotation StepTraceAnnotation
    """,
    "jax.monitoring": "record_event record_event_duration_secs record_scalar",
    "jax.experimental.checkify": "check debug_check",
}

_HIDDEN_STATE: Names = {
    "builtins": "input open aiter anext",
    "time": """
        time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time process_time_ns thread_time
        thread_time_ns clock_gettime clock_gettime_ns clock_settime clock_settime_ns clock_getres get_clock_info
        pthread_getcpuclockid sleep ctime gmtime localtime asctime mktime strftime strptime tzset
    """,
    "random": """
        betavariate binomialvariate choice choices expovariate gammavariate gauss getrandbits getstate lognormvariate
        normalvariate paretovariate randbytes randint random randrange sample seed setstate shuffle triangular uniform
        vonmisesvariate weibullvariate Random SystemRandom
    """,
    "numpy.random": """
        beta binomial bytes chisquare choice dirichlet exponential f gamma geometric get_state gumbel hypergeometric
        laplace logistic lognormal logseries multinomial multivariate_normal negative_binomial noncentral_chisquare
        noncentral_f normal pareto permutation poisson power rand randint randn random random_integers random_sample
        ranf rayleigh sample seed set_state shuffle standard_cauchy standard_exponential standard_gamma
        standard_normal standard_t triangular uniform vonmises wald weibull zipf Generator RandomState SeedSequence
        MT19937 Philox PCG64 PCG64DXSM SFC64 default_rng BitGenerator get_bit_generator set_bit_generator
    """,
    "os": """
        getenv getenvb putenv unsetenv getpid getppid getcwd chdir urandom listdir scandir walk stat lstat remove
        unlink rename replace mkdir makedirs rmdir removedirs open read write close pipe dup system popen fork kill
        _exit abort cpu_count times getloadavg isatty fsync utime access umask
    """,
    "os.path": "exists isfile isdir islink getsize getmtime getatime getctime abspath realpath expanduser expandvars",
    "io": "open FileIO BufferedReader BufferedWriter TextIOWrapper StringIO BytesIO",
    "tempfile": """
        mkstemp mkdtemp mktemp gettempdir NamedTemporaryFile TemporaryFile TemporaryDirectory SpooledTemporaryFile
    """,
    "threading": """
        active_count current_thread enumerate main_thread get_ident get_native_id setprofile settrace gettrace
        getprofile setprofile_all_threads settrace_all_threads stack_size excepthook Thread Timer Lock RLock Condition
        Event Semaphore BoundedSemaphore Barrier local
    """,
    "_thread": "start_new_thread start_new allocate_lock get_ident interrupt_main exit",
    "queue": "Queue LifoQueue PriorityQueue SimpleQueue",
    "multiprocessing": "Process Pool Queue Pipe Lock Value Array current_process cpu_count",
    "asyncio": """
        run gather sleep create_task ensure_future get_event_loop new_event_loop get_running_loop wait wait_for
    """,
    "concurrent.futures": "wait as_completed",
    "concurrent.futures.thread": "ThreadPoolExecutor",  # loaded when they are first asked for
    "concurrent.futures.process": "ProcessPoolExecutor",
    "contextvars": "copy_context Context ContextVar",
    "gc": """
        collect disable enable freeze unfreeze get_count get_debug get_freeze_count get_objects get_referents
        get_referrers get_stats get_threshold is_finalized is_tracked isenabled set_debug set_threshold
    """,
    "sys": """
        getrefcount getsizeof getallocatedblocks getrecursionlimit getswitchinterval intern
        getdefaultencoding get_int_max_str_digits is_finalizing
    """,
    "tracemalloc": "start stop take_snapshot get_traced_memory reset_peak clear_traces is_tracing",
    "platform": "platform machine node processor python_version system uname release version",
    "socket": "socket create_connection gethostname getfqdn gethostbyname",
    "uuid": "uuid1 uuid3 uuid4 uuid5 getnode",
    "secrets": "choice randbelow randbits token_bytes token_hex token_urlsafe SystemRandom",
    "pickle": "dump dumps load loads",
    "json": "dump load",
    "numpy": """
        load save savez savez_compressed loadtxt savetxt genfromtxt fromfile memmap geterr geterrcall getbufsize
        get_printoptions fromstring
    """,
    "jax.numpy": "load save savez fromfile get_printoptions",
    "jax.lax": "rng_uniform axis_index",
    "jax": """
        devices local_devices device_count local_device_count default_backend process_count process_index
        process_indices host_count host_id host_ids live_arrays make_mesh get_mesh get_abstract_mesh
    """,
    "itertools": "tee",
}

_HEAP_WRITE: Names = {
    "builtins": "delattr",
    "operator": "setitem delitem iconcat",
    "numpy": "copyto put putmask place put_along_axis fill_diagonal",
    "bisect": "insort insort_left insort_right",
    "heapq": "heapify heappush heappop heappushpop heapreplace",
}

_CALLBACK: Names = {
    "functools": """
        cache lru_cache cached_property singledispatch singledispatchmethod total_ordering
        cmp_to_key partialmethod
    """,
    "itertools": "groupby",
    "operator": "call methodcaller",
    "numpy": "apply_along_axis apply_over_axes vectorize frompyfunc fromfunction fromiter piecewise",
    "jax": """
        pmap jvp vjp linearize linear_transpose custom_jvp
        custom_vjp custom_gradient closure_convert eval_shape make_jaxpr named_call pure_callback fwd_and_bwd
        shard_map smap make_array_from_callback
    """,
    "jax.lax": """
        composite custom_linear_solve custom_root platform_dependent reduce reduce_window scatter_apply
    """,
    "jax.numpy": """
        apply_along_axis apply_over_axes fromfunction fromiter frompyfunc mask_indices piecewise vectorize ufunc
    """,
    "jax.tree": "all broadcast map_with_path reduce reduce_associative",
    "jax.tree_util": """
        tree_all tree_broadcast tree_map_with_path tree_reduce tree_reduce_associative Partial
    """,
    "jax.debug": "callback print log inspect_array_sharding",
    "jax.experimental": "io_callback",
    "jax.experimental.checkify": "checkify",
    "jax.experimental.ode": "odeint",
    "jax.custom_batching": "custom_vmap sequential_vmap",
    "jax.custom_derivatives": "closure_convert custom_gradient custom_jvp custom_vjp linear_call",
    "jax.ad_checkpoint": "print_saved_residuals",
    "jax.ffi": "ffi_call ffi_lowering",
    "jax.scipy.linalg": "funm",
    "jax.scipy.optimize": "minimize",
    "jax.scipy.sparse.linalg": "bicgstab cg gmres",
}

_CONCRETE_VALUE: Names = {
    "jax": "device_get",
    "jax.numpy": "array_repr array_str trim_zeros",
}

# Of two reasons for one object, the first in this order counts.
REFUSED_NAMES: dict[str, Names] = {
    "frame-access": _FRAME_ACCESS,
    "identity": _IDENTITY,
    "effect": _EFFECT,
    "hidden-state": _HIDDEN_STATE,
    "heap-write": _HEAP_WRITE,
    "callback": _CALLBACK,
    "concrete-value": _CONCRETE_VALUE,
}

# Methods of the library's stateful objects: (reason, module, class, names), where "*" stands for every method. A
# method's receiver may be of a subclass, or be the class itself. The first that fits counts.
REFUSED_METHODS: tuple[tuple[str, str, str, str], ...] = (
    ("effect", "logging", "Logger", "*"),
    ("effect", "logging", "LoggerAdapter", "*"),
    ("effect", "logging", "Handler", "*"),
    ("effect", "io", "IOBase", "write writelines flush truncate"),
    ("hidden-state", "io", "IOBase", "*"),
    ("effect", "_io", "_IOBase", "write writelines flush truncate"),
    ("hidden-state", "_io", "_IOBase", "*"),
    ("hidden-state", "random", "Random", "*"),
    ("hidden-state", "numpy.random", "RandomState", "*"),
    ("hidden-state", "numpy.random", "Generator", "*"),
    ("hidden-state", "numpy.random", "BitGenerator", "*"),
    ("hidden-state", "os", "_Environ", "*"),
    ("hidden-state", "threading", "Thread", "*"),
    ("hidden-state", "threading", "Event", "*"),
    ("hidden-state", "threading", "Condition", "*"),
    ("hidden-state", "threading", "Semaphore", "*"),
    ("hidden-state", "threading", "Barrier", "*"),
    ("hidden-state", "threading", "local", "*"),
    ("hidden-state", "_thread", "LockType", "*"),
    ("hidden-state", "_thread", "RLock", "*"),
    ("hidden-state", "queue", "Queue", "*"),
    ("hidden-state", "queue", "SimpleQueue", "*"),
    ("hidden-state", "contextvars", "ContextVar", "*"),
    ("hidden-state", "contextvars", "Context", "*"),
    ("hidden-state", "datetime", "datetime", "now utcnow today"),
    ("hidden-state", "datetime", "date", "today"),
    ("hidden-state", "pathlib", "Path", "*"),
    ("hidden-state", "concurrent.futures", "Executor", "*"),
    ("hidden-state", "concurrent.futures", "Future", "*"),
    ("hidden-state", "types", "GeneratorType", "*"),
    ("effect", "jax", "config.__class__", "*"),
)

# What a jax array has beside `ARRAY_ATTRIBUTES`, `ARRAY_METHODS` and `item`.
REFUSED_OF_ARRAYS: dict[str, str] = {
    "tolist": "concrete-value",
    "tobytes": "concrete-value",
    "__array__": "concrete-value",
    "__dlpack__": "concrete-value",
    "addressable_data": "concrete-value",
    "addressable_shards": "concrete-value",
    "global_shards": "concrete-value",
    "unsafe_buffer_pointer": "identity",
    "block_until_ready": "effect",
    "copy_to_host_async": "effect",
    "delete": "effect",
    "to_device": "effect",
    "is_deleted": "hidden-state",
    "is_ready": "hidden-state",
    "on_device_size_in_bytes": "hidden-state",
    "device": "hidden-state",
    "devices": "hidden-state",
    "sharding": "hidden-state",
    "committed": "hidden-state",
    "is_fully_addressable": "hidden-state",
    "is_fully_replicated": "hidden-state",
    "platform": "hidden-state",
    "traceback": "hidden-state",
}
