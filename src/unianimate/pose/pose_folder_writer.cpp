#include "unianimate/pose/pose_folder_writer.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "unianimate/core/error.h"
#include "unianimate/core/natural_order.h"
#include "unianimate/media/image_writer.h"

namespace unianimate::pose {

namespace fs = std::filesystem;

namespace {

constexpr const char* kMark = "unianimate pose picture";

void require(const std::error_code& problem, const fs::path& path, std::string_view action) {
  if (!problem) return;
  throw Error(ErrorKind::kEnvironment, "{} could not be {}: {}", printable(path.string()), action, problem.message());
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

void refuse_files_of_others(const fs::path& folder) {
  if (!is_there(folder)) return;
  std::error_code problem;
  fs::directory_iterator entry(folder, problem);
  for (; !problem && entry != fs::directory_iterator(); entry.increment(problem)) {
    if (has_jpeg_comment(entry->path(), kMark)) continue;
    throw Error(ErrorKind::kUsage,
                "{} holds {}, which is no pose picture that this program wrote, and the folder would be replaced; "
                "choose another folder",
                printable(folder.string()), printable(entry->path().filename().string()));
  }
  require(problem, folder, "listed");
}

}  // namespace

PoseFolderWriter::PoseFolderWriter(const fs::path& folder, std::size_t count)
    : folder_(without_trailing_separator(folder)),
      output_(folder_),
      digits_(name_digits(static_cast<std::int64_t>(count))) {
  refuse_files_of_others(folder_);
  std::error_code problem;
  fs::create_directory(output_.temporary(), problem);
  require(problem, output_.temporary(), "made");
}

void PoseFolderWriter::write(const std::string& name, const Image& picture) const {
  constexpr int kPublishedQuality = 95;
  const fs::path path = output_.temporary() / name;
  const std::string bytes = encode_jpeg(picture, kPublishedQuality, kMark);
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file)
    throw Error(ErrorKind::kEnvironment, "{} could not be written: {}", printable(path.string()), std::strerror(errno));
}

void PoseFolderWriter::write_pose(std::size_t index, const Image& picture) const {
  write(fmt::format("{:0{}}.jpg", index, digits_), picture);
}

void PoseFolderWriter::write_reference_pose(const Image& picture) const {
  write("ref_pose.jpg", picture);
}

void PoseFolderWriter::finish() {
  if (!is_there(folder_)) return output_.commit();
  refuse_files_of_others(folder_);
  // The folder that stood there goes to the temporary place, and with it away.
  if (::renameat2(AT_FDCWD, output_.temporary().c_str(), AT_FDCWD, folder_.c_str(), RENAME_EXCHANGE) == 0) return;
  // Some file systems cannot exchange.
  std::error_code problem;
  fs::remove_all(folder_, problem);
  require(problem, folder_, "replaced");
  output_.commit();
}

}  // namespace unianimate::pose
