#include "services/trace/store/facts_merge.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "common/otlp/wire_cursor.h"
#include "services/trace/core/trace_facts.h"

namespace assay::trace {
namespace {

TraceFacts Parse(const rocksdb::Slice& bytes) {
  TraceFacts facts;
  if (!facts.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) facts.Clear();
  return facts;
}

// Equal facts have equal bytes (maps in order), so that a writer can check that nothing has changed.
// Where they do not (facts that were put, or completed), a writer only tries again.
bool Serialize(const TraceFacts& facts, std::string* bytes) {
  bytes->clear();
  google::protobuf::io::StringOutputStream stream(bytes);
  google::protobuf::io::CodedOutputStream out(&stream);
  out.SetSerializationDeterministic(true);
  return facts.SerializeToCodedStream(&out);
}

// A completion that is the first of its trace is put behind the facts as it is: nearly every trace
// is completed once, and what is known of it need not be read and written for that. False if more is
// to be done.
bool AppendFirstCompletion(const rocksdb::Slice& facts, const rocksdb::Slice& operand,
                           std::string* merged) {
  otlp::WireCursor added(operand.ToStringView());
  otlp::WireField field;
  std::string_view completion;
  while (added.Next(&field)) {
    switch (field.number) {
      case TraceFacts::kCompletionFieldNumber:
        if (!completion.empty()) return false;
        completion = field.bytes;
        break;
      case TraceFacts::kSchemaVersionFieldNumber:
      case TraceFacts::kExperimentNumberFieldNumber:
      case TraceFacts::kBoundMsFieldNumber:
        break;
      default:
        return false;
    }
  }
  if (!added.ok() || completion.empty()) return false;
  otlp::WireCursor known(facts.ToStringView());
  uint64_t number = 0;
  while (known.Next(&field)) {
    if (field.number == TraceFacts::kExperimentNumberFieldNumber) number = field.value;
    // These would be another's, or mean something in an operand only.
    if (field.number == TraceFacts::kCompletionFieldNumber ||
        field.number == TraceFacts::kTagsByClientFieldNumber ||
        field.number == TraceFacts::kRemovedTagsFieldNumber) {
      return false;
    }
  }
  if (!known.ok() || number == 0) return false;
  merged->clear();
  merged->reserve(facts.size() + completion.size() + 4);
  merged->append(facts.data(), facts.size());
  otlp::AppendBytesField(TraceFacts::kCompletionFieldNumber, completion, merged);
  return true;
}

class FactsMerge final : public rocksdb::MergeOperator {
 public:
  bool FullMergeV2(const MergeOperationInput& input, MergeOperationOutput* output) const override {
    if (input.existing_value != nullptr && input.operand_list.size() == 1 &&
        AppendFirstCompletion(*input.existing_value, input.operand_list[0], &output->new_value)) {
      return true;
    }
    TraceFacts facts;
    if (input.existing_value != nullptr) facts = Parse(*input.existing_value);
    for (const rocksdb::Slice& operand : input.operand_list) MergeFacts(Parse(operand), &facts);
    return Serialize(facts, &output->new_value);
  }

  bool PartialMergeMulti(const rocksdb::Slice& /*key*/, const std::deque<rocksdb::Slice>& operands,
                         std::string* merged, rocksdb::Logger* /*logger*/) const override {
    TraceFacts facts;
    for (const rocksdb::Slice& bytes : operands) {
      const TraceFacts operand = Parse(bytes);
      if (!CanMergeEarly(operand)) return false;
      MergeFacts(operand, &facts);
    }
    return Serialize(facts, merged);
  }

  const char* Name() const override { return "assay.TraceFactsMerge.1"; }
};

}  // namespace

std::shared_ptr<rocksdb::MergeOperator> NewFactsMergeOperator() {
  return std::make_shared<FactsMerge>();
}

}  // namespace assay::trace
