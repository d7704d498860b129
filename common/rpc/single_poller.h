// Leaves gRPC one polling thread where it would have one too many.
#ifndef ASSAY_COMMON_RPC_SINGLE_POLLER_H_
#define ASSAY_COMMON_RPC_SINGLE_POLLER_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/support/byte_buffer.h>

#include <memory>

#include "common/sync/notification.h"

namespace assay::rpc {

// gRPC's callback API polls with a thread for each two cores, but with two at least. The thread that
// takes an event first wakes another one to poll in its place; on one or two cores that handing-over
// is dearer than the events (docs/performance.md), so there one of the two is kept busy by waiting, in a
// callback of gRPC, for as long as the object lives. On larger machines it does nothing. One object a
// process. Destroy it before servers are shut down.
class SinglePoller {
 public:
  SinglePoller() : SinglePoller(Cores()) {}
  explicit SinglePoller(int cores);  // Of a machine with so many.
  ~SinglePoller();
  SinglePoller(const SinglePoller&) = delete;
  SinglePoller& operator=(const SinglePoller&) = delete;

 private:
  static int Cores();  // As gRPC counts them.

  std::shared_ptr<grpc::Channel> channel_;  // Null: nothing to do.
  grpc::ClientContext context_;
  grpc::ByteBuffer request_;
  grpc::ByteBuffer response_;
  Notification release_;
  Notification left_;
};

}  // namespace assay::rpc

#endif  // ASSAY_COMMON_RPC_SINGLE_POLLER_H_
