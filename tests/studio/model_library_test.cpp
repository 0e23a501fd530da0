#include "unianimate/studio/model_library.h"

#include <gmock/gmock.h>

#include <fstream>
#include <functional>

#include "support/temporary_folder.h"
#include "unianimate/core/error.h"

namespace unianimate::studio {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Library : public ::testing::Test {
 protected:
  void add_model(const fs::path& folder) { add_file(folder / "unianimate_16f_32f_non_ema_223000.safetensors"); }
  void add_file(const fs::path& file) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << "weights";
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const NamedModel& model : find_models(models_)) names.push_back(model.name);
    return names;
  }
  static std::string refusal(const std::function<void()>& ask) {
    try {
      ask();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  testing::TemporaryFolder folder_;
  fs::path models_ = folder_ / "checkpoints";
};

TEST_F(Library, NamesModelsByTheirFolders) {
  EXPECT_THAT(names(), ElementsAre("embedded")) << "there is no folder";
  EXPECT_EQ(model_by_name(models_, ""), models_) << "and nobody asked for the embedded model";
  add_model(models_ / "second");
  add_model(models_ / "first");
  add_file(models_ / "notes" / "readme.txt");
  EXPECT_THAT(names(), ElementsAre("first", "second", "embedded"));
  EXPECT_EQ(model_by_name(models_, ""), models_ / "first");
  add_model(models_);
  EXPECT_THAT(names(), ElementsAre("checkpoints", "first", "second", "embedded"));
  EXPECT_EQ(model_by_name(models_, ""), models_);
  EXPECT_EQ(model_by_name(models_, "second"), models_ / "second");
  EXPECT_EQ(find_models(models_ / "").front().name, "checkpoints");
  EXPECT_EQ(find_models(models_).front().family, "unianimate");
}

TEST_F(Library, TakesNamesAndNoPaths) {
  add_model(models_ / "first");
  add_model(folder_ / "elsewhere");
  add_file(folder_ / "elsewhere.safetensors");
  add_file(models_ / "loras" / "style.safetensors");
  EXPECT_THAT(refusal([&] { model_by_name(models_, "../elsewhere"); }), HasSubstr("it has first, embedded"));
  EXPECT_THAT(refusal([&] { lora_by_name(models_, "../../elsewhere"); }), HasSubstr("it has style"));
  EXPECT_THAT(refusal([&] { lora_by_name(models_ / "first", "style"); }), HasSubstr("it has none"));
  EXPECT_EQ(lora_by_name(models_, "style"), models_ / "loras" / "style.safetensors");
}

TEST_F(Library, ListsLorasInOrder) {
  for (const char* name : {"style.safetensors", "light.safetensors", "readme.txt"}) add_file(models_ / "loras" / name);
  EXPECT_THAT(find_loras(models_), ElementsAre("light", "style"));
  EXPECT_THAT(find_loras(folder_ / "nowhere"), ElementsAre());
}

}  // namespace
}  // namespace unianimate::studio
