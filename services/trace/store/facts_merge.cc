#include "services/trace/store/facts_merge.h"

#include <string>

#include "services/trace/core/trace_facts.h"

namespace assay::trace {
namespace {

TraceFacts Parse(const rocksdb::Slice& bytes) {
  TraceFacts facts;
  if (!facts.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) facts.Clear();
  return facts;
}

class FactsMerge final : public rocksdb::AssociativeMergeOperator {
 public:
  bool Merge(const rocksdb::Slice& /*key*/, const rocksdb::Slice* existing,
             const rocksdb::Slice& operand, std::string* result,
             rocksdb::Logger* /*logger*/) const override {
    TraceFacts facts;
    if (existing != nullptr) facts = Parse(*existing);
    MergeFacts(Parse(operand), &facts);
    return facts.SerializeToString(result);
  }
  const char* Name() const override { return "assay.TraceFactsMerge.1"; }
};

}  // namespace

std::shared_ptr<rocksdb::MergeOperator> NewFactsMergeOperator() {
  return std::make_shared<FactsMerge>();
}

}  // namespace assay::trace
