"""`@system`: the distribution's libraries as targets, with what pkg-config says about them.

Headers are in the compiler's own search path and are used from there, so a target here carries
only link options and definitions (Eigen, which lives one level down, is mirrored). This is
the one place that names libraries to the linker.
"""

# Target -> what it is made of: pkg-config modules, hand-named libraries where the distribution
# has no .pc file, and other targets here.
_LIBRARIES = {
    "absl": struct(modules = [
        "absl_any_invocable",
        "absl_base",
        "absl_bind_front",
        "absl_btree",
        "absl_cleanup",
        "absl_cord",
        "absl_flat_hash_map",
        "absl_flat_hash_set",
        "absl_function_ref",
        "absl_hash",
        "absl_inlined_vector",
        "absl_node_hash_map",
        "absl_optional",
        "absl_random_random",
        "absl_span",
        "absl_status",
        "absl_statusor",
        "absl_str_format",
        "absl_strings",
        "absl_synchronization",
        "absl_time",
    ]),
    "benchmark": struct(modules = ["benchmark"]),
    "cli11": struct(modules = ["CLI11"]),
    "curl": struct(modules = ["libcurl"]),
    "gtest": struct(modules = ["gmock", "gtest"]),
    "gtest_main": struct(modules = ["gmock_main", "gmock", "gtest"]),
    "grpc++": struct(modules = ["grpc++"], deps = ["protobuf", "absl"]),
    "grpc++_reflection": struct(flags = ["-lgrpc++_reflection"], always = True, deps = ["grpc++"]),
    "grpcpp_channelz": struct(flags = ["-lgrpcpp_channelz"], always = True, deps = ["grpc++"]),
    "httplib": struct(modules = ["cpp-httplib", "openssl", "zlib"]),
    "isal": struct(modules = ["libisal"]),
    "lz4": struct(modules = ["liblz4"]),
    "nlohmann_json": struct(modules = ["nlohmann_json"]),
    "openssl": struct(modules = ["openssl"]),
    "prometheus_cpp": struct(modules = ["prometheus-cpp-pull", "prometheus-cpp-core"]),
    "protobuf": struct(modules = ["protobuf"]),
    "re2": struct(modules = ["re2"]),
    "rocksdb": struct(modules = ["rocksdb"]),
    "spdlog": struct(modules = ["spdlog"]),
    "zlib": struct(modules = ["zlib"]),
    "zstd": struct(modules = ["libzstd"]),
}

_HEADER_ONLY = """
# Boost's headers are in the compiler's search path.
cc_library(name = "boost_headers")

cc_library(
    name = "eigen",
    hdrs = glob(["eigen3/**"]),
    includes = ["eigen3"],
)

# Kept although nothing refers to it by name; a sanitizer brings an allocator of its own.
cc_library(
    name = "jemalloc",
    linkopts = select({
        "@assay//bazel:sanitized": [],
        "//conditions:default": ["-Wl,--push-state,--no-as-needed", "-ljemalloc", "-Wl,--pop-state"],
    }),
)
"""

def _pkg_config(ctx, option, modules):
    """The flags that pkg-config prints, with only the last of equal ones kept."""
    result = ctx.execute(["pkg-config", option] + modules)
    if result.return_code != 0:
        fail("pkg-config %s %s: %s\nRun deploy/local/install-packages." %
             (option, " ".join(modules), result.stderr))
    flags = []
    for flag in reversed(result.stdout.strip().split(" ")):
        if flag.startswith("-Wl,--p") or flag.startswith("-Wl,--as-needed"):
            continue
        if flag and flag not in flags:
            flags.append(flag)
    return reversed(flags)

def _target(ctx, name, library):
    modules = getattr(library, "modules", [])
    linkopts = list(getattr(library, "flags", []))
    defines = []
    if modules:
        linkopts += _pkg_config(ctx, "--libs", modules)
        defines = [
            flag[2:]
            for flag in _pkg_config(ctx, "--cflags", modules)
            if flag.startswith("-D")
        ]
    if getattr(library, "always", False):
        # Registers itself from a static initializer, so nothing refers to it by name.
        linkopts = ["-Wl,--push-state,--no-as-needed"] + linkopts + ["-Wl,--pop-state"]
    elif linkopts:
        # The toolchain begins with --no-as-needed, and the order of options from flags is not
        # ours to choose.
        linkopts = ["-Wl,--as-needed"] + linkopts
    return """
cc_library(
    name = {name},
    defines = {defines},
    linkopts = {linkopts},
    deps = {deps},
)
""".format(
        name = repr(name),
        defines = repr(defines),
        linkopts = repr(linkopts),
        deps = repr([":" + dep for dep in getattr(library, "deps", [])]),
    )

def _system_libraries(ctx):
    ctx.symlink("/usr/include/eigen3", "eigen3")
    targets = [_target(ctx, name, library) for name, library in _LIBRARIES.items()]
    ctx.file("BUILD", "\n".join([
        "load(\"@rules_cc//cc:defs.bzl\", \"cc_library\")",
        "package(default_visibility = [\"//visibility:public\"])",
    ] + targets + [_HEADER_ONLY]), executable = False)

system_libraries = repository_rule(
    implementation = _system_libraries,
    local = True,
)
