// Traces that are known to exist, the most recently used ones.
#ifndef ASSAY_SERVICES_FEEDBACK_CLIENTS_KNOWN_TRACES_H_
#define ASSAY_SERVICES_FEEDBACK_CLIENTS_KNOWN_TRACES_H_

#include <cstddef>
#include <list>
#include <string>
#include <unordered_map>

#include "absl/base/thread_annotations.h"
#include "common/sync/mutex.h"

namespace assay::feedback {

// Thread-safe.
class KnownTraces {
 public:
  explicit KnownTraces(size_t capacity) : capacity_(capacity) {}

  bool Contains(const std::string& trace) ABSL_LOCKS_EXCLUDED(mutex_);
  void Add(const std::string& trace) ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  const size_t capacity_;
  Mutex mutex_;
  std::list<std::string> by_use_ ABSL_GUARDED_BY(mutex_);  // the last used one first
  std::unordered_map<std::string, std::list<std::string>::iterator> places_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace assay::feedback

#endif  // ASSAY_SERVICES_FEEDBACK_CLIENTS_KNOWN_TRACES_H_
