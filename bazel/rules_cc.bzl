"""The distribution's rules_cc, made to load on the distribution's (older) Bazel."""

_ROOT = "/usr/share/bazel/rules/cc"

# These two files use an API that Bazel 4.2 does not have; Bazel carries its own versions of them.
_REPLACED = {
    "//cc/private/rules_impl:cc_flags_supplier.bzl": "@bazel_tools//tools/cpp:cc_flags_supplier.bzl",
    "//cc/private/rules_impl:compiler_flag.bzl": "@bazel_tools//tools/cpp:compiler_flag.bzl",
}

def _system_rules_cc(ctx):
    root = ctx.path(_ROOT)
    if not root.exists:
        fail("%s is missing: run deploy/local/install-packages" % _ROOT)
    for entry in root.readdir():
        if entry.basename not in ("cc", "WORKSPACE"):
            ctx.symlink(entry, entry.basename)
    for entry in root.get_child("cc").readdir():
        if entry.basename != "defs.bzl":
            ctx.symlink(entry, "cc/" + entry.basename)
    defs = ctx.read(_ROOT + "/cc/defs.bzl")
    for old, new in _REPLACED.items():
        if old not in defs:
            fail("rules_cc has changed: cc/defs.bzl no longer loads " + old)
        defs = defs.replace(old, new)
    ctx.file("cc/defs.bzl", defs, executable = False)
    ctx.file("WORKSPACE", "workspace(name = \"rules_cc\")\n", executable = False)

system_rules_cc = repository_rule(
    implementation = _system_rules_cc,
    doc = "Mirrors " + _ROOT + " with symlinks and a patched cc/defs.bzl.",
    local = True,
)
