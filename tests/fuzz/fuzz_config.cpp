// Any text as a configuration; what follows a zero byte is an override.
#include "unianimate/core/error.h"
#include "unianimate/studio/published_config.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace unianimate::studio;  // NOLINT(google-build-using-namespace)
  constexpr std::int64_t kFewAnimations = 100;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = input.find('\0');
  ConfigOptions options;
  if (zero != std::string_view::npos) options.overrides.emplace_back(input.substr(zero + 1));
  try {
    const PublishedConfig config = parse_published_config(input.substr(0, zero), "fuzz", options);
    if (config.rounds * static_cast<std::int64_t>(config.items.size()) > kFewAnimations) return 0;
    for (const ConfiguredAnimation& animation : list_animations(config)) {
      if (animation.file_name.find('/') != std::string::npos) __builtin_trap();
      animation.request.check();
    }
  } catch (const unianimate::Error&) {  // refused, as it should be
  }
  return 0;
}
