// The safetensors writer and reader, against each other and against hostile headers.
#include "checkpoint_bytes.h"
#include "support/temporary_folder.h"
#include "unianimate/checkpoint/safetensors_writer.h"

namespace unianimate::checkpoint {
namespace {

using testing::expect_refused;
using testing::packed;
using testing::read_file;
using testing::TemporaryFolder;

std::string with_header(const std::string& header, std::size_t data_bytes) {
  return packed(static_cast<std::uint64_t>(header.size())) + header + std::string(data_bytes, '\0');
}

TEST(Safetensors, EveryTypeSurvivesARoundTrip) {
  NamedTensors tensors;
  const at::Tensor values = at::arange(24).view({2, 3, 4});
  for (const at::ScalarType type :
       {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kFloat8_e4m3fn, at::kFloat8_e5m2, at::kLong, at::kInt,
        at::kShort, at::kChar, at::kByte, at::kUInt16, at::kUInt32, at::kUInt64, at::kBool}) {
    tensors.push_back({c10::toString(type), values.to(type)});
  }
  tensors.push_back({"scalar", at::tensor(2.5F).view({})});
  tensors.push_back({"empty", at::empty({0, 4})});
  tensors.push_back({"transposed", values.to(at::kFloat).permute({2, 0, 1})});
  tensors.push_back({"ünïcode \"quoted\"", at::ones({1})});
  const TemporaryFolder folder;
  save_safetensors(folder / "a.safetensors", tensors, {{"format", "pt"}, {"note", "x\ny"}});

  const Checkpoint checkpoint = open_checkpoint(folder / "a.safetensors");
  EXPECT_EQ(checkpoint.tensors().size(), tensors.size());
  EXPECT_EQ(checkpoint.metadata(), (Metadata{{"format", "pt"}, {"note", "x\ny"}}));
  for (const NamedTensor& named : tensors) {
    const TensorEntry* entry = checkpoint.find(named.name);
    ASSERT_NE(entry, nullptr) << named.name;
    const at::Tensor found = materialize(checkpoint, *entry);
    EXPECT_EQ(found.scalar_type(), named.tensor.scalar_type());
    const auto comparable = [](const at::Tensor& t) { return t.to(at::kDouble); };
    EXPECT_TRUE(at::equal(comparable(found), comparable(named.tensor))) << named.name;
  }
}

/// The golden file was written by the format's own library: same tensors, same bytes.
TEST(Safetensors, WritesTheBytesOfTheReferenceImplementation) {
  const std::filesystem::path golden = testing::golden_checkpoint("expected.safetensors");
  NamedTensors tensors;
  for (auto& [name, tensor] : testing::read_all(read_file(golden))) tensors.push_back({name, tensor});
  const TemporaryFolder folder;
  save_safetensors(folder / "again.safetensors", tensors);
  EXPECT_EQ(read_file(folder / "again.safetensors"), read_file(golden));
}

TEST(Safetensors, ConvertsFloatingTensorsOnly) {
  const TemporaryFolder folder;
  save_safetensors(folder / "a.safetensors", {{"f", at::ones({3})}, {"i", at::ones({3}, at::kLong)}}, {},
                   at::kBFloat16);
  const Checkpoint checkpoint = open_checkpoint(folder / "a.safetensors");
  EXPECT_EQ(checkpoint.find("f")->type, ElementType::kBFloat16);
  EXPECT_EQ(checkpoint.find("i")->type, ElementType::kInt64);
  EXPECT_EQ(checkpoint.total_parameters(), 6);
  EXPECT_EQ(checkpoint.total_bytes(), 3 * 2 + 3 * 8);
}

TEST(Safetensors, WritesAFileWithoutTensors) {
  const TemporaryFolder folder;
  save_safetensors(folder / "a.safetensors", {});
  EXPECT_TRUE(open_checkpoint(folder / "a.safetensors").tensors().empty());
}

TEST(Safetensors, LeavesNothingBehindUnlessFinished) {
  const TemporaryFolder folder;
  {
    SafetensorsWriter writer(folder / "a.safetensors", {{"a", at::kFloat, {2}}, {"b", at::kFloat, {2}}});
    writer.write("b", at::ones({2}));
    EXPECT_THROW(writer.write("c", at::ones({2})), Error);
    EXPECT_THROW(writer.write("a", at::ones({3})), Error);
    EXPECT_THROW(writer.finish(), Error);
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_THROW(SafetensorsWriter(folder / "a.safetensors", {{"a", at::kFloat, {2}}, {"a", at::kFloat, {2}}}), Error);
  EXPECT_THROW(SafetensorsWriter(folder / "a.safetensors", {{"__metadata__", at::kFloat, {2}}}), Error);
  EXPECT_THROW(SafetensorsWriter(folder / "a.safetensors", {{"\xff", at::kFloat, {2}}}), Error);
  EXPECT_THROW(SafetensorsWriter(folder / "a.safetensors", {{"a", at::kComplexFloat, {2}}}), Error);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Safetensors, RefusesHeadersThatClaimTooMuch) {
  for (const std::uint64_t size :
       {std::uint64_t{100}, std::uint64_t{100'000'001}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    expect_refused(packed(size) + "{}", "the header claims");
  }
}

TEST(Safetensors, RefusesHostileHeaders) {
  const auto refuse = [](const std::string& header, const std::string& reason) {
    expect_refused(with_header(header, 8), reason);
  };
  refuse("{", "no valid JSON");
  refuse(R"({"a":1})", "a number");
  refuse(R"({"a":[]})", "a list");
  refuse(R"({"a":null})", "null");
  refuse(R"({"a":{"dtype":"F32"}})", "in part only");
  refuse(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"extra":1}})", "a field");
  refuse(R"({"a":{"dtype":"Q4","shape":[2],"data_offsets":[0,8]}})", "'Q4'");
  refuse(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", "a negative number");
  refuse(R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", "a fraction");
  refuse(R"({"a":{"dtype":"F32","shape":[99999999999999999999999],"data_offsets":[0,8]}})", "a fraction");
  refuse(R"({"a":{"dtype":"F32","shape":[[2]],"data_offsets":[0,8]}})", "a list");
  refuse(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", "does not fit");
  refuse(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}})", "does not fit");
  refuse(R"({"a":{"dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8]}})", "does not fit");
  refuse(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9]}})", "cut short or damaged");
  refuse(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", "cut short or damaged");
  refuse(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,9]}})", "in part only");
  refuse(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", "take 4 bytes");
  refuse(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", "overlap or leave a gap");
  refuse(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
         R"("b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})",
         "overlap or leave a gap");
  refuse(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
         R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})",
         "'a' twice");
  refuse(R"({"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", "'dtype' twice");
  refuse(std::string("{}\0{}", 5), "zero byte at its byte 2");
  refuse(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})" + std::string(3, '\0'), "zero byte");
  refuse(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} x)", "no valid JSON");
  refuse(R"({"__metadata__":{},"__metadata__":{}})", "'__metadata__' twice");
  refuse(R"({"__metadata__":{"x":"1","x":"2"}})", "'x' twice");
  refuse(R"({"__metadata__":{"x":1}})", "a number");
  refuse(R"({"__metadata__":{"x":{}}})", "an object");
  refuse(R"({"a":)" + std::string(1'000'000, '{'), "");
  refuse(R"({"a":)" + std::string(1'000'000, '['), "a list");
}

}  // namespace
}  // namespace unianimate::checkpoint
