// Keeps a judge service busy with JudgeStream.
#ifndef ASSAY_TESTS_LOAD_STREAM_LOAD_H_
#define ASSAY_TESTS_LOAD_STREAM_LOAD_H_

#include <grpcpp/channel.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "tests/load/load_result.h"

namespace assay::load {

struct StreamLoadOptions {
  int streams = 8;          // Shared out among the channels.
  int in_flight = 128;      // Judgements, over all streams; closed loop.
  size_t judged_bytes = 0;  // Of each judged text, at least.
};

// Returns when the window has ended and all streams with it.
LoadResult RunStreamLoad(const std::vector<std::shared_ptr<grpc::Channel>>& channels,
                         const StreamLoadOptions& options, const Window& window);

}  // namespace assay::load

#endif  // ASSAY_TESTS_LOAD_STREAM_LOAD_H_
