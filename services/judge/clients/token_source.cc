#include "services/judge/clients/token_source.h"

#include <algorithm>

namespace assay::judge {
namespace {

// A request on its way takes this long, and clocks differ.
constexpr absl::Duration kLeastLife = absl::Seconds(20);
// The next one is asked for this long before the end, or after four fifths of a short life.
constexpr absl::Duration kRefreshAhead = absl::Minutes(5);
// After a refresh that failed while the old one still held.
constexpr absl::Duration kRefreshRetry = absl::Seconds(10);

absl::Time RefreshTime(absl::Time now, absl::Time expires) {
  if (expires == absl::InfiniteFuture()) return expires;
  return expires - std::min(kRefreshAhead, (expires - now) / 5);
}

}  // namespace

bool TokenSource::IsFresh(absl::Time now) const {
  return credential_ != nullptr && now + kLeastLife < credential_->expires;
}

CredentialPtr TokenSource::Fresh() {
  CredentialPtr found;
  bool fetch = false;
  {
    MutexLock lock(&mutex_);
    const absl::Time now = clock_->Now();
    if (!IsFresh(now)) return nullptr;
    found = credential_;
    fetch = now >= refresh_at_ && !fetching_;
    if (fetch) fetching_ = true;
  }
  if (fetch) Fetch();
  return found;
}

void TokenSource::Get(Done<CredentialPtr> done) {
  CredentialPtr found;
  bool fetch = false;
  {
    MutexLock lock(&mutex_);
    if (IsFresh(clock_->Now())) {
      found = credential_;
    } else {
      waiting_.push_back(std::move(done));
      fetch = !fetching_;
      fetching_ = true;
    }
  }
  if (found != nullptr) {
    executor_->Run([done = std::move(done), found = std::move(found)]() mutable {
      std::move(done)(std::move(found));
    });
  } else if (fetch) {
    Fetch();
  }
}

void TokenSource::Forget(const CredentialPtr& refused) {
  MutexLock lock(&mutex_);
  if (credential_ == refused) credential_ = nullptr;
}

void TokenSource::Fetch() {
  fetcher_->Fetch([self = shared_from_this()](absl::StatusOr<Credential> credential) {
    self->OnFetched(std::move(credential));
  });
}

void TokenSource::OnFetched(absl::StatusOr<Credential> credential) {
  std::vector<Done<CredentialPtr>> waiting;
  absl::StatusOr<CredentialPtr> answer = CredentialPtr();
  {
    MutexLock lock(&mutex_);
    fetching_ = false;
    waiting.swap(waiting_);
    const absl::Time now = clock_->Now();
    if (credential.ok()) {
      credential_ = std::make_shared<const Credential>(*std::move(credential));
      refresh_at_ = RefreshTime(now, credential_->expires);
      answer = credential_;
    } else {
      answer = credential.status();
      refresh_at_ = now + kRefreshRetry;
    }
  }
  for (Done<CredentialPtr>& done : waiting) {
    executor_->Run([done = std::move(done), answer]() mutable { std::move(done)(answer); });
  }
}

}  // namespace assay::judge
