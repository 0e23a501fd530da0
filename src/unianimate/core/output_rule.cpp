#include "unianimate/core/output_rule.h"

#include <sys/stat.h>

#include <optional>

#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"

namespace unianimate {

namespace fs = std::filesystem;

namespace {

std::optional<std::pair<std::uint64_t, std::uint64_t>> identity_of(const fs::path& path) {
  struct ::stat status {};
  if (path.empty() || ::stat(path.c_str(), &status) != 0) return std::nullopt;
  return std::pair<std::uint64_t, std::uint64_t>{status.st_dev, status.st_ino};
}

/// Names are numbered before `suffix`, with which `wanted` ends.
fs::path first_free(const fs::path& wanted, const std::string& suffix, const MayReplace& may_replace) {
  constexpr int kMostPlaces = 10'000;
  const std::string name = wanted.filename().string();
  const std::string stem = name.substr(0, name.size() - suffix.size());
  fs::path place = wanted;
  for (int number = 2; number <= kMostPlaces; ++number) {
    std::error_code problem;
    if (fs::symlink_status(place, problem).type() == fs::file_type::not_found || may_replace(place)) return place;
    place = wanted.parent_path() / fitting_name(wanted.parent_path(), stem, fmt::format("-{}{}", number, suffix));
  }
  throw Error(ErrorKind::kEnvironment, "{} and {} names like it are taken; make room or choose another output",
              printable(wanted.string()), kMostPlaces);
}

}  // namespace

void Inputs::add(const fs::path& path) {
  const fs::path plain = without_trailing_separator(path);
  const auto identity = identity_of(plain);
  if (!identity) return;
  files_.emplace(*identity, plain);
  std::error_code ignored;
  for (const fs::path& place : {plain, fs::canonical(plain, ignored)}) {
    if (const auto folder = identity_of(folder_of(place))) folders_.emplace(*folder, plain);
  }
}

void Inputs::add_folder(const fs::path& folder) {
  add(folder);
  std::error_code problem;
  for (fs::directory_iterator entry(folder, problem), end; !problem && entry != end; entry.increment(problem)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored)) add(entry->path());
  }
}

bool Inputs::contain(const fs::path& path) const {
  const auto identity = identity_of(path);
  return identity && files_.contains(*identity);
}

bool Inputs::lie_in(const fs::path& folder) const {
  const auto identity = identity_of(folder);
  return identity && folders_.contains(*identity);
}

void Inputs::refuse(const fs::path& output) const {
  const auto identity = identity_of(output);
  if (!identity) return;
  if (const auto input = files_.find(*identity); input != files_.end()) {
    throw Error(ErrorKind::kUsage,
                "the output {} is the input {}, so the original would be gone; give another name for the output",
                printable(output.string()), printable(input->second.string()));
  }
  std::error_code ignored;
  const auto folder = folders_.find(*identity);
  if (folder == folders_.end() || !fs::is_directory(output, ignored)) return;
  throw Error(ErrorKind::kUsage, "the output folder {} holds the input {}; give a folder of its own for the output",
              printable(output.string()), printable(folder->second.string()));
}

fs::path beside(const fs::path& path, std::string_view ending) {
  const fs::path plain = without_trailing_separator(path);
  return plain.parent_path() / fitting_name(plain.parent_path(), plain.filename().string(), ending);
}

fs::path own_place(const fs::path& wanted, std::string_view mark, const Inputs& inputs) {
  return first_free(wanted, wanted.extension().string(), [&](const fs::path& place) {
    return written_mark(place).starts_with(mark) && !inputs.contain(place);
  });
}

fs::path own_place(const fs::path& wanted, std::string_view mark, const Inputs& inputs, Progress& progress) {
  fs::path place = own_place(wanted, mark, inputs);
  tell_place(wanted, place, progress);
  return place;
}

fs::path own_folder(const fs::path& wanted, const MayReplace& may_replace) {
  return first_free(wanted, "", may_replace);
}

fs::path shared_folder(const fs::path& wanted) {
  return own_folder(wanted, [](const fs::path& place) {
    std::error_code ignored;
    return fs::is_directory(place, ignored);
  });
}

void tell_place(const fs::path& wanted, const fs::path& chosen, Progress& progress) {
  if (wanted == chosen) return;
  progress.note(fmt::format("{} is nothing that this program may replace, so {} is written instead",
                            printable(wanted.string()), printable(chosen.string())));
}

}  // namespace unianimate
