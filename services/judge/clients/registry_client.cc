#include "services/judge/clients/registry_client.h"

#include "common/strings/strings.h"

namespace assay::judge {

RegistryClient::RegistryClient(const std::shared_ptr<grpc::Channel>& channel,
                               const std::string& address, rpc::RetryEnvironment retries,
                               size_t cache_bytes)
    : stub_(registry::v1::JudgeRegistryService::NewStub(channel)),
      peer_(StrCat("registry at ", address)),
      retries_(std::move(retries)),
      cache_bytes_(cache_bytes) {}

void RegistryClient::GetRevision(std::string name, CallContext context, Done<RevisionPtr> done) {
  if (RevisionPtr known = Find(name)) {
    retries_.executor->Run([known = std::move(known), done = std::move(done)]() mutable {
      std::move(done)(std::move(known));
    });
    return;
  }
  registry::v1::GetJudgeRevisionRequest request;
  request.set_name(std::move(name));
  rpc::CallIdempotent(stub_->async(),
                      &registry::v1::JudgeRegistryService::Stub::async_interface::GetJudgeRevision,
                      std::move(request), context,
                      [this, done = std::move(done)](
                          absl::StatusOr<registry::v1::GetJudgeRevisionResponse> response) mutable {
                        if (!response.ok()) return std::move(done)(response.status());
                        auto revision = std::make_shared<const registry::v1::JudgeRevision>(
                            std::move(*response->mutable_revision()));
                        Keep(revision);
                        std::move(done)(std::move(revision));
                      },
                      retries_, {.peer = peer_});
}

RegistryClient::RevisionPtr RegistryClient::Find(const std::string& name) {
  MutexLock lock(&mutex_);
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return nullptr;
  order_.splice(order_.begin(), order_, found->second);
  return found->second->second;
}

void RegistryClient::Keep(const RevisionPtr& revision) {
  const size_t bytes = revision->ByteSizeLong();
  if (bytes > cache_bytes_) return;
  MutexLock lock(&mutex_);
  if (by_name_.contains(revision->name())) return;
  order_.emplace_front(revision->name(), revision);
  by_name_[revision->name()] = order_.begin();
  bytes_ += bytes;
  while (bytes_ > cache_bytes_) {
    bytes_ -= order_.back().second->ByteSizeLong();
    by_name_.erase(order_.back().first);
    order_.pop_back();
  }
}

}  // namespace assay::judge
