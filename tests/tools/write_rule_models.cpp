// Writes a models folder filled by the rule of tests/support/rule.h: the right shapes, meaningless weights.
// usage: write_rule_models FOLDER small|published
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>

#include "support/rule_models.h"

int main(int argc, char** argv) {
  const std::string size = argc == 3 ? argv[2] : "";
  if (size != "small" && size != "published") {
    std::fputs("usage: write_rule_models FOLDER small|published\n", stderr);
    return 2;
  }
  try {
    std::filesystem::create_directories(argv[1]);
    unianimate::testing::write_rule_models(
        argv[1], size == "small" ? unianimate::testing::small_model_configs() : unianimate::family::ModelConfigs{});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "write_rule_models: %s\n", error.what());
    return 1;
  }
  return 0;
}
