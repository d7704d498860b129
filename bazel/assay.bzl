"""The rules that Assay's own C++ is built with."""

load("@rules_cc//cc:defs.bzl", "cc_binary", "cc_library", "cc_test")

_WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Werror",
    # Overrides often ignore a parameter, and designated initializers leave members at their
    # defaults on purpose.
    "-Wno-unused-parameter",
    "-Wno-missing-field-initializers",
] + select({
    "//bazel:sanitized": [
        "-Wthread-safety",
    ],
    # False alarms of g++ 12 at -O2, in inlined code of the standard library.
    "//conditions:default": [
        "-Wno-restrict",
        "-Wno-maybe-uninitialized",
        "-Wno-stringop-overflow",
        "-Wno-array-bounds",
    ],
})

def assay_cc_library(name, copts = [], **kwargs):
    """A cc_library with the project's warnings as errors."""
    cc_library(
        name = name,
        copts = _WARNINGS + copts,
        linkstatic = True,
        **kwargs
    )

def assay_cc_binary(name, copts = [], **kwargs):
    """A cc_binary with the project's warnings as errors."""
    cc_binary(
        name = name,
        copts = _WARNINGS + copts,
        **kwargs
    )

def assay_cc_test(name, copts = [], deps = [], size = "small", **kwargs):
    """A cc_test on GoogleTest and GoogleMock, whose main function is linked in."""
    cc_test(
        name = name,
        size = size,
        copts = _WARNINGS + copts,
        linkstatic = True,
        deps = deps + ["@system//:gtest_main"],
        **kwargs
    )
