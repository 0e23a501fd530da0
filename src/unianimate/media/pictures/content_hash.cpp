#include "unianimate/media/pictures/content_hash.h"

extern "C" {
#include <libavutil/mem.h>
#include <libavutil/murmur3.h>
}

#include <algorithm>
#include <array>
#include <fstream>
#include <memory>
#include <string_view>
#include <vector>

#include "unianimate/core/error.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

struct FreeByFFmpeg {
  void operator()(AVMurMur3* state) const { av_free(state); }
};
using Hash = std::unique_ptr<AVMurMur3, FreeByFFmpeg>;

[[noreturn]] void refuse(const fs::path& path) {
  throw Error(ErrorKind::kInput, "{} cannot be read; check that it is there and may be read", printable(path.string()));
}

void add(AVMurMur3& hash, std::string_view bytes) {
  av_murmur3_update(&hash, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

void add_file(AVMurMur3& hash, const fs::path& path) {
  constexpr std::size_t kChunk = std::size_t{1} << 20;
  std::vector<char> chunk(kChunk);
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(path);
  while (file) {
    file.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    add(hash, {chunk.data(), static_cast<std::size_t>(file.gcount())});
  }
  if (file.bad()) refuse(path);
}

std::vector<fs::path> files_of(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code problem;
  fs::directory_iterator entry(folder, problem);
  for (; !problem && entry != fs::directory_iterator(); entry.increment(problem)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored)) files.push_back(entry->path());
  }
  if (problem) refuse(folder);
  std::ranges::sort(files);
  return files;
}

Hash begin_hash() {
  Hash hash(av_murmur3_alloc());
  if (!hash) throw std::bad_alloc();
  av_murmur3_init(hash.get());
  return hash;
}

std::string digits_of(AVMurMur3& hash) {
  std::array<std::uint8_t, 16> digest{};
  av_murmur3_final(&hash, digest.data());
  std::string digits;
  for (const std::uint8_t byte : digest) digits += fmt::format("{:02x}", byte);
  return digits;
}

}  // namespace

std::string content_hash_of(std::string_view bytes) {
  const Hash hash = begin_hash();
  add(*hash, bytes);
  return digits_of(*hash);
}

std::string sampled_hash(const fs::path& path) {
  constexpr std::uintmax_t kWhole = std::uintmax_t{16} << 20;
  constexpr std::uintmax_t kPieces = 256;
  constexpr std::size_t kPiece = std::size_t{64} << 10;
  std::error_code problem;
  const std::uintmax_t size = fs::file_size(path, problem);
  if (problem) refuse(path);
  if (size <= kWhole) return content_hash(path);
  const Hash hash = begin_hash();
  add(*hash, std::to_string(size));
  std::vector<char> piece(kPiece);
  std::ifstream file(path, std::ios::binary);
  for (std::uintmax_t i = 0; i < kPieces; ++i) {
    file.seekg(static_cast<std::streamoff>((size - kPiece) / (kPieces - 1) * i));
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    if (!file) refuse(path);
    add(*hash, {piece.data(), piece.size()});
  }
  return digits_of(*hash);
}

std::string content_hash(const fs::path& path) {
  const Hash hash = begin_hash();
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    for (const fs::path& file : files_of(path)) {
      // Each name ends with a zero and each digest is as long as any other, so that no two folders read the same.
      add(*hash, file.filename().string() + '\0');
      add(*hash, content_hash(file));
    }
  } else {
    add_file(*hash, path);
  }
  return digits_of(*hash);
}

}  // namespace unianimate
