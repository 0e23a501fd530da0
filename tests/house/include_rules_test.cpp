#include "house/include_rules.h"

#include <gmock/gmock.h>

#include <fstream>

#include "support/temporary_folder.h"

namespace unianimate::testing {
namespace {

namespace fs = std::filesystem;

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

TEST(House, IncludesGoDownwardsOnly) {
  EXPECT_THAT(broken_rules(UNIANIMATE_SOURCES, house_rules()), IsEmpty());
}

TEST(House, RoomsIncludeOnlyRoomsBelowThem) {
  std::vector<std::string_view> below;
  for (const Room& room : house_rules().rooms) {
    for (const std::string_view folder : room.may_include) {
      EXPECT_THAT(below, ::testing::Contains(folder)) << "for " << room.folder;
    }
    below.push_back(room.folder);
  }
}

class MadeUpHouse : public ::testing::Test {
 protected:
  void write(const std::string& file, const std::string& content) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << content;
  }
  [[nodiscard]] std::vector<std::string> problems() const { return broken_rules(root_.path(), house_rules()); }

  TemporaryFolder root_;
};

TEST_F(MadeUpHouse, ThatKeepsTheRulesHasNoProblems) {
  write("core/error.h", "#pragma once\n#include <string>\n");
  write("nn/ops/ops.h", "#include \"unianimate/core/error.h\"\n");
  write("nn/layers.h", "#include \"unianimate/nn/ops/ops.h\"  // a room in a room\n");
  write("media/film/video.cpp", "extern \"C\" {\n#include <libavcodec/avcodec.h>\n}\n");
  write("cli/main.cpp", "// std::cout is for people\nint main() { fmt::print(\"\"); }\n");
  EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(MadeUpHouse, ForbiddenIncludesAreNamedWithLineAndRule) {
  write("models/unet.cpp", "#include <vector>\n\n#include \"unianimate/checkpoint/loading.h\"\n");
  write("checkpoint/loading.h", "");
  write("diffusion/ddim.h", "#include \"unianimate/models/unet.h\"\n");
  write("models/unet.h", "");
  write("pipeline/animator.cpp",
        "#  include \"unianimate/models/unet.h\"\n#include \"unianimate/family/unianimate/a.h\"\n");
  write("family/unianimate/a.h", "");
  write("core/error.cpp", "#include \"unianimate/cli/console.h\"\n");
  write("cli/console.h", "");
  write("nn/ops/cuda/kernel.cu", "#include \"unianimate/models/unet.h\"\n");
  EXPECT_THAT(
      problems(),
      ElementsAre(
          AllOf(StartsWith("core/error.cpp:1: core may not include cli"), HasSubstr("cli/console.h")),
          StartsWith("diffusion/ddim.h:1: diffusion may not include models"),
          AllOf(StartsWith("models/unet.cpp:3: models may not include checkpoint, of which checkpoint/loading.h is"),
                HasSubstr("it may include core, fields, nn, nn/ops")),
          StartsWith("nn/ops/cuda/kernel.cu:1: nn/ops may not include models"),
          StartsWith("pipeline/animator.cpp:1: pipeline may not include models"),
          StartsWith("pipeline/animator.cpp:2: pipeline may not include family/unianimate")));
}

TEST_F(MadeUpHouse, WhatIsReservedForARoomIsRefusedInOthers) {
  write("media/pictures/a.cpp", "#include <libswscale/swscale.h>\n");
  write("pipeline/b.cpp", "#include <openvino/openvino.hpp>\n#include <CLI/CLI.hpp>\n");
  write("studio/c.cpp", "#include <iostream>\n");
  write("training/d.cpp", "#include <yaml-cpp/yaml.h>\nvoid f() { fmt::print(\"\"); }\n");
  write("models/e.cpp", "__m512 a;\n");
  write("plot/f.cpp", "#include <png.h>\n");
  EXPECT_THAT(problems(),
              ElementsAre("media/pictures/a.cpp:1: FFmpeg belongs into media/film only",
                          StartsWith("models/e.cpp:1: an instruction of one processor belongs into nn/ops"),
                          StartsWith("pipeline/b.cpp:1: the runtime of the pose networks belongs into pose/detect"),
                          StartsWith("pipeline/b.cpp:2: CLI11 belongs into"),
                          StartsWith("plot/f.cpp:1: a codec of pictures belongs into media"),
                          StartsWith("studio/c.cpp:1: printing belongs into cli"),
                          StartsWith("training/d.cpp:1: yaml-cpp belongs into"),
                          StartsWith("training/d.cpp:2: printing belongs into cli")));
}

TEST_F(MadeUpHouse, CirclesAndUnknownFoldersAreRefused) {
  write("core/a.h", "#include \"unianimate/core/b.h\"\n");
  write("core/b.h", "#include \"unianimate/core/c.h\"\n");
  write("core/c.h", "#include \"unianimate/core/a.h\"\n");
  write("attic/old.h", "");
  write("cli/main.cpp", "#include \"unianimate/attic/old.h\"\n");
  EXPECT_THAT(
      problems(),
      ElementsAre(
          StartsWith("attic/old.h:1: its folder is no room"), StartsWith("cli/main.cpp:1: attic/old.h lies in no room"),
          StartsWith("core/a.h:1: it includes itself in a circle: core/a.h -> core/b.h -> core/c.h -> core/a.h")));
}

}  // namespace
}  // namespace unianimate::testing
