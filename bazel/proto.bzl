"""C++ from .proto files, with the distribution's protoc and gRPC plugin."""

load("@rules_cc//cc:defs.bzl", "cc_library")

# Directory that `import` lines and C++ includes of generated headers start from.
_ROOT = "protos"

ProtoSources = provider(
    doc = "The .proto files of a target and of everything it imports.",
    fields = {"transitive": "depset of Files"},
)

def _proto_sources(ctx):
    return [
        DefaultInfo(files = depset(ctx.files.srcs), runfiles = ctx.runfiles(ctx.files.srcs)),
        ProtoSources(transitive = depset(
            ctx.files.srcs,
            transitive = [dep[ProtoSources].transitive for dep in ctx.attr.deps],
        )),
    ]

proto_sources = rule(
    implementation = _proto_sources,
    attrs = {
        "srcs": attr.label_list(allow_files = [".proto"], mandatory = True),
        "deps": attr.label_list(providers = [ProtoSources]),
    },
)

def _protoc(ctx):
    args = ctx.actions.args()
    args.add("-I" + _ROOT)
    if ctx.attr.grpc:
        args.add("--plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin")
        args.add("--grpc_out=%s/%s" % (ctx.bin_dir.path, _ROOT))
    else:
        args.add("--cpp_out=%s/%s" % (ctx.bin_dir.path, _ROOT))
    args.add_all(ctx.files.sources)
    ctx.actions.run(
        executable = "/usr/bin/protoc",
        arguments = [args],
        inputs = ctx.attr.sources[ProtoSources].transitive,
        outputs = ctx.outputs.outs,
        mnemonic = "Protoc",
        progress_message = "Generating C++ for %s" % ctx.label,
    )

protoc = rule(
    implementation = _protoc,
    attrs = {
        "sources": attr.label(providers = [ProtoSources], mandatory = True),
        "grpc": attr.bool(),
        "outs": attr.output_list(mandatory = True),
    },
    output_to_genfiles = False,
)

def _related(dep, suffix):
    """//a/b:c -> //a/b:c_suffix; //a/b -> //a/b:b_suffix."""
    if ":" not in dep:
        dep = dep + ":" + dep.split("/")[-1]
    return dep + suffix

def _generated_library(name, stems, sources, grpc, deps):
    kind = ".grpc.pb" if grpc else ".pb"
    headers = [stem + kind + ".h" for stem in stems]
    implementations = [stem + kind + ".cc" for stem in stems]
    protoc(
        name = name + "_files",
        grpc = grpc,
        outs = headers + implementations,
        sources = sources,
        visibility = ["//visibility:private"],
    )
    cc_library(
        name = name,
        srcs = implementations,
        hdrs = headers,
        # Generated code is not held to our warnings.
        copts = ["-w"],
        linkstatic = True,
        deps = deps + ["//protos:import_root"],
        visibility = ["//visibility:public"],
    )

def assay_proto(name, srcs, deps = [], grpc = False):
    """Builds C++ from the .proto files of one package below protos/.

    Targets: `<name>_proto`, the sources; `<name>_cc_proto` (also under `<name>`), the messages;
    `<name>_cc_grpc`, the service stubs, if grpc is set.

    Args:
      name: base name of the targets.
      srcs: .proto files of this directory.
      deps: base labels of the assay_proto targets that srcs import.
      grpc: whether srcs declare services.
    """
    if native.package_name().split("/")[0] != _ROOT:
        fail("assay_proto is for packages below //%s" % _ROOT)
    stems = [src[:-len(".proto")] for src in srcs]
    proto_sources(
        name = name + "_proto",
        srcs = srcs,
        deps = [_related(dep, "_proto") for dep in deps],
        visibility = ["//visibility:public"],
    )
    _generated_library(
        name = name + "_cc_proto",
        stems = stems,
        sources = ":%s_proto" % name,
        grpc = False,
        deps = [_related(dep, "_cc_proto") for dep in deps] + ["@system//:protobuf"],
    )
    native.alias(
        name = name,
        actual = ":%s_cc_proto" % name,
        visibility = ["//visibility:public"],
    )
    if grpc:
        _generated_library(
            name = name + "_cc_grpc",
            stems = stems,
            sources = ":%s_proto" % name,
            grpc = True,
            deps = [":%s_cc_proto" % name, "@system//:grpc++"],
        )
