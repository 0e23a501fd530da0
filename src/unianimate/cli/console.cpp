#include "unianimate/cli/console.h"

#include "unianimate/cli/interruption.h"

namespace unianimate::cli {

void write_text(std::FILE* stream, std::string_view text) noexcept {
  const bool written = std::fwrite(text.data(), 1, text.size(), stream) == text.size() && std::fflush(stream) == 0;
  if (!written) interrupt();
}

}  // namespace unianimate::cli
