// Amazon's keys that a role brings, for a while.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_AWS_ROLES_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_AWS_ROLES_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "common/clock/clock.h"
#include "common/exec/executor.h"
#include "common/http/http_client.h"
#include "services/judge/clients/token_source.h"

namespace assay::judge {

// Where a role's keys come from.
struct AwsRole {
  enum class Giver {
    kNone,         // There is no role.
    kWebIdentity,  // Amazon's STS, for a token in a file (Kubernetes' service accounts).
    kContainer,    // The container's agent (ECS, EKS Pod Identity).
    kInstance,     // The machine's metadata service, version 2.
  };
  Giver giver = Giver::kNone;
  std::string url;  // Of STS, of the container's credentials, of the metadata service.
  // kWebIdentity.
  std::string role_arn;
  std::string session_name;
  // The web identity's token, or what the container's agent wants to see ("" if nothing). Files are
  // read for each question: they change often.
  std::string token_file;
  std::string token;
};

// Asks the giver. Thread-safe. HTTP client, executor and clock outlive it and its
// calls. A name that is no address in digits must be public.
std::unique_ptr<CredentialFetcher> MakeAwsRoleFetcher(AwsRole role, std::string provider,
                                                      std::string region, http::HttpClient* http,
                                                      Executor* executor, Clock* clock);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_AWS_ROLES_H_
