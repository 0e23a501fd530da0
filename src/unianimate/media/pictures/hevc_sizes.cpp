#include "unianimate/media/pictures/hevc_sizes.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <vector>

namespace unianimate {

namespace {

using Bytes = std::span<const std::uint8_t>;

/// The bits of a NAL unit without the bytes that prevent start codes; zeros behind the end.
class Bits {
 public:
  explicit Bits(Bytes nal) {
    int zeros = 0;
    for (const std::uint8_t byte : nal) {
      const bool prevents = zeros >= 2 && byte == 3;
      zeros = byte == 0 ? zeros + 1 : 0;
      if (!prevents) bytes_.push_back(byte);
    }
  }

  void skip(std::size_t bits) { at_ += bits; }
  std::int64_t read(std::size_t bits) {
    std::int64_t value = 0;
    for (std::size_t i = 0; i < bits; ++i, ++at_) {
      const int bit = at_ / 8 < bytes_.size() ? bytes_[at_ / 8] >> (7 - at_ % 8) & 1 : 0;
      value = value << 1 | bit;
    }
    return value;
  }
  /// ue(v) of 9.2.
  std::int64_t exp_golomb() {
    constexpr std::size_t kMostZeros = 32;
    std::size_t zeros = 0;
    while (zeros < kMostZeros && read(1) == 0) ++zeros;
    return (std::int64_t{1} << zeros) - 1 + read(zeros);
  }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

std::int64_t longest_side_of_sps(Bytes nal) {
  constexpr std::size_t kMostBytes = 1024;
  constexpr std::size_t kProfileBits = 88;
  constexpr std::size_t kLevelBits = 8;
  constexpr std::int64_t kMostLayers = 8;
  constexpr std::int64_t kSeparatePlanes = 3;
  Bits bits(nal.first(std::min(nal.size(), kMostBytes)));
  bits.skip(16 + 4);
  const std::int64_t layers = bits.read(3);
  bits.skip(1 + kProfileBits + kLevelBits);
  std::size_t layer_bits = 0;
  for (std::int64_t i = 0; i < layers; ++i) {
    layer_bits += bits.read(1) != 0 ? kProfileBits : 0;
    layer_bits += bits.read(1) != 0 ? kLevelBits : 0;
  }
  if (layers > 0) bits.skip(static_cast<std::size_t>(2 * (kMostLayers - layers)));
  bits.skip(layer_bits);
  bits.exp_golomb();
  if (bits.exp_golomb() == kSeparatePlanes) bits.skip(1);
  const std::int64_t width = bits.exp_golomb();
  return std::max(width, bits.exp_golomb());
}

std::size_t big_endian(Bytes bytes) {
  std::size_t value = 0;
  for (const std::uint8_t byte : bytes) value = value << 8 | byte;
  return value;
}

/// Of the base layer; decoders pass over others.
bool is_sps(Bytes nal) {
  constexpr std::uint8_t kSpsHeader = 33 << 1;
  constexpr std::uint8_t kOtherLayers = 0xf8;
  return nal.size() >= 2 && nal[0] == kSpsHeader && (nal[1] & kOtherLayers) == 0;
}

/// `box`: what stands in an hvcC box and behind it (ISO/IEC 14496-15, 8.3.3.1.2). `units_left`: of the whole file, so
/// that many boxes do not take long; where they run out, no size can be told.
std::int64_t longest_side_in_box(Bytes box, std::size_t& units_left) {
  constexpr std::size_t kBeforeArrays = 22;
  std::int64_t longest = 0;
  if (box.size() <= kBeforeArrays) return longest;
  std::size_t arrays = box[kBeforeArrays];
  box = box.subspan(kBeforeArrays + 1);
  for (; arrays > 0 && box.size() >= 3; --arrays) {
    std::size_t units = big_endian(box.subspan(1, 2));
    box = box.subspan(3);
    for (; units > 0 && box.size() > 2; --units) {
      if (units_left == 0) return std::numeric_limits<std::int64_t>::max();
      --units_left;
      const Bytes nal = box.subspan(2, std::min(big_endian(box.first(2)), box.size() - 2));
      if (is_sps(nal)) longest = std::max(longest, longest_side_of_sps(nal));
      box = box.subspan(2 + nal.size());
    }
  }
  return longest;
}

}  // namespace

std::int64_t longest_hevc_side(Bytes file) {
  constexpr std::string_view kBox = "hvcC";
  constexpr std::size_t kLengthBytes = 4;
  constexpr std::size_t kMostSpsBytes = 0xffff;
  constexpr std::size_t kFewestSpsBytes = 16;
  constexpr std::size_t kMostUnits = 100'000;
  std::size_t units_left = kMostUnits;
  std::int64_t longest = 0;
  for (std::size_t at = kLengthBytes; at + kLengthBytes < file.size(); ++at) {
    if (file[at] == 'h' && std::equal(kBox.begin(), kBox.end(), file.begin() + static_cast<std::ptrdiff_t>(at))) {
      longest = std::max(longest, longest_side_in_box(file.subspan(at + kBox.size()), units_left));
    } else if (is_sps(file.subspan(at, 2))) {
      const std::size_t length = big_endian(file.subspan(at - kLengthBytes, kLengthBytes));
      if (length < kFewestSpsBytes || length > std::min(kMostSpsBytes, file.size() - at)) continue;
      longest = std::max(longest, longest_side_of_sps(file.subspan(at, length)));
    }
  }
  return longest;
}

}  // namespace unianimate
