#include "cli/command.h"

#include <ATen/Parallel.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "unianimate/cli/invocation.h"

namespace unianimate::testing {

namespace {

/// Takes what is written to a descriptor for as long as it lives.
class Captured {
 public:
  explicit Captured(int descriptor)
      : descriptor_(descriptor), kept_(::dup(descriptor)), file_((std::fflush(nullptr), std::tmpfile())) {
    ::dup2(::fileno(file_), descriptor_);
  }
  ~Captured() {
    std::fflush(nullptr);
    ::dup2(kept_, descriptor_);
    ::close(kept_);
    std::fclose(file_);
  }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;

  [[nodiscard]] std::string text() const {
    std::fflush(nullptr);
    std::string text;
    std::fseek(file_, 0, SEEK_SET);
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) text += static_cast<char>(c);
    return text;
  }

 private:
  int descriptor_;
  int kept_;
  std::FILE* file_;
};

}  // namespace

ProgramResult run_here(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
                       const std::filesystem::path& models) {
  constexpr const char* kModels = "UNIANIMATE_MODELS";
  if (models.empty()) {
    ::unsetenv(kModels);
  } else {
    ::setenv(kModels, models.c_str(), 1);
  }
  // The program would start itself anew to wait for other threads like this.
  ::setenv("OMP_WAIT_POLICY", "passive", 0);
  const std::filesystem::path before = std::filesystem::current_path();
  const int threads = at::get_num_threads();
  std::filesystem::current_path(folder);
  std::vector<std::string> words{"unianimate"};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  ProgramResult result;
  {
    const Captured out(STDOUT_FILENO);
    const Captured err(STDERR_FILENO);
    result.status = cli::invoke(static_cast<int>(words.size()), argv.data());
    result.out = out.text();
    result.err = err.text();
  }
  at::set_num_threads(threads);
  std::filesystem::current_path(before);
  return result;
}

}  // namespace unianimate::testing
