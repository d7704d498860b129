// The text by which labelled examples are found again.
#ifndef ASSAY_COMMON_JUDGING_EXAMPLE_TEXT_H_
#define ASSAY_COMMON_JUDGING_EXAMPLE_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

namespace assay::judging {

// What is embedded of an application's inputs and outputs (JSON texts, either may be empty): all
// strings and numbers in them, without keys and punctuation, at most 16 KiB of each. Thread-safe,
// as all here.
std::string ExampleText(std::string_view inputs_json, std::string_view outputs_json);

// The embedding of ExampleText by kEmbeddingModel; what MemoryExample.embedding holds.
std::vector<float> EmbedExample(std::string_view inputs_json, std::string_view outputs_json);

}  // namespace assay::judging

#endif  // ASSAY_COMMON_JUDGING_EXAMPLE_TEXT_H_
