// Pickles that no honest writer makes, and the honest ones the golden files lack.
#include "checkpoint_bytes.h"

namespace unianimate::checkpoint {
namespace {

using testing::expect_refused;
using testing::legacy_dictionary;
using testing::legacy_file;
using testing::open_bytes;
using testing::pickled_integer;
using testing::pickled_storage;
using testing::pickled_tensor;
using testing::pickled_text;
using testing::read_all;

const std::map<std::string, std::vector<float>> kStorages{{"s", {0, 1, 2, 3, 4, 5}}};

std::string repeated(const std::string& text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) all += text;
  return all;
}

TEST(Pickle, ReadsAStridedTensor) {
  const auto tensors =
      read_all(legacy_dictionary("x", pickled_tensor(pickled_storage("s", 6), 1, {2, 2}, {1, 3}), kStorages));
  EXPECT_TRUE(at::equal(tensors.at("x"), at::tensor({1.0F, 4.0F, 2.0F, 5.0F}).view({2, 2})));
}

TEST(Pickle, IgnoresTheMetadataOfAStateDict) {
  const std::string tensor = pickled_tensor(pickled_storage("s", 6), 0, {6}, {1});
  const auto tensors = read_all(legacy_file(
      "ccollections\nOrderedDict\n)R" + pickled_text("x") + tensor + "s}" + pickled_text("_metadata") + "}sb",
      kStorages));
  EXPECT_EQ(tensors.size(), 1);
}

TEST(Pickle, UnwrapsTensorSubclassesAndParameters) {
  const std::string tensor = pickled_tensor(pickled_storage("s", 6), 0, {6}, {1});
  // "ctorch._utils\n_rebuild_tensor_v2\n" ARGUMENTS "R"
  const std::size_t arguments = tensor.find('(');
  const std::string subclass = std::string("ctorch._tensor\n_rebuild_from_type_v2\n(") + tensor.substr(0, arguments) +
                               "cmy_package\nMyTensor\n" + tensor.substr(arguments, tensor.size() - arguments - 1) +
                               "}tR";
  EXPECT_EQ(read_all(legacy_dictionary("x", subclass, kStorages)).at("x").numel(), 6);
  const std::string parameter = std::string("ctorch._utils\n_rebuild_parameter\n(") + tensor + "\x88}tR";
  EXPECT_EQ(read_all(legacy_dictionary("x", parameter, kStorages)).at("x").numel(), 6);
}

TEST(Pickle, TheLastOfTwoValuesOfAKeyCounts) {
  const std::string storage = pickled_storage("s", 6);
  const auto tensors =
      read_all(legacy_file(std::string("}") + pickled_text("x") + pickled_tensor(storage, 0, {6}, {1}) + "s" +
                               pickled_text("x") + pickled_tensor(storage, 0, {2}, {1}) + "s",
                           kStorages));
  EXPECT_EQ(tensors.at("x").numel(), 2);
}

TEST(Pickle, ToleratesUnknownClassesBesideTheTensors) {
  const std::string object = std::string("cmy_package.module\nThing\n)\x81}") + pickled_text("a") + "Nsb";
  const Checkpoint checkpoint = open_bytes(
      legacy_file(std::string("}") + pickled_text("thing") + object + "s" + pickled_text("x") +
                      pickled_tensor(pickled_storage("s", 6), 0, {6}, {1}) + "s" + pickled_text("step") + "K\x05s",
                  kStorages));
  EXPECT_EQ(checkpoint.tensors().size(), 1);
  EXPECT_EQ(checkpoint.ignored_entries(), 2);
}

TEST(Pickle, RefusesTensorsMadeByUnknownCode) {
  const std::string storage = pickled_storage("s", 6);
  expect_refused(legacy_dictionary("x", std::string("cmy_package\nmake\n") + storage + "\x85R", kStorages),
                 "my_package.make");
  expect_refused(
      legacy_dictionary("x", std::string("cmy_package\nmake\n") + pickled_tensor(storage, 0, {6}, {1}) + "\x85R",
                        kStorages),
      "my_package.make");
  expect_refused(legacy_dictionary("x", pickled_tensor("cmy_package\nmake\n)R", 0, {6}, {1})),
                 "depends on an object instead of a storage");
  expect_refused(legacy_file("cmy_package\nModel\n)R"), "my_package.Model");
}

TEST(Pickle, RefusesCodeWhereverItIsNamed) {
  for (const std::string global : {"os\nsystem", "posix\nsystem", "nt\nsystem", "builtins\neval", "__builtin__\nexec",
                                   "builtins\ngetattr", "builtins\n__import__", "subprocess\nPopen", "os.path\njoin",
                                   "runpy\nrun_path", "torch.hub\nload", "importlib\nimport_module"}) {
    expect_refused(legacy_dictionary("a", "c" + global + "\n"), "the file is hostile");
  }
  expect_refused(legacy_dictionary("a", pickled_text("os") + pickled_text("system") + "\x93"), "would call os.system");
}

TEST(Pickle, AcceptsBuiltinsThatHoldData) {
  EXPECT_EQ(open_bytes(legacy_dictionary("a", "c__builtin__\nset\n]\x85R")).ignored_entries(), 1);
}

TEST(Pickle, RefusesTensorsThatDoNotFitTheirStorage) {
  const auto refuse = [](std::int64_t offset, const std::vector<std::int64_t>& shape,
                         const std::vector<std::int64_t>& strides) {
    expect_refused(legacy_dictionary("x", pickled_tensor(pickled_storage("s", 6), offset, shape, strides), kStorages),
                   "does not fit its storage of 6 elements");
  };
  const std::int64_t huge = std::int64_t{1} << 62;
  refuse(0, {7}, {1});
  refuse(1, {6}, {1});
  refuse(0, {2, 2}, {5, 1});
  refuse(0, {2}, {huge});
  refuse(0, {huge}, {1});
  refuse(0, {huge, huge}, {1, 1});
  refuse(0, {huge, huge, 0}, {1, 1, 1});
  refuse(0, {1000}, {0});
  refuse(0, {2}, {-1});
  refuse(5, {2}, {-1});
  refuse(-1, {2}, {1});
  refuse(huge, {2}, {1});
  refuse(7, {0}, {1});
  refuse(0, {-2}, {1});
  refuse(0, {2}, {1, 1});
  refuse(0, std::vector<std::int64_t>(40, 1), std::vector<std::int64_t>(40, 1));
}

TEST(Pickle, RefusesStoragesLargerThanTheFile) {
  for (const std::int64_t elements : {std::int64_t{7}, std::int64_t{1} << 60, std::int64_t{1} << 62}) {
    expect_refused(legacy_dictionary("x", pickled_tensor(pickled_storage("s", elements), 0, {1}, {1}), kStorages),
                   fmt::format("claims {} elements", elements));
  }
  expect_refused(legacy_dictionary("x", pickled_tensor(pickled_storage("s", -1), 0, {1}, {1}), kStorages), "negative");
  expect_refused(legacy_dictionary("x", pickled_tensor(pickled_storage("t", 6), 0, {1}, {1}), {}), "missing");
}

TEST(Pickle, RefusesDamagedOperations) {
  expect_refused(legacy_file("0"), "lacks an operand");
  expect_refused(legacy_file("}K\x01s"), "lacks an operand");
  expect_refused(legacy_file("t"), "lacks a mark");
  expect_refused(legacy_file("h\x07"), "memo slot 7 is empty");
  expect_refused(legacy_file("Nr\xff\xff\xff\x7f"), "beyond the limit");
  expect_refused(legacy_file("}(K\x01u"), "a key and no value");
  expect_refused(legacy_file("}K\x01"
                             "a"),
                 "holds none");
  expect_refused(legacy_file("X\xff\xff\xff\xff"), "bytes are expected");
  expect_refused(legacy_file("\x8d\xff\xff\xff\xff\xff\xff\xff\xff"), "bytes are expected");
  expect_refused(legacy_file("cno line feed"), "");
  expect_refused(legacy_file("\x80\x09N"), "protocol 9");
  expect_refused(legacy_file("\xfe"), "operation 0xfe");
  expect_refused(legacy_file("K\x01"), "a number");
}

TEST(Pickle, BearsDeepNestingAndMutualReferences) {
  constexpr std::size_t kDepth = 500000;
  const std::string deep = repeated("]", kDepth) + repeated("a", kDepth - 1);
  EXPECT_EQ(open_bytes(legacy_dictionary("x", deep)).ignored_entries(), 1);
  const std::string deep_call =
      "cm\nf\nq\x01"
      "0" +
      repeated("h\x01", kDepth) + pickled_storage("s", 6) + repeated("\x85R", kDepth);
  expect_refused(legacy_dictionary("x", deep_call, kStorages), "not known here");
  const std::string itself =
      "]q\x01h\x01"
      "a";
  EXPECT_EQ(open_bytes(legacy_dictionary("x", itself)).ignored_entries(), 1);
}

TEST(Pickle, BearsExponentialStructures) {
  // Each tuple holds the one before twice: 2^60 leaves if they were copied.
  const std::string doubled = std::string("cm\nf\n)R") + repeated("2\x86", 60);
  EXPECT_EQ(open_bytes(legacy_dictionary("x", doubled)).ignored_entries(), 1);
  const std::string call = std::string("cm\nf\n(") + doubled.substr(0, 5) + repeated("2\x86", 60) + "tR";
  EXPECT_EQ(open_bytes(legacy_dictionary("x", call)).ignored_entries(), 1);
}

TEST(Pickle, RefusesMoreThanItsLimits) {
  expect_refused(legacy_file(std::string(std::size_t{1} << 22, '}')), "values");
  expect_refused(legacy_file(std::string("N") + repeated("20", std::size_t{1} << 23)), "operations");
}

TEST(Pickle, RefusesObjectsOutsideThePickleThatAreNoStorages) {
  expect_refused(legacy_dictionary("x", std::string("(") + pickled_text("module") + "NtQ"), "'module'");
  expect_refused(legacy_dictionary("x", "NQ"), "malformed");
  expect_refused(legacy_dictionary("x", std::string("(") + pickled_text("storage") + "ctorch\nQInt8Storage\n" +
                                            pickled_text("s") + pickled_text("cpu") + pickled_integer(1) + "NtQ"),
                 "torch.QInt8Storage");
}

}  // namespace
}  // namespace unianimate::checkpoint
