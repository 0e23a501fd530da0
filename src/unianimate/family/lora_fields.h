// A LoRA among fields: an object in files, "FILE" or "FILE:SCALE" on the command line.
#pragma once

#include <string>
#include <string_view>

#include "unianimate/family/lora.h"
#include "unianimate/fields/archive.h"

namespace unianimate::family {

/// What stands behind the last colon and is no number belongs to the file's name.
LoraFile parse_lora(std::string_view text);
std::string lora_text(const LoraFile& lora);

void visit(fields::Archive& archive, LoraFile& lora);

}  // namespace unianimate::family

template <>
struct unianimate::fields::TextForm<unianimate::family::LoraFile> {
  static std::string text(const family::LoraFile& lora) { return family::lora_text(lora); }
  static family::LoraFile parse(std::string_view text) { return family::parse_lora(text); }
};
