// Blocks of a prompt whose content cannot close them.
//
//   === BEGIN outputs 5d41402abc4b2a76 ===
//   {"response": "..."}
//   === END outputs 5d41402abc4b2a76 ===
//
// The marker is the beginning of the SHA-256 of name and content: a text that contained the border
// of its own block would have to contain its own hash.
#ifndef ASSAY_COMMON_JUDGING_PROMPT_FENCE_H_
#define ASSAY_COMMON_JUDGING_PROMPT_FENCE_H_

#include <string>
#include <string_view>
#include <vector>

namespace assay::judging {

// `content` as a block, with a line end after it. Characters of `name` other than letters, digits
// and _.-[] become
// `_`. Thread-safe, as all here.
std::string FencedBlock(std::string_view name, std::string_view content);

struct PromptBlock {
  std::string name;
  std::string content;
};

struct BlockText {
  std::vector<PromptBlock> blocks;  // In order.
  std::string rest;                 // What stands outside of them.
};

// Finds the blocks of `text` again. Borders inside a block, and borders whose marker is not that of
// their content, are plain text.
BlockText ReadBlocks(std::string_view text);

}  // namespace assay::judging

#endif  // ASSAY_COMMON_JUDGING_PROMPT_FENCE_H_
