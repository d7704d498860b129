// JSON Schemas in the words that Gemini knows.
#ifndef ASSAY_SERVICES_JUDGE_CLIENTS_GEMINI_SCHEMA_H_
#define ASSAY_SERVICES_JUDGE_CLIENTS_GEMINI_SCHEMA_H_

#include <optional>
#include <string>
#include <string_view>

namespace assay::judge {

// Gemini's Schema object for a JSON Schema: type, format, description, nullable, enum of strings,
// properties with their order, required, items, anyOf and the bounds. What it has no word for is
// left out: the schema allows more than the given one, never less. nullopt for what cannot be said
// at all: no object, or $ref.
std::optional<std::string> GeminiSchema(std::string_view json_schema);

}  // namespace assay::judge

#endif  // ASSAY_SERVICES_JUDGE_CLIENTS_GEMINI_SCHEMA_H_
