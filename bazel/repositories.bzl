"""Every external repository of the workspace. All of them come from the distribution's packages."""

load("//bazel:clang.bzl", "clang_toolchain")
load("//bazel:rules_cc.bzl", "system_rules_cc")
load("//bazel:system.bzl", "system_libraries")

def assay_repositories():
    """Declares the repositories; call it once, from WORKSPACE."""
    system_rules_cc(name = "rules_cc")
    for name, path in {
        "bazel_skylib": "/usr/share/bazel/tools/skylib",
        "platforms": "/usr/share/bazel/tools/platforms",
        "rules_java": "/usr/share/bazel/rules/java",
        "rules_proto": "/usr/share/bazel/rules/proto",
    }.items():
        native.local_repository(name = name, path = path)
    native.new_local_repository(
        name = "remote_coverage_tools",
        path = "third_party",
        build_file = "//third_party:coverage_tools.BUILD",
    )
    clang_toolchain(name = "clang_toolchain")
    system_libraries(name = "system")
