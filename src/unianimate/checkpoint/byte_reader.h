// Walks through a stretch of a mapped file and never past its end.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "unianimate/checkpoint/mapped_file.h"

namespace unianimate::checkpoint {

static_assert(std::endian::native == std::endian::little, "checkpoints are read as the little-endian bytes they are");

/// Every read throws Error(kInput) where the stretch ends too early.
class ByteReader {
 public:
  /// Reads [begin, end) of `file`, which must lie inside it. `what` names the stretch in messages.
  ByteReader(const MappedFile& file, std::size_t begin, std::size_t end, std::string_view what)
      : file_(&file), position_(begin), end_(end), what_(what) {}

  [[nodiscard]] const MappedFile& file() const noexcept { return *file_; }
  /// Offset in the file of the next byte.
  [[nodiscard]] std::size_t position() const noexcept { return position_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return end_ - position_; }
  [[nodiscard]] std::string_view what() const noexcept { return what_; }

  /// The next `size` bytes, as a view of the file.
  std::string_view take(std::uint64_t size) {
    if (size > remaining()) {
      throw file_->refusal("{} bytes are expected at byte {} in {}, and only {} follow; the file is damaged", size,
                           position_, what_, remaining());
    }
    const std::string_view taken = file_->bytes().substr(position_, size);
    position_ += size;
    return taken;
  }

  /// The next number, little endian.
  template <typename T>
  requires std::integral<T> || std::floating_point<T> T number() {
    T value{};
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }

  /// The text up to the next line feed, which is taken too.
  std::string_view line() {
    const std::size_t length = file_->bytes().substr(position_, remaining()).find('\n');
    if (length == std::string_view::npos) {
      throw file_->refusal("a line in {} at byte {} does not end; the file is damaged", what_, position_);
    }
    const std::string_view text = take(length);
    take(1);
    return text;
  }

 private:
  const MappedFile* file_;
  std::size_t position_;
  std::size_t end_;
  std::string_view what_;
};

}  // namespace unianimate::checkpoint
