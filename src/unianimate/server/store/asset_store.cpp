#include "unianimate/server/store/asset_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <initializer_list>
#include <system_error>
#include <vector>

#include "unianimate/core/error_causes.h"
#include "unianimate/core/output_file.h"
#include "unianimate/server/queue/random_id.h"
#include "unianimate/server/store/content_type.h"
#include "unianimate/server/store/store_lock.h"

namespace unianimate::store {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void refuse(const fs::path& path, std::string_view what, const std::error_code& reason) {
  constexpr const char* kSentence = "{} {}: {}";
  const auto is = [&](std::initializer_list<int> numbers) {
    return std::find(numbers.begin(), numbers.end(), reason.value()) != numbers.end();
  };
  if (is({ENOSPC, EDQUOT, EFBIG})) throw DiskFull(kSentence, printable(path.string()), what, reason.message());
  throw Error(ErrorKind::kEnvironment, kSentence, printable(path.string()), what, reason.message());
}

[[noreturn]] void refuse(const fs::path& path, std::string_view what) {
  refuse(path, what, {errno, std::generic_category()});
}

int make_file(const fs::path& file) {
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (descriptor < 0) refuse(file, "cannot be made");
  // clear_incoming() leaves alone what is locked.
  ::flock(descriptor, LOCK_EX | LOCK_NB);
  return descriptor;
}

}  // namespace

AssetWriter::AssetWriter(const DataFolder& folder)
    : folder_(folder), file_(folder.incoming() / queue::random_id('u')), descriptor_(make_file(file_)) {}

AssetWriter::~AssetWriter() {
  ::close(descriptor_);
  std::error_code ignored;
  if (!file_.empty()) fs::remove(file_, ignored);
}

void AssetWriter::write(std::string_view bytes) {
  hash_.add(bytes);
  bytes_ += static_cast<std::int64_t>(bytes.size());
  if (beginning_.size() < kSniffedBytes) beginning_ += bytes.substr(0, kSniffedBytes - beginning_.size());
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) refuse(folder_.incoming(), "takes no more of a file");
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::pair<queue::AssetRow, bool> AssetWriter::finish(queue::JobQueue& queue, const std::optional<std::string>& name) {
  const std::string_view type = content_type(beginning_);
  if (type.empty()) {
    throw Error(ErrorKind::kInput,
                "{} is no picture, video or JSON of poses: expected JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP, TIFF, MP4, "
                "MOV, WebM, MKV, AVI or JSON",
                name ? printable(*name) : "the file");
  }
  if (::fsync(descriptor_) != 0) refuse(folder_.incoming(), "takes no more of a file");
  queue::AssetRow asset;
  asset.id = queue::random_id('a');
  asset.sha256 = hash_.digits();
  asset.bytes = bytes_;
  asset.type = type;
  // Not every file system's names are text.
  constexpr std::size_t kMostPerByte = 4;
  if (name) asset.name = printable(*name, kMostPerByte * name->size());
  const fs::path place = folder_.asset(asset.sha256, type);
  const StoreLock lock(folder_);
  // A file in place whose row cannot be made would stay for ever.
  queue.require_writable();
  std::error_code problem;
  fs::create_directories(place.parent_path(), problem);
  if (problem) refuse(place.parent_path(), "cannot be made", problem);
  fs::rename(file_, place, problem);
  if (problem) refuse(place, "cannot be put in place", problem);
  file_.clear();
  sync_folder(place.parent_path());
  return queue.add_asset(asset);
}

queue::AssetRow store_file(const DataFolder& folder, queue::JobQueue& queue, const fs::path& file) {
  constexpr std::size_t kChunk = std::size_t{1} << 20;
  std::error_code ignored;
  // A pipe would be waited for.
  std::ifstream source;
  if (fs::is_regular_file(file, ignored)) source.open(file, std::ios::binary);
  if (!source.is_open()) {
    throw Error(ErrorKind::kInput, "{} is no file that can be read: a queued job takes single files",
                printable(file.string()));
  }
  AssetWriter writer(folder);
  std::vector<char> chunk(kChunk);
  while (source) {
    source.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    writer.write({chunk.data(), static_cast<std::size_t>(source.gcount())});
  }
  if (source.bad()) throw Error(ErrorKind::kInput, "{} cannot be read to its end", printable(file.string()));
  return writer.finish(queue, file.filename().string()).first;
}

void clear_incoming(const DataFolder& folder) {
  std::error_code problem;
  for (fs::directory_iterator entry(folder.incoming(), problem); !problem && entry != fs::directory_iterator();
       entry.increment(problem)) {
    // NFS locks only what can be written.
    const int descriptor = ::open(entry->path().c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0) continue;
    std::error_code ignored;
    if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) fs::remove(entry->path(), ignored);
    ::close(descriptor);
  }
}

fs::path file_of(const DataFolder& folder, const queue::AssetRow& asset) {
  return folder.asset(asset.sha256, asset.type);
}

bool remove_asset(const DataFolder& folder, queue::JobQueue& queue, const queue::AssetRow& asset, double last_use) {
  const StoreLock lock(folder);
  if (!queue.remove_asset(asset.id, last_use)) return false;
  std::error_code ignored;
  fs::remove(file_of(folder, asset), ignored);
  return true;
}

}  // namespace unianimate::store
