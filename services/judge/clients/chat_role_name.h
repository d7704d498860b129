// The roles of a conversation, as OpenAI and OpenTelemetry spell them.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_CHAT_ROLE_NAME_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_CHAT_ROLE_NAME_H_

#include <string_view>

#include "services/judge/core/model_client.h"

namespace assay::judge {

inline std::string_view RoleName(ChatRole role) {
  switch (role) {
    case ChatRole::kSystem:
      return "system";
    case ChatRole::kUser:
      return "user";
    case ChatRole::kAssistant:
      return "assistant";
    case ChatRole::kTool:
      return "tool";
  }
  return "user";
}

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_CHAT_ROLE_NAME_H_
