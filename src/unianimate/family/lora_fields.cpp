#include "unianimate/family/lora_fields.h"

#include <fmt/format.h>

#include <charconv>

namespace unianimate::family {

LoraFile parse_lora(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return {text};
  const std::string_view number = text.substr(colon + 1);
  double scale = 0;
  const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), scale);
  if (problem != std::errc() || end != number.data() + number.size()) return {text};
  return {text.substr(0, colon), scale};
}

std::string lora_text(const LoraFile& lora) {
  return fmt::format("{}:{}", lora.path.string(), lora.scale);
}

void visit(fields::Archive& archive, LoraFile& lora) {
  archive("path", lora.path);
  archive("scale", lora.scale);
}

}  // namespace unianimate::family
