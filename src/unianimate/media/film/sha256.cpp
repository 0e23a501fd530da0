#include "unianimate/media/film/sha256.h"

extern "C" {
#include <libavutil/mem.h>
#include <libavutil/sha.h>
}

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <new>

namespace unianimate {

namespace {

constexpr int kBits = 256;
constexpr std::size_t kBytes = 32;

}  // namespace

struct Sha256::State {
  struct Free {
    void operator()(AVSHA* owned) const { av_free(owned); }
  };
  std::unique_ptr<AVSHA, Free> hash{av_sha_alloc()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  if (!state_->hash) throw std::bad_alloc();
  av_sha_init(state_->hash.get(), kBits);
}

Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::add(std::string_view bytes) {
  av_sha_update(state_->hash.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

std::string Sha256::digits() {
  std::array<std::uint8_t, kBytes> digest{};
  av_sha_final(state_->hash.get(), digest.data());
  return fmt::format("{:02x}", fmt::join(digest, ""));
}

std::string sha256_of(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.digits();
}

}  // namespace unianimate
