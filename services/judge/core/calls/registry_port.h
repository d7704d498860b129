// The registry, as the judge service needs it.
#ifndef ASSAY_SERVICES_JUDGE_CORE_CALLS_REGISTRY_PORT_H_
#define ASSAY_SERVICES_JUDGE_CORE_CALLS_REGISTRY_PORT_H_

#include <memory>
#include <string>

#include "assay/registry/v1/judge.pb.h"
#include "common/exec/call_context.h"
#include "common/exec/done.h"

namespace assay::judge {

// Thread-safe.
class RegistryPort {
 public:
  virtual ~RegistryPort() = default;

  // The revision that `name` stands for, in any of the four forms. NOT_FOUND as the registry says
  // it; UNAVAILABLE (PEER_UNREACHABLE). Calls `done` exactly once, never inline.
  virtual void GetRevision(std::string name, CallContext context,
                           Done<std::shared_ptr<const registry::v1::JudgeRevision>> done) = 0;
};

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CORE_CALLS_REGISTRY_PORT_H_
