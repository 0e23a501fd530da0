#include "unianimate/core/content_hash.h"

#define XXH_INLINE_ALL  // the header alone: nothing more to link or to carry to another machine
#include <xxhash.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <vector>

#include "unianimate/core/error.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

class Hash {
 public:
  Hash() {
    if (!state_) throw std::bad_alloc();
    XXH3_128bits_reset(state_.get());
  }
  void add(std::string_view bytes) { XXH3_128bits_update(state_.get(), bytes.data(), bytes.size()); }
  [[nodiscard]] std::string digits() const {
    const XXH128_hash_t digest = XXH3_128bits_digest(state_.get());
    return fmt::format("{}{:016x}{:016x}", kHashAlgorithm, digest.high64, digest.low64);
  }

 private:
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> state_{XXH3_createState()};
};

[[noreturn]] void refuse(const fs::path& path) {
  throw Error(ErrorKind::kInput, "{} cannot be read; check that it is there and may be read", printable(path.string()));
}

void add_file(Hash& hash, const fs::path& path) {
  constexpr std::size_t kChunk = std::size_t{1} << 20;
  std::vector<char> chunk(kChunk);
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(path);
  while (file) {
    file.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    hash.add({chunk.data(), static_cast<std::size_t>(file.gcount())});
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

}  // namespace

std::string content_hash_of(std::string_view bytes) {
  Hash hash;
  hash.add(bytes);
  return hash.digits();
}

std::string sampled_hash(const fs::path& path) {
  constexpr std::uintmax_t kWhole = std::uintmax_t{16} << 20;
  constexpr std::uintmax_t kPieces = 256;
  constexpr std::size_t kPiece = std::size_t{64} << 10;
  std::error_code problem;
  const std::uintmax_t size = fs::file_size(path, problem);
  if (problem) refuse(path);
  if (size <= kWhole) return content_hash(path);
  Hash hash;
  hash.add(std::to_string(size));
  std::vector<char> piece(kPiece);
  std::ifstream file(path, std::ios::binary);
  for (std::uintmax_t i = 0; i < kPieces; ++i) {
    file.seekg(static_cast<std::streamoff>((size - kPiece) / (kPieces - 1) * i));
    file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    if (!file) refuse(path);
    hash.add({piece.data(), piece.size()});
  }
  return hash.digits();
}

std::string content_hash(const fs::path& path) {
  Hash hash;
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    for (const fs::path& file : files_of(path)) {
      // Each name ends with a zero and each digest is as long as any other, so that no two folders read the same.
      hash.add(file.filename().string() + '\0');
      hash.add(content_hash(file));
    }
  } else {
    add_file(hash, path);
  }
  return hash.digits();
}

}  // namespace unianimate
