#include "checkpoint_bytes.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace unianimate::testing {

namespace {

constexpr std::string_view kProtocol = "\x80\x02";

std::string single_pickle(const std::string& operations) {
  return std::string(kProtocol) + operations + ".";
}

}  // namespace

std::filesystem::path golden_checkpoint(const std::string& name) {
  return std::filesystem::path(std::getenv("UNIANIMATE_TEST_DATA")) / "golden" / "checkpoints" / name;
}

std::string read_file(const std::filesystem::path& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

checkpoint::Checkpoint open_bytes(std::string bytes) {
  return checkpoint::Checkpoint(std::make_shared<const checkpoint::CheckpointFile>("FILE", std::move(bytes)));
}

std::map<std::string, at::Tensor> read_all(std::string bytes) {
  const checkpoint::Checkpoint opened = open_bytes(std::move(bytes));
  std::map<std::string, at::Tensor> tensors;
  for (const auto& entry : opened.tensors()) tensors[entry.name] = checkpoint::materialize(opened, entry);
  return tensors;
}

void expect_refused(std::string bytes, const std::string& reason) {
  try {
    read_all(std::move(bytes));
    ADD_FAILURE() << "not refused, expected: " << reason;
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kInput) << error.what();
    EXPECT_THAT(error.what(), ::testing::StartsWith("FILE: "));
    EXPECT_THAT(error.what(), ::testing::HasSubstr(reason));
    EXPECT_THAT(error.what(), ::testing::Not(::testing::HasSubstr("\n")));
  }
}

std::string pickled_text(std::string_view text) {
  return std::string("X") + packed(static_cast<std::uint32_t>(text.size())) + std::string(text);
}

std::string pickled_integer(std::int64_t value) {
  return std::string("\x8a\x08") + packed(value);
}

std::string pickled_tuple(const std::vector<std::int64_t>& values) {
  std::string operations = "(";
  for (const std::int64_t value : values) operations += pickled_integer(value);
  return operations + "t";
}

std::string pickled_storage(const std::string& key, std::int64_t elements) {
  return std::string("(") + pickled_text("storage") + "ctorch\nFloatStorage\n" + pickled_text(key) +
         pickled_text("cpu") + pickled_integer(elements) + "NtQ";
}

std::string pickled_tensor(const std::string& storage, std::int64_t offset, const std::vector<std::int64_t>& shape,
                           const std::vector<std::int64_t>& strides) {
  return std::string("ctorch._utils\n_rebuild_tensor_v2\n(") + storage + pickled_integer(offset) +
         pickled_tuple(shape) + pickled_tuple(strides) + "\x89" + "ccollections\nOrderedDict\n)RtR";
}

std::string legacy_file(const std::string& object, const std::map<std::string, std::vector<float>>& storages) {
  std::string file = single_pickle(std::string("\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"));
  file += single_pickle(std::string("M") + packed(std::uint16_t{1001}));
  file += single_pickle(std::string("}") + pickled_text("little_endian") + "\x88s");
  file += single_pickle(object);
  std::string keys = "](";
  for (const auto& [key, values] : storages) keys += pickled_text(key);
  file += single_pickle(keys + "e");
  for (const auto& [key, values] : storages) {
    file += packed(static_cast<std::int64_t>(values.size()));
    for (const float value : values) file += packed(value);
  }
  return file;
}

std::string legacy_dictionary(const std::string& name, const std::string& value,
                              const std::map<std::string, std::vector<float>>& storages) {
  return legacy_file(std::string("}") + pickled_text(name) + value + "s", storages);
}

}  // namespace unianimate::testing
