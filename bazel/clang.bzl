"""A C++ toolchain on clang, beside the default one on gcc: the sanitizer builds use it."""

load("@bazel_tools//tools/cpp:lib_cc_configure.bzl", "get_cpu_value")
load("@bazel_tools//tools/cpp:unix_cc_configure.bzl", "configure_unix_toolchain")

_CLANG = "clang-14"

def _clang_toolchain(ctx):
    clang = ctx.which(_CLANG)
    if clang == None:
        # Only the sanitizer configurations need it, so an ordinary build goes on without.
        ctx.file("BUILD", "# %s was not found.\n" % _CLANG)
        return
    configure_unix_toolchain(ctx, get_cpu_value(ctx), {"gcc": str(clang)})

clang_toolchain = repository_rule(
    implementation = _clang_toolchain,
    configure = True,
    environ = ["PATH"],
)
