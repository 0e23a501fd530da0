// Walks through a stretch of a file and never past its end.
#pragma once

#include <algorithm>
#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "unianimate/checkpoint/checkpoint_file.h"

namespace unianimate::checkpoint {

static_assert(std::endian::native == std::endian::little, "checkpoints are read as the little-endian bytes they are");

/// Every read throws Error(kInput) where the stretch ends too early.
class ByteReader {
 public:
  /// Reads [begin, end) of `file`, which must lie inside it. `what` names the stretch in messages.
  ByteReader(const CheckpointFile& file, std::size_t begin, std::size_t end, std::string_view what)
      : file_(&file), position_(begin), end_(end), what_(what) {}

  [[nodiscard]] const CheckpointFile& file() const noexcept { return *file_; }
  /// Offset in the file of the next byte.
  [[nodiscard]] std::size_t position() const noexcept { return position_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return end_ - position_; }
  [[nodiscard]] std::string_view what() const noexcept { return what_; }

  /// The next `size` bytes, valid for as long as the file.
  std::string_view take(std::uint64_t size) {
    require(size);
    const std::string_view taken = ahead(size);
    position_ += size;
    return taken;
  }

  /// Passes over the next `size` bytes.
  void skip(std::uint64_t size) {
    require(size);
    position_ += size;
  }

  /// The next number, little endian.
  template <typename T>
  requires std::integral<T> || std::floating_point<T> T number() {
    T value{};
    take(sizeof(T)).copy(reinterpret_cast<char*>(&value), sizeof(T));
    return value;
  }

  /// The text up to the next line feed, which is taken too; no longer than any name in a checkpoint.
  std::string_view line() {
    constexpr std::size_t kLongest = 4096;
    const std::size_t length = ahead(std::min(kLongest, remaining())).find('\n');
    if (length == std::string_view::npos) {
      throw file_->refusal("a line in {} at byte {} does not end; the file is damaged", what_, position_);
    }
    const std::string_view text = take(length);
    skip(1);
    return text;
  }

 private:
  void require(std::uint64_t size) const {
    if (size <= remaining()) return;
    throw file_->refusal("{} bytes are expected at byte {} in {}, and only {} follow; the file is damaged", size,
                         position_, what_, remaining());
  }

  /// The next `size` bytes, of which there are enough. Reads more than that at once: most pieces are a few bytes long.
  std::string_view ahead(std::size_t size) {
    constexpr std::size_t kLargestWindow = std::size_t{1} << 20;
    if (size > window_begin_ + window_.size() - position_ || position_ > window_begin_ + window_.size()) {
      next_window_ = std::min(2 * next_window_, kLargestWindow);
      window_ = file_->keep(position_, std::min(std::max(size, next_window_), remaining()));
      window_begin_ = position_;
    }
    return window_.substr(position_ - window_begin_, size);
  }

  const CheckpointFile* file_;
  std::size_t position_;
  std::size_t end_;
  std::string_view what_;
  std::string_view window_;
  std::size_t window_begin_ = 0;
  std::size_t next_window_ = 64;
};

}  // namespace unianimate::checkpoint
