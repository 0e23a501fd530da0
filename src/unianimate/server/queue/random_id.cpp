#include "unianimate/server/queue/random_id.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "unianimate/core/error.h"

namespace unianimate::queue {

namespace {

constexpr std::string_view kDigits = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t kLength = 20;
static_assert(kDigits.size() == 32, "a byte has to give each digit equally often");

}  // namespace

std::string random_id(char kind) {
  std::array<unsigned char, kLength> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw Error(ErrorKind::kEnvironment, "the system has no random numbers for a new id");
  }
  std::string id(1, kind);
  for (const unsigned char byte : bytes) id += kDigits[byte % kDigits.size()];
  return id;
}

bool is_id(char kind, const std::string& text) {
  return text.size() == kLength + 1 && text.front() == kind &&
         std::all_of(text.begin() + 1, text.end(),
                     [](char digit) { return kDigits.find(digit) != std::string_view::npos; });
}

}  // namespace unianimate::queue
