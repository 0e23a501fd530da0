// Any files in a job folder, under checksums that are right: a state up to the first zero byte, then what each file
// holds that it names. "@" stands for the checksum of that file.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "unianimate/core/content_hash.h"
#include "unianimate/core/error.h"
#include "unianimate/core/output_file.h"
#include "unianimate/core/random.h"
#include "unianimate/studio/job_folder.h"

namespace {

namespace fs = std::filesystem;
using namespace unianimate;          // NOLINT(google-build-using-namespace)
using namespace unianimate::studio;  // NOLINT(google-build-using-namespace)

constexpr const char* kLatents = "segment-0-latents-1.safetensors";
constexpr const char* kPart = "segment-0-part-0.mkv";
constexpr int kSide = 16;

JobRecord record() {
  JobRecord record;
  record.job.request.reference = "/in/reference.png";
  record.job.request.poses = "/in/poses";
  record.job.request.width = kSide;
  record.job.request.height = kSide;
  record.job.output = "/out/video.mp4";
  record.files = {"/models/unet", "/models/autoencoder", "/models/clip", ""};
  record.device = "cpu";
  record.dtype = "fp32";
  return record;
}

void write_checked(const fs::path& file, const std::string& text) {
  std::ofstream(file, std::ios::binary) << content_hash_of(text) << "\n" << text << "\n";
}

std::string with_checksum(std::string text, const std::string& checksum) {
  for (std::size_t at = text.find('@'); at != std::string::npos; at = text.find('@', at)) text.replace(at, 1, checksum);
  return text;
}

fs::path make_folder_once() {
  std::string pattern = (fs::temp_directory_path() / "unianimate-fuzz-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) std::abort();
  return pattern;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const fs::path folder = make_folder_once();
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t zero = input.find('\0');
  const std::string content(zero == std::string_view::npos ? "" : input.substr(zero + 1));
  for (const char* file : {kLatents, kPart}) std::ofstream(folder / file, std::ios::binary) << content;
  write_checked(folder / "job.json", job_record_text(record()));
  write_checked(folder / "state.json",
                with_checksum(std::string(input.substr(0, zero)), content_hash(folder / kLatents)));
  try {
    Progress silent;
    summarize_job(folder);
    const auto job = JobFolder::open(folder);
    if (job->finished_frames(0, silent) < 0) __builtin_trap();
    at::Generator generator = make_generator(0);
    job->load_sampling(0, {{"latent", at::empty({1, 4, 1, kSide / 8, kSide / 8})}}, generator, silent);
    job->read_frames(0, [](const Image& image) {
      if (image.width != kSide || image.height != kSide) __builtin_trap();
    });
  } catch (const Error&) {  // refused, as it should be
  }
  return 0;
}
